"""A laid-out screen: placed views that can be painted, touched and described."""

from __future__ import annotations

from dataclasses import dataclass

from tapwise.emulators.virtual.ui.canvas import Box, Canvas
from tapwise.emulators.virtual.ui.views import Metrics, TextField, View
from tapwise.records import UiNode


@dataclass(slots=True)
class Placed:
    """A view with its box in pixels, what of it may be seen (`clip`), and its children."""

    view: View
    box: Box
    clip: Box
    children: list[Placed]
    scrollable: bool = False


def intersect(first: Box, second: Box) -> Box:
    """The common part of two boxes; empty (right <= left or bottom <= top) when they are apart."""
    return max(first[0], second[0]), max(first[1], second[1]), min(first[2], second[2]), min(first[3], second[3])


def is_empty(box: Box) -> bool:
    """Whether a box holds no pixel."""
    return box[2] - box[0] < 1 or box[3] - box[1] < 1


def arrange(view: View, box: Box, clip: Box, m: Metrics) -> Placed:
    """Lay out a view and all below it; what lies outside `clip` is dropped."""
    children = [
        arrange(child, child_box, clip, m)
        for child, child_box in view.place(box, m)
        if not is_empty(intersect(child_box, clip))
    ]
    return Placed(view, box, clip, children)


def paint(placed: Placed, canvas: Canvas, m: Metrics) -> None:
    """Draw a placed view and its children."""
    canvas.clip = placed.clip
    placed.view.paint(canvas, placed.box, m)
    for child in placed.children:
        paint(child, canvas, m)


def hit(placed: Placed, x: float, y: float) -> list[Placed]:
    """The chain of views under a pixel, outermost first; children drawn later win. Boxes have fractions; the pixels of
    a view are those that `describe` tells."""
    left, top, right, bottom = _whole(intersect(placed.box, placed.clip))
    if not (left <= x < right and top <= y < bottom):
        return []
    for child in reversed(placed.children):
        chain = hit(child, x, y)
        if chain:
            return [placed, *chain]
    return [placed]


def _whole(box: Box) -> tuple[int, int, int, int]:
    """A box in whole pixels; empty where it holds none."""
    left, top, right, bottom = map(round, box)
    return left, top, max(left, right), max(top, bottom)


def describe(placed: Placed, package: str, m: Metrics) -> UiNode:
    """The accessibility node of a placed view; bounds are whole pixels inside the clip."""
    view = placed.view
    return UiNode(
        text=view.text,
        description=view.description,
        resource_id=f"{package}:id/{view.id}" if view.id else "",
        class_name=view.class_name,
        package=package,
        bounds=_whole(intersect(view.tight(placed.box, m), placed.clip)),
        clickable=view.on_tap is not None or isinstance(view, TextField),
        long_clickable=view.on_long_press is not None,
        scrollable=placed.scrollable,
        checkable=view.checkable,
        checked=view.checked,
        enabled=view.enabled,
        focusable=isinstance(view, TextField),
        password=isinstance(view, TextField) and view.secret,
        focused=isinstance(view, TextField) and view.focused,
        selected=view.selected,
        children=tuple(describe(child, package, m) for child in placed.children),
        hint=view.hint if isinstance(view, TextField) else "",
    )
