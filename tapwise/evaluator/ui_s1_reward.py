"""UI-S1's reward for one step of semi-online training (arXiv 2509.11543, equation 8; code: `gui_traj.py`).

The reply is `<think>...</think><action>{JSON}</action>`. Its format F is right when a think block that is not blank
precedes an action that can be parsed. The action is worth A: 1 where it matches, 0.5 where only its kind is right,
0.1 where its kind is wrong, 0 where its arguments are missing or nothing could be parsed.

- form `code`: 0.1 F + 0.9 A
- form `paper`: 0.1 F + 0.4 [F] [kind right] + 0.5 [F] [kind and arguments right]

A step that annotators marked HARMFUL turns A into 1 - A, NEUTRAL sets it to 0.5 (code; the paper has no annotations:
there we treat 0.4 [kind] + 0.5 [match] as 0.9 A likewise). Replies without a usable action stay at 0 even so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Literal

from tapwise.evaluator.sop import MODES
from tapwise.evaluator.ui_s1_matching import (
    JsonAction,
    MatchRules,
    SizeWh,
    StepMatch,
    is_complete,
    match_action,
    point_names,
)

Form = Literal["code", "paper"]
Matching = Literal["fixed", "released"]

MATCHING: Mapping[str, MatchRules] = MappingProxyType(
    {
        "fixed": MODES["paper"],
        "released": MatchRules(
            flip_expert_points=True,
            substring=True,
            empty_text=True,
            box_scale=1.2,
            largest_box_share=float("inf"),
            radius_beside_boxes=True,
            open_by_tap=False,
            status=False,
            answer_by_typing=True,
        ),
    }
)
"""The training matcher as it was meant, and as it was released.

Released, it turns the expert's vertical swipes round, takes an empty text for any text, and wants answers typed.
"""

_THINK = re.compile(r"<think>(.*?)</think>", re.DOTALL)
_ACTION = re.compile(r"<action>(.*?)</action>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Response:
    """A reply taken apart: None for a block that is missing, or an action that is no JSON object with `action`."""

    thought: str | None
    action: dict[str, Any] | None

    @property
    def well_formed(self) -> bool:
        """Whether there is a thought that is not blank and an action."""
        return self.action is not None and bool(self.thought and self.thought.strip())


@dataclass(frozen=True, slots=True)
class StepReward:
    """What one reply is worth. `step_reward` is its share of the task, 1 / steps, where the action matches, else 0."""

    score: float
    format_score: float
    type_match: bool
    match: bool
    step_reward: float


def parse_response(text: str) -> Response:
    """Take a reply apart: the first think block and the first action block. Never raises."""
    thought, action = _THINK.search(text), _ACTION.search(text)
    return Response(thought[1] if thought else None, _json_action(action[1]) if action else None)


def step_reward(
    response: str,
    check: JsonAction,
    size_wh: SizeWh,
    resized_wh: SizeWh,
    num_steps: int,
    *,
    form: Form = "code",
    matching: Matching = "fixed",
) -> StepReward:
    """The reward of one reply against the expert's action `check` and its `annotation` (GOOD where absent).

    The reply's coordinates are pixels of `resized_wh`, the picture that the model saw; the expert's are pixels of
    `size_wh`, the device's own. `num_steps` is the length of the expert's episode. Raises ValueError for an unknown
    form, matching or annotation, sizes that are not positive, or an expert action that cannot be read.
    """
    if min(*size_wh, *resized_wh) <= 0 or num_steps < 1:
        raise ValueError(f"sizes {size_wh} and {resized_wh} and the number of steps {num_steps} must be positive")
    if matching not in MATCHING:
        raise ValueError(f"matching {matching!r} is unknown; it is one of {', '.join(MATCHING)}")
    parsed = parse_response(response)
    action = None if parsed.action is None else rescaled(parsed.action, resized_wh, size_wh)
    found = match_action(action, check, size_wh, MATCHING[matching])
    well_formed = parsed.well_formed
    usable = action is not None and is_complete(action)
    worth = _action_worth(found, usable, _annotation(check), form)
    counted = worth if form == "code" or well_formed else 0.0
    return StepReward(
        score=0.1 * well_formed + 0.9 * counted,
        format_score=float(well_formed),
        type_match=found.type_match,
        match=found.match,
        step_reward=1 / num_steps if found.match else 0.0,
    )


def rescaled(action: JsonAction, size_wh: SizeWh, to_wh: SizeWh) -> dict[str, Any]:
    """The action with its coordinates taken from pixels of one size to another's; incomplete actions are unchanged."""
    if not is_complete(action):
        return dict(action)
    across, down = to_wh[0] / size_wh[0], to_wh[1] / size_wh[1]
    points = {name: [action[name][0] * across, action[name][1] * down] for name in point_names(action)}
    return {**action, **points}


def _action_worth(found: StepMatch, usable: bool, annotation: str, form: Form) -> float:
    """A, from 0 to 1."""
    if form == "code":
        worth = 1.0 if found.match else 0.5 if found.type_match else 0.1
    elif form == "paper":
        worth = 1.0 if found.match else 4 / 9 if found.type_match else 0.0
    else:
        raise ValueError(f"reward form {form!r} is unknown; it is 'code' or 'paper'")
    if not usable:
        return 0.0
    return {"GOOD": worth, "HARMFUL": 1.0 - worth, "NEUTRAL": 0.5}[annotation]


def _annotation(check: JsonAction) -> str:
    annotation = check.get("annotation", "GOOD")
    if annotation not in ("GOOD", "HARMFUL", "NEUTRAL"):
        raise ValueError(f"annotation {annotation!r} of {dict(check)!r}: it must be GOOD, HARMFUL or NEUTRAL")
    return str(annotation)


def _json_action(text: str) -> dict[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and isinstance(value.get("action"), str) else None
