"""A page of an app, and how it is composed with bars, dialogs and the keyboard into one scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.keyboard import KeyHandler, keyboard, keyboard_height_dp
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

BANNER_DP = 460.0


@dataclass(kw_only=True)
class Dialog:
    """A modal card: title (or `head` in its place), optional views, and a row of buttons; a `sheet` comes from the
    bottom of the screen."""

    title: str
    head: View | None = None
    id: str = ""
    body: Sequence[View] = ()
    buttons: Sequence[View] = ()
    on_dismiss: Handler | None = None
    sheet: bool = False


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


@dataclass(kw_only=True)
class StatusBar(View):
    """Time and symbols at the top of the screen."""

    time: str
    symbols: Sequence[str]
    light: bool = False

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.STATUS_BAR_DP)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        ink = (255, 255, 255) if self.light else m.theme.muted
        size, top = m.font(15), box[1] + m.px(7)
        canvas.text(box[0] + m.px(14), top, self.time, size, ink)
        left = box[2] - m.px(14)
        for name in self.symbols:
            left -= m.px(20)
            canvas.icon(left, top, name, round(m.px(16)), ink)


@dataclass(kw_only=True)
class Layer(View):
    """A full-screen layer whose children were placed by the composer; `shade` darkens what is behind."""

    placed: Sequence[tuple[View, Box]] = ()
    shade: float = 0.0
    background: themes.Colour | None = None

    class_name = "android.widget.FrameLayout"

    def height(self, width: float, m: Metrics) -> float:
        return 0.0

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        return self.placed

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        if self.background is not None:
            canvas.rectangle(box, self.background)
        if self.shade:
            canvas.shade(self.shade)


@dataclass(slots=True)
class Scene:
    """The composed screen: layers from back to front, and the scrolling region of the page."""

    layers: list[Placed]
    viewport: Box
    scroll_range: float
    """how far the page can scroll, in pixels"""
    modal: bool = field(default=False)
    dialog: list[Placed] = field(default_factory=list)
    """the layers of the open dialog, which are among `layers`"""
    banner: Placed | None = None
    """what lies above everything else, and is the last of `layers`"""


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


def compose(page: Page, chrome: Chrome, scroll: float, width: int, height: int, m: Metrics) -> Scene:
    """Lay out a page at a scroll offset in pixels, with everything that floats above it."""
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
        layers.append(arrange(_toast_layer(chrome.toast, width, bottom, m), screen, screen, m))
    dialog = chrome.overlay or page.dialog
    front: list[Placed] = []
    if dialog is not None:
        front = [arrange(_dialog_layer(dialog, width, top, bottom, m), screen, screen, m)]
        layers += front
    banner = None
    if chrome.banner is not None:
        banner = arrange(_banner_layer(chrome.banner, width, m), screen, screen, m)
        layers.append(banner)
    return Scene(layers, viewport, scroll_range, dialog is not None, front, banner)


def _toolbar(page: Page, upright: bool, m: Metrics) -> View:
    children: list[View] = []
    weights: list[float] = []
    if page.on_back is not None:
        children.append(IconButton(icon="back", description="Navigate up", on_tap=page.on_back))
        weights.append(0.15)
    title = Text(value=page.title, size=themes.TITLE_DP)
    children.append(Row(children=[Space(size=4), title], weights=[0.04, 0.96], row_height=themes.ROW_DP))
    weights.append(1.0 - (0.15 if page.on_back else 0.0) - 0.15 * len(page.actions))
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


def _toast_layer(text: str, width: int, bottom: float, m: Metrics) -> Layer:
    label = Text(value=text, align="center", colour=m.theme.background, size=20)
    plate = Plate(child=label, colour=m.theme.text, radius=20, children_padding=10)
    height = plate.height(width * 0.8, m)
    return Layer(placed=[(plate, (width * 0.1, bottom - height - m.px(12), width * 0.9, bottom - m.px(12)))])


def _banner_layer(card: View, width: int, m: Metrics) -> Layer:
    """A card over the top of the screen, no wider than a phone held upright."""
    gap = m.px(8)
    inner = min(width - 2 * gap, m.px(BANNER_DP))
    left = (width - inner) / 2
    return Layer(placed=[(card, (left, gap, left + inner, gap + card.height(inner, m)))])


def _dialog_layer(dialog: Dialog, width: int, top: float, bottom: float, m: Metrics) -> Layer:
    """A card in the middle of the free part of the screen, its rows on the page's own grid of rows, or a sheet at the
    bottom of that part."""
    title = Row(children=[Text(value=dialog.title, wrap=True)], row_height=themes.ROW_DP)
    children: list[View] = [dialog.head or title, *dialog.body]
    if dialog.buttons:
        children.append(Row(children=list(dialog.buttons), gap=8, row_height=themes.ROW_DP))
    column = Column(children=children)
    margin, pad = width * 0.06, m.px(14)
    inner = width - 2 * margin - 2 * pad
    height = column.height(inner, m)
    if dialog.sheet:
        margin, start = 0.0, bottom - height - pad
    else:
        rows = max(0, round((bottom - top - height) / 2 / m.px(themes.ROW_DP)))
        start = top + rows * m.px(themes.ROW_DP)
    card = Plate(child=column, colour=m.theme.background, radius=24, children_padding=14, id=dialog.id)
    shield = Layer(background=None, shade=0.45, on_tap=dialog.on_dismiss or _nothing)
    box = (margin, start - pad, width - margin, start + height + pad)
    card.on_tap = _nothing  # a touch beside the buttons stays in the dialog
    return Layer(placed=[(shield, (0.0, 0.0, float(width), float(bottom))), (card, box)])


def _nothing() -> None:
    """A touch that does nothing."""


def choice_dialog(title: str, options: Sequence[tuple[str, Handler]], cancel: Handler) -> Dialog:
    """A dialog that lists options one below the other, and a Cancel button."""
    body = [Button(label=label, flat=True, on_tap=handler) for label, handler in options]
    return Dialog(title=title, body=body, buttons=[Button(label="Cancel", flat=True, on_tap=cancel)], on_dismiss=cancel)


def confirm_dialog(title: str, label: str, confirm: Handler, cancel: Handler) -> Dialog:
    """A dialog that asks before something is done: Cancel beside a button called `label`."""
    buttons = [Button(label="Cancel", flat=True, on_tap=cancel), Button(label=label, on_tap=confirm)]
    return Dialog(title=title, buttons=buttons, on_dismiss=cancel)
