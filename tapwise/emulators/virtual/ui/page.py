"""A page of an app, and how it is composed with bars, dialogs and the keyboard into one scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box
from tapwise.emulators.virtual.ui.keyboard import KeyHandler, keyboard, keyboard_height_dp
from tapwise.emulators.virtual.ui.overlays import (
    Dialog,
    Layer,
    NavigationDrawer,
    Overlay,
    StatusBar,
    banner_layer,
    dialog_overlay,
    drawer_overlay,
    toast_layer,
)
from tapwise.emulators.virtual.ui.scene import Placed, arrange
from tapwise.emulators.virtual.ui.views import (
    Button,
    Column,
    Handler,
    IconButton,
    Metrics,
    Picture,
    Plate,
    Row,
    Space,
    Text,
    View,
)

__all__ = [
    "Chrome",
    "Dialog",
    "NavigationDrawer",
    "Page",
    "Scene",
    "StatusBar",
    "choice_dialog",
    "compose",
    "confirm_dialog",
]


@dataclass(kw_only=True)
class Page:
    """What an app shows: toolbar with title and actions, a scrolling body, and what floats above it."""

    title: str = ""
    body: Sequence[View] = ()
    actions: Sequence[IconButton] = ()
    on_back: Handler | None = None
    toolbar: View | None = None
    floating: IconButton | None = None
    bottom: View | None = None
    dialog: Dialog | None = None
    wallpaper: Picture | None = None
    drawer: NavigationDrawer | None = None


@dataclass(slots=True)
class Scene:
    """The composed screen: layers from back to front, and the scrolling region of the page."""

    layers: list[Placed]
    viewport: Box
    scroll_range: float
    """how far the page can scroll, in pixels"""
    overlay: Overlay | None = None
    """the open dialog or drawer, whose layers are among `layers`"""
    banner: Placed | None = None
    """what lies above everything else, and is the last of `layers`"""
    drawer: NavigationDrawer | None = None
    """the page's drawer, open or not"""

    @property
    def modal(self) -> bool:
        """Whether a dialog or a drawer takes all touches."""
        return self.overlay is not None


@dataclass(slots=True)
class Chrome:
    """What the system draws around a page."""

    status: StatusBar
    navigation: tuple[Handler, Handler, Handler]
    """back, home, recents"""
    keyboard: KeyHandler | None = None
    overlay: Dialog | None = None
    toast: str = ""
    banner: View | None = None
    """a card over the top of the screen"""


def compose(
    page: Page, chrome: Chrome, scroll: float, width: int, height: int, m: Metrics, overlay_scroll: float = 0.0
) -> Scene:
    """Lay out a page at a scroll offset in pixels, with everything that floats above it. `overlay_scroll` is the offset
    within a dialog or drawer that is higher than the screen."""
    screen: Box = (0, 0, width, height)
    status, navigation = m.px(themes.STATUS_BAR_DP), m.px(themes.NAVIGATION_BAR_DP)
    top, bottom = status, height - navigation
    fixed: list[tuple[View, Box]] = []
    if page.wallpaper is not None:
        fixed.append((page.wallpaper, screen))
    upright = height > width
    toolbar = page.toolbar or (_toolbar(page, upright, m) if page.title else None)
    if toolbar is not None:
        box = (0.0, top, float(width), top + (m.px(themes.TOOLBAR_DP) if upright else toolbar.height(width, m)))
        fixed.append((toolbar, box))
        top = box[3]
    keys: list[tuple[View, Box]] = []
    if chrome.keyboard is not None:
        keys_dp = keyboard_height_dp(height / m.scale)
        bottom -= m.px(keys_dp)
        keys = [(keyboard(chrome.keyboard, keys_dp), (0.0, bottom, float(width), bottom + m.px(keys_dp)))]
    lowest = bottom
    bar: list[tuple[View, Box]] = []
    if page.bottom is not None:
        bar_height = page.bottom.height(width, m)
        bar = [(page.bottom, (0.0, bottom - bar_height, float(width), bottom))]
        bottom -= bar_height
    viewport: Box = (0.0, top, float(width), bottom)
    content = Column(children=page.body)
    content_height = content.height(width, m)
    scroll_range = max(0.0, content_height - (bottom - top))
    offset = max(scroll, 0.0) if scroll_range else 0.0
    body = arrange(content, (0.0, top - offset, float(width), top - offset + content_height), viewport, m)
    body.scrollable = scroll_range > 0
    layers = [arrange(Layer(placed=fixed, background=m.theme.background), screen, screen, m), body]
    if page.floating is not None:
        size, gap = m.px(64), m.px(18)
        plate = Plate(child=page.floating, colour=m.theme.accent, radius=20)
        page.floating.colour = m.theme.on_accent
        box = (width - gap - size, bottom - gap - size, width - gap, bottom - gap)
        layers.append(arrange(Layer(placed=[(plate, box)]), screen, screen, m))
    layers.append(arrange(Layer(placed=[*bar, *keys]), screen, screen, m))
    layers.append(arrange(_navigation_layer(chrome, width, height, page.wallpaper is not None, m), screen, screen, m))
    if chrome.toast:
        layers.append(arrange(toast_layer(chrome.toast, width, bottom, m), screen, screen, m))
    overlay = None
    dialog = chrome.overlay or page.dialog
    if dialog is not None:
        overlay = dialog_overlay(dialog, width, height, (status, top, bottom, lowest), overlay_scroll, m)
    elif page.drawer is not None and page.drawer.opened:
        overlay = drawer_overlay(page.drawer, chrome.status, width, height, overlay_scroll, m)
    if overlay is not None:
        layers += overlay.layers
    banner = None
    if chrome.banner is not None:
        banner = arrange(banner_layer(chrome.banner, width, m), screen, screen, m)
        layers.append(banner)
    return Scene(layers, viewport, scroll_range, overlay, banner, page.drawer)


def _toolbar(page: Page, upright: bool, m: Metrics) -> View:
    children: list[View] = []
    weights: list[float] = []
    if page.on_back is not None:
        children.append(IconButton(icon="back", description="Navigate up", on_tap=page.on_back))
        weights.append(0.15)
    elif page.drawer is not None:
        children.append(IconButton(icon="menu", description="Open navigation drawer", on_tap=page.drawer.on_open))
        weights.append(0.15)
    title = Text(value=page.title, size=themes.TITLE_DP)
    children.append(Row(children=[Space(size=4), title], weights=[0.04, 0.96], row_height=themes.ROW_DP))
    leading = 0.15 if page.on_back or page.drawer else 0.0
    weights.append(1.0 - leading - 0.15 * len(page.actions))
    children += page.actions
    weights += [0.15] * len(page.actions)
    bar = Row(children=children, weights=weights, row_height=themes.ROW_DP)
    return Column(children=[Space(size=themes.TOOLBAR_DP - themes.ROW_DP), bar]) if upright else bar


def _navigation_layer(chrome: Chrome, width: int, height: int, light: bool, m: Metrics) -> Layer:
    bar = m.px(themes.NAVIGATION_BAR_DP)
    ink = (255, 255, 255) if light else m.theme.muted
    chrome.status.light = light
    names = (("nav_back", "Back"), ("nav_home", "Home"), ("nav_recents", "Overview"))
    buttons: list[View] = [
        IconButton(icon=icon, description=name, on_tap=handler, colour=ink, size=24)
        for (icon, name), handler in zip(names, chrome.navigation, strict=True)
    ]
    placed: list[tuple[View, Box]] = [
        (chrome.status, (0.0, 0.0, float(width), m.px(themes.STATUS_BAR_DP))),
        (Row(children=buttons, row_height=themes.NAVIGATION_BAR_DP), (0.0, height - bar, float(width), float(height))),
    ]
    return Layer(placed=placed)


def choice_dialog(title: str, options: Sequence[tuple[str, Handler]], cancel: Handler) -> Dialog:
    """A dialog that lists options one below the other, and a Cancel button."""
    body = [Button(label=label, flat=True, on_tap=handler) for label, handler in options]
    return Dialog(title=title, body=body, buttons=[Button(label="Cancel", flat=True, on_tap=cancel)], on_dismiss=cancel)


def confirm_dialog(title: str, label: str, confirm: Handler, cancel: Handler) -> Dialog:
    """A dialog that asks before something is done: Cancel beside a button called `label`."""
    buttons = [Button(label="Cancel", flat=True, on_tap=cancel), Button(label=label, on_tap=confirm)]
    return Dialog(title=title, buttons=buttons, on_dismiss=cancel)
