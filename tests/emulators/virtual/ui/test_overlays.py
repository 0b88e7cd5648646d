"""Dialogs and navigation drawers over a page, upright and turned."""

from __future__ import annotations

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import UiNode

CALENDAR, EXPENSES = "com.simplemobiletools.calendar.pro", "com.arduia.expense"
OPEN_DRAWER = "Open navigation drawer"


def find(phone: VirtualPhone, words: str) -> UiNode | None:
    return next((node for node in phone.tree().walk() if words in (node.text, node.description)), None)


def tap(phone: VirtualPhone, words: str) -> None:
    node = find(phone, words)
    assert node is not None, [node.label for node in phone.tree().walk() if node.label]
    phone.tap(*node.centre)


def opened(package: str, *, turned: bool = False) -> VirtualPhone:
    phone = VirtualPhone(seed=3)
    if turned:
        phone.settings.put("system", "accelerometer_rotation", "0")
        phone.settings.put("system", "user_rotation", "1")
    phone.open(package)
    return phone


def drawer_is_open(phone: VirtualPhone) -> bool:
    return any(node.resource_id.endswith(":id/navigation_drawer") for node in phone.tree().walk())


def by_button(phone: VirtualPhone) -> None:
    tap(phone, OPEN_DRAWER)


def from_the_edge(phone: VirtualPhone) -> None:
    phone.swipe(4, 600, 320, 610, 0.3)


def by_back(phone: VirtualPhone) -> None:
    phone.key_event("KEYCODE_BACK")


def by_a_touch_beside(phone: VirtualPhone) -> None:
    phone.tap(phone.size.width - 20, 600)


def by_a_swipe(phone: VirtualPhone) -> None:
    phone.swipe(380, 600, 60, 590, 0.3)


@pytest.mark.parametrize("package", [CALENDAR, EXPENSES])
@pytest.mark.parametrize("open_it", [by_button, from_the_edge])
@pytest.mark.parametrize("close_it", [by_back, by_a_touch_beside, by_a_swipe])
def test_a_drawer_opens_and_closes(package: str, open_it: object, close_it: object) -> None:
    phone = opened(package)
    before = phone.frame()
    open_it(phone)  # type: ignore[operator]
    assert drawer_is_open(phone)
    assert find(phone, "Add") is None  # what is behind it cannot be reached
    close_it(phone)  # type: ignore[operator]
    assert not drawer_is_open(phone)
    assert phone.foreground().startswith(package)
    assert (phone.frame()[200:] == before[200:]).all()


def test_a_swipe_from_elsewhere_opens_nothing() -> None:
    phone = opened(EXPENSES)
    phone.swipe(200, 600, 500, 600, 0.3)
    assert not drawer_is_open(phone)


def test_a_place_shows_its_own_records() -> None:
    phone = opened(EXPENSES)
    tap(phone, OPEN_DRAWER)
    tap(phone, "Food")
    assert not drawer_is_open(phone)
    shown = {node.text for node in phone.tree().walk()}
    items = phone.state.apps[EXPENSES].data.items  # type: ignore[attr-defined]
    for expense in items:
        assert (expense.name in shown) == (expense.category == "Food")


def test_a_schedule_lists_what_is_to_come_in_order() -> None:
    phone = opened(CALENDAR)
    tap(phone, OPEN_DRAWER)
    tap(phone, "Schedule")
    events = phone.state.apps[CALENDAR].data.items  # type: ignore[attr-defined]
    titles = [event.title for event in sorted(events, key=lambda event: (event.day, event.hour))]
    assert [node.text for node in phone.tree().walk() if node.text in titles] == titles


def test_a_drawer_scrolls_on_a_turned_screen_and_begins_at_its_top_again() -> None:
    phone = opened(EXPENSES, turned=True)
    tap(phone, OPEN_DRAWER)
    assert find(phone, "Gifts") is None
    phone.swipe(200, 400, 200, 150, 0.3)
    phone.swipe(200, 400, 200, 150, 0.3)
    assert find(phone, "Gifts") is not None
    phone.key_event("KEYCODE_BACK")
    tap(phone, OPEN_DRAWER)
    assert find(phone, "All expenses") is not None


def test_a_dialog_higher_than_a_turned_screen_scrolls_between_title_and_buttons() -> None:
    phone = opened(CALENDAR, turned=True)
    phone.open(CALENDAR, "new")
    for _ in range(3):
        phone.swipe(600, 300, 600, 100, 0.3)
    tap(phone, "Starts 9:00")
    assert find(phone, "9:00") is not None
    assert find(phone, "45 minutes past") is None
    left, top, right, bottom = _bounds(phone, "OK")
    assert 0 <= left < right <= phone.size.width
    assert 0 <= top < bottom <= phone.size.height
    tap(phone, "17 o'clock")
    phone.swipe(600, 280, 600, 100, 0.3)
    tap(phone, "45 minutes past")
    assert _bounds(phone, "OK") == (left, top, right, bottom)
    tap(phone, "OK")
    assert find(phone, "Starts 17:45") is not None


def _bounds(phone: VirtualPhone, words: str) -> tuple[int, int, int, int]:
    node = find(phone, words)
    assert node is not None
    return node.bounds


def test_every_day_of_a_month_can_be_picked_on_a_turned_screen() -> None:
    phone = opened(CALENDAR, turned=True)
    phone.open(CALENDAR, "new")
    for _ in range(3):
        phone.swipe(600, 300, 600, 100, 0.3)
    tap(phone, "Day Mon 2 Mar")
    for _ in range(3):
        phone.swipe(600, 280, 600, 130, 0.3)
    tap(phone, "Tue 31 Mar")
    tap(phone, "OK")
    assert find(phone, "Day Tue 31 Mar") is not None
