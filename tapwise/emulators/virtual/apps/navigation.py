"""The navigation drawer of an app whose first page has several places."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from tapwise.emulators.virtual.app import App, Ui
from tapwise.emulators.virtual.ui.page import NavigationDrawer

_OPEN, _PLACE = "drawer", "place"


def place(ui: Ui, usual: str) -> str:
    """The label of the place that the page shows."""
    return ui.field(_PLACE) or usual


def navigation(ui: Ui, app: App, places: Sequence[tuple[str, str]], usual: str) -> NavigationDrawer:
    """A drawer with these places, each a label and an icon; `usual` is shown at first."""

    def go(label: str) -> None:
        ui.set_field(_PLACE, label)
        ui.set_field(_OPEN, "")

    entries = [(label, icon, partial(go, label)) for label, icon in ui.menu(places, _PLACE)]
    return NavigationDrawer(
        title=app.label,
        icon=app.icon,
        colour=app.colour,
        places=entries,
        chosen=place(ui, usual),
        opened=ui.field(_OPEN) == "1",
        on_open=partial(ui.set_field, _OPEN, "1"),
        on_close=partial(ui.set_field, _OPEN, ""),
    )
