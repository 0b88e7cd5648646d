"""Tasks in Settings: switches and choices, each found in its section."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, checked, has_parent_page, is_asking, open_app, row_texts
from tapwise.records import Action, Finish, Tap

PACKAGE = "com.android.settings"
SWITCH_PHRASINGS = ("turn {state} {switch}", "switch {switch} {state}", "set {switch} to {state}")


@dataclass(frozen=True, slots=True)
class Entry:
    """One setting: its section on the screen, its place in the provider, and the value of each of its words."""

    section: str
    namespace: str
    key: str
    values: Mapping[str, str]

    def put(self, word: str) -> str:
        """The command that gives the setting the value called `word`."""
        return f"settings put {self.namespace} {self.key} {self.values[word]}"

    def holds(self, shell: Shell, word: str) -> bool:
        """Whether the setting has the value called `word`."""
        return shell(f"settings get {self.namespace} {self.key}").strip() == self.values[word]


def _switch(section: str, namespace: str, key: str, on: str = "1", off: str = "0") -> Entry:
    return Entry(section, namespace, key, {"on": on, "off": off})


SWITCHES: Mapping[str, Entry] = {
    "wifi": _switch("network", "global", "wifi_on"),
    "mobile data": _switch("network", "global", "mobile_data"),
    "airplane mode": _switch("network", "global", "airplane_mode_on"),
    "hotspot": _switch("network", "global", "hotspot_on"),
    "bluetooth": _switch("devices", "global", "bluetooth_on"),
    "nfc": _switch("devices", "global", "nfc_on"),
    "printing": _switch("devices", "secure", "printing_on"),
    "dark theme": _switch("display", "secure", "ui_night_mode", "2", "1"),
    "night light": _switch("display", "secure", "night_display_activated"),
    "auto rotate": _switch("display", "system", "accelerometer_rotation"),
    "vibrate": _switch("sound", "system", "vibrate_when_ringing"),
    "touch sounds": _switch("sound", "system", "sound_effects_enabled"),
    "do not disturb": _switch("sound", "global", "zen_mode"),
    "battery saver": _switch("battery", "global", "low_power"),
    "battery percentage": _switch("battery", "system", "status_bar_show_battery_percent"),
    "use location": _switch("location", "secure", "location_mode", "3", "0"),
    "show passwords": _switch("security", "system", "show_password"),
    "automatic time": _switch("system", "global", "auto_time"),
    "developer options": _switch("system", "global", "development_settings_enabled"),
}

_TIMEOUTS = {
    "15 seconds": "15000",
    "30 seconds": "30000",
    "1 minute": "60000",
    "2 minutes": "120000",
    "10 minutes": "600000",
}
CHOICES: Mapping[str, Entry] = {
    "brightness": Entry(
        "display", "system", "screen_brightness", {"low": "25", "medium": "102", "high": "178", "maximum": "255"}
    ),
    "screen timeout": Entry("display", "system", "screen_off_timeout", _TIMEOUTS),
    "font size": Entry(
        "display", "system", "font_scale", {"small": "0.85", "default": "1.0", "large": "1.15", "largest": "1.3"}
    ),
    "ringtone": Entry("sound", "system", "ringtone", {w: w for w in ("chime", "marimba", "pulse", "ripple")}),
    "volume": Entry("sound", "system", "volume_ring", {"silent": "0", "quiet": "2", "normal": "5", "loud": "7"}),
    "screen lock": Entry(
        "security", "secure", "lock_type", {w: w for w in ("none", "pattern", "password", "fingerprint")}
    ),
}
ENTRIES = {**SWITCHES, **CHOICES}

Goals = Mapping[str, str]
"""The word that each setting is to have at the end."""


def _starts(goals: Goals) -> dict[str, str]:
    """The word of every setting in the goals' sections before the task: drawn from the goals, and unlike them."""
    rng = random.Random(repr(sorted(goals.items())))
    sections = {ENTRIES[name].section for name in goals}
    starts: dict[str, str] = {}
    for name, entry in ENTRIES.items():
        if entry.section in sections:
            starts[name] = rng.choice([word for word in entry.values if word != goals.get(name)])
    return starts


def _set_up(goals: Goals) -> list[str]:
    return [ENTRIES[name].put(word) for name, word in _starts(goals).items()]


def _check(shell: Shell, goals: Goals) -> bool:
    """Whether the goals are reached and the rest of their sections is as it was."""
    return all(ENTRIES[name].holds(shell, word) for name, word in {**_starts(goals), **goals}.items())


# --- the experts -------------------------------------------------------------------------------------------


def _reach(screen: Screen, name: str) -> Action | None:
    """Come to the page that lists the setting."""
    action = open_app(screen, "settings", PACKAGE)
    if action is not None:
        return action
    section = ENTRIES[name].section
    if has_parent_page(screen):
        return None if screen.has(section) and screen.has(name) else BACK
    return screen.tap(section) if screen.has(section) else BACK


def _expert_switches(screen: Screen, goals: Goals) -> Action:
    """Go through the switches in order, each until it was last seen as it should be."""
    pending = [name for name, word in goals.items() if _last_seen(screen, name) is not (word == "on")]
    if not pending:
        return Finish()
    return _reach(screen, pending[0]) or screen.tap(pending[0])


def _last_seen(screen: Screen, name: str) -> bool | None:
    """Whether the switch is on, by the last screen that showed it; None when none did."""
    state = _shown(screen, name)
    for index in reversed(range(len(screen.history))):
        if state is not None:
            break
        step = screen.history[index]
        if step.observation.ui is not None:
            state = _shown(Screen(step.observation), name)
            action = step.decision.action
            if state is not None and isinstance(action, Tap) and action.target == name:
                state = not state
    return state


def _shown(screen: Screen, name: str) -> bool | None:
    return checked(screen, name) if screen.package == PACKAGE else None


def _expert_choice(screen: Screen, name: str, word: str) -> Action:
    if screen.package == PACKAGE and is_asking(screen):
        return screen.tap(word) if screen.has(name) and screen.has(word) else BACK
    action = _reach(screen, name)
    if action is not None:
        return action
    return Finish() if word in row_texts(screen, name) else screen.tap(name)


# --- the templates -----------------------------------------------------------------------------------------


def _template(
    name: str,
    instructions: Sequence[str],
    params: Mapping[str, tuple[str, ...]],
    goals: Callable[[Params], Goals],
    expert: Callable[[Screen, Params], Action],
    level: int,
) -> Template:
    return Template(
        name=f"settings.{name}",
        suite="general",
        app="settings",
        instructions=tuple(instructions),
        params=params,
        max_steps=10,
        level=level,
        setup=lambda p: _set_up(goals(p)),
        check=lambda shell, p: _check(shell, goals(p)),
        expert=expert,
    )


def _switch_template(name: str, switches: tuple[str, ...]) -> Template:
    def goals(params: Params) -> Goals:
        return {params["switch"]: params["state"]}

    domain = {"switch": switches, "state": ("on", "off")}
    return _template(
        name, SWITCH_PHRASINGS, domain, goals, lambda screen, p: _expert_switches(screen, goals(p)), level=1
    )


def _choice_template(name: str, setting: str, *instructions: str) -> Template:
    domain = {"value": tuple(ENTRIES[setting].values)}
    return _template(
        name,
        instructions,
        domain,
        lambda p: {setting: p["value"]},
        lambda screen, p: _expert_choice(screen, setting, p["value"]),
        level=2,
    )


def _two_switches() -> Template:
    def goals(params: Params) -> Goals:
        return {params["first"]: params["state"], params["second"]: params["state"]}

    domain = {
        "state": ("on", "off"),
        "first": ("wifi", "bluetooth", "dark theme"),
        "second": ("vibrate", "battery saver", "hotspot", "nfc"),
    }
    return _template(
        "two_switches",
        ("turn {state} {first} and {second}",),
        domain,
        goals,
        lambda screen, p: _expert_switches(screen, goals(p)),
        level=3,
    )


def _in_sections(*sections: str) -> tuple[str, ...]:
    return tuple(name for name, entry in SWITCHES.items() if entry.section in sections)


TEMPLATES: tuple[Template, ...] = (
    _switch_template("network", _in_sections("network")),
    _switch_template("devices", _in_sections("devices")),
    _switch_template("display", _in_sections("display")),
    _switch_template("sound", _in_sections("sound")),
    _switch_template("power", _in_sections("battery", "location")),
    _switch_template("system", _in_sections("security", "system")),
    _choice_template(
        "brightness",
        "brightness",
        "set the brightness to {value}",
        "change brightness to {value}",
        "make brightness {value}",
    ),
    _choice_template(
        "timeout", "screen timeout", "set the screen timeout to {value}", "change screen timeout to {value}"
    ),
    _choice_template("font_size", "font size", "set the font size to {value}", "change font size to {value}"),
    _choice_template("ringtone", "ringtone", "set the ringtone to {value}", "change ringtone to {value}"),
    _choice_template("volume", "volume", "set the volume to {value}", "change volume to {value}"),
    _choice_template("lock", "screen lock", "set the screen lock to {value}", "change screen lock to {value}"),
    _two_switches(),
)
