"""Words and icons."""

from __future__ import annotations

from dataclasses import dataclass

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.typesetting import Align, Line, set_line, wrap_text
from tapwise.emulators.virtual.ui.views.base import Metrics, View


@dataclass(kw_only=True)
class Text(View):
    """Text on one line (shortened to fit) or, with `wrap`, on several."""

    value: str
    size: float = themes.BODY_DP
    colour: Colour | None = None
    muted: bool = False
    align: Align = "left"
    wrap: bool = False

    class_name = "android.widget.TextView"

    @property
    def text(self) -> str:
        return self.value

    def _lines(self, left: float, right: float, m: Metrics) -> list[Line]:
        size = m.font(self.size)
        texts = wrap_text(self.value, size, right - left, m.grid) if self.wrap else (self.value,)
        return [set_line(text, size, left, right, m.grid, self.align) for text in texts]

    def height(self, width: float, m: Metrics) -> float:
        return len(self._lines(0.0, width, m)) * m.font(self.size) * 1.3

    def tight(self, box: Box, m: Metrics) -> Box:
        lines = self._lines(box[0], box[2], m)
        height = len(lines) * m.font(self.size) * 1.3
        top = (box[1] + box[3] - height) / 2
        return min(line.left for line in lines), top, max(line.right for line in lines), top + height

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        size = m.font(self.size)
        colour = self.colour or (m.theme.muted if self.muted or not self.enabled else m.theme.text)
        top = self.tight(box, m)[1]
        for line in self._lines(box[0], box[2], m):
            canvas.line(line, top, size, colour)
            top += size * 1.3


@dataclass(kw_only=True)
class Icon(View):
    """An icon, on a coloured round plate when `plate` is given."""

    name: str
    size: float = themes.ICON_DP
    colour: Colour | None = None
    plate: Colour | None = None

    class_name = "android.widget.ImageView"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.size)

    def tight(self, box: Box, m: Metrics) -> Box:
        half, x, y = m.px(self.size) / 2, (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        return x - half, y - half, x + half, y + half

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        left, top, right, bottom = self.tight(box, m)
        if self.plate is None:
            canvas.icon(left, top, self.name, round(right - left), self.colour or m.theme.text)
            return
        canvas.rounded((left, top, right, bottom), self.plate, (right - left) * 0.5)
        inset = (right - left) * 0.22
        canvas.icon(
            left + inset, top + inset, self.name, round(right - left - 2 * inset), self.colour or (255, 255, 255)
        )


@dataclass(kw_only=True)
class IconButton(View):
    """An icon to tap; `description` names it."""

    icon: str
    colour: Colour | None = None
    size: float = themes.ICON_DP

    class_name = "android.widget.ImageButton"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        Icon(name=self.icon, size=self.size, colour=self.colour).paint(canvas, box, m)
