"""What is on screen now: composes the page in front, draws it, and routes touches to it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.emulators.virtual import drift as drifts
from tapwise.emulators.virtual.display import font_scale
from tapwise.emulators.virtual.drift import Drift, drift_of
from tapwise.emulators.virtual.intrusion_views import covered, heads_up_card, permission_dialog
from tapwise.emulators.virtual.noise import DISMISS_ID, shuffled
from tapwise.emulators.virtual.panels import SHADE, SYSTEM_UI
from tapwise.emulators.virtual.state import Entry, Route
from tapwise.emulators.virtual.system_ui import panel_page
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Canvas, Mark
from tapwise.emulators.virtual.ui.overlays import Overlay
from tapwise.emulators.virtual.ui.page import Chrome, Dialog, Page, Scene, StatusBar, compose
from tapwise.emulators.virtual.ui.raster import Painter, picture
from tapwise.emulators.virtual.ui.scene import Placed, describe, hit, paint
from tapwise.emulators.virtual.ui.views import Button, ListItem, Metrics, Space, Text, TextField, View
from tapwise.records import UiNode

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

ItemT = TypeVar("ItemT")
MOST_THUMBNAILS = 32
EDGE_DP = 28.0
"""where a finger begins that opens a drawer"""


class Screen:
    """The composed scene of a phone, rebuilt when the phone has changed."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._scene: Scene | None = None
        self._pixels: NDArray[np.uint8] | None = None
        self._painter = Painter()
        self._thumbnails: dict[bytes, Image.Image] = {}
        """pictures of pages that were shown small, by their pixels: the same picture is the same mark"""

    def invalidate(self) -> None:
        """Forget the scene: something has changed."""
        self._scene = None
        self._pixels = None
        self._phone.forwarder.look()

    def metrics(self) -> Metrics:
        """Scale and theme of the phone."""
        phone = self._phone
        drift = self._drift()
        dark = phone.settings.is_on("secure", "ui_night_mode", "2") or drift.dark
        accent = drift.accent or themes.ACCENTS[phone.state.seed % len(themes.ACCENTS)]
        scale = drift.font_scale * font_scale(phone.settings)
        return Metrics(phone.density / 160, themes.theme(dark=dark, accent=accent), scale)

    def _drift(self) -> Drift:
        return drift_of(self._phone.noise.drift, self._phone.state.seed)

    def frame(self) -> NDArray[np.uint8]:
        """Pixels of the scene, drawn at most once per change."""
        if self._pixels is None:
            size = self._phone.size
            self._pixels = self._painter.show(self._marks(self.scene()), size.width, size.height)
        return self._pixels

    def _marks(self, scene: Scene) -> Sequence[Mark]:
        metrics, size = self.metrics(), self._phone.size
        canvas = Canvas(size.width, size.height, metrics.theme.background)
        for layer in scene.layers:
            paint(layer, canvas, metrics)
        return canvas.marks

    def thumbnail(self, package: str, width: int, height: int) -> Image.Image:
        """The upper part of a recent app's page, without the system's bars."""
        phone, size, metrics = self._phone, self._phone.size, self.metrics()
        stack = phone.state.apps[package].stack
        entry = stack[-1] if stack else Entry(("home",))
        page = _PageUi(phone, package, entry).build()
        drifts.apply(self._drift(), page)
        bars = Chrome(status=StatusBar(time="", symbols=()), navigation=(_nothing, _nothing, _nothing))
        marks = self._marks(compose(page, bars, entry.scroll, size.width, size.height, metrics))
        top = round(metrics.px(themes.STATUS_BAR_DP))
        whole = Image.fromarray(picture(marks, size.width, size.height)).crop((0, top, size.width, size.height))
        small = whole.resize((width, max(height, round(whole.height * width / size.width))), Image.Resampling.BOX)
        shown = small.crop((0, 0, width, height))
        if len(self._thumbnails) >= MOST_THUMBNAILS:
            self._thumbnails.clear()
        return self._thumbnails.setdefault(shown.tobytes(), shown)

    def counter(self) -> int:
        """How often the picture has changed."""
        self.frame()
        return self._painter.counter

    def tree(self) -> UiNode:
        """The accessibility tree: of the dialog alone while one is open, as on Android."""
        scene, metrics, phone = self.scene(), self.metrics(), self._phone
        layers = (
            scene.overlay.layers
            if scene.overlay is not None
            else [layer for layer in scene.layers if layer is not scene.banner]
        )
        package = phone.window_package()
        children = tuple(_without_keyboard(describe(layer, package, metrics)) for layer in layers)
        if scene.banner is not None:  # a window of the system's, whatever is below it
            children = (*children, describe(scene.banner, SYSTEM_UI, metrics))
        return UiNode(
            class_name="android.widget.FrameLayout",
            package=package,
            bounds=(0, 0, phone.size.width, phone.size.height),
            children=children,
        )

    def views(self) -> Iterator[View]:
        """Every view of the scene, in no particular order."""
        pending = list(self.scene().layers)
        while pending:
            placed = pending.pop()
            yield placed.view
            pending += placed.children

    def fling_banner(self, x1: float, y1: float, x2: float, y2: float) -> bool:
        """Push away the heads-up notification with a finger that began on it, or pull the shade down from it; False
        when it began elsewhere."""
        banner = self.scene().banner
        if banner is None or len(hit(banner, x1, y1)) < 2:
            return False
        if y2 - y1 > abs(x2 - x1):
            self._phone.intrusions.put_away()
            self._phone.panels.show(SHADE)
        else:
            self._phone.intrusions.put_away()
        return True

    # --- touch ---------------------------------------------------------------------------------------

    def touch(self, x: float, y: float, *, long: bool) -> None:
        """Give a touch to the innermost view under it that listens."""
        for layer in reversed(self.scene().layers):
            chain = hit(layer, x, y)
            for placed in reversed(chain):
                view = placed.view
                if not view.enabled:
                    return
                if view.on_slide is not None:
                    self._slide(placed, x)
                    return
                handler = (view.on_long_press if long else None) or view.on_tap
                if handler is not None:
                    handler()
                    self._after_touch()
                    return

    def scroll(self, x: float, y: float, distance: float) -> None:
        """Move the page's content up by `distance` pixels when the finger began in it."""
        scene = self.scene()
        left, top, right, bottom = scene.viewport
        entry = self._phone.entry
        if scene.overlay is not None:
            self._scroll_overlay(scene.overlay, x, y, distance)
            return
        if not (left <= x < right and top <= y < bottom):
            return
        row = self.metrics().px(themes.ROW_DP)
        target = round((entry.scroll + distance) / row) * row  # lists come to rest on whole rows
        entry.scroll = min(max(target, 0.0), math.ceil(scene.scroll_range / row) * row)
        self.invalidate()

    def _scroll_overlay(self, overlay: Overlay, x: float, y: float, distance: float) -> None:
        left, top, right, bottom = overlay.viewport
        if left <= x < right and top <= y < bottom:
            entry = self._phone.entry
            entry.overlay_scroll = min(max(entry.overlay_scroll + distance, 0.0), overlay.scroll_range)
            self.invalidate()

    def _forget_overlay_scroll(self) -> None:
        """A dialog or drawer that has gone begins at its top when it comes again."""
        entry = self._phone.entry
        if entry.overlay_scroll and not self.scene().modal:
            entry.overlay_scroll = 0.0

    def swipe_drawer(self, x1: float, y1: float, x2: float, y2: float) -> bool:
        """Open the page's navigation drawer by a finger from the left edge, or push it back; False for other moves."""
        scene = self.scene()
        drawer, across = scene.drawer, x2 - x1
        if drawer is None or abs(across) <= abs(y2 - y1):
            return False
        if across > 0 and not scene.modal and x1 < self.metrics().px(EDGE_DP):
            drawer.on_open()
        elif across < 0 and drawer.opened:
            drawer.on_close()
        else:
            return False
        self._after_touch()
        return True

    def _after_touch(self) -> None:
        self.invalidate()
        self._forget_overlay_scroll()

    def in_status_bar(self, y: float) -> bool:
        """Whether a pixel's row is one of the bar at the top."""
        return y < self.metrics().px(themes.STATUS_BAR_DP)

    def slide(self, x1: float, y1: float, x2: float) -> bool:
        """Move what slides under a pixel to where the finger goes; False when nothing does."""
        for layer in reversed(self.scene().layers):
            chain = hit(layer, x1, y1)
            for placed in reversed(chain):
                if placed.view.on_slide is not None and placed.view.enabled:
                    self._slide(placed, x2)
                    return True
            if any(placed.view.on_tap is not None for placed in chain):
                return False  # a card or a shield covers what is below
        return False

    def pinch(self, x: float, y: float, factor: float) -> None:
        """Move two fingers apart or together around a pixel, over the innermost view that listens."""
        for layer in reversed(self.scene().layers):
            chain = hit(layer, x, y)
            for placed in reversed(chain):
                if placed.view.on_pinch is not None and placed.view.enabled:
                    placed.view.on_pinch(factor)
                    self.invalidate()
                    return
            if any(placed.view.on_tap is not None for placed in chain):
                return  # a card or a shield covers what is below

    def bars(self) -> tuple[tuple[int, int, int, int], tuple[int, int, int, int] | None]:
        """Where the status bar and, when it is shown, the keyboard are."""
        scene, metrics, width = self.scene(), self.metrics(), self._phone.size.width
        nodes = (node for layer in scene.layers for node in describe(layer, "", metrics).walk())
        keyboard = next((node.bounds for node in nodes if node.resource_id.endswith(":id/keyboard")), None)
        return (0, 0, width, round(metrics.px(themes.STATUS_BAR_DP))), keyboard

    def _slide(self, placed: Placed, x: float) -> None:
        left, _, right, _ = placed.view.tight(placed.box, self.metrics())
        if placed.view.on_slide is not None:
            placed.view.on_slide(min(max((x - left) / (right - left), 0.0), 1.0))
            self.invalidate()

    def swipe_aside(self, x: float, y: float) -> None:
        """Push away what lies under a pixel, where that can be done."""
        for layer in reversed(self.scene().layers):
            for placed in reversed(hit(layer, x, y)):
                if placed.view.on_swipe_aside is not None:
                    placed.view.on_swipe_aside()
                    self.invalidate()
                    return

    def press_back(self) -> None:
        """Back closes, in this order: panel, interruption, dialog, keyboard, page."""
        phone = self._phone
        if phone.state.panel is not None:
            phone.panels.close()
            return
        if phone.intrusions.asked is not None:
            phone.intrusions.answer(for_good=False)
            return
        if phone.state.popup is not None:
            phone.dismiss_popup()
            return
        page = self._app_page()
        if not phone.state.lure and page.dialog is not None and page.dialog.on_dismiss is not None:
            page.dialog.on_dismiss()
        elif not phone.state.lure and page.drawer is not None and page.drawer.opened:
            page.drawer.on_close()
        elif not phone.state.lure and phone.entry.focus is not None:
            phone.entry.focus = None
        else:
            phone.pop_page()
        self._after_touch()

    def submit(self) -> None:
        """Enter: submit the focused field."""
        phone = self._phone
        field = self._focused_field()
        if field is not None:
            phone.entry.focus = None
            if field.on_submit is not None:
                field.on_submit(field.value)
            self.invalidate()

    def focused_value(self) -> str:
        """What the focused field holds."""
        field = self._focused_field()
        return field.value if field is not None else ""

    def _focused_field(self) -> TextField | None:
        return next((view for view in self.views() if isinstance(view, TextField) and view.focused), None)

    def _press_key(self, value: str) -> None:
        phone = self._phone
        if value == "ENTER":
            self.submit()
        elif phone.entry.focus is not None:
            present = self.focused_value()
            phone.entry.fields[phone.entry.focus] = present[:-1] if value == "DEL" else present + value

    # --- composition -----------------------------------------------------------------------------------

    def scene(self) -> Scene:
        """The scene of the present state."""
        if self._scene is None:
            phone = self._phone
            entry = phone.entry
            page = self._page(entry)
            drifts.apply(self._drift(), page)
            shows_fields = (
                phone.state.panel is None
                and not phone.state.lure
                and phone.state.popup is None
                and entry.loading_s <= 0
            )
            chrome = Chrome(
                status=self._status_bar(),
                navigation=(self.press_back, phone.go_home, phone.panels.show_recents),
                keyboard=self._press_key if entry.focus is not None and shows_fields else None,
                overlay=self._overlay() if entry.loading_s <= 0 and phone.state.panel is None else None,
                toast=phone.state.toast,
                banner=heads_up_card(phone, phone.state.heads_up) if phone.state.heads_up is not None else None,
            )
            size = phone.size
            self._scene = compose(
                page, chrome, entry.scroll, size.width, size.height, self.metrics(), entry.overlay_scroll
            )
        return self._scene

    def _page(self, entry: Entry) -> Page:
        phone = self._phone
        if phone.state.panel is not None:
            return panel_page(phone, phone.state.panel)
        if phone.state.lure:
            return _lure_page(phone.state.lure, phone.handler(phone.pop_page))
        if entry.loading_s > 0:
            dots = "." * (1 + int(entry.loading_s / 0.05) % 3)
            label = Text(value="Loading" + dots, align="center", muted=True, id="loading")
            return Page(title="", body=[Space(size=3 * themes.ROW_DP), label])
        return self._app_page()

    def _app_page(self) -> Page:
        phone, entry = self._phone, self._phone.entry
        ui = _PageUi(phone, phone.state.foreground, entry)
        return covered(phone, ui.build(), entry, ui)

    def _overlay(self) -> Dialog | None:
        asked = self._phone.intrusions.asked
        if asked is not None:
            return permission_dialog(self._phone, asked)
        popup = self._phone.state.popup
        if popup is None:
            return None
        dismiss = Button(label=popup.dismiss, flat=True, on_tap=self._phone.dismiss_popup, id=DISMISS_ID)
        accept = Button(label=popup.accept, on_tap=self._phone.follow_lure)
        buttons = shuffled([dismiss, accept], popup.title, self._phone.noise, self._phone.state.seed)
        return Dialog(title=popup.title, buttons=buttons)

    def _status_bar(self) -> StatusBar:
        settings = self._phone.settings
        symbols = ["battery"]
        if settings.is_on("global", "airplane_mode_on"):
            symbols.append("plane")
        if settings.is_on("global", "wifi_on"):
            symbols.append("wifi")
        if settings.is_on("global", "bluetooth_on"):
            symbols.append("bluetooth")
        if self._phone.state.notifications:
            symbols.append("bell")
        return StatusBar(time=f"{self._phone.clock.now():%H:%M}", symbols=symbols)


class _PageUi:
    """The phone as the page in front sees it (protocol `Ui`)."""

    def __init__(self, phone: VirtualPhone, package: str, entry: Entry) -> None:
        self._phone = phone
        self._package = package
        self._entry = entry
        self.settings = phone.settings
        self.files = phone.files

    def build(self) -> Page:
        return self._phone.apps[self._package].page(self)

    @property
    def data(self) -> Any:
        return self._phone.state.apps[self._package].data

    @property
    def route(self) -> Route:
        return self._entry.route

    def now(self) -> datetime:
        return self._phone.clock.now()

    def go(self, *route: str) -> None:
        self._entry.focus = None
        self._phone.state.apps[self._package].stack.append(Entry(route))
        self._phone.page_opened()

    def replace(self, *route: str) -> None:
        self._phone.state.apps[self._package].stack[-1] = Entry(route)
        self._phone.page_opened()

    def back(self) -> None:
        self._phone.pop_page()

    def root(self) -> None:
        del self._phone.state.apps[self._package].stack[1:]

    def field(self, name: str, default: str = "") -> str:
        return self._entry.fields.get(name, default)

    def set_field(self, name: str, value: str) -> None:
        self._entry.fields[name] = value

    def text_field(
        self, name: str, hint: str, default: str = "", icon: str = "", on_submit: Callable[[str], None] | None = None
    ) -> TextField:
        return TextField(
            id=name,
            value=self.field(name, default),
            hint=hint,
            icon=icon,
            focused=self._entry.focus == name,
            on_tap=lambda: self.focus(name),
            on_submit=on_submit,
        )

    def focus(self, name: str | None) -> None:
        self._entry.focus = name

    def toast(self, text: str) -> None:
        self._phone.state.toast = text

    def order(self, items: Sequence[ItemT], key: str) -> list[ItemT]:
        return shuffled(items, f"{self._package}/{key}", self._phone.noise, self._phone.state.seed)

    def menu(self, items: Sequence[ItemT], key: str) -> list[ItemT]:
        drift = drift_of(self._phone.noise.drift, self._phone.state.seed)
        return drifts.reordered(drift, items, f"{self._package}/{key}")

    def start(self, package: str, *route: str) -> None:
        self._phone.open(package, *route)

    def new_id(self) -> int:
        self._phone.state.noise_draws += 1
        return 1000 + self._phone.state.noise_draws


def _lure_page(title: str, back: Callable[[], None]) -> Page:
    body = [
        Text(value="You left the app", align="center", muted=True),
        ListItem(title="Install", icon="download"),
        ListItem(title="Learn more", icon="globe"),
    ]
    return Page(title=title, on_back=back, body=body)


def _nothing() -> None:
    """A bar that nobody touches."""


def _without_keyboard(node: UiNode) -> UiNode:
    """Leave out the keyboard: on Android it is a window of its own."""
    kept = tuple(_without_keyboard(child) for child in node.children if not child.resource_id.endswith(":id/keyboard"))
    if kept == node.children:
        return node
    values = {name: getattr(node, name) for name in node.__dataclass_fields__}
    return UiNode(**{**values, "children": kept})
