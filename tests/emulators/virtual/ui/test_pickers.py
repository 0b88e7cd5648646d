"""Sliders, sheets, and dialogs that ask for a day or an hour."""

from __future__ import annotations

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import UiNode

TASKS, CALENDAR = "org.tasks", "com.simplemobiletools.calendar.pro"


@pytest.fixture
def phone() -> VirtualPhone:
    return VirtualPhone(seed=3)


def node(phone: VirtualPhone, label: str) -> UiNode:
    return next(node for node in phone.tree().walk() if label in (node.text, node.description))


def press(phone: VirtualPhone, *labels: str) -> None:
    for label in labels:
        phone.tap(*node(phone, label).centre)


def test_a_day_is_picked_in_another_month_and_confirmed(phone: VirtualPhone) -> None:
    phone.open(TASKS)
    press(phone, "Add", "Due Mon 2 Mar", "Next month", "Thu 16 Apr")
    assert node(phone, "April 2026")
    press(phone, "OK")
    assert node(phone, "Due Thu 16 Apr")


@pytest.mark.parametrize("leave", ["Cancel", "KEYCODE_BACK"])
def test_a_day_that_is_not_confirmed_is_not_taken(phone: VirtualPhone, leave: str) -> None:
    phone.open(TASKS)
    press(phone, "Add", "Due Mon 2 Mar", "Wed 4 Mar")
    phone.key_event(leave) if leave.startswith("KEYCODE") else press(phone, leave)
    assert node(phone, "Due Mon 2 Mar")
    press(phone, "Due Mon 2 Mar")
    assert node(phone, "Mon 2 Mar")  # and the dialog begins with what holds


def test_an_hour_is_picked(phone: VirtualPhone) -> None:
    phone.open(CALENDAR)
    press(phone, "Add", "Starts 9:00", "17 o'clock", "OK")
    assert node(phone, "Starts 17:00")


def test_a_choice_comes_on_a_sheet_at_the_bottom(phone: VirtualPhone) -> None:
    phone.open(TASKS)
    press(phone, "Add", "Priority")
    cancel = node(phone, "Cancel").bounds
    assert cancel[3] > 0.88 * phone.size.height
    press(phone, "High")
    assert node(phone, "High")


def test_a_slider_follows_a_touch_and_a_finger(phone: VirtualPhone) -> None:
    phone.panels.show("quick_settings")
    left, top, right, bottom = (bar := node(phone, "Brightness")).bounds
    assert (bar.class_name, bar.text) == ("android.widget.SeekBar", "102.0")
    middle = (top + bottom) / 2
    phone.tap(right - 0.5, middle)
    assert phone.settings.get("system", "screen_brightness") == "255"
    phone.swipe(right - 5, middle, (left + right) / 2, middle, 0.3)
    assert node(phone, "Brightness").text == "128.0"
    phone.swipe(right - 5, middle, left - 400, middle + 30, 0.3)
    assert phone.settings.get("system", "screen_brightness") == "1"  # a screen is never wholly dark
