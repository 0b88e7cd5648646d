"""Clock: alarms, world clock, timers and a stopwatch on four tabs."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import (
    Button,
    Grid,
    IconButton,
    ListItem,
    Plate,
    Row,
    Space,
    Switch,
    Text,
    View,
)

HOURS = tuple(range(5, 17))
MINUTES = (0, 15, 30, 45)
CITIES: Mapping[str, int] = {
    "Paris": 1,
    "Tokyo": 9,
    "London": 0,
    "Berlin": 1,
    "Madrid": 1,
    "Rome": 1,
    "Cairo": 2,
    "Delhi": 5,
    "Sydney": 10,
}
PRESETS: Mapping[str, int] = {
    "1 minute": 1,
    "5 minutes": 5,
    "10 minutes": 10,
    "15 minutes": 15,
    "30 minutes": 30,
    "1 hour": 60,
}
TABS = (("Alarm", "alarm"), ("Clock", "clock"), ("Timer", "timer"), ("Stopwatch", "stopwatch"))


@dataclass
class Alarm:
    """An alarm at a time of day."""

    id: int
    hour: int
    minutes: int
    enabled: bool = True

    @property
    def label(self) -> str:
        """How the alarm is called on screen."""
        return f"{self.hour} {self.minutes:02d}"


@dataclass
class City:
    """A city of the world clock."""

    id: int
    name: str


@dataclass
class Timer:
    """A running timer; `length` is in minutes."""

    id: int
    length: int


@dataclass
class Stopwatch:
    """The stopwatch; `state` is "ready", "running" or "paused"."""

    id: int
    state: str = "ready"


@dataclass
class ClockData:
    """All that the clock keeps; `stopwatches` holds exactly one."""

    alarms: list[Alarm]
    cities: list[City]
    timers: list[Timer]
    stopwatches: list[Stopwatch]


class Clock(App):
    """Google's clock."""

    package = "com.google.android.deskclock"
    label = "Clock"
    icon = "clock"
    colour = (66, 103, 210)
    activity = "com.android.deskclock.DeskClock"

    def initial(self, rng: random.Random) -> ClockData:
        times = rng.sample([(hour, minute) for hour in HOURS for minute in MINUTES], rng.randint(1, 3))
        names = rng.sample(sorted(CITIES), rng.randint(1, 2))
        return ClockData(
            [Alarm(number, hour, minute, rng.random() < 0.5) for number, (hour, minute) in enumerate(times, 1)],
            [City(number, name) for number, name in enumerate(names, 1)],
            [],
            [Stopwatch(1)],
        )

    def tables(self, data: ClockData) -> Mapping[str, Table]:
        base = "content://com.android.deskclock"
        alarm_columns = {"_id": "id", "hour": "hour", "minutes": "minutes", "enabled": "enabled"}
        return {
            f"{base}/alarms": RecordTable(data.alarms, Alarm, alarm_columns),
            f"{base}/cities": RecordTable(data.cities, City, {"_id": "id", "name": "name"}),
            f"{base}/timers": RecordTable(data.timers, Timer, {"_id": "id", "length": "length"}),
            f"{base}/stopwatch": RecordTable(data.stopwatches, Stopwatch, {"_id": "id", "state": "state"}),
        }

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "hour":
            return _hour_page(ui)
        if ui.route[0] == "minute":
            return _minute_page(ui, int(ui.route[1]))
        if ui.route[0] == "cities":
            return _cities_page(ui)
        tabs = {"Alarm": _alarm_tab, "Clock": _world_tab, "Timer": _timer_tab, "Stopwatch": _stopwatch_tab}
        page = tabs[ui.field("tab", "Alarm")](ui)
        page.bottom = _tab_bar(ui)
        return page


def _tab_bar(ui: Ui) -> View:
    current = ui.field("tab", "Alarm")
    buttons = [
        IconButton(
            icon=icon,
            description=name,
            selected=name == current,
            size=38 if name == current else themes.ICON_DP,
            on_tap=partial(ui.set_field, "tab", name),
        )
        for name, icon in TABS
    ]
    return Plate(child=Row(children=buttons, row_height=themes.ROW_DP))


def _close_dialog(ui: Ui) -> None:
    ui.set_field("dialog", "")


def _ask_delete(ui: Ui, label: str, delete: Callable[[], None]) -> Dialog:
    def confirm() -> None:
        delete()
        _close_dialog(ui)

    return confirm_dialog(f"Delete {label}", "Delete", confirm, partial(_close_dialog, ui))


def _alarm_tab(ui: Ui) -> Page:
    data: ClockData = ui.data

    def flip(alarm: Alarm) -> None:
        alarm.enabled = not alarm.enabled

    rows = [
        ListItem(
            title=alarm.label,
            icon="alarm",
            trailing=Switch(checked=alarm.enabled),
            on_tap=partial(flip, alarm),
            on_long_press=partial(ui.set_field, "dialog", str(alarm.id)),
        )
        for alarm in sorted(data.alarms, key=lambda alarm: (alarm.hour, alarm.minutes))
    ]
    chosen = next((alarm for alarm in data.alarms if str(alarm.id) == ui.field("dialog")), None)
    dialog = _ask_delete(ui, chosen.label, partial(data.alarms.remove, chosen)) if chosen else None
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "hour"))
    return Page(title="Alarms", body=rows, floating=add, dialog=dialog)


def _hour_page(ui: Ui) -> Page:
    tiles = [Button(label=str(hour), on_tap=partial(ui.go, "minute", str(hour))) for hour in HOURS]
    grid = Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP - 8, gap=8)
    return Page(title="Pick hour", on_back=ui.back, body=[grid])


def _minute_page(ui: Ui, hour: int) -> Page:
    def add(minute: int) -> None:
        ui.data.alarms.append(Alarm(ui.new_id(), hour, minute))
        ui.root()
        ui.toast("Alarm set")

    tiles = [Button(label=f"{minute:02d}", on_tap=partial(add, minute)) for minute in MINUTES]
    grid = Grid(children=tiles, columns=2, cell_height=2 * themes.ROW_DP - 8, gap=8)
    return Page(title="Pick minutes", on_back=ui.back, body=[grid])


def _world_tab(ui: Ui) -> Page:
    data: ClockData = ui.data
    rows = [
        ListItem(
            title=city.name,
            subtitle=f"{ui.now() + timedelta(hours=CITIES.get(city.name, 0)):%H:%M}",
            icon="globe",
            on_long_press=partial(ui.set_field, "dialog", city.name),
        )
        for city in data.cities
    ]
    chosen = next((city for city in data.cities if city.name == ui.field("dialog")), None)
    dialog = _ask_delete(ui, chosen.name, partial(data.cities.remove, chosen)) if chosen else None
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "cities"))
    return Page(title="World clock", body=rows, floating=add, dialog=dialog)


def _cities_page(ui: Ui) -> Page:
    def add(name: str) -> None:
        if all(city.name != name for city in ui.data.cities):
            ui.data.cities.append(City(ui.new_id(), name))
        ui.root()

    rows = [
        ListItem(title=name, icon="location", on_tap=partial(add, name)) for name in ui.order(list(CITIES), "cities")
    ]
    return Page(title="Add city", on_back=ui.back, body=rows)


def _timer_tab(ui: Ui) -> Page:
    timers: list[Timer] = ui.data.timers

    def start(length: int) -> None:
        timers[:] = [Timer(ui.new_id(), length)]

    if timers:
        label = next(
            (name for name, length in PRESETS.items() if length == timers[0].length), f"{timers[0].length} minutes"
        )
        shown = Text(value=label, size=44, align="center")
        stop = Row(
            children=[Space(size=1), Button(label="Stop", on_tap=timers.clear), Space(size=1)], weights=[1, 2, 1]
        )
        status = Text(value="Running", align="center", muted=True)
        return Page(title="Timer on", body=[Space(size=themes.ROW_DP), shown, status, Space(size=themes.ROW_DP), stop])
    rows = [ListItem(title=name, icon="play", on_tap=partial(start, length)) for name, length in PRESETS.items()]
    return Page(title="Timers", body=rows)


def _stopwatch_tab(ui: Ui) -> Page:
    watch: Stopwatch = ui.data.stopwatches[0]

    def put(state: str) -> None:
        watch.state = state

    main = ("Stop", "paused") if watch.state == "running" else ("Start", "running")
    buttons: list[View] = [
        Button(label="Reset", flat=True, on_tap=partial(put, "ready")),
        Button(label=main[0], on_tap=partial(put, main[1])),
    ]
    state = Text(value=watch.state.capitalize(), size=44, align="center")
    body = [Space(size=2 * themes.ROW_DP), state, Space(size=themes.ROW_DP), Row(children=buttons, gap=8)]
    return Page(title="Stop watch", body=body)
