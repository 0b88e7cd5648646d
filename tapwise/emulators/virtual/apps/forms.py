"""Forms: pages that ask for the values of a record, and give them to whoever saves it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import Literal

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.pickers import count_picker, date_picker, spoken_day, time_picker
from tapwise.emulators.virtual.ui.views import Button, IconButton, ListItem, Mark, Row, Space, Switch, Text, View

Values = dict[str, str]
_DIALOG, _PICKED, _MONTH, _MINUTE = "form_dialog", "form_picked", "form_month", "form_minute"


@dataclass(frozen=True, slots=True)
class Field:
    """A value that is asked for.

    text and number are typed; choice is picked from `options` on a sheet; flag is a switch ("1" or "0"). The others are
    moved by a step at a time, or picked in a dialog: day is an ISO date; hour a whole hour, `minutes` being the name of
    a further value for the minutes of it; count a whole number, moved by `step`, picked from `options`, shown as
    `shown`.
    """

    name: str
    label: str
    kind: Literal["text", "number", "choice", "flag", "day", "hour", "count"] = "text"
    options: tuple[str, ...] = ()
    icon: str = ""
    required: bool = False
    usual: str = ""
    """its value in a new record"""
    minutes: str = ""
    step: int = 1
    shown: str = "{}"

    @property
    def names(self) -> tuple[str, ...]:
        """The names of its values."""
        return (self.name, self.minutes) if self.minutes else (self.name,)


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
        minutes = [field.minutes for field in fields if field.minutes]
        save(values | {name: ui.field(name, given.get(name, "0")) for name in minutes})

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
    before, after = ("less", "more") if field.kind == "count" else ("earlier", "later")
    shown = _shown(field, value, ui.field(field.minutes, given.get(field.minutes, "0")))
    return Row(
        children=[
            IconButton(
                icon="minus",
                description=f"{field.label} {before}",
                on_tap=lambda: ui.set_field(field.name, _moved(field, value, -1)),
            ),
            Text(value=f"{field.label} {shown}", align="center", on_tap=partial(ui.set_field, _DIALOG, field.name)),
            IconButton(
                icon="add",
                description=f"{field.label} {after}",
                on_tap=lambda: ui.set_field(field.name, _moved(field, value, 1)),
            ),
        ],
        weights=[0.2, 0.6, 0.2],
    )


def _shown(field: Field, value: str, minute: str) -> str:
    if field.kind == "day":
        return spoken_day(value)
    return f"{value}:{int(minute):02}" if field.kind == "hour" else field.shown.format(int(value))


def _moved(field: Field, value: str, step: int) -> str:
    if field.kind == "day":
        return _moved_day(value, step)
    return _moved_hour(value, step) if field.kind == "hour" else _moved_count(field, value, step)


def _moved_count(field: Field, value: str, step: int) -> str:
    """Another count; beyond its largest and smallest options it stays."""
    counts = [int(option) for option in field.options]
    return str(max(min(counts), min(int(value) + step * field.step, max(*counts, int(value)))))


def _moved_day(iso: str, step: int) -> str:
    return (date.fromisoformat(iso) + timedelta(days=step)).isoformat()


def _moved_hour(hour: str, step: int) -> str:
    return f"{(int(hour) + step) % 24}"


def _dialog(ui: Ui, field: Field, given: Mapping[str, str]) -> Dialog:
    if field.kind == "choice":
        return _choice(ui, field, given)
    picked = ui.field(_PICKED) or _value(ui, field, given)
    pick = partial(ui.set_field, _PICKED)

    minute = ui.field(_MINUTE) or ui.field(field.minutes, given.get(field.minutes, "0"))

    def close() -> None:
        for name in (_DIALOG, _PICKED, _MONTH, _MINUTE):
            ui.set_field(name, "")

    def done() -> None:
        ui.set_field(field.name, picked)
        if field.minutes:
            ui.set_field(field.minutes, minute)
        close()

    if field.kind == "count":
        said = f"{field.label} {_shown(field, picked, '')}"
        return count_picker(said, int(picked), [int(option) for option in field.options], pick, done, close)
    if field.kind == "hour":
        on_minute = partial(ui.set_field, _MINUTE) if field.minutes else None
        return time_picker(int(picked), int(minute), pick, on_minute, done, close)
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
