"""The benchmarks that `tapwise.evaluator.offline_report` reports on: UI-S1's SOP and Android in the Wild.

Each lists its modes, then `strict` with one rule loosened to what the loosest mode does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tapwise.evaluator import aitw, sop
from tapwise.evaluator.aitw import ActionType, AitwAction, AitwRules
from tapwise.evaluator.offline_report import Benchmark, Matcher, Prediction
from tapwise.evaluator.ui_s1_matching import JsonAction, MatchRules, SizeWh, StepMatch


@dataclass(frozen=True, slots=True)
class SopStep:
    """An expert's step: its `check_options`, and the size in whose pixels both they and the predictions are."""

    check: JsonAction
    size_wh: SizeWh


@dataclass(frozen=True, slots=True, eq=False)
class AitwStep:
    """An expert's step in the data set's own keys, and its screen's boxes: rows (y, x, height, width) in [0, 1]."""

    action: AitwAction
    boxes_yxhw: NDArray[np.float64]


def _sop_matcher(name: str, rules: MatchRules) -> Matcher[SopStep]:
    def match(predicted: Prediction | None, step: SopStep) -> StepMatch:
        return sop.match_step(predicted, step.check, step.size_wh, rules)

    return Matcher(name, match, rules.error_forfeits_task)


def _aitw_matcher(name: str, rules: AitwRules) -> Matcher[AitwStep]:
    def match(predicted: Prediction | None, step: AitwStep) -> StepMatch:
        if predicted is None:
            return StepMatch(False, False, error=True)
        same_type = aitw.action_type(predicted) is aitw.action_type(step.action)
        return StepMatch(same_type, aitw.actions_match(predicted, step.action, step.boxes_yxhw, rules))

    return Matcher(name, match)


def _sop_centre(step: SopStep) -> Prediction:
    return {"action": "click", "coordinate": [step.size_wh[0] / 2, step.size_wh[1] / 2]}


def _aitw_centre(_: AitwStep) -> Prediction:
    return {"action_type": ActionType.DUAL_POINT, "yx_touch": (0.5, 0.5), "yx_lift": (0.5, 0.5)}


def _aitw_type(step: AitwStep) -> str:
    kind = aitw.action_type(step.action)
    if kind is not ActionType.DUAL_POINT:
        return kind.name
    return "tap" if aitw.is_tap(step.action) else "swipe"


_SOP_LOOSENINGS: Mapping[str, dict[str, Any]] = {
    "any swipe": {"swipe_direction": False},
    "texts as parts": {"substring": True},
    "texts as parts, empty ones too": {"substring": True, "empty_text": True},
    "boxes of any size": {"largest_box_share": float("inf")},
    "boxes enlarged by 1.2": {"box_scale": 1.2},
    "radius beside boxes": {"radius_beside_boxes": True},
    "any status": {"status": False},
}
_AITW_LOOSENINGS: Mapping[str, dict[str, Any]] = {
    "any way of a swipe": {"swipe_direction": False},
    "any text": {"typed_text": False},
    "taps within 0.14": {"tap_radius": 0.14},
}

UI_S1_SOP: Benchmark[SopStep] = Benchmark(
    name="UI-S1 SOP",
    matchers=(
        *(_sop_matcher(name, rules) for name, rules in sop.MODES.items()),
        *(
            _sop_matcher(f"strict, but {name}", replace(sop.MODES["strict"], **change))
            for name, change in _SOP_LOOSENINGS.items()
        ),
        _sop_matcher("strict, but no app opened by a tap", replace(sop.MODES["strict"], open_by_tap=False)),
    ),
    baseline="strict",
    action_type=lambda step: str(step.check["action"]),
    centre=_sop_centre,
)
"""Semi-online performance on UI-S1's files; the first matcher is that of the released evaluation."""

AITW: Benchmark[AitwStep] = Benchmark(
    name="Android in the Wild",
    matchers=(
        *(_aitw_matcher(name, rules) for name, rules in aitw.MODES.items()),
        *(
            _aitw_matcher(f"strict, but {name}", replace(aitw.MODES["strict"], **change))
            for name, change in _AITW_LOOSENINGS.items()
        ),
    ),
    baseline="strict",
    action_type=_aitw_type,
    centre=_aitw_centre,
)
"""Action matching of Android in the Wild; the first matcher is the official one."""
