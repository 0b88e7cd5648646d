"""Calendar: a month with its days, and the events of one."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from typing import ClassVar

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.apps.forms import Field, Values
from tapwise.emulators.virtual.apps.navigation import place
from tapwise.emulators.virtual.apps.records import RecordsApp, line
from tapwise.emulators.virtual.apps.schemas import calendar_database
from tapwise.emulators.virtual.clock import START
from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.pickers import month, spoken_day
from tapwise.emulators.virtual.ui.views import Row, Space, Text, View

TITLES = ("Dentist", "Team meeting", "Lunch", "Gym", "Piano lesson", "Haircut", "Book club", "Yoga", "Car service")
PLACES = ("Office", "Main street", "Cafe", "Home", "Library", "Park")
HOURS = (8, 9, 10, 12, 14, 16, 18)
EVENTS = 6
LENGTHS = ("15", "30", "45", "60", "75", "90", "105", "120", "150", "180")
"""of events, in minutes"""
MONTH, SCHEDULE = "Month", "Schedule"


@dataclass
class Event:
    """An event: its ISO date, the hour and minute that it starts at, and its length in minutes."""

    id: int
    title: str
    day: str
    hour: int
    location: str = ""
    description: str = ""
    minute: int = 0
    length: int = 60


@dataclass
class CalendarData:
    """All events."""

    items: list[Event]


class Calendar(RecordsApp):
    """Simple Calendar Pro."""

    package = "com.simplemobiletools.calendar.pro"
    label = "Calendar"
    icon = "calendar"
    colour = (211, 84, 0)
    activity = ".activities.MainActivity"
    record = Event
    noun = "event"
    uri = "content://com.simplemobiletools.calendar.pro/events"
    columns: ClassVar = {
        "_id": "id",
        "title": "title",
        "day": "day",
        "hour": "hour",
        "location": "location",
        "description": "description",
        "minute": "minute",
        "length": "length",
    }
    fields = (
        Field("title", "Title", required=True),
        Field("location", "Location", icon="location"),
        Field("description", "Description", icon="note"),
        Field("day", "Day", "day"),
        Field("hour", "Starts", "hour", usual="9", minutes="minute"),
        Field("length", "Lasts", "count", LENGTHS, usual="60", step=15, shown="{} minutes"),
    )

    def initial(self, rng: random.Random) -> CalendarData:
        start = START.date()
        events = [
            Event(
                number,
                title,
                (start + timedelta(days=rng.randrange(0, 20))).isoformat(),
                rng.choice(HOURS),
                rng.choice(PLACES),
            )
            for number, title in enumerate(rng.sample(TITLES, EVENTS), 1)
        ]
        return CalendarData(events)

    def databases(self, data: CalendarData) -> Sequence[Database]:
        return [calendar_database(Event, data.items)]

    def title_of(self, record: Event) -> str:
        return record.title

    def defaults(self, ui: Ui) -> Values:
        return {"day": ui.route[1] if len(ui.route) > 1 else ui.now().date().isoformat()}

    def places(self) -> Sequence[tuple[str, str]]:
        return ((MONTH, "calendar"), (SCHEDULE, "checklist"))

    def _schedule(self, ui: Ui) -> Sequence[View]:
        """All events from today on, day by day."""
        today = ui.now().date().isoformat()
        events = sorted(
            (event for event in ui.data.items if event.day >= today),
            key=lambda event: (event.day, event.hour, event.minute),
        )
        rows: list[View] = []
        day = ""
        for event in events:
            if event.day != day:
                day = event.day
                head = Text(value=spoken_day(day), size=themes.SMALL_DP, muted=True)
                rows.append(Row(children=[Space(size=1), head], weights=[0.04, 0.96], row_height=44))
            rows.append(self.row(ui, event, subtitle=_when(event), icon="calendar"))
        return rows or [Text(value="No events", align="center", muted=True)]

    def list_body(self, ui: Ui) -> Sequence[View]:
        if place(ui, MONTH) == SCHEDULE:
            return self._schedule(ui)
        chosen = date.fromisoformat(ui.field("day", ui.now().date().isoformat()))
        events: list[Event] = ui.data.items
        busy = {event.day for event in events}
        choose = partial(ui.set_field, "day")
        shown = sorted(
            (event for event in events if event.day == chosen.isoformat()), key=lambda event: (event.hour, event.minute)
        )
        rows: list[View] = [self.row(ui, event, subtitle=_when(event), icon="calendar") for event in shown]
        return [
            *month(chosen, chosen, choose, choose, busy),
            Space(size=4),
            *(rows or [Text(value="No events", align="center", muted=True)]),
        ]

    def details(self, ui: Ui, record: Event) -> Sequence[View]:
        return [
            line("Day", spoken_day(record.day), "calendar"),
            line("Starts", _clock(record), "clock"),
            *([line("Lasts", f"{record.length} minutes", "timer")] if record.length != 60 else []),
            line("Location", record.location, "location"),
            line("Description", record.description, "note"),
        ]


def _when(event: Event) -> str:
    return _clock(event) + (f", {event.location}" if event.location else "")


def _clock(event: Event) -> str:
    return f"{event.hour}:{event.minute:02}"
