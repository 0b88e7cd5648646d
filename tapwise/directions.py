"""Swipe directions by name, and the conventions that give a name its meaning.

Inside tapwise a swipe is the finger's vector. A format may instead name the direction in which the content is read:
"scroll down" shows what lies below and moves the finger up. The published formats mix the two, some of them by axis,
so that a convention says for each axis which of the two it means.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeGuard

from tapwise.records import Point, Swipe

Direction = Literal["up", "down", "left", "right"]
Sense = Literal["finger", "content"]

NAMES: tuple[Direction, ...] = ("up", "down", "left", "right")
OPPOSITE: dict[Direction, Direction] = {"up": "down", "down": "up", "left": "right", "right": "left"}
MIDDLE = Point(0.5, 0.5)
REACH = 0.3
"""How far a swipe by name goes from the middle of the screen, both ways: SeeClick's gestures run from .2 to .8."""

_STEPS: dict[Direction, tuple[int, int]] = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}


def is_direction(name: object) -> TypeGuard[Direction]:
    """Whether `name` is one of up, down, left and right."""
    return isinstance(name, str) and name in NAMES


def finger_direction(swipe: Swipe) -> Direction:
    """The direction of the finger along the axis on which it moves further, in fractions of the screen.

    On equal distances the vertical axis counts. Raises ValueError for a swipe that goes nowhere.
    """
    dx, dy = swipe.end.x - swipe.start.x, swipe.end.y - swipe.start.y
    if dx == dy == 0:
        raise ValueError(f"a swipe that starts and ends at ({swipe.start.x}, {swipe.start.y}) has no direction")
    if abs(dx) > abs(dy):
        return "left" if dx < 0 else "right"
    return "up" if dy < 0 else "down"


@dataclass(frozen=True, slots=True)
class Directions:
    """What a format means by a direction: the finger's or the content's, for each axis."""

    vertical: Sense
    horizontal: Sense

    def translate(self, name: Direction) -> Direction:
        """The finger's direction for a name of the format, or the name for a finger's direction."""
        sense = self.vertical if name in ("up", "down") else self.horizontal
        return name if sense == "finger" else OPPOSITE[name]

    def name(self, swipe: Swipe) -> Direction:
        """The format's name for a swipe. Raises ValueError for a swipe that goes nowhere."""
        return self.translate(finger_direction(swipe))

    def swipe(self, name: Direction) -> Swipe:
        """The finger's vector for a name: across the middle of the screen, from .2 to .8 or back."""
        dx, dy = _STEPS[self.translate(name)]
        return Swipe(
            Point(MIDDLE.x - dx * REACH, MIDDLE.y - dy * REACH), Point(MIDDLE.x + dx * REACH, MIDDLE.y + dy * REACH)
        )

    def swipe_from(self, start: Point, name: Direction) -> Swipe:
        """The finger's vector for a name, starting at `start` and 2 * `REACH` long or up to the screen's edge."""
        dx, dy = _STEPS[self.translate(name)]
        x, y = start.x + 2 * REACH * dx, start.y + 2 * REACH * dy
        return Swipe(start, Point(min(max(x, 0.0), 1.0), min(max(y, 0.0), 1.0)))

    def orient(self, start: Point, end: Point) -> tuple[Point, Point]:
        """The ends of a pair of points that a format gives, in the finger's order, or the finger's in the format's.

        Where the format means the content's direction on the pair's main axis, the two change places.
        """
        if start == end:
            return start, end
        finger = finger_direction(Swipe(start, end))
        return (start, end) if self.translate(finger) == finger else (end, start)


FINGER = Directions("finger", "finger")
CONTENT = Directions("content", "content")
"""SeeClick's AitW labels, AndroidControl's and AndroidWorld's `scroll`, UI-TARS's `scroll`."""
ANDROID_WORLD_SWIPE = Directions(vertical="finger", horizontal="content")
"""AndroidWorld's `swipe`: by its actuation code the finger follows a vertical name and opposes a horizontal one."""
UI_S1_LABELS = Directions(vertical="content", horizontal="finger")
"""UI-S1's evaluation file: vertical labels name the content's direction, horizontal ones the finger's."""
UI_S1_TRAIN_PAIRS = Directions(vertical="content", horizontal="finger")
"""UI-S1's training file: its 19 swipes run from (540, 600) to (540, 1800), which its reward reads as a finger going up;
the pairs of its evaluation file are the finger's."""
