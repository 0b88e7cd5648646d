"""The soft keyboard: drawn keys that can be touched. As on Android, it is not part of the app's tree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas, text_width
from tapwise.emulators.virtual.ui.views import Column, Metrics, Row, View

KEYBOARD_DP = 3 * themes.ROW_DP
LARGEST_SHARE = 0.38
"""of the screen's height, where that is less"""

KeyHandler = Callable[[str], None]
"""receives a character, or "DEL" or "ENTER" """

ROWS = ("1234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm")


@dataclass(kw_only=True)
class KeyView(View):
    """One key."""

    label: str
    icon: str = field(default="")
    row_dp: float

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.row_dp)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        gap = m.px(2)
        plate = themes.mix(m.theme.surface, m.theme.text, 0.04 if m.theme.dark else 0.0)
        canvas.rounded(
            (box[0] + gap, box[1] + gap, box[2] - gap, box[3] - gap),
            themes.mix(plate, (255, 255, 255), 0.12 if m.theme.dark else 0.7),
            m.px(6),
        )
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        if self.icon:
            size = m.px(20)
            canvas.icon(x - size / 2, y - size / 2, self.icon, round(size), m.theme.text)
            return
        font = m.font(17)
        canvas.text(x - text_width(self.label, font) / 2, y - font * 0.65, self.label, font, m.theme.text)


def keyboard_height_dp(screen_height_dp: float) -> float:
    """How high the keyboard is on a screen."""
    return min(KEYBOARD_DP, screen_height_dp * LARGEST_SHARE)


def keyboard(press: KeyHandler, height_dp: float) -> View:
    """The keyboard's view; `press` is called for every key."""

    def key(label: str, value: str | None = None, icon: str = "") -> View:
        return KeyView(label=label, icon=icon, row_dp=height_dp / 5, on_tap=lambda: press(value or label))

    rows: list[View] = [Row(children=[key(c) for c in ROWS[0]]), Row(children=[key(c) for c in ROWS[1]])]
    rows.append(Row(children=[key(c) for c in ROWS[2]]))
    rows.append(Row(children=[*(key(c) for c in ROWS[3]), key("", "DEL", "close")]))
    rows.append(Row(children=[key(","), key("space", " "), key("."), key("", "ENTER", "check")], weights=[1, 5, 1, 2]))
    return _Plane(children=rows, id="keyboard")


@dataclass(kw_only=True)
class _Plane(Column):
    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        canvas.rectangle(box, m.theme.surface)
