"""States of a phone as bytes, and back. Only the phone's own kinds of values are read, so that any bytes are safe."""

from __future__ import annotations

import io
import pickle
from dataclasses import is_dataclass
from typing import Any

from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.state import PhoneState
from tapwise.errors import DeviceError

_HERE = "tapwise.emulators.virtual."
_PLAIN = {("datetime", "datetime"), ("datetime", "timezone"), ("datetime", "timedelta"), ("datetime", "date")}


class _Reader(pickle.Unpickler):
    """Gives no function of any module away, and no class but the phone's records and times."""

    def find_class(self, module: str, name: str) -> Any:
        if "." in name:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a phone's state")
        if (module, name) in _PLAIN:
            return super().find_class(module, name)
        if module.startswith(_HERE):
            found = super().find_class(module, name)
            if isinstance(found, type) and (is_dataclass(found) or found is VirtualFileSystem):
                return found
        raise pickle.UnpicklingError(f"{module}.{name} is no part of a phone's state")


def write_state(state: PhoneState) -> bytes:
    """A state as bytes, for `read_state` of this version of tapwise."""
    return pickle.dumps(state)


def read_state(data: bytes) -> PhoneState:
    """The state that `write_state` wrote. Raises DeviceError for anything else."""
    try:
        state = _Reader(io.BytesIO(data)).load()
    except Exception as error:  # damaged bytes break a pickle in any way
        raise DeviceError(
            f"the bytes are no state of a virtual phone of this version ({error}): save it anew"
        ) from None
    if not isinstance(state, PhoneState):
        raise DeviceError(f"the bytes hold a {type(state).__name__} and no state of a virtual phone: save it anew")
    return state
