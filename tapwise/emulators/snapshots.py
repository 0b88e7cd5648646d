"""Keeping and bringing back the whole state of a phone, for each kind of phone that can."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Protocol

from tapwise.emulators.adb.transport import ShellResult
from tapwise.errors import DeviceError


class Snapshots(Protocol):
    """Where a device keeps its snapshots."""

    def save(self, name: str) -> None:
        """Keep the phone's state. Raises DeviceError when it cannot be kept."""
        ...

    def load(self, name: str) -> None:
        """Bring the state back. Raises DeviceError when there is none of that name."""
        ...


class ShellSnapshots:
    """Snapshots that the phone keeps itself, as virtual phones do; others raise DeviceError."""

    def __init__(self, shell: Callable[[str], ShellResult]) -> None:
        self._shell = shell

    def save(self, name: str) -> None:
        """Keep the phone's state under a name."""
        self._run("save", name)

    def load(self, name: str) -> None:
        """Bring the state back."""
        self._run("load", name)

    def _run(self, verb: str, name: str) -> None:
        result = self._shell(f"tapwise-phone snapshot {verb} {shlex.quote(name)}")
        if result.exit_code == 127:
            raise DeviceError(
                f"snapshot {name!r}: this phone is not virtual and cannot {verb} snapshots; use the virtual"
                " backend, or a suite that resets its own apps"
            )
        if result.exit_code != 0:
            reason = (result.stderr or result.stdout).decode("utf-8", "replace").strip()
            raise DeviceError(f"snapshot {name!r} cannot be {'saved' if verb == 'save' else 'loaded'}: {reason}")
