"""Settings: sections of switches and choices, each bound to Android's settings provider."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.ui.page import Dialog, Page
from tapwise.emulators.virtual.ui.views import Button, ListItem, Mark, Switch, View


@dataclass(frozen=True, slots=True)
class Toggle:
    """A switch on one setting."""

    label: str
    namespace: str
    key: str
    on: str = "1"
    off: str = "0"


@dataclass(frozen=True, slots=True)
class Choice:
    """A dialog that picks one of several values of a setting."""

    label: str
    namespace: str
    key: str
    options: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A page of settings."""

    label: str
    icon: str
    entries: tuple[Toggle | Choice, ...]


TIMEOUTS = (
    ("15 seconds", "15000"),
    ("30 seconds", "30000"),
    ("1 minute", "60000"),
    ("2 minutes", "120000"),
    ("10 minutes", "600000"),
)
BRIGHTNESS = (("Low", "25"), ("Medium", "102"), ("High", "178"), ("Maximum", "255"))
FONT_SIZES = (("Small", "0.85"), ("Default", "1.0"), ("Large", "1.15"), ("Largest", "1.3"))
RINGTONES = (("Chime", "chime"), ("Marimba", "marimba"), ("Pulse", "pulse"), ("Ripple", "ripple"))
VOLUMES = (("Silent", "0"), ("Quiet", "2"), ("Normal", "5"), ("Loud", "7"))
LOCKS = (("None", "none"), ("Pattern", "pattern"), ("Password", "password"), ("Fingerprint", "fingerprint"))

SECTIONS: tuple[Section, ...] = (
    Section(
        "Network",
        "wifi",
        (
            Toggle("Wifi", "global", "wifi_on"),
            Toggle("Mobile data", "global", "mobile_data"),
            Toggle("Airplane mode", "global", "airplane_mode_on"),
            Toggle("Hotspot", "global", "hotspot_on"),
        ),
    ),
    Section(
        "Devices",
        "bluetooth",
        (
            Toggle("Bluetooth", "global", "bluetooth_on"),
            Toggle("Nfc", "global", "nfc_on"),
            Toggle("Printing", "secure", "printing_on"),
        ),
    ),
    Section(
        "Display",
        "display",
        (
            Toggle("Dark theme", "secure", "ui_night_mode", "2", "1"),
            Toggle("Night light", "secure", "night_display_activated"),
            Toggle("Auto rotate", "system", "accelerometer_rotation"),
            Choice("Brightness", "system", "screen_brightness", BRIGHTNESS),
            Choice("Screen timeout", "system", "screen_off_timeout", TIMEOUTS),
            Choice("Font size", "system", "font_scale", FONT_SIZES),
        ),
    ),
    Section(
        "Sound",
        "sound",
        (
            Toggle("Vibrate", "system", "vibrate_when_ringing"),
            Toggle("Touch sounds", "system", "sound_effects_enabled"),
            Toggle("Do not disturb", "global", "zen_mode"),
            Choice("Ringtone", "system", "ringtone", RINGTONES),
            Choice("Volume", "system", "volume_ring", VOLUMES),
        ),
    ),
    Section(
        "Battery",
        "battery",
        (
            Toggle("Battery saver", "global", "low_power"),
            Toggle("Battery percentage", "system", "status_bar_show_battery_percent"),
        ),
    ),
    Section("Location", "location", (Toggle("Use location", "secure", "location_mode", "3", "0"),)),
    Section(
        "Security",
        "lock",
        (Choice("Screen lock", "secure", "lock_type", LOCKS), Toggle("Show passwords", "system", "show_password")),
    ),
    Section(
        "System",
        "system",
        (
            Toggle("Automatic time", "global", "auto_time"),
            Toggle("Developer options", "global", "development_settings_enabled"),
        ),
    ),
)


@dataclass
class SettingsData:
    """Settings keeps nothing of its own: all values are in the settings provider."""


class SettingsApp(App):
    """Android's settings."""

    package = "com.android.settings"
    label = "Settings"
    icon = "gear"
    colour = (95, 99, 104)
    activity = ".Settings"

    def initial(self, rng: random.Random) -> SettingsData:
        return SettingsData()

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "section":
            section = next(s for s in SECTIONS if s.label == ui.route[1])
            return _section_page(ui, section)
        rows = [
            ListItem(title=s.label, icon=s.icon, on_tap=partial(ui.go, "section", s.label))
            for s in ui.menu(ui.order(SECTIONS, "sections"), "sections")
        ]
        return Page(title="Settings", body=rows)


def _section_page(ui: Ui, section: Section) -> Page:
    rows: list[View] = [
        _toggle_row(ui, entry) if isinstance(entry, Toggle) else _choice_row(ui, entry)
        for entry in ui.order(section.entries, section.label)
    ]
    chosen = next((e for e in section.entries if isinstance(e, Choice) and e.label == ui.field("dialog")), None)
    dialog = _choice_dialog(ui, chosen) if chosen else None
    return Page(title=section.label, on_back=ui.back, body=rows, dialog=dialog)


def _toggle_row(ui: Ui, toggle: Toggle) -> View:
    on = ui.settings.is_on(toggle.namespace, toggle.key, toggle.on)

    def flip() -> None:
        ui.settings.put(toggle.namespace, toggle.key, toggle.off if on else toggle.on)

    return ListItem(title=toggle.label, trailing=Switch(checked=on, on_tap=flip), on_tap=flip)


def _choice_row(ui: Ui, choice: Choice) -> View:
    value = ui.settings.get(choice.namespace, choice.key)
    shown = next((label for label, v in choice.options if v == value), "Not set")
    return ListItem(title=choice.label, subtitle=shown, on_tap=lambda: ui.set_field("dialog", choice.label))


def _choice_dialog(ui: Ui, choice: Choice) -> Dialog:
    def pick(value: str) -> None:
        ui.settings.put(choice.namespace, choice.key, value)
        ui.set_field("dialog", "")

    value = ui.settings.get(choice.namespace, choice.key)
    options: Sequence[View] = [
        ListItem(title=label, trailing=Mark(radio=True, checked=v == value), on_tap=partial(pick, v))
        for label, v in choice.options
    ]

    def close() -> None:
        ui.set_field("dialog", "")

    cancel = Button(label="Cancel", flat=True, on_tap=close)
    return Dialog(title=choice.label, body=options, buttons=[cancel], on_dismiss=close)
