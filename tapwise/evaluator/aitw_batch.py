"""`tapwise.evaluator.aitw.actions_match` over arrays: the same answers for many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tapwise.evaluator.aitw import (
    TAP_DISTANCE,
    ActionType,
    AitwAction,
    AitwRules,
    Mode,
    action_type,
    box_rows,
    enlarge_boxes,
    point_yx,
    rules_of,
    typed_text,
)

_NOWHERE = (-1.0, -1.0)
"""What the data set writes in the place of the points of an action that is no gesture."""


@dataclass(frozen=True, slots=True, eq=False)
class ActionBatch:
    """n actions: types (n,), touch and lift (n, 2) as (y, x) in [0, 1], and texts (n,) as they are compared."""

    types: NDArray[np.int64]
    touch_yx: NDArray[np.float64]
    lift_yx: NDArray[np.float64]
    texts: NDArray[np.object_]

    @classmethod
    def from_actions(cls, actions: Sequence[AitwAction]) -> ActionBatch:
        """Collect actions in the data set's own keys. Raises ValueError as `actions_match` does."""
        types = [action_type(action) for action in actions]
        points = [
            [point_yx(action, name) if kind is ActionType.DUAL_POINT else _NOWHERE for name in ("yx_touch", "yx_lift")]
            for action, kind in zip(actions, types, strict=True)
        ]
        both = np.asarray(points, dtype=np.float64).reshape(-1, 2, 2)
        texts = np.empty(len(actions), dtype=object)  # of objects: numpy's own strings drop trailing NULs
        texts[:] = [typed_text(action) for action in actions]
        return cls(np.asarray(types, dtype=np.int64), both[:, 0], both[:, 1], texts)

    def __len__(self) -> int:
        return len(self.types)


def stack_boxes(boxes_yxhw: Sequence[ArrayLike]) -> NDArray[np.float64]:
    """Boxes of n screens as one array (n, most, 4), filled up with NaN, which holds no point.

    Each screen's boxes have shape (k, 4), or are flat with 4 k numbers; otherwise ValueError.
    """
    screens = [box_rows(boxes) for boxes in boxes_yxhw]
    stacked = np.full((len(screens), max((len(boxes) for boxes in screens), default=0), 4), np.nan)
    for row, boxes in zip(stacked, screens, strict=True):
        row[: len(boxes)] = boxes
    return stacked


def actions_match_batch(
    a: ActionBatch, b: ActionBatch, boxes_yxhw: NDArray[np.float64], mode: Mode | AitwRules = "official"
) -> NDArray[np.bool_]:
    """Which of n pairs of actions match, shape (n,). `boxes_yxhw` has shape (n, k, 4), NaN where there is no box.

    Raises ValueError for an unknown mode or lengths that differ.
    """
    rules = rules_of(mode)
    if not len(a) == len(b) == len(boxes_yxhw):
        raise ValueError(
            f"{len(a)} and {len(b)} actions with {len(boxes_yxhw)} sets of boxes: the lengths must be equal"
        )
    same_type = a.types == b.types
    if rules.typed_text:
        same_type &= (a.types != ActionType.TYPE) | (a.texts == b.texts).astype(np.bool_)
    tap_a, tap_b = (_distance(batch.touch_yx, batch.lift_yx) <= TAP_DISTANCE for batch in (a, b))
    taps = (_distance(a.touch_yx, b.touch_yx) <= rules.tap_radius) | _in_same_box(
        a.touch_yx, b.touch_yx, boxes_yxhw, rules
    )
    gestures = np.where(tap_a & tap_b, taps, ~tap_a & ~tap_b & _same_swipe(a, b, rules))
    matches: NDArray[np.bool_] = same_type & ((a.types != ActionType.DUAL_POINT) | gestures)
    return matches


def _distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    difference = a - b
    distance: NDArray[np.float64] = np.sqrt(difference[:, 0] * difference[:, 0] + difference[:, 1] * difference[:, 1])
    return distance


def _in_same_box(
    a: NDArray[np.float64], b: NDArray[np.float64], boxes: NDArray[np.float64], rules: AitwRules
) -> NDArray[np.bool_]:
    grown = enlarge_boxes(boxes.reshape(-1, 4), rules.box_growth).reshape(boxes.shape)
    low, high = grown[..., :2], grown[..., :2] + grown[..., 2:]
    same = np.ones(boxes.shape[:2], dtype=np.bool_)
    for point in (a, b):
        same &= ((low <= point[:, None]) & (point[:, None] <= high)).all(axis=-1)
    return np.asarray(same.any(axis=1))


def _same_swipe(a: ActionBatch, b: ActionBatch, rules: AitwRules) -> NDArray[np.bool_]:
    ways = []
    for batch in (a, b):
        delta = batch.lift_yx - batch.touch_yx
        sideways = np.abs(delta[:, 1]) > np.abs(delta[:, 0])
        ways.append((sideways, np.where(sideways, delta[:, 1], delta[:, 0]) > 0))
    (axis_a, forward_a), (axis_b, forward_b) = ways
    same: NDArray[np.bool_] = axis_a == axis_b
    return same & (forward_a == forward_b) if rules.swipe_direction else same
