"""Tasks in Clock: alarms, the world clock, timers and the stopwatch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import (
    BACK,
    checked,
    delete_by_long_press,
    has_parent_page,
    inside,
    is_asking,
    tap_or_back,
)
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.deskclock"
ALARMS = "content://com.android.deskclock/alarms"
CITIES = "content://com.android.deskclock/cities"
TIMERS = "content://com.android.deskclock/timers"
STOPWATCH = "content://com.android.deskclock/stopwatch"

HOURS = tuple(str(hour) for hour in range(5, 17))
MINUTES = ("00", "15", "30", "45")
TIMES = ("5 30", "6 15", "7 00", "8 45", "9 30", "11 15", "13 00", "16 45")
CITY_NAMES = ("paris", "tokyo", "london", "berlin", "madrid", "rome", "cairo", "delhi", "sydney")
PRESETS: Mapping[str, int] = {
    "1 minute": 1,
    "5 minutes": 5,
    "10 minutes": 10,
    "15 minutes": 15,
    "30 minutes": 30,
    "1 hour": 60,
}
STATES = {"start": "running", "stop": "paused", "reset": "ready"}


def _at(time: str) -> str:
    hour, minutes = time.split()
    return f"hour={hour} AND minutes={int(minutes)}"


def _insert_alarm(time: str, enabled: bool) -> str:
    hour, minutes = time.split()
    return rows.insert(ALARMS, hour=int(hour), minutes=int(minutes), enabled=int(enabled))


def _is_alarm(row: rows.Row, time: str, enabled: bool) -> bool:
    hour, minutes = time.split()
    return (row["hour"], row["minutes"], row["enabled"]) == (hour, str(int(minutes)), str(int(enabled)))


# --- alarms ------------------------------------------------------------------------------------------------


def _set_up_add_alarm(params: Params) -> Sequence[str]:
    return rows.delete(ALARMS, _at(f"{params['hour']} {params['minute']}")), rows.remember(ALARMS)


def _check_add_alarm(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, ALARMS)
    time = f"{params['hour']} {params['minute']}"
    return found.count == 1 and len(found.added) == 1 and _is_alarm(found.added[0], time, True)


def _add_alarm(screen: Screen, params: Params) -> Action:
    if screen.has("alarms"):
        return Finish() if screen.has(f"{params['hour']} {params['minute']}") else screen.tap("add")
    if screen.has("pick hour"):
        return screen.tap(params["hour"])
    if screen.has("pick minutes"):
        return screen.tap(params["minute"])
    return tap_or_back(screen, "alarm")


def _set_up_switch_alarm(params: Params) -> Sequence[str]:
    time = params["time"]
    return rows.delete(ALARMS, _at(time)), _insert_alarm(time, params["state"] == "off"), rows.remember(ALARMS)


def _check_switch_alarm(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, ALARMS)
    return found.count == len(found.changed) == 1 and _is_alarm(
        found.changed[0][1], params["time"], params["state"] == "on"
    )


def _switch_alarm(screen: Screen, params: Params) -> Action:
    if not screen.has("alarms"):
        return tap_or_back(screen, "alarm")
    state = checked(screen, params["time"])
    return Finish() if state is (params["state"] == "on") else tap_or_back(screen, params["time"])


def _set_up_delete_alarm(params: Params) -> Sequence[str]:
    return rows.delete(ALARMS, _at(params["time"])), _insert_alarm(params["time"], True), rows.remember(ALARMS)


def _check_delete_alarm(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, ALARMS)
    return found.count == len(found.removed) == 1 and _is_alarm(found.removed[0], params["time"], True)


def _delete_alarm(screen: Screen, params: Params) -> Action:
    if not screen.has("alarms") and not is_asking(screen):
        return tap_or_back(screen, "alarm")
    return delete_by_long_press(screen, params["time"])


# --- world clock -------------------------------------------------------------------------------------------


def _city_where(params: Params) -> str:
    return f"name='{params['city'].capitalize()}'"


def _set_up_add_city(params: Params) -> Sequence[str]:
    return rows.delete(CITIES, _city_where(params)), rows.remember(CITIES)


def _check_add_city(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CITIES)
    return found.count == len(found.added) == 1 and rows.same(found.added[0]["name"], params["city"])


def _add_city(screen: Screen, params: Params) -> Action:
    if screen.has("add city"):
        return tap_or_back(screen, params["city"])
    if screen.has("world clock"):
        return Finish() if screen.has(params["city"]) else screen.tap("add")
    return BACK if has_parent_page(screen) else tap_or_back(screen, "clock")


def _set_up_delete_city(params: Params) -> Sequence[str]:
    name = params["city"].capitalize()
    return rows.delete(CITIES, _city_where(params)), rows.insert(CITIES, name=name), rows.remember(CITIES)


def _check_delete_city(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CITIES)
    return found.count == len(found.removed) == 1 and rows.same(found.removed[0]["name"], params["city"])


def _delete_city(screen: Screen, params: Params) -> Action:
    if not screen.has("world clock") and not is_asking(screen):
        return BACK if has_parent_page(screen) else tap_or_back(screen, "clock")
    return delete_by_long_press(screen, params["city"])


# --- timer and stopwatch -----------------------------------------------------------------------------------


def _set_up_timer(params: Params) -> Sequence[str]:
    return tuple(rows.delete(TIMERS, f"length={length}") for length in PRESETS.values())


def _check_timer(shell: Shell, params: Params) -> bool:
    return [row["length"] for row in rows.query(shell, TIMERS)] == [str(PRESETS[params["length"]])]


def _start_timer(screen: Screen, params: Params) -> Action:
    if screen.has("timer on"):
        return Finish() if screen.has(params["length"]) else screen.tap("stop")
    return tap_or_back(screen, params["length"] if screen.has("timers") else "timer")


def _set_up_stopwatch(params: Params) -> Sequence[str]:
    start = {"start": "ready", "stop": "running", "reset": "paused"}[params["command"]]
    return (rows.update(STOPWATCH, "_id=1", state=start),)


def _check_stopwatch(shell: Shell, params: Params) -> bool:
    return [row["state"] for row in rows.query(shell, STOPWATCH)] == [STATES[params["command"]]]


def _use_stopwatch(screen: Screen, params: Params) -> Action:
    if not screen.has("stop watch"):
        return tap_or_back(screen, "stopwatch")
    return Finish() if screen.has(STATES[params["command"]]) else tap_or_back(screen, params["command"])


# --- the templates -----------------------------------------------------------------------------------------

_ADD_ALARM = ("set an alarm for {hour} {minute}", "add an alarm at {hour} {minute}")
_SWITCH_ALARM = ("turn {state} the {time} alarm", "switch the {time} alarm {state}")
_DELETE_ALARM = ("delete the {time} alarm", "remove the alarm at {time}")
_ADD_CITY = ("add {city} to the world clock", "add the clock of {city}")
_DELETE_CITY = ("delete {city} from the world clock", "remove {city} from the world clock")
_TIMER = ("start a timer of {length}", "start the {length} timer", "set a timer for {length}")
_STOPWATCH = ("{command} the stopwatch", "{command} the stopwatch in clock", "open clock and {command} the stopwatch")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"clock.{name}",
        suite="general",
        app="clock",
        instructions=instructions,
        params=params,
        max_steps=10,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("clock", PACKAGE, act),
    )
    for level, name, instructions, params, set_up, check, act in (
        (
            3,
            "add_alarm",
            _ADD_ALARM,
            {"hour": HOURS, "minute": MINUTES},
            _set_up_add_alarm,
            _check_add_alarm,
            _add_alarm,
        ),
        (
            1,
            "switch_alarm",
            _SWITCH_ALARM,
            {"time": TIMES, "state": ("on", "off")},
            _set_up_switch_alarm,
            _check_switch_alarm,
            _switch_alarm,
        ),
        (2, "delete_alarm", _DELETE_ALARM, {"time": TIMES}, _set_up_delete_alarm, _check_delete_alarm, _delete_alarm),
        (2, "add_city", _ADD_CITY, {"city": CITY_NAMES}, _set_up_add_city, _check_add_city, _add_city),
        (2, "delete_city", _DELETE_CITY, {"city": CITY_NAMES}, _set_up_delete_city, _check_delete_city, _delete_city),
        (1, "timer", _TIMER, {"length": tuple(PRESETS)}, _set_up_timer, _check_timer, _start_timer),
        (1, "stopwatch", _STOPWATCH, {"command": tuple(STATES)}, _set_up_stopwatch, _check_stopwatch, _use_stopwatch),
    )
)
