"""Whether an action does what an expert did in the same place, and what that earns.

This is the default of the replay environment. It works on canonical actions, so that both sides speak of the same
unit square and of the finger's way: a swipe never has to be flipped, and an expert always matches itself.
"""

from __future__ import annotations

import math
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

StepReward = Callable[[bool, Match], float]
"""What a step earns, from whether the policy's text could be read and how its action compares."""


def paper_step_reward(readable: bool, match: Match) -> float:
    """0.1 f + 0.4 [f = 1] kind + 0.5 [f kind = 1] same, with f for readable: UI-S1's equation 8 (arXiv 2509.11543).

    That is 1 for the same act, 0.5 for the same kind, 0.1 for anything readable and 0 for the rest. Released code:
    0.1 f + 0.9 a, with a of 1, 0.5, 0.1 or 0, so that the same act without a thought still earns 0.9.
    """
    if not readable:
        return 0.0
    return 0.1 + 0.4 * match.kind + 0.5 * match.same


def match_actions(action: Action, expert: Action, observation: Observation) -> Match:
    """Compare an action with the expert's.

    Touches are the same within `NEAR` of each other, or on the same thing of the accessibility tree, if there is
    one: the smallest touchable node under the expert's finger, of at most `LARGEST_TARGET` of the screen. Swipes are
    the same when the finger goes the same of four ways on the screen's pixels; texts and names when they differ in
    case and outer spaces alone; keys when equal; endings when status and, where the expert gave one, answer agree.
    Waits are all the same.

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
            way = _way(action, size)
            return way is not None and way == _way(expert, size)
        case (TypeText(text=text), TypeText(text=wanted)) | (OpenApp(name=text), OpenApp(name=wanted)):
            return _plain(text) == _plain(wanted)
        case Press(key=key), Press(key=wanted_key):
            return key is wanted_key
        case Finish(status=status, answer=answer), Finish(status=wanted_status, answer=wanted_answer):
            answered = wanted_answer is None or _plain(answer or "") == _plain(wanted_answer)
            return status == wanted_status and answered
        case Wait(), Wait():
            return True
    return False


def _on_one_target(at: Point, wanted: Point, observation: Observation) -> bool:
    """Whether both points lie on the smallest touchable node under the second."""
    if observation.ui is None:
        return False
    size = observation.screenshot.size
    touchable = (node for node in observation.ui.walk() if node.clickable or node.long_clickable)
    under = [node for node in touchable if _holds(node, wanted, size)]
    target = min(under, key=_area, default=None)
    if target is None or _area(target) > LARGEST_TARGET * size.height * size.width:
        return False
    return _holds(target, at, size)


def _holds(node: UiNode, point: Point, size: Size) -> bool:
    left, top, right, bottom = node.bounds
    x, y = point.to_pixels(size)
    return left <= x < right and top <= y < bottom


def _area(node: UiNode) -> int:
    left, top, right, bottom = node.bounds
    return max(0, right - left) * max(0, bottom - top)


def _way(swipe: Swipe, size: Size) -> str | None:
    """Where the finger goes, by the longer part of its way in pixels; None when it stays or goes exactly aslant."""
    right = (swipe.end.x - swipe.start.x) * size.width
    down = (swipe.end.y - swipe.start.y) * size.height
    if math.isclose(abs(right), abs(down)):
        return None
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"


def _plain(text: str) -> str:
    return text.strip().casefold()
