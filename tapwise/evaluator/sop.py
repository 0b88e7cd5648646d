"""Semi-online performance (SOP) of UI-S1 (arXiv 2509.11543, section 4 and appendix A.3).

The policy walks along an expert's episode, on the expert's screens and with its own history, until its first action
that does not match. PG is the mean share of steps done until then, TSR the share of episodes walked to the end, and
the score the mean of both. What "matches" decides most of the number, so the mode belongs beside it:

- `code` is the matcher of the released evaluation, with which the published numbers were made: any swipe matches any
  swipe, any listed box counts however large (a sixth of the click steps of AndroidControl's test split list one over
  half of the screen), texts match as parts of each other, an empty one always; `terminate`, `answer` and `key` cannot
  be credited. An unparsable reply takes the whole episode's progress away.
- `paper` is the match of the paper's reward (equation 8) without the released code's defects: the swipe's way counts,
  a box is enlarged by 1.2, a tap within 0.04 of the expert's point is right, an app is opened by `open` alone.
- `strict` closes the rest: no box over a tenth of the screen, boxes as they are, the radius only where there is no
  box, texts equal, the status of `terminate` counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from types import MappingProxyType
from typing import Literal

from tapwise.evaluator.statistics import Interval, wilson_interval
from tapwise.evaluator.ui_s1_matching import JsonAction, MatchRules, SizeWh, StepMatch, match_action

Mode = Literal["paper", "code", "strict"]

MODES: Mapping[str, MatchRules] = MappingProxyType(
    {
        "code": MatchRules(
            swipe_direction=False,
            substring=True,
            empty_text=True,
            box_scale=1.2,
            largest_box_share=float("inf"),
            radius_beside_boxes=True,
            status=False,
            never_credited=frozenset({"terminate", "answer", "key"}),
            error_forfeits_task=True,
        ),
        "paper": MatchRules(
            substring=True,
            box_scale=1.2,
            largest_box_share=float("inf"),
            radius_beside_boxes=True,
            open_by_tap=False,
            status=False,
        ),
        "strict": MatchRules(),
    }
)
"""The rules of each mode."""


def match_step(
    predicted: JsonAction | None, check: JsonAction, size_wh: SizeWh, mode: Mode | MatchRules = "code"
) -> StepMatch:
    """Compare one predicted action with the `check_options` of the expert's step, both in pixels of `size_wh`.

    `predicted` is None where the reply could not be parsed. Raises ValueError for a size that is not positive, an
    unknown mode, or a check that cannot be read.
    """
    if not (size_wh[0] > 0 and size_wh[1] > 0):
        raise ValueError(f"size {size_wh} of the screen: width and height must be positive")
    return match_action(predicted, check, size_wh, rules_of(mode))


def matched_steps(
    predictions: Sequence[JsonAction | None],
    checks: Sequence[JsonAction],
    size_wh: SizeWh,
    mode: Mode | MatchRules = "code",
) -> int:
    """Steps matched before the first mismatch. Predictions may end early.

    Raises ValueError where there are more predictions than checks, and as `match_step` does.
    """
    if len(predictions) > len(checks):
        raise ValueError(f"{len(predictions)} predictions for an episode of {len(checks)} steps")
    rules = rules_of(mode)
    pairs = zip(predictions, checks, strict=False)
    return progress([match_step(predicted, check, size_wh, rules) for predicted, check in pairs], rules)


def progress(matches: Sequence[StepMatch], rules: MatchRules) -> int:
    """Steps matched before the first mismatch; 0 where that is a step that cannot be judged and the rules say so."""
    done = sum(1 for _ in takewhile(lambda step: step.match, matches))
    forfeited = rules.error_forfeits_task and done < len(matches) and matches[done].error
    return 0 if forfeited else done


@dataclass(frozen=True, slots=True)
class SopScore:
    """SOP over `episodes` episodes; rates in [0, 1]."""

    pg: float
    tsr: float
    completed: int
    episodes: int

    @property
    def score(self) -> float:
        """The mean of PG and TSR."""
        return (self.pg + self.tsr) / 2

    @property
    def tsr_interval(self) -> Interval:
        """Wilson's 95% interval of TSR."""
        return wilson_interval(self.completed, self.episodes)


def score(episodes: Iterable[tuple[int, int]]) -> SopScore:
    """SOP of (matched steps, all steps) per episode; every episode weighs the same.

    Raises ValueError where there is no episode, or an episode has no step or fewer steps than were matched.
    """
    pairs = list(episodes)
    for index, (matched, total) in enumerate(pairs):
        if total < 1 or not 0 <= matched <= total:
            raise ValueError(f"episode {index}: {matched} matched steps out of {total} are impossible")
    if not pairs:
        raise ValueError("SOP needs at least one episode")
    completed = sum(matched == total for matched, total in pairs)
    pg = sum(matched / total for matched, total in pairs) / len(pairs)
    return SopScore(pg, completed / len(pairs), completed, len(pairs))


def rules_of(mode: Mode | MatchRules) -> MatchRules:
    """The rules that a mode's name stands for; rules stand for themselves. ValueError for an unknown name."""
    if isinstance(mode, MatchRules):
        return mode
    if mode not in MODES:
        raise ValueError(f"SOP mode {mode!r} is unknown; the modes are {', '.join(MODES)}")
    return MODES[mode]
