"""Dialogs that ask for a day, a time or a number, and the month that a calendar shows."""

from __future__ import annotations

import calendar
from collections.abc import Callable, Container, Sequence
from datetime import date, timedelta
from functools import partial

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog
from tapwise.emulators.virtual.ui.views import Button, Grid, Handler, IconButton, Row, Text, View

HOURS_A_ROW = 6
COUNTS_A_ROW = 5
MINUTES = 5
PICKED_DP = 18.0
COUNT_DP = 21.0
Pick = Callable[[str], None]


def spoken_day(iso: str) -> str:
    """A date as people write it: "Tue 3 Mar"."""
    day = date.fromisoformat(iso)
    return f"{day:%a} {day.day} {day:%b}"


def month(
    shown: date,
    chosen: date,
    on_day: Pick,
    on_month: Pick,
    busy: Container[str] = (),
    size: float = themes.BODY_DP,
) -> list[View]:
    """The month of `shown`: its name between arrows, the names of the days, the days; `busy` ones stand out.

    `on_day` and `on_month` are given ISO dates; of a month, its first day.
    """
    days = [day for week in calendar.Calendar().monthdatescalendar(shown.year, shown.month) for day in week]
    heads = [Text(value=name, size=themes.SMALL_DP, muted=True, align="center") for name in "MTWTFSS"]
    cells = [_day(day, shown, day == chosen, on_day, day.isoformat() in busy, size) for day in days]
    return [
        _bar(shown, on_month),
        Row(children=heads, row_height=24),
        Grid(children=cells, columns=7, cell_height=44, fixed=True),
    ]


def date_picker(chosen: str, shown: str, on_day: Pick, on_month: Pick, done: Handler, cancel: Handler) -> Dialog:
    """A sheet with the month of `shown`, in which the day `chosen` is marked. Both are ISO dates."""
    body = month(date.fromisoformat(shown), date.fromisoformat(chosen), on_day, on_month, size=PICKED_DP)
    return Dialog(title=spoken_day(chosen), body=body, buttons=_buttons(done, cancel), on_dismiss=cancel, sheet=True)


def time_picker(
    chosen: int, minute: int, on_hour: Pick, on_minute: Pick | None, done: Handler, cancel: Handler
) -> Dialog:
    """A dialog with the hours of a day, in which `chosen` is marked, and, with `on_minute`, every fifth minute."""
    cells = [
        Button(
            label=f"{hour:02}",
            flat=hour != chosen,
            selected=hour == chosen,
            description=f"{hour} o'clock",
            on_tap=partial(on_hour, f"{hour}"),
        )
        for hour in range(24)
    ]
    grid = Grid(children=cells, columns=HOURS_A_ROW, cell_height=52)
    body: list[View] = [grid]
    if on_minute is not None:
        minutes = [
            _cell(f"{one:02}", f"{one} minutes past", one == minute, partial(on_minute, f"{one}"))
            for one in range(0, 60, MINUTES)
        ]
        body = [
            _heading("Hour"),
            grid,
            _heading("Minute"),
            Grid(children=minutes, columns=HOURS_A_ROW, cell_height=52),
        ]
    return Dialog(title=f"{chosen}:{minute:02}", body=body, buttons=_buttons(done, cancel), on_dismiss=cancel)


def count_picker(
    title: str, chosen: int, counts: Sequence[int], on_count: Pick, done: Handler, cancel: Handler
) -> Dialog:
    """A dialog with whole numbers, in which `chosen` is marked."""
    cells = [_cell(f"{one:02}", str(one), one == chosen, partial(on_count, f"{one}")) for one in counts]
    grid = Grid(children=cells, columns=COUNTS_A_ROW, cell_height=52)
    return Dialog(title=title, body=[grid], buttons=_buttons(done, cancel), on_dismiss=cancel)


def _cell(label: str, description: str, chosen: bool, on_tap: Handler) -> View:
    return Button(label=label, flat=not chosen, size=COUNT_DP, description=description, selected=chosen, on_tap=on_tap)


def _heading(label: str) -> View:
    return Text(value=label, size=themes.SMALL_DP, muted=True)


def _buttons(done: Handler, cancel: Handler) -> Sequence[View]:
    return [Button(label="Cancel", flat=True, on_tap=cancel), Button(label="OK", flat=True, on_tap=done)]


def _bar(shown: date, on_month: Pick) -> View:
    first = shown.replace(day=1)
    before, after = (first - timedelta(days=1)).replace(day=1), (first + timedelta(days=32)).replace(day=1)
    return Row(
        children=[
            IconButton(icon="back", description="Previous month", on_tap=partial(on_month, before.isoformat())),
            Text(value=f"{shown:%B %Y}", align="center"),
            IconButton(icon="play", description="Next month", on_tap=partial(on_month, after.isoformat())),
        ],
        weights=[0.2, 0.6, 0.2],
    )


def _day(day: date, shown: date, chosen: bool, on_day: Pick, busy: bool, size: float) -> View:
    colour = None if busy else (96, 101, 108) if day.month == shown.month else (176, 180, 186)
    return Button(
        label=str(day.day),
        flat=not chosen,
        colour=colour,
        size=size,
        description=spoken_day(day.isoformat()) + (", events" if busy else ""),
        on_tap=partial(on_day, day.isoformat()),
    )
