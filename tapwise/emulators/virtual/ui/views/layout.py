"""Views that arrange others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views.base import Metrics, View

UPRIGHT_WIDTH_DP = 411.0


@dataclass(kw_only=True)
class Column(View):
    """Children one below the other, `gap` dp apart and `padding` dp from the sides."""

    children: Sequence[View]
    gap: float = 0.0
    padding: float = 0.0

    class_name = "android.widget.LinearLayout"

    def height(self, width: float, m: Metrics) -> float:
        inner = width - 2 * m.px(self.padding)
        total = sum(child.height(inner, m) for child in self.children)
        return total + m.px(self.gap) * max(0, len(self.children) - 1) + 2 * m.px(self.padding)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        pad, top = m.px(self.padding), box[1] + m.px(self.padding)
        placed: list[tuple[View, Box]] = []
        for child in self.children:
            height = child.height(box[2] - box[0] - 2 * pad, m)
            placed.append((child, (box[0] + pad, top, box[2] - pad, top + height)))
            top += height + m.px(self.gap)
        return placed


@dataclass(kw_only=True)
class Row(View):
    """Children side by side, sharing the width by `weights` (equal when empty)."""

    children: Sequence[View]
    weights: Sequence[float] = ()
    gap: float = 0.0
    row_height: float | None = None

    class_name = "android.widget.LinearLayout"

    def _boxes(self, width: float, m: Metrics) -> list[tuple[float, float]]:
        weights = self.weights or [1.0] * len(self.children)
        usable = width - m.px(self.gap) * max(0, len(self.children) - 1)
        left, boxes = 0.0, []
        for weight in weights:
            share = usable * weight / sum(weights)
            boxes.append((left, left + share))
            left += share + m.px(self.gap)
        return boxes

    def height(self, width: float, m: Metrics) -> float:
        if self.row_height is not None:
            return m.px(self.row_height)
        pairs = zip(self.children, self._boxes(width, m), strict=True)
        return max((child.height(right - left, m) for child, (left, right) in pairs), default=0.0)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        boxes = self._boxes(box[2] - box[0], m)
        return [
            (child, (box[0] + left, box[1], box[0] + right, box[3]))
            for child, (left, right) in zip(self.children, boxes, strict=True)
        ]


@dataclass(kw_only=True)
class Grid(View):
    """Children in rows of `columns`, or, unless `fixed`, of more on a wide screen, each cell `cell_height` dp high."""

    children: Sequence[View]
    columns: int
    cell_height: float
    gap: float = 0.0
    fixed: bool = False

    class_name = "android.widget.GridView"

    def _columns(self, width: float, m: Metrics) -> int:
        """As many times the columns as the width is that of a phone held upright."""
        return self.columns if self.fixed else self.columns * max(1, round(width / m.px(UPRIGHT_WIDTH_DP)))

    def height(self, width: float, m: Metrics) -> float:
        rows = -(-len(self.children) // self._columns(width, m))
        return rows * m.px(self.cell_height) + max(0, rows - 1) * m.px(self.gap)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        gap, cell_height = m.px(self.gap), m.px(self.cell_height)
        columns = self._columns(box[2] - box[0], m)
        cell = (box[2] - box[0] - gap * (columns - 1)) / columns
        placed: list[tuple[View, Box]] = []
        for index, child in enumerate(self.children):
            row, column = divmod(index, columns)
            left, top = box[0] + column * (cell + gap), box[1] + row * (cell_height + gap)
            placed.append((child, (left, top, left + cell, top + cell_height)))
        return placed


@dataclass(kw_only=True)
class Card(View):
    """Children on a rounded plate."""

    children: Sequence[View]
    colour: Colour | None = None
    margin: float = 8.0
    padding: float = 8.0

    class_name = "android.widget.FrameLayout"

    def _inner(self) -> Column:
        return Column(children=self.children, padding=self.padding)

    def height(self, width: float, m: Metrics) -> float:
        return self._inner().height(width - 2 * m.px(self.margin), m) + m.px(self.margin)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        margin = m.px(self.margin)
        return self._inner().place((box[0] + margin, box[1] + margin / 2, box[2] - margin, box[3] - margin / 2), m)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        margin = m.px(self.margin)
        plate = (box[0] + margin, box[1] + margin / 2, box[2] - margin, box[3] - margin / 2)
        canvas.rounded(plate, self.colour or m.theme.surface, m.px(16))


@dataclass(kw_only=True)
class Plate(View):
    """A filled rectangle around one child, such as a bar."""

    child: View
    colour: Colour | None = None
    children_padding: float = 0.0
    radius: float = 0.0
    plate_height: float | None = field(default=None)

    class_name = "android.widget.FrameLayout"

    def height(self, width: float, m: Metrics) -> float:
        if self.plate_height is not None:
            return m.px(self.plate_height)
        pad = m.px(self.children_padding)
        return self.child.height(width - 2 * pad, m) + 2 * pad

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        pad = m.px(self.children_padding)
        return [(self.child, (box[0] + pad, box[1] + pad, box[2] - pad, box[3] - pad))]

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        colour = self.colour or m.theme.surface
        if self.radius:
            canvas.rounded(box, colour, m.px(self.radius))
        else:
            canvas.rectangle(box, colour)


@dataclass(kw_only=True)
class Space(View):
    """Empty room of `size` dp."""

    size: float

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.size)
