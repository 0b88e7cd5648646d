"""Actions as marks on a picture, and in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from tapwise.directions import finger_direction
from tapwise.records import Action, Finish, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait


def marks(action: Action, width: float, height: float) -> Iterator[str]:
    """SVG elements in the coordinates of a picture of that size: a ring with a dot, or an arrow, each on a light rim.

    Their classes are rim, mark and point. Sizes are meant for pictures about 180 wide.
    """

    def place(point: Point) -> tuple[float, float]:
        return point.x * width, point.y * height

    match action:
        case Tap(at) | LongPress(at):
            x, y = place(at)
            for style in ("rim", "mark"):
                yield f'<circle class="{style}" cx="{x:.1f}" cy="{y:.1f}" r="11"/>'
            yield f'<circle class="point" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'
            if isinstance(action, LongPress):
                yield f'<circle class="mark" cx="{x:.1f}" cy="{y:.1f}" r="16"/>'
        case Swipe(start, end):
            (x1, y1), (x2, y2) = place(start), place(end)
            path = f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}{_head(x1, y1, x2, y2)}"
            for style in ("rim", "mark"):
                yield f'<path class="{style}" d="{path}"/>'
            yield f'<circle class="point" cx="{x1:.1f}" cy="{y1:.1f}" r="4"/>'
        case TypeText() | Press() | OpenApp() | Wait() | Finish():
            return
        case _:
            assert_never(action)


def _head(x1: float, y1: float, x2: float, y2: float, size: float = 10.0) -> str:
    """The two strokes of an arrow's head at (x2, y2)."""
    length = max(1e-6, ((x2 - x1) ** 2 + (y2 - y1) ** 2) ** 0.5)
    ux, uy = (x2 - x1) / length * size, (y2 - y1) / length * size
    left = f"{x2 - ux - 0.7 * uy:.1f} {y2 - uy + 0.7 * ux:.1f}"
    right = f"{x2 - ux + 0.7 * uy:.1f} {y2 - uy - 0.7 * ux:.1f}"
    return f"M{left}L{x2:.1f} {y2:.1f}L{right}"


def words(action: Action) -> tuple[str, str]:
    """An action as a caption, and what is to be said beside it."""
    match action:
        case Tap(_, target):
            return "Tap", target or ""
        case LongPress(_, _, target):
            return "Hold", target or ""
        case Swipe(start, end):
            return (f"Swipe {finger_direction(action)}" if start != end else "Swipe nowhere"), ""
        case TypeText(text):
            return "Type", f"\u201c{text}\u201d"
        case Press(key):
            return f"Press {key.value}", ""
        case OpenApp(name):
            return "Open", name
        case Wait():
            return "Wait", ""
        case Finish(status, answer):
            return ("Done" if status == "success" else "Impossible"), answer or ""
        case _:
            assert_never(action)
