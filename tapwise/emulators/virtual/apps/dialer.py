"""Phone: a keypad, and the calls that were made and came."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import Button, Grid, IconButton, ListItem, Plate, Row, Space, Text, View

KEYS = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#")
KINDS = ("Incoming", "Outgoing", "Missed")


@dataclass
class Call:
    """A call with a number: its kind, and how long it took in seconds."""

    id: int
    number: str
    kind: str
    seconds: int = 0


@dataclass
class DialerData:
    """The log, oldest first, and the number of the call that goes on (empty: none)."""

    calls: list[Call]
    talking_to: str = ""


class Dialer(App):
    """Google's phone app."""

    package = "com.google.android.dialer"
    label = "Phone"
    icon = "phone"
    colour = (46, 125, 50)
    activity = ".extensions.GoogleDialtactsActivity"

    def initial(self, rng: random.Random) -> DialerData:
        numbers = ["555" + "".join(rng.choices("0123456789", k=4)) for _ in range(5)]
        kinds = [rng.choice(KINDS) for _ in numbers]
        return DialerData(
            [
                Call(n, number, kind, 0 if kind == "Missed" else rng.randrange(20, 600))
                for n, (number, kind) in enumerate(zip(numbers, kinds, strict=True), 1)
            ]
        )

    def tables(self, data: DialerData) -> Mapping[str, Table]:
        columns = {"_id": "id", "number": "number", "kind": "kind", "seconds": "seconds"}
        return {"content://com.google.android.dialer/calls": RecordTable(data.calls, Call, columns)}

    def page(self, ui: Ui) -> Page:
        data: DialerData = ui.data
        if data.talking_to:
            return _call_page(ui)
        if ui.route[0] == "call":
            return _log_entry(ui, ui.route[1])
        shown = _keypad(ui) if ui.field("tab") == "Keypad" else _log(ui)
        tabs = [
            IconButton(
                icon=icon,
                description=name,
                selected=(ui.field("tab") or "Recent calls") == name,
                on_tap=partial(ui.set_field, "tab", name),
            )
            for name, icon in (("Recent calls", "clock"), ("Keypad", "phone"))
        ]
        shown.bottom = Plate(child=Row(children=tabs, row_height=themes.ROW_DP))
        return shown


def _log(ui: Ui) -> Page:
    rows = [
        ListItem(
            title=call.number,
            subtitle=call.kind
            if call.kind == "Missed"
            else f"{call.kind}, {call.seconds // 60} min {call.seconds % 60} s",
            icon="phone",
            plate=(198, 40, 40) if call.kind == "Missed" else (46, 125, 50),
            on_tap=partial(ui.go, "call", str(call.id)),
        )
        for call in reversed(ui.data.calls)
    ]
    return Page(title="Recent calls", body=rows or [Text(value="No calls", align="center", muted=True)])


def _keypad(ui: Ui) -> Page:
    number = ui.field("number")

    def dial() -> None:
        if number:
            _begin(ui, number)

    keys: list[View] = [
        Button(label=key, flat=True, on_tap=partial(ui.set_field, "number", number + key)) for key in KEYS
    ]
    erase = IconButton(icon="back", description="Erase", on_tap=partial(ui.set_field, "number", number[:-1]))
    call = IconButton(icon="phone", description="Call", size=48, colour=(46, 125, 50), on_tap=dial)
    body: list[View] = [
        Space(size=themes.ROW_DP / 2),
        Text(value=number or "Number", size=40, align="center", muted=not number),
        Space(size=themes.ROW_DP / 2),
        Grid(children=keys, columns=3, cell_height=themes.ROW_DP),
        Row(children=[Space(size=1), call, erase], weights=[1, 1, 1]),
    ]
    return Page(title="Keypad", body=body)


def _begin(ui: Ui, number: str) -> None:
    ui.data.calls.append(Call(ui.new_id(), number, "Outgoing"))
    ui.data.talking_to = number
    ui.set_field("number", "")


def _call_page(ui: Ui) -> Page:
    data: DialerData = ui.data

    def end() -> None:
        data.talking_to = ""

    body: list[View] = [
        Space(size=2 * themes.ROW_DP),
        Text(value=data.talking_to, size=40, align="center"),
        Text(value="Calling", align="center", muted=True),
        Space(size=2 * themes.ROW_DP),
        Row(children=[Space(size=1), Button(label="End call", on_tap=end), Space(size=1)], weights=[1, 2, 1]),
    ]
    return Page(body=body)


def _log_entry(ui: Ui, key: str) -> Page:
    calls: list[Call] = ui.data.calls
    call = next((one for one in calls if str(one.id) == key), None)
    if call is None:
        return Page(title="No call", on_back=ui.back)

    def remove() -> None:
        calls.remove(call)
        ui.root()

    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    cancel = partial(ui.set_field, "dialog", "")
    dialog = confirm_dialog(f"Delete {call.number}", "Delete", remove, cancel) if ui.field("dialog") else None
    body: list[View] = [
        ListItem(title=call.kind, subtitle="Kind", icon="phone"),
        ListItem(title=f"{call.seconds} seconds", subtitle="Length", icon="timer"),
        Row(children=[Button(label="Call back", icon="phone", on_tap=partial(_begin, ui, call.number))]),
    ]
    return Page(title=call.number, on_back=ui.back, actions=[delete], body=body, dialog=dialog)
