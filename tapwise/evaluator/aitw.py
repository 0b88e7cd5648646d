"""Android in the Wild's action matching and the accuracies made of it (Rawles et al., arXiv 2307.10088, section 5).

Actions are mappings with the data set's own keys: `action_type` (the enum's number or name), `yx_touch`, `yx_lift`
((y, x) in [0, 1], origin top left) and `type_action`. Boxes are rows (y, x, height, width) in the same frame.

- `official`: actions that are not both gestures match when their types are equal; typed text is not compared. A
  gesture that moves at most 0.04 is a tap. Taps match within 0.14 of each other, or inside the same enlarged box;
  swipes match along the same axis, whichever way they go.
- `strict`: the way of a swipe and the typed text count, and the radius of taps is 0.04, so that it forgives no more
  than the trembling of a finger. An action still matches itself where nothing is annotated.

Distances are taken in double precision; the original uses single, which can differ exactly on a threshold.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tapwise.evaluator.statistics import Interval, wilson_interval

Mode = Literal["official", "strict"]
AitwAction = Mapping[str, Any]
TAP_DISTANCE = 0.04
"""Largest distance between touch and lift of a tap."""


class ActionType(IntEnum):
    """The action types of the data set that occur in it."""

    TYPE = 3
    DUAL_POINT = 4
    PRESS_BACK = 5
    PRESS_HOME = 6
    PRESS_ENTER = 7
    STATUS_TASK_COMPLETE = 10
    STATUS_TASK_IMPOSSIBLE = 11


@dataclass(frozen=True, slots=True, kw_only=True)
class AitwRules:
    """In what the modes differ. `box_growth` is the share of its size by which a box grows in all."""

    swipe_direction: bool
    typed_text: bool
    tap_radius: float
    box_growth: float = 1.4


MODES: Mapping[str, AitwRules] = MappingProxyType(
    {
        "official": AitwRules(swipe_direction=False, typed_text=False, tap_radius=0.14),
        "strict": AitwRules(swipe_direction=True, typed_text=True, tap_radius=TAP_DISTANCE),
    }
)
"""The rules of each mode."""


def actions_match(a: AitwAction, b: AitwAction, boxes_yxhw: ArrayLike, mode: Mode | AitwRules = "official") -> bool:
    """Whether two actions on the same screen match; the order of the two does not matter.

    `boxes_yxhw` has shape (n, 4), or is flat with 4 n numbers as in the data set's records; n may be 0. Raises
    ValueError for an unknown mode or action type, or a gesture without two points.
    """
    rules = rules_of(mode)
    type_a, type_b = action_type(a), action_type(b)
    if type_a is not type_b:
        return False
    if type_a is ActionType.TYPE:
        return not rules.typed_text or typed_text(a) == typed_text(b)
    if type_a is not ActionType.DUAL_POINT:
        return True
    touch_a, lift_a, touch_b, lift_b = (point_yx(action, name) for action in (a, b) for name in ("yx_touch", "yx_lift"))
    tap_a, tap_b = is_tap(a), is_tap(b)
    if tap_a != tap_b:
        return False
    if tap_a:
        return _distance(touch_a, touch_b) <= rules.tap_radius or _in_same_box(
            touch_a, touch_b, enlarge_boxes(boxes_yxhw, rules.box_growth)
        )
    (axis_a, forward_a), (axis_b, forward_b) = _main_axis(touch_a, lift_a), _main_axis(touch_b, lift_b)
    return axis_a == axis_b and (forward_a == forward_b or not rules.swipe_direction)


def enlarge_boxes(boxes_yxhw: ArrayLike, growth: float = 1.4) -> NDArray[np.float64]:
    """Boxes (n, 4) with their origin moved back by half of `growth` times their size, and their size grown by it.

    The origin stops at 0 and the size at 1, as in the data set's own code. Raises ValueError for another shape.
    """
    boxes = box_rows(boxes_yxhw)
    origin, size = boxes[:, :2], boxes[:, 2:]
    return np.hstack([np.maximum(0.0, origin - growth / 2 * size), np.minimum(1.0, size * (1 + growth))])


def is_tap(gesture: AitwAction) -> bool:
    """Whether a gesture is a tap rather than a swipe. Raises ValueError where it lacks a point."""
    return _distance(point_yx(gesture, "yx_touch"), point_yx(gesture, "yx_lift")) <= TAP_DISTANCE


def box_rows(boxes_yxhw: ArrayLike) -> NDArray[np.float64]:
    """Boxes as (n, 4), from that shape or from 4 n flat numbers. Raises ValueError for another shape."""
    boxes = np.asarray(boxes_yxhw, dtype=np.float64)
    if boxes.size % 4 or boxes.ndim > 2 or (boxes.ndim == 2 and boxes.size and boxes.shape[1] != 4):
        raise ValueError(f"boxes of shape {boxes.shape}: rows of (y, x, height, width) are needed")
    return boxes.reshape(-1, 4)


def match_episode(
    predicted: Sequence[AitwAction | None],
    expert: Sequence[AitwAction],
    boxes_yxhw: Sequence[ArrayLike],
    mode: Mode | AitwRules = "official",
) -> tuple[bool, ...]:
    """Which steps of the expert's episode the predictions match.

    None is a reply that could not be parsed; it matches nothing. Steps without a prediction are not matched either:
    the length of the expert's episode is the denominator. Raises ValueError where the lengths do not fit.
    """
    if len(predicted) > len(expert) or len(boxes_yxhw) != len(expert):
        raise ValueError(
            f"{len(predicted)} predictions and {len(boxes_yxhw)} sets of boxes for an episode of {len(expert)} steps"
        )
    padded = [*predicted, *[None] * (len(expert) - len(predicted))]
    return tuple(
        said is not None and actions_match(said, wanted, boxes, mode)
        for said, wanted, boxes in zip(padded, expert, boxes_yxhw, strict=True)
    )


@dataclass(frozen=True, slots=True)
class SubsetAccuracy:
    """Accuracies over the episodes of one subset, in [0, 1].

    `partial_match` is the mean over episodes of the matched share of the steps, and `complete_match` the share of
    episodes with every step matched (both of the paper); `step_accuracy` pools the steps of all episodes.
    """

    steps: int
    matched_steps: int
    episodes: int
    complete_episodes: int
    partial_match: float

    @property
    def step_accuracy(self) -> float:
        """Matched steps over all steps."""
        return self.matched_steps / self.steps

    @property
    def complete_match(self) -> float:
        """Episodes with every step matched over all episodes."""
        return self.complete_episodes / self.episodes

    @property
    def step_interval(self) -> Interval:
        """Wilson's 95% interval of the step accuracy, as if steps were independent."""
        return wilson_interval(self.matched_steps, self.steps)

    @property
    def complete_interval(self) -> Interval:
        """Wilson's 95% interval of the complete match."""
        return wilson_interval(self.complete_episodes, self.episodes)


def accuracy_by_subset(episodes: Iterable[tuple[str, Sequence[bool]]]) -> dict[str, SubsetAccuracy]:
    """Accuracies from (subset, which steps matched) per episode, by the subsets' names in order of appearance.

    Raises ValueError for an episode without steps.
    """
    grouped: dict[str, list[Sequence[bool]]] = {}
    for subset, matches in episodes:
        if not matches:
            raise ValueError(f"an episode of subset {subset!r} has no steps; leave it out")
        grouped.setdefault(subset, []).append(matches)
    return {subset: _accuracy(group) for subset, group in grouped.items()}


def mean_step_accuracy(by_subset: Mapping[str, SubsetAccuracy]) -> float:
    """The mean over subsets of their step accuracy, each of the same weight. ValueError where there is none."""
    if not by_subset:
        raise ValueError("the mean over subsets needs at least one subset")
    return sum(accuracy.step_accuracy for accuracy in by_subset.values()) / len(by_subset)


def rules_of(mode: Mode | AitwRules) -> AitwRules:
    """The rules that a mode's name stands for; rules stand for themselves. ValueError for an unknown name."""
    if isinstance(mode, AitwRules):
        return mode
    if mode not in MODES:
        raise ValueError(f"matching mode {mode!r} is unknown; the modes are {', '.join(MODES)}")
    return MODES[mode]


def action_type(action: AitwAction) -> ActionType:
    """The type of an action, given by number or by name. ValueError for any other."""
    given: Any = action.get("action_type")
    try:
        return ActionType[given] if isinstance(given, str) else ActionType(given)
    except (KeyError, ValueError):
        known = ", ".join(f"{kind.value} {kind.name}" for kind in ActionType)
        raise ValueError(f"action_type {given!r} is unknown; the types are {known}") from None


def typed_text(action: AitwAction) -> str:
    """The typed text as it is compared: case and the amount of white space do not count."""
    given = action.get("type_action", "")
    text = given.decode("utf-8", "replace") if isinstance(given, bytes) else str(given)
    return " ".join(text.split()).casefold()


def point_yx(action: AitwAction, name: str) -> tuple[float, float]:
    """The (y, x) of a gesture's `yx_touch` or `yx_lift`. ValueError where it is not two finite numbers."""
    try:
        y, x = (float(value) for value in action[name])
    except (KeyError, TypeError, ValueError):
        y = x = math.nan
    if not (math.isfinite(y) and math.isfinite(x)):
        raise ValueError(f"gesture with {name} {action.get(name)!r}: needed is (y, x), two numbers from 0 to 1")
    return y, x


def _accuracy(group: Sequence[Sequence[bool]]) -> SubsetAccuracy:
    return SubsetAccuracy(
        steps=sum(len(matches) for matches in group),
        matched_steps=sum(sum(matches) for matches in group),
        episodes=len(group),
        complete_episodes=sum(all(matches) for matches in group),
        partial_match=sum(sum(matches) / len(matches) for matches in group) / len(group),
    )


def _distance(a: tuple[float, float], b: tuple[float, float]) -> float:
    # Not math.dist: that rounds differently from numpy, and the arrays' form must agree to the last bit.
    return math.sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]))


def _in_same_box(a: tuple[float, float], b: tuple[float, float], boxes: NDArray[np.float64]) -> bool:
    return any(
        all(top <= y <= top + height and left <= x <= left + width for y, x in (a, b))
        for top, left, height, width in boxes.tolist()
    )


def _main_axis(touch: tuple[float, float], lift: tuple[float, float]) -> tuple[int, bool]:
    """(0 for y or 1 for x, whether it goes towards larger values); y where both are equal."""
    dy, dx = lift[0] - touch[0], lift[1] - touch[1]
    return (1, dx > 0) if abs(dx) > abs(dy) else (0, dy > 0)
