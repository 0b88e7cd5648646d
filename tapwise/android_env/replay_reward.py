"""What a replayed step earns."""

from __future__ import annotations

from collections.abc import Callable

from tapwise.matching import Match

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
