"""Rows, tiles and pictures: views made of other views, or of pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PIL import Image

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views.base import Metrics, View
from tapwise.emulators.virtual.ui.views.text import Icon, Text


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
class Picture(View):
    """A drawing of `picture_height` dp, made by a function of its size in pixels (cached by the function)."""

    draw: Callable[[int, int], Image.Image]
    picture_height: float

    class_name = "android.widget.ImageView"

    def height(self, width: float, m: Metrics) -> float:
        return m.px(self.picture_height)

    def paint(self, canvas: Canvas, box: Box, m: Metrics) -> None:
        canvas.picture(box[0], box[1], self.draw(round(box[2] - box[0]), round(box[3] - box[1])))
