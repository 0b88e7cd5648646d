"""Whether two actions on the same screen are the same action, in tapwise's own terms.

The official matching of Android in the Wild (arXiv 2307.10088) is more forgiving: it compares no typed text and, of
swipes, only the axis. Here the direction of a swipe and the text count, as does whether a touch is held.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from typing import assert_never

from tapwise.records import (
    Action,
    Finish,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Swipe,
    Tap,
    TypeText,
    UiNode,
    Wait,
)

TOUCH_DISTANCE = 0.14
"""Farthest apart that two touches may be, in the unit square: the threshold of Android in the Wild."""

Matcher = Callable[[Action, Action, Observation], bool]
"""(predicted, expected, the observation both were decided on) -> whether they are the same."""


def canonical(predicted: Action, expected: Action, observation: Observation) -> bool:
    """Whether two actions do the same on a screen.

    - touches: both taps or both held, and at most 0.14 apart or on the same clickable node of the accessibility tree
      where there is one;
    - swipes: the same of the four directions of the finger;
    - typed text and names of apps: equal after `normalise_text`;
    - keys, and how the episode ends: equal; the answer, where one is expected, equal after `normalise_text`;
    - waiting: however long.
    """
    match expected:
        case Tap(at=at):
            return isinstance(predicted, Tap) and _same_touch(predicted.at, at, observation)
        case LongPress(at=at):
            return isinstance(predicted, LongPress) and _same_touch(predicted.at, at, observation)
        case Swipe():
            return isinstance(predicted, Swipe) and swipe_direction(predicted) == swipe_direction(expected)
        case TypeText(text=text):
            return isinstance(predicted, TypeText) and normalise_text(predicted.text) == normalise_text(text)
        case Press(key=key):
            return isinstance(predicted, Press) and predicted.key is key
        case OpenApp(name=name):
            return isinstance(predicted, OpenApp) and normalise_text(predicted.name) == normalise_text(name)
        case Wait():
            return isinstance(predicted, Wait)
        case Finish(status=status, answer=answer):
            if not isinstance(predicted, Finish) or predicted.status != status:
                return False
            return answer is None or normalise_text(predicted.answer or "") == normalise_text(answer)
        case _:
            assert_never(expected)


def identical(predicted: Action, expected: Action, observation: Observation) -> bool:
    """Whether two actions are equal to the last digit; what an agent says it touches does not count."""
    return _without_target(predicted) == _without_target(expected)


MATCHERS: dict[str, Matcher] = {"canonical": canonical, "identical": identical}
"""The matchers by the names that the command line knows them by."""


def swipe_direction(swipe: Swipe) -> str:
    """The finger's direction: "up", "down", "left" or "right", by the longer side; "none" when it does not move.

    Sides are compared in the unit square; of two equal ones the vertical one counts.
    """
    across, down = swipe.end.x - swipe.start.x, swipe.end.y - swipe.start.y
    if across == 0.0 and down == 0.0:
        return "none"
    if abs(across) > abs(down):
        return "right" if across > 0.0 else "left"
    return "down" if down > 0.0 else "up"


def normalise_text(text: str) -> str:
    """Text without differences of case, spacing and compatibility forms. Punctuation counts: it is what was typed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def touched_node(point: Point, observation: Observation) -> UiNode | None:
    """The smallest clickable, enabled node under a point, or None where there is none or no tree.

    Bounds are in device pixels and the tree's frame is taken to be the screenshot's size.
    """
    if observation.ui is None:
        return None
    size = observation.screenshot.size
    x, y = point.x * size.width, point.y * size.height
    under = [
        node
        for node in observation.ui.walk()
        if (node.clickable or node.long_clickable) and node.enabled and _holds(node, x, y)
    ]
    return min(under, key=_area, default=None)


def _same_touch(first: Point, second: Point, observation: Observation) -> bool:
    if math.hypot(first.x - second.x, first.y - second.y) <= TOUCH_DISTANCE:
        return True
    node = touched_node(first, observation)
    return node is not None and node is touched_node(second, observation)


def _holds(node: UiNode, x: float, y: float) -> bool:
    left, top, right, bottom = node.bounds
    return left <= x < right and top <= y < bottom


def _area(node: UiNode) -> int:
    left, top, right, bottom = node.bounds
    return (right - left) * (bottom - top)


def _without_target(action: Action) -> Action:
    return replace(action, target=None) if isinstance(action, Tap | LongPress) else action
