"""The home screen: wallpaper, date and the apps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from PIL import Image

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import AppTile, Grid, Picture, Row, Space, Text

DRAWER = "drawer"
"""the page with all apps"""


@dataclass
class LauncherData:
    """Which wallpaper hangs."""

    hue: int


class Launcher(App):
    """The home screen."""

    package = "com.google.android.apps.nexuslauncher"
    label = "Home"
    icon = "home"
    colour = (60, 64, 72)
    activity = ".NexusLauncherActivity"

    def __init__(self, home: Sequence[App], installed: Sequence[App]) -> None:
        self._home = home
        self._installed = installed

    def initial(self, rng: random.Random) -> LauncherData:
        return LauncherData(rng.randrange(len(themes.ACCENTS)))

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == DRAWER:
            return self._drawer(ui)
        tiles = [_tile(ui, app) for app in ui.menu(ui.order(self._home, "tiles"), "tiles")]
        date = Text(value=f"{ui.now():%A %d}", size=themes.TITLE_DP, align="center", colour=(255, 255, 255))
        header = Row(children=[date], row_height=themes.TOOLBAR_DP)
        grid = Grid(children=tiles, columns=3, cell_height=2 * themes.ROW_DP)
        base = themes.ACCENTS[ui.data.hue]
        wallpaper = Picture(draw=lambda width, height: gradient(width, height, base), picture_height=914)
        return Page(toolbar=header, body=[grid], wallpaper=wallpaper)

    def _drawer(self, ui: Ui) -> Page:
        apps = ui.menu(sorted(self._installed, key=lambda app: app.label), "drawer")
        tiles = [_tile(ui, app) for app in apps]
        base = themes.ACCENTS[ui.data.hue]
        wallpaper = Picture(draw=lambda width, height: gradient(width, height, base), picture_height=914)
        return Page(
            body=[Space(size=24), Grid(children=tiles, columns=3, cell_height=1.9 * themes.ROW_DP)], wallpaper=wallpaper
        )


def _tile(ui: Ui, app: App) -> AppTile:
    return AppTile(label=app.label, icon=app.icon, plate=app.colour, on_tap=partial(ui.start, app.package))


@lru_cache(maxsize=16)
def gradient(width: int, height: int, base: Colour) -> Image.Image:
    """A quiet diagonal gradient, dark enough for white labels."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    mix = np.clip(0.6 * y / height + 0.4 * x / width, 0, 1)[..., None]
    first = np.array(themes.mix(base, (0, 0, 0), 0.72), np.float32)
    second = np.array(themes.mix(base, (0, 0, 0), 0.35), np.float32)
    return Image.fromarray((first * (1 - mix) + second * mix).astype(np.uint8))
