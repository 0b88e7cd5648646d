"""What lies above a page: dialogs, a navigation drawer, a toast, and a banner at the top of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.scene import Placed, arrange
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Column, Handler, Icon, ListItem, Metrics, Plate, Row, Space, Text, View

BANNER_DP = 460.0
DRAWER_DP = 310.0
DRAWER_SHARE = 0.82
"""of the screen's width, where that is less"""
_WHITE: Colour = (255, 255, 255)
LEAST_BODY_DP = themes.ROW_DP
"""what of a dialog's body must be seen between its title and its buttons, which otherwise scroll with it"""


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
class NavigationDrawer:
    """A panel at the left edge with the places of an app, which its toolbar's button and a swipe from the edge open."""

    title: str
    icon: str
    colour: Colour
    places: Sequence[tuple[str, str, Handler]]
    """label, icon, and what leads there"""
    chosen: str
    """the label of the place that is shown"""
    opened: bool
    on_open: Handler
    on_close: Handler


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
class Overlay:
    """The layers of an open dialog or drawer, from back to front, and what of it scrolls."""

    layers: list[Placed]
    viewport: Box = (0.0, 0.0, 0.0, 0.0)
    scroll_range: float = 0.0
    """how far it can scroll, in pixels"""


def toast_layer(text: str, width: int, bottom: float, m: Metrics) -> Layer:
    """A short message above `bottom`."""
    label = Text(value=text, align="center", colour=m.theme.background, size=20)
    plate = Plate(child=label, colour=m.theme.text, radius=20, children_padding=10)
    height = plate.height(width * 0.8, m)
    return Layer(placed=[(plate, (width * 0.1, bottom - height - m.px(12), width * 0.9, bottom - m.px(12)))])


def banner_layer(card: View, width: int, m: Metrics) -> Layer:
    """A card over the top of the screen, no wider than a phone held upright."""
    gap = m.px(8)
    inner = min(width - 2 * gap, m.px(BANNER_DP))
    left = (width - inner) / 2
    return Layer(placed=[(card, (left, gap, left + inner, gap + card.height(inner, m)))])


# --- dialogs ---------------------------------------------------------------------------------------------


def dialog_overlay(
    dialog: Dialog, width: int, height: int, edges: tuple[float, float, float, float], scroll: float, m: Metrics
) -> Overlay:
    """A card in the middle of the free part of the screen, its rows on the page's own grid of rows, or a sheet at the
    bottom of that part. What is too high for the screen scrolls between its title and its buttons.

    `edges` are the ends of the status bar and of the toolbar, the lower end of the free part, and where the keyboard or
    the navigation bar begins, in pixels.
    """
    status, top, bottom, lowest = edges
    title = Row(children=[Text(value=dialog.title, wrap=True)], row_height=themes.ROW_DP)
    head = dialog.head or title
    foot = [Row(children=list(dialog.buttons), gap=8, row_height=themes.ROW_DP)] if dialog.buttons else []
    column = Column(children=[head, *dialog.body, *foot])
    side, pad = width * 0.06, m.px(14)
    wanted = column.height(width - 2 * side - 2 * pad, m)
    margin = 0.0 if dialog.sheet else side
    inner = width - 2 * margin - 2 * pad
    if dialog.sheet:
        start = bottom - wanted - pad
    else:
        rows = max(0, round((bottom - top - wanted) / 2 / m.px(themes.ROW_DP)))
        start = top + rows * m.px(themes.ROW_DP)
    screen: Box = (0.0, 0.0, float(width), float(height))
    shield = Layer(shade=0.45, on_tap=dialog.on_dismiss or _nothing)
    card = Plate(child=column, colour=m.theme.background, radius=24, children_padding=14, id=dialog.id)
    card.on_tap = _nothing  # a touch beside the buttons stays in the dialog
    behind: tuple[View, Box] = (shield, (0.0, 0.0, float(width), float(bottom)))
    if start - pad >= status and start + wanted + pad <= bottom + 1:
        box = (margin, start - pad, width - margin, start + wanted + pad)
        return Overlay([arrange(Layer(placed=[behind, (card, box)]), screen, screen, m)])
    gap = m.px(6)
    behind = (shield, (0.0, 0.0, float(width), lowest))
    box = (margin, status + gap, width - margin, lowest - (0.0 if dialog.sheet else gap))
    inside: Box = (box[0] + pad, box[1] + pad, box[2] - pad, box[3] - pad)
    above, below = head.height(inner, m), sum(view.height(inner, m) for view in foot)
    placed: list[tuple[View, Box]] = [behind, (card, box)]
    body: list[View] = [head, *dialog.body, *foot]
    viewport = inside
    if inside[3] - inside[1] - above - below >= m.px(LEAST_BODY_DP):
        body = list(dialog.body)
        viewport = (inside[0], inside[1] + above, inside[2], inside[3] - below)
        placed.append((head, (inside[0], inside[1], inside[2], viewport[1])))
        placed += [(view, (inside[0], viewport[3], inside[2], inside[3])) for view in foot]
    card.child = Space(size=0)
    fixed = arrange(Layer(placed=placed), screen, screen, m)
    return _scrolling([fixed], body, viewport, scroll, m)


def _scrolling(fixed: list[Placed], body: Sequence[View], viewport: Box, scroll: float, m: Metrics) -> Overlay:
    """Layers with a column of views that scrolls in a viewport above them."""
    content = Column(children=body)
    height = content.height(viewport[2] - viewport[0], m)
    scroll_range = max(0.0, height - (viewport[3] - viewport[1]))
    top = viewport[1] - min(max(scroll, 0.0), scroll_range)
    scrolled = arrange(content, (viewport[0], top, viewport[2], top + height), viewport, m)
    scrolled.scrollable = scroll_range > 0
    return Overlay([*fixed, scrolled], viewport, scroll_range)


# --- the drawer ------------------------------------------------------------------------------------------


@dataclass(kw_only=True)
class _Place(ListItem):
    """A place in a drawer; the one that is shown stands on a round plate."""

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        side = m.px(8)
        return ListItem.place(self, (box[0] + side, box[1], box[2] - side, box[3]), m)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        if self.selected:
            side, inset = m.px(8), m.px(6)
            plate = (box[0] + side, box[1] + inset, box[2] - side, box[3] - inset)
            tint = themes.mix(m.theme.background, m.theme.accent, 0.18)
            canvas.rounded(plate, tint, (plate[3] - plate[1]) / 2)


def drawer_overlay(
    drawer: NavigationDrawer, status: StatusBar, width: int, height: int, scroll: float, m: Metrics
) -> Overlay:
    """The drawer over a darkened page: the app's name on its colour, and its places, which scroll where they must."""
    screen: Box = (0.0, 0.0, float(width), float(height))
    right, bottom = min(m.px(DRAWER_DP), width * DRAWER_SHARE), height - m.px(themes.NAVIGATION_BAR_DP)
    name = Row(
        children=[
            Icon(name=drawer.icon, size=34, colour=_WHITE),
            Text(value=drawer.title, size=themes.TITLE_DP, colour=_WHITE),
        ],
        weights=[0.24, 0.76],
        row_height=themes.ROW_DP,
    )
    head = Plate(child=Column(children=[Space(size=themes.STATUS_BAR_DP), name]), colour=drawer.colour)
    top = head.height(right, m)
    panel = Plate(child=Space(size=0), colour=m.theme.background, on_tap=_nothing, id="navigation_drawer")
    shield = Layer(shade=0.45, on_tap=drawer.on_close, description="Close navigation drawer")
    bar = StatusBar(time=status.time, symbols=status.symbols, light=True)
    fixed = Layer(
        placed=[
            (shield, (0.0, 0.0, float(width), bottom)),
            (panel, (0.0, 0.0, right, bottom)),
            (head, (0.0, 0.0, right, top)),
            (bar, (0.0, 0.0, float(width), m.px(themes.STATUS_BAR_DP))),
        ]
    )
    places: list[View] = [Space(size=8)]
    for label, icon, go in drawer.places:
        places.append(_Place(title=label, icon=icon, selected=label == drawer.chosen, on_tap=go))
    return _scrolling([arrange(fixed, screen, screen, m)], places, (0.0, top, right, bottom), scroll, m)


def _nothing() -> None:
    """A touch that does nothing."""
