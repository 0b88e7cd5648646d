"""Whether two actions on one screen are the same act: the one answer that rewards, labels and reports share.

It works on canonical actions, so that both sides speak of the same unit square and of the finger's way: a swipe never
has to be flipped, and an action always matches itself. The official matching of Android in the Wild and the matchers of
UI-S1 are other rules, kept for their numbers in `tapwise.evaluator`.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tapwise.records import (
    Action,
    Finish,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    TypeText,
    UiNode,
    Wait,
)

NEAR = 0.04
"""Greatest distance between two touches that count as one, in the unit square (UI-S1's released code)."""

LARGEST_TARGET = 0.1
"""Greatest share of the screen that a touchable thing may cover for a touch anywhere on it to count.

Larger ones are lists and backgrounds, on which it matters where one touches.
"""


@dataclass(frozen=True, slots=True)
class Match:
    """How an action compares with the expert's: whether it is of the same `kind`, and whether it is the `same` act.

    Raises ValueError for the same act of another kind.
    """

    kind: bool
    same: bool

    def __post_init__(self) -> None:
        if self.same and not self.kind:
            raise ValueError("an action cannot be the same as the expert's and of another kind: set kind too")


MISMATCH = Match(kind=False, same=False)

Matcher = Callable[[Action, Action, Observation], Match]
"""Compares the policy's action with the expert's, both taken on the observation."""


def match_actions(action: Action, expert: Action, observation: Observation) -> Match:
    """Compare an action with the expert's.

    Touches are the same within `NEAR` of each other, or where the smallest touchable node under both is the same one
    of the accessibility tree, if there is one, and covers at most `LARGEST_TARGET` of the screen. Swipes are the same
    when the finger goes the same of four ways on the screen's pixels; texts and names after `normalise_text`; keys
    when equal; endings when status and, where the expert gave one, answer agree. Waits are all the same.

    Against UI-S1's released training matcher: it flips vertical swipes on one side only, takes a text for the same
    that is part of the other (so that "" matches everything), ignores how an episode is ended, and enlarges boxes
    by a fifth.
    """
    if action == expert:
        return Match(kind=True, same=True)
    if type(action) is not type(expert):
        return MISMATCH
    return Match(kind=True, same=_same(action, expert, observation))


def _same(action: Action, expert: Action, observation: Observation) -> bool:
    size = observation.screenshot.size
    match action, expert:
        case (Tap(at=at), Tap(at=wanted)) | (LongPress(at=at), LongPress(at=wanted)):
            return math.dist((at.x, at.y), (wanted.x, wanted.y)) <= NEAR or _on_one_target(at, wanted, observation)
        case Swipe(), Swipe():
            way = finger_direction(action, size)
            return way is not None and way == finger_direction(expert, size)
        case (TypeText(text=text), TypeText(text=wanted)) | (OpenApp(name=text), OpenApp(name=wanted)):
            return normalise_text(text) == normalise_text(wanted)
        case Press(key=key), Press(key=wanted_key):
            return key is wanted_key
        case Finish(status=status, answer=answer), Finish(status=wanted_status, answer=wanted_answer):
            answered = wanted_answer is None or normalise_text(answer or "") == normalise_text(wanted_answer)
            return status == wanted_status and answered
        case Wait(), Wait():
            return True
    return False


def _on_one_target(at: Point, wanted: Point, observation: Observation) -> bool:
    """Whether both points touch the same node, and it is no list or background."""
    size = observation.screenshot.size
    target = touched_node(wanted, observation)
    if target is None or _area(target) > LARGEST_TARGET * size.height * size.width:
        return False
    return touched_node(at, observation) is target


def touched_node(point: Point, observation: Observation) -> UiNode | None:
    """The smallest touchable, enabled node under a point, or None where there is none or no tree.

    Bounds are in device pixels and the tree's frame is taken to be the screenshot's size.
    """
    if observation.ui is None:
        return None
    x, y = point.to_pixels(observation.screenshot.size)
    touchable = (n for n in observation.ui.walk() if (n.clickable or n.long_clickable) and n.enabled)
    return min((node for node in touchable if _holds(node, x, y)), key=_area, default=None)


def finger_direction(swipe: Swipe, size: Size) -> str | None:
    """Where the finger goes, "up", "down", "left" or "right", by the longer part of its way in pixels of the screen;
    None when it stays or goes exactly aslant."""
    right = (swipe.end.x - swipe.start.x) * size.width
    down = (swipe.end.y - swipe.start.y) * size.height
    if math.isclose(abs(right), abs(down)):
        return None
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"


def normalise_text(text: str) -> str:
    """Text without differences of case, spacing and compatibility forms. Punctuation counts: it is what was typed."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _holds(node: UiNode, x: float, y: float) -> bool:
    left, top, right, bottom = node.bounds
    return left <= x < right and top <= y < bottom


def _area(node: UiNode) -> int:
    left, top, right, bottom = node.bounds
    return max(0, right - left) * max(0, bottom - top)
