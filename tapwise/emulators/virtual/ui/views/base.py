"""What every view is, and how dp become pixels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.theme import Theme
from tapwise.emulators.virtual.ui.typesetting import WORD_GRID_DP

Handler = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Metrics:
    """How dp become pixels, and in which colours."""

    scale: float
    theme: Theme
    font_scale: float = 1.0

    def px(self, dp: float) -> float:
        """Pixels of a length in dp."""
        return dp * self.scale

    @property
    def grid(self) -> float:
        """Pixels between the places where words may start."""
        return self.px(WORD_GRID_DP)

    def font(self, dp: float) -> int:
        """Whole font size in pixels."""
        return max(6, round(dp * self.scale * self.font_scale))


@dataclass(kw_only=True)
class View:
    """Base of all views: what the accessibility tree says of it, and what a touch does to it."""

    id: str = ""
    description: str = ""
    on_tap: Handler | None = None
    on_long_press: Handler | None = None
    on_swipe_aside: Handler | None = None
    on_slide: Callable[[float], None] | None = None
    """is given where in its width, from 0 to 1, the view was touched or a finger went to"""
    on_pinch: Callable[[float], None] | None = None
    """is given by how much two fingers have come apart: above 1 apart, below 1 together"""
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
