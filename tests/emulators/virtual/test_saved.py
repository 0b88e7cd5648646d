"""States as bytes: read back whole, and nothing else is."""

from __future__ import annotations

import contextlib
import os
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.saved import read_state, write_state
from tapwise.errors import DeviceError

PHONE = VirtualPhone(seed=5)
SAVED = write_state(PHONE.state)


class Evil:
    def __reduce__(self) -> tuple[object, ...]:
        return os.system, ("exit 3",)


class Nested:
    def __reduce__(self) -> tuple[object, ...]:
        return getattr, (VirtualPhone, "restore")


def test_a_state_comes_back_whole() -> None:
    other = VirtualPhone(seed=9)
    other.restore(SAVED)
    assert other.state_hash() == PHONE.state_hash()


@pytest.mark.parametrize("value", [Evil(), Nested(), {"a": 1}, os.getcwd, VirtualPhone, b"", [1]])
def test_nothing_else_is_read(value: object) -> None:
    with pytest.raises(DeviceError):
        read_state(pickle.dumps(value))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(SAVED) - 1), st.integers(1, 255))
def test_damaged_bytes_give_a_state_or_an_error(place: int, change: int) -> None:
    damaged = bytearray(SAVED)
    damaged[place] ^= change
    with contextlib.suppress(DeviceError):
        read_state(bytes(damaged))
