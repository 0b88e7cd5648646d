"""The system's own pages: recent apps, the notification shade and the quick settings."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.apps.launcher import gradient
from tapwise.emulators.virtual.panels import QUICK_SETTINGS, RECENTS, SHADE
from tapwise.emulators.virtual.state import Entry, Notification
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.views import (
    Button,
    Column,
    Grid,
    Icon,
    IconButton,
    ListItem,
    Picture,
    Plate,
    Row,
    Slider,
    Space,
    Text,
    View,
)

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

WHITE = (255, 255, 255)
CARD_DP = 250.0
TILE_DP = 62.0
MOST_BRIGHTNESS = 255
FIRST_TILES = 4
"""tiles above the notifications"""


@dataclass(frozen=True, slots=True)
class Tile:
    """A quick setting: a switch on one value of Android's settings."""

    label: str
    icon: str
    namespace: str
    key: str
    on: str = "1"
    off: str = "0"


TILES = (
    Tile("Wifi", "wifi", "global", "wifi_on"),
    Tile("Bluetooth", "bluetooth", "global", "bluetooth_on"),
    Tile("Do not disturb", "moon", "global", "zen_mode"),
    Tile("Flashlight", "torch", "secure", "flashlight_enabled"),
    Tile("Auto rotate", "refresh", "system", "accelerometer_rotation"),
    Tile("Airplane mode", "plane", "global", "airplane_mode_on"),
    Tile("Mobile data", "phone", "global", "mobile_data"),
    Tile("Battery saver", "battery", "global", "low_power"),
    Tile("Location", "location", "secure", "location_mode", "3", "0"),
    Tile("Dark theme", "display", "secure", "ui_night_mode", "2", "1"),
)


def panel_page(phone: VirtualPhone, panel: Entry) -> Page:
    """The page of an open panel."""
    pages = {RECENTS: _recents, QUICK_SETTINGS: _quick_settings, SHADE: _shade}
    return pages[panel.route[0]](phone)


# --- recent apps -----------------------------------------------------------------------------------------


def _recents(phone: VirtualPhone) -> Page:
    cards = [_card(phone, package) for package in phone.state.recents]
    nothing = Text(value="No recent items", align="center", colour=WHITE)
    clear = Button(label="Clear all", id="clear_all", on_tap=phone.panels.dismiss_all_tasks)
    body: list[View] = [Space(size=8), *(cards or [Space(size=4 * themes.ROW_DP), nothing])]
    return Page(body=body, bottom=clear if cards else None, wallpaper=_wallpaper(phone))


def _card(phone: VirtualPhone, package: str) -> View:
    app = phone.apps[package]
    dismiss = partial(phone.panels.dismiss_task, package)
    label = Row(
        children=[
            Icon(name=app.icon, plate=app.colour),
            Text(value=app.label, colour=WHITE),
            IconButton(icon="close", description=f"Dismiss {app.label}", colour=WHITE, size=24, on_tap=dismiss),
        ],
        weights=[0.16, 0.68, 0.16],
        row_height=themes.ROW_DP * 0.8,
    )
    picture = Picture(
        draw=partial(phone.thumbnail, package), picture_height=CARD_DP, id="snapshot", description=app.label
    )
    return Column(
        children=[label, Row(children=[picture], row_height=CARD_DP), Space(size=10)],
        padding=18,
        id="task",
        on_tap=partial(phone.open, package),
        on_swipe_aside=dismiss,
    )


# --- the shade -------------------------------------------------------------------------------------------


def _shade(phone: VirtualPhone) -> Page:
    rows = [_row(phone, notification) for notification in phone.state.notifications]
    nothing = Text(value="No notifications", align="center", muted=True)
    more = Button(label="All quick settings", flat=True, on_tap=partial(phone.panels.show, QUICK_SETTINGS))
    body: list[View] = [_tiles(phone, TILES[:FIRST_TILES]), more, *(rows or [Row(children=[nothing], row_height=120)])]
    if rows:
        body.append(Button(label="Clear all", flat=True, id="clear_all", on_tap=phone.panels.clear_notifications))
    return Page(toolbar=_header(phone), body=body)


def _row(phone: VirtualPhone, notification: Notification) -> View:
    app = phone.apps.get(notification.package)
    return ListItem(
        title=notification.title,
        subtitle=notification.text,
        icon=app.icon if app else "bell",
        plate=app.colour if app else (95, 99, 104),
        divider=True,
        id="notification",
        on_tap=partial(phone.panels.open_notification, notification),
        on_swipe_aside=partial(phone.panels.dismiss_notification, notification),
    )


def _header(phone: VirtualPhone) -> View:
    now = phone.clock.now()
    date = Text(value=f"{now:%A} {now.day} {now:%B}", size=themes.TITLE_DP)
    return Row(children=[Space(size=8), date], weights=[0.05, 0.95], row_height=themes.ROW_DP)


# --- quick settings --------------------------------------------------------------------------------------


def _quick_settings(phone: VirtualPhone) -> Page:
    settings = ListItem(title="Settings", icon="gear", on_tap=partial(phone.open, "com.android.settings"))
    return Page(toolbar=_header(phone), body=[_brightness(phone), _tiles(phone, TILES), Space(size=12), settings])


def _brightness(phone: VirtualPhone) -> View:
    value = phone.settings.get("system", "screen_brightness") or "0"
    level = int(value) if value.isdecimal() else 0

    def slide(part: float) -> None:
        phone.settings.put("system", "screen_brightness", str(max(1, round(part * MOST_BRIGHTNESS))))

    bar = Slider(value=level / MOST_BRIGHTNESS, shown=f"{level}.0", description="Brightness", on_slide=slide)
    return Row(children=[Icon(name="display", size=26), bar], weights=[0.14, 0.86], row_height=themes.ROW_DP)


def _tiles(phone: VirtualPhone, tiles: tuple[Tile, ...]) -> View:
    grid = Grid(children=[_tile(phone, tile) for tile in tiles], columns=2, cell_height=TILE_DP, gap=10)
    return Column(children=[grid], padding=14)


def _tile(phone: VirtualPhone, tile: Tile) -> View:
    theme = phone.theme()
    on = phone.settings.is_on(tile.namespace, tile.key, tile.on)
    ink = theme.on_accent if on else theme.text

    def flip() -> None:
        phone.settings.put(tile.namespace, tile.key, tile.off if on else tile.on)

    label = Text(value=tile.label, size=themes.SMALL_DP, colour=ink)
    inside = Row(children=[Icon(name=tile.icon, colour=ink, size=26), label], weights=[0.25, 0.75], row_height=TILE_DP)
    return _Tile(
        child=inside,
        colour=theme.accent if on else theme.surface,
        radius=TILE_DP / 2,
        plate_height=TILE_DP,
        description=tile.label,
        checkable=True,
        checked=on,
        on_tap=flip,
    )


class _Tile(Plate):
    class_name = "android.widget.Switch"


def _wallpaper(phone: VirtualPhone) -> Picture:
    base = themes.ACCENTS[phone.state.seed % len(themes.ACCENTS)]
    return Picture(draw=lambda width, height: gradient(width, height, base), picture_height=914)
