"""The views that pages are made of.

A view knows its height for a width, places its children, and paints itself. Lengths in `Metrics` are pixels;
everything a view declares is in dp. The same placed views give the pixels, the hit test and the accessibility tree.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Colour, Theme
from tapwise.emulators.virtual.ui.typesetting import WORD_GRID_DP, Align, Line, set_line, wrap_text

Handler = Callable[[], None]

FIELD_MARGIN_DP = 8.0


@dataclass(frozen=True, slots=True)
class Metrics:
    """How dp become pixels, and in which colours."""

    scale: float
    theme: Theme

    def px(self, dp: float) -> float:
        """Pixels of a length in dp."""
        return dp * self.scale

    @property
    def grid(self) -> float:
        """Pixels between the places where words may start."""
        return self.px(WORD_GRID_DP)

    def font(self, dp: float) -> int:
        """Whole font size in pixels."""
        return max(6, round(dp * self.scale))


@dataclass(kw_only=True)
class View:
    """Base of all views: what the accessibility tree says of it, and what a touch does to it."""

    id: str = ""
    description: str = ""
    on_tap: Handler | None = None
    on_long_press: Handler | None = None
    enabled: bool = True
    checkable: bool = False
    checked: bool = False
    selected: bool = False

    class_name = "android.view.View"

    @property
    def text(self) -> str:
        """The text that the tree reports."""
        return ""

    def height(self, width: float, m: Metrics) -> float:
        """Height in pixels that the view wants at a width in pixels."""
        raise NotImplementedError

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        """Children with their boxes."""
        return ()

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        """Draw what is behind the children."""

    def tight(self, box: Box, m: Metrics) -> Box:
        """The part of the box that the view really fills; the bounds that the tree reports."""
        return box


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
    """Children in rows of `columns`, each cell `cell_height` dp high."""

    children: Sequence[View]
    columns: int
    cell_height: float
    gap: float = 0.0

    class_name = "android.widget.GridView"

    def height(self, width: float, m: Metrics) -> float:
        rows = -(-len(self.children) // self.columns)
        return rows * m.px(self.cell_height) + max(0, rows - 1) * m.px(self.gap)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        gap, cell_height = m.px(self.gap), m.px(self.cell_height)
        cell = (box[2] - box[0] - gap * (self.columns - 1)) / self.columns
        placed: list[tuple[View, Box]] = []
        for index, child in enumerate(self.children):
            row, column = divmod(index, self.columns)
            left, top = box[0] + column * (cell + gap), box[1] + row * (cell_height + gap)
            placed.append((child, (left, top, left + cell, top + cell_height)))
        return placed


@dataclass(kw_only=True)
class ListItem(View):
    """A row of a list: icon, title, optional small subtitle, and something at the end."""

    title: str
    subtitle: str = ""
    icon: str = ""
    plate: Colour | None = None
    trailing: View | None = None
    trailing_width: float = 64.0
    divider: bool = False

    class_name = "android.widget.LinearLayout"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        gutter = m.px(themes.GUTTER_DP)
        left, right = box[0] + gutter, box[2] - gutter
        placed: list[tuple[View, Box]] = []
        if self.icon:
            width = m.px(themes.ICON_DP + (8 if self.plate else 0))
            view = Icon(
                name=self.icon,
                plate=self.plate,
                size=themes.ICON_DP + (8 if self.plate else 0),
                colour=None if self.plate else m.theme.accent,
            )
            placed.append((view, (left, box[1], left + width, box[3])))
            left += width + gutter
        if self.trailing is not None:
            width = m.px(self.trailing_width)
            placed.append((self.trailing, (right - width, box[1], right, box[3])))
            right -= width + gutter / 2
        if self.subtitle:
            below = (box[1] + box[3]) / 2 + m.px(themes.BODY_DP * 0.5)
            placed.append((Text(value=self.title), (left, box[1], right, box[3])))
            placed.append((Text(value=self.subtitle, size=themes.SMALL_DP, muted=True), (left, below, right, box[3])))
        else:
            placed.append((Text(value=self.title, enabled=self.enabled), (left, box[1], right, box[3])))
        return placed

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        if self.selected:
            canvas.rectangle(box, themes.mix(m.theme.background, m.theme.accent, 0.18))
        if self.divider:
            canvas.rectangle((box[0] + m.px(16), box[3] - 1, box[2] - m.px(16), box[3]), m.theme.outline)


@dataclass(kw_only=True)
class Switch(View):
    """An on/off switch."""

    class_name = "android.widget.Switch"

    def __post_init__(self) -> None:
        self.checkable = True

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def tight(self, box: Box, m: Metrics) -> Box:
        width, height, middle = m.px(54), m.px(32), (box[1] + box[3]) / 2
        return box[2] - width, middle - height / 2, box[2], middle + height / 2

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        left, top, right, bottom = self.tight(box, m)
        track = m.theme.accent if self.checked else m.theme.outline
        canvas.rounded((left, top, right, bottom), track, (bottom - top) / 2)
        size = m.px(22 if self.checked else 18)
        x = right - m.px(5) - size if self.checked else left + m.px(7)
        y = (top + bottom - size) / 2
        knob = m.theme.on_accent if self.checked else m.theme.muted
        canvas.rounded((x, y, x + size, y + size), knob, size / 2)


@dataclass(kw_only=True)
class Mark(View):
    """A check box, or a radio button when `radio`."""

    radio: bool = False

    class_name = "android.widget.CheckBox"

    def __post_init__(self) -> None:
        self.checkable = True

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def tight(self, box: Box, m: Metrics) -> Box:
        size, middle = m.px(28), (box[1] + box[3]) / 2
        return box[2] - size, middle - size / 2, box[2], middle + size / 2

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        left, top, right, bottom = self.tight(box, m)
        size = right - left
        radius = size / 2 if self.radio else m.px(5)
        if self.checked and not self.radio:
            canvas.rounded((left, top, right, bottom), m.theme.accent, radius)
            canvas.icon(left + size * 0.1, top + size * 0.1, "check", round(size * 0.8), m.theme.on_accent)
            return
        ring = m.theme.accent if self.checked else m.theme.muted
        canvas.rounded((left, top, right, bottom), ring, radius, outline=max(2, round(m.px(2.4))))
        if self.checked:
            inset = size * 0.28
            canvas.rounded((left + inset, top + inset, right - inset, bottom - inset), ring, size)


@dataclass(kw_only=True)
class Button(View):
    """A button: filled, or only its text when `flat`."""

    label: str
    flat: bool = False
    icon: str = ""
    colour: Colour | None = None

    class_name = "android.widget.Button"

    @property
    def text(self) -> str:
        return self.label

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        inset, size = m.px(7), m.font(themes.BODY_DP)
        side = m.px(4)
        plate = (box[0] + side, box[1] + inset, box[2] - side, box[3] - inset)
        accent = self.colour or m.theme.accent
        ink = accent if self.flat else m.theme.on_accent
        if not self.flat:
            canvas.rounded(plate, accent if self.enabled else m.theme.outline, (plate[3] - plate[1]) / 2)
        icon = round(m.px(24)) if self.icon else 0
        room = icon + m.px(6) if icon else 0.0
        line = set_line(self.label, size, box[0] + room + m.px(6), box[2] - m.px(6), m.grid, "center")
        middle = (box[1] + box[3]) / 2
        if icon:
            canvas.icon(line.left - room, middle - icon / 2, self.icon, icon, ink)
        canvas.line(line, middle - size * 0.65, size, ink)


@dataclass(kw_only=True)
class TextField(View):
    """A one-line text field. Editing happens in the phone: it owns focus, content and keyboard."""

    value: str = ""
    hint: str = ""
    icon: str = ""
    focused: bool = False
    on_submit: Callable[[str], None] | None = None

    class_name = "android.widget.EditText"

    @property
    def text(self) -> str:
        return self.value or self.hint

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        inset, size = m.px(6), m.font(themes.BODY_DP)
        side = m.px(FIELD_MARGIN_DP)
        plate = (box[0] + side, box[1] + inset, box[2] - side, box[3] - inset)
        canvas.rounded(plate, m.theme.surface, m.px(12))
        if self.focused:
            canvas.rounded(plate, m.theme.accent, m.px(12), outline=max(2, round(m.px(2))))
        left, middle = plate[0] + m.px(12), (box[1] + box[3]) / 2
        if self.icon:
            canvas.icon(left, middle - m.px(13), self.icon, round(m.px(26)), m.theme.muted)
            left += m.px(36)
        line = set_line(self.value or self.hint, size, left, plate[2] - m.px(12), m.grid)
        canvas.line(line, middle - size * 0.65, size, m.theme.text if self.value else m.theme.muted)
        if self.focused:
            x = line.right + m.px(2) if self.value else line.left - m.px(4)
            canvas.rectangle((x, middle - size * 0.6, x + max(2, m.px(1.6)), middle + size * 0.6), m.theme.accent)


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
class Picture(View):
    """A drawing of `picture_height` dp, made by a function of its size in pixels (cached by the function)."""

    draw: Callable[[int, int], Image.Image]
    picture_height: float

    class_name = "android.widget.ImageView"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.picture_height)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        canvas.picture(box[0], box[1], self.draw(round(box[2] - box[0]), round(box[3] - box[1])))


@dataclass(kw_only=True)
class AppTile(View):
    """An app on the launcher: round icon with its name below."""

    label: str
    icon: str
    plate: Colour
    colour: Colour = (255, 255, 255)

    class_name = "android.widget.FrameLayout"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(2 * themes.ROW_DP)

    def place(self, box: Box, m: Metrics) -> Sequence[tuple[View, Box]]:
        middle = (box[1] + box[3]) / 2
        icon = Icon(name=self.icon, size=60, plate=self.plate)
        label = Text(value=self.label, colour=self.colour, align="center")
        return [
            (icon, (box[0], box[1] + m.px(4), box[2], middle)),
            (label, (box[0], middle, box[2], middle + m.px(themes.ROW_DP / 2))),
        ]


@dataclass(kw_only=True)
class Space(View):
    """Empty room of `size` dp."""

    size: float

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.size)


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
