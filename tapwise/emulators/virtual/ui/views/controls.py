"""What people change things with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.typesetting import set_line
from tapwise.emulators.virtual.ui.views.base import Metrics, View

FIELD_MARGIN_DP = 8.0
SLIDER_DP = 34.0
BULLET = "*"


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
class Slider(View):
    """A value from 0 to 1 on a bar; `shown` is what the tree says of it."""

    value: float
    shown: str = ""

    class_name = "android.widget.SeekBar"

    @property
    def text(self) -> str:
        return self.shown

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def tight(self, box: Box, m: Metrics) -> Box:
        side, half, middle = m.px(16), m.px(SLIDER_DP / 2), (box[1] + box[3]) / 2
        return box[0] + side, middle - half, box[2] - side, middle + half

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        left, top, right, bottom = self.tight(box, m)
        radius = (bottom - top) / 2
        canvas.rounded((left, top, right, bottom), m.theme.outline, radius)
        end = left + 2 * radius + (right - left - 2 * radius) * min(max(self.value, 0.0), 1.0)
        canvas.rounded((left, top, end, bottom), m.theme.accent, radius)
        size = m.px(12)
        canvas.rounded(
            (end - radius - size / 2, (top + bottom - size) / 2, end - radius + size / 2, (top + bottom + size) / 2),
            m.theme.on_accent,
            size / 2,
        )


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
    ink: Colour | None = None
    """of the label on a filled one, where it is not the theme's"""
    size: float = themes.BODY_DP

    class_name = "android.widget.Button"

    @property
    def text(self) -> str:
        return self.label

    def height(self, width: float, m: Metrics) -> float:
        return m.px(themes.ROW_DP)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        inset, size = m.px(7), m.font(self.size)
        side = m.px(4)
        plate = (box[0] + side, box[1] + inset, box[2] - side, box[3] - inset)
        accent = self.colour or m.theme.accent
        ink = accent if self.flat else self.ink or m.theme.on_accent
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
    secret: bool = False
    """a password's: what is typed shows as bullets, in the picture and in the tree"""

    class_name = "android.widget.EditText"

    @property
    def text(self) -> str:
        return (BULLET * len(self.value) if self.secret else self.value) or self.hint

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
        line = set_line(self.text, size, left, plate[2] - m.px(12), m.grid)
        canvas.line(line, middle - size * 0.65, size, m.theme.text if self.value else m.theme.muted)
        if self.focused:
            x = line.right + m.px(2) if self.value else line.left - m.px(4)
            canvas.rectangle((x, middle - size * 0.6, x + max(2, m.px(1.6)), middle + size * 0.6), m.theme.accent)
