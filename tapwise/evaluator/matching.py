"""The matchers that compare a policy's actions with stored ones, by name.

The official matching of Android in the Wild (arXiv 2307.10088) is in `tapwise.evaluator.aitw`; it is more forgiving: it
compares no typed text and, of swipes, only the axis.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tapwise.matching import match_actions
from tapwise.records import Action, LongPress, Observation, Tap

Matcher = Callable[[Action, Action, Observation], bool]
"""(predicted, expected, the observation both were decided on) -> whether they are the same."""


def canonical(predicted: Action, expected: Action, observation: Observation) -> bool:
    """Whether two actions do the same on a screen, as `tapwise.matching.match_actions` says."""
    return match_actions(predicted, expected, observation).same


def identical(predicted: Action, expected: Action, observation: Observation) -> bool:
    """Whether two actions are equal to the last digit; what an agent says it touches does not count."""
    return _without_target(predicted) == _without_target(expected)


MATCHERS: dict[str, Matcher] = {"canonical": canonical, "identical": identical}
"""The matchers by the names that the command line knows them by."""


def _without_target(action: Action) -> Action:
    return replace(action, target=None) if isinstance(action, Tap | LongPress) else action
