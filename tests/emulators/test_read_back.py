"""Typed text that does not arrive: mended, or the phone's fault; never the agent's."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.device import AdbDevice
from tapwise.emulators.read_back import MENDS, arrived
from tapwise.emulators.virtual.faults.spec import FaultSpec
from tapwise.errors import DeviceTimeout
from tapwise.records import UiNode


@contextmanager
def at_a_field(*faults: str, reads_back: bool = True) -> Iterator[AdbDevice]:
    """A phone with a text field in focus."""
    backend = VirtualBackend(faults=[FaultSpec.parse(fault) for fault in faults], reads_back=reads_back)
    phone = backend.boot(0, 60)
    try:
        device = phone.device
        device.open_app("com.android.chrome")
        field = next(node for node in device.ui_tree().walk() if node.class_name.endswith("EditText"))
        device.tap(*map(int, field.centre))
        yield device
    finally:
        phone.shut_down()


def field_of(device: AdbDevice) -> UiNode:
    return next(node for node in device.ui_tree().walk() if node.focused)


def test_text_that_was_lost_is_typed_again() -> None:
    with at_a_field("lost_input:on=text,times=1") as device:
        device.type_text("red shoes")
        assert field_of(device).text == "red shoes"
        device.type_text(" and hats")
        assert field_of(device).text == "red shoes and hats"


def test_without_reading_back_it_stays_lost() -> None:
    with at_a_field("lost_input:on=text,times=1", reads_back=False) as device:
        device.type_text("red shoes")
        assert "red" not in field_of(device).text


def test_a_phone_that_swallows_everything_is_at_fault() -> None:
    with at_a_field("lost_input:on=text") as device, pytest.raises(DeviceTimeout, match=f"after {MENDS + 1} attempts"):
        device.type_text("red shoes")


def test_text_beyond_ascii_is_read_back_too() -> None:
    with at_a_field() as device:
        device.type_text("Grüße 日本")
        assert field_of(device).text == "Grüße 日本"


def test_what_it_costs() -> None:
    """Two dumps, which on this phone take milliseconds."""
    with at_a_field() as device:
        began = time.perf_counter()
        device.type_text("abc")
        assert time.perf_counter() - began < 2.0


@pytest.mark.parametrize(
    ("held", "typed", "holds", "is_there"),
    [
        ("", "5551234", "555-1234", True),
        ("", "hello", "Hello", True),
        ("one ", "two", "one two", True),
        ("onetwo", "X", "oneXtwo", True),
        ("", "hello", "helo", False),
        ("", "hello", "hhello", False),
        ("one ", "two", "two", False),
        ("", "hello", "hlelo", False),
    ],
)
def test_what_has_arrived(held: str, typed: str, holds: str, is_there: bool) -> None:
    assert arrived(held, typed, holds) is is_there


@given(st.text(max_size=8), st.text(min_size=1, max_size=8), st.data())
def test_text_at_any_place_has_arrived(held: str, typed: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(held)))
    folds = (held[:place] + typed + held[place:]).casefold() == held[:place].casefold() + typed.casefold() + held[
        place:
    ].casefold()
    assert arrived(held, typed, held[:place] + typed + held[place:]) or not folds
