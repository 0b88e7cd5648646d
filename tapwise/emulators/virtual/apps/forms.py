"""Forms: pages that ask for the values of a record, and give them to whoever saves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.pickers import date_picker, hour_picker, spoken_day
from tapwise.emulators.virtual.ui.views import Button, IconButton, ListItem, Mark, Row, Space, Switch, Text, View

Values = dict[str, str]
_DIALOG, _PICKED, _MONTH = "form_dialog", "form_picked", "form_month"


@dataclass(frozen=True, slots=True)
class Field:
    """A value that is asked for.

    text and number are typed; choice is picked from `options` on a sheet; flag is a switch ("1" or "0"); day is an ISO
    date and hour a whole hour, both moved by a step at a time, or picked in a dialog.
    """

    name: str
    label: str
    kind: Literal["text", "number", "choice", "flag", "day", "hour"] = "text"
    options: tuple[str, ...] = ()
    icon: str = ""
    required: bool = False
    usual: str = ""
    """its value in a new record"""


def form(ui: Ui, title: str, fields: Sequence[Field], given: Mapping[str, str], save: Callable[[Values], None]) -> Page:
    """A page that asks for all fields. `given` are the values that it begins with; Save calls `save` with all of them,
    unless one that is required is empty, or one that is a number is not."""

    def finish() -> None:
        values = {field.name: _value(ui, field, given).strip() for field in fields}
        for field in fields:
            if field.required and not values[field.name]:
                ui.toast(f"{field.label} needed")
                return
            if field.kind == "number" and not values[field.name].isdecimal():
                ui.toast(f"{field.label} is no number")
                return
        save(values)

    views = [view for field in fields for view in [_view(ui, field, given)]]
    asked = next((field for field in fields if field.name == ui.field(_DIALOG)), None)
    button = IconButton(icon="save", description="Save", on_tap=finish)
    return Page(
        title=title,
        on_back=ui.back,
        actions=[button],
        body=[Space(size=8), *views],
        dialog=_dialog(ui, asked, given) if asked else None,
    )


def _value(ui: Ui, field: Field, given: Mapping[str, str]) -> str:
    return ui.field(field.name, given.get(field.name, field.usual))


def _view(ui: Ui, field: Field, given: Mapping[str, str]) -> View:
    value = _value(ui, field, given)
    match field.kind:
        case "text" | "number":
            return ui.text_field(field.name, field.label, given.get(field.name, field.usual), icon=field.icon)
        case "choice":
            return ListItem(
                title=field.label,
                subtitle=value or "None",
                icon=field.icon,
                on_tap=partial(ui.set_field, _DIALOG, field.name),
            )
        case "flag":
            flip = partial(ui.set_field, field.name, "0" if value == "1" else "1")
            return ListItem(
                title=field.label, icon=field.icon, trailing=Switch(checked=value == "1", on_tap=flip), on_tap=flip
            )
    moved = _moved_day if field.kind == "day" else _moved_hour
    shown = spoken_day(value) if field.kind == "day" else f"{value}:00"
    return Row(
        children=[
            IconButton(
                icon="minus",
                description=f"{field.label} earlier",
                on_tap=lambda: ui.set_field(field.name, moved(value, -1)),
            ),
            Text(value=f"{field.label} {shown}", align="center", on_tap=partial(ui.set_field, _DIALOG, field.name)),
            IconButton(
                icon="add", description=f"{field.label} later", on_tap=lambda: ui.set_field(field.name, moved(value, 1))
            ),
        ],
        weights=[0.2, 0.6, 0.2],
    )


def _moved_day(iso: str, step: int) -> str:
    return (date.fromisoformat(iso) + timedelta(days=step)).isoformat()


def _moved_hour(hour: str, step: int) -> str:
    return f"{(int(hour) + step) % 24}"


def _dialog(ui: Ui, field: Field, given: Mapping[str, str]) -> Dialog:
    if field.kind == "choice":
        return _choice(ui, field, given)
    picked = ui.field(_PICKED) or _value(ui, field, given)
    pick = partial(ui.set_field, _PICKED)

    def close() -> None:
        for name in (_DIALOG, _PICKED, _MONTH):
            ui.set_field(name, "")

    def done() -> None:
        ui.set_field(field.name, picked)
        close()

    if field.kind == "hour":
        return hour_picker(int(picked), pick, done, close)
    return date_picker(picked, ui.field(_MONTH) or picked, pick, partial(ui.set_field, _MONTH), done, close)


def _choice(ui: Ui, field: Field, given: Mapping[str, str]) -> Dialog:
    def pick(option: str) -> None:
        ui.set_field(field.name, option)
        ui.set_field(_DIALOG, "")

    close = partial(ui.set_field, _DIALOG, "")
    chosen = _value(ui, field, given)
    rows = [
        ListItem(title=option, trailing=Mark(radio=True, checked=option == chosen), on_tap=partial(pick, option))
        for option in field.options
    ]
    cancel = Button(label="Cancel", flat=True, on_tap=close)
    return Dialog(title=field.label, body=rows, buttons=[cancel], on_dismiss=close, sheet=True)
