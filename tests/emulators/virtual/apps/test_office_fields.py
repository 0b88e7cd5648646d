"""Minutes and lengths of events, and cents of expenses, entered on the screen and kept where clients look."""

from __future__ import annotations

from tapwise.emulators.virtual.apps.calendar import CalendarData
from tapwise.emulators.virtual.apps.expenses import ExpensesData
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.state import Entry

CALENDAR, EXPENSES = "com.simplemobiletools.calendar.pro", "com.arduia.expense"


def tap(phone: VirtualPhone, words: str) -> None:
    nodes = [node for node in phone.tree().walk() if words in (node.text, node.description)]
    assert nodes, [node.label for node in phone.tree().walk() if node.label]
    phone.tap(*nodes[0].centre)


def form(package: str, *route: str) -> tuple[VirtualPhone, Entry]:
    phone = VirtualPhone(seed=3)
    phone.open(package, *route)
    return phone, phone.entry


def test_an_event_gets_its_minutes_and_its_length() -> None:
    phone, entry = form(CALENDAR, "new")
    entry.fields["title"] = "choir"
    tap(phone, "Starts 9:00")
    tap(phone, "14 o'clock")
    tap(phone, "35 minutes past")
    tap(phone, "OK")
    tap(phone, "Lasts 60 minutes")
    tap(phone, "90")
    tap(phone, "OK")
    tap(phone, "Lasts more")
    tap(phone, "Save")
    data = phone.state.apps[CALENDAR].data
    assert isinstance(data, CalendarData)
    event = data.items[-1]
    assert (event.title, event.hour, event.minute, event.length) == ("Choir", 14, 35, 105)
    rows = phone.content.query("content://com.simplemobiletools.calendar.pro/events")
    assert (rows[-1]["minute"], rows[-1]["length"]) == (35, 105)


def test_a_cancelled_picker_changes_nothing() -> None:
    phone, entry = form(CALENDAR, "new")
    entry.fields["title"] = "choir"
    tap(phone, "Starts 9:00")
    tap(phone, "35 minutes past")
    tap(phone, "Cancel")
    tap(phone, "Save")
    data = phone.state.apps[CALENDAR].data
    assert isinstance(data, CalendarData)
    assert (data.items[-1].hour, data.items[-1].minute, data.items[-1].length) == (9, 0, 60)


def test_editing_keeps_minutes_and_lengths_that_no_picker_offers() -> None:
    phone, _ = form(CALENDAR)
    data = phone.state.apps[CALENDAR].data
    assert isinstance(data, CalendarData)
    data.items[0].minute, data.items[0].length = 37, 400
    phone.open(CALENDAR, "edit", str(data.items[0].id))
    tap(phone, "Save")
    assert (data.items[0].minute, data.items[0].length) == (37, 400)


def test_an_expense_gets_its_cents() -> None:
    phone, entry = form(EXPENSES, "new")
    entry.fields |= {"name": "tea", "amount": "3"}
    tap(phone, "Cents 00")
    tap(phone, "95")
    tap(phone, "OK")
    tap(phone, "Cents more")
    tap(phone, "Save")
    data = phone.state.apps[EXPENSES].data
    assert isinstance(data, ExpensesData)
    assert (data.items[-1].amount, data.items[-1].cents) == (3, 96)
    assert any(node.text == "$3.96" for node in phone.tree().walk())
