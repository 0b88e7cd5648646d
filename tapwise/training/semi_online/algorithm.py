"""UI-S1's semi-online algorithm (Lu et al. 2025, arXiv 2509.11543): rollouts in, advantages out.

It executes nothing: which tokens get which gradient is the learner's business.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tapwise.android_env.replay_episode import Rollout
from tapwise.records import Context
from tapwise.training.semi_online.advantages import (
    combine,
    released_code_trajectory_advantages,
    step_advantages,
    trajectory_advantages,
)
from tapwise.training.semi_online.config import SemiOnlineConfig
from tapwise.training.semi_online.returns import future_returns
from tapwise.training.semi_online.rollout import RolloutGroup


@dataclass(frozen=True, slots=True)
class PolicySample:
    """One decision to learn from: what the policy saw, the tokens it said, their log-probabilities then, and how much
    better than its alternatives the decision was."""

    context: Context
    token_ids: tuple[int, ...]
    log_probs: tuple[float, ...]
    advantage: float


class SemiOnline:
    """Puts an advantage on every step of rollouts."""

    def __init__(self, config: SemiOnlineConfig) -> None:
        self._config = config

    def returns(self, rollout: Rollout) -> np.ndarray:
        """The discounted return from each step on, shape (steps,)."""
        same = np.array([match.same for match in rollout.matches])
        return future_returns(np.array(rollout.rewards), same, self._config.gamma, self._config.returns)

    def first_returns(self, group: RolloutGroup) -> np.ndarray:
        """Each rollout's return from its first step on, shape (rollouts,): what the dynamic filter looks at."""
        return np.array([self.returns(rollout)[0] for rollout in group.rollouts])

    def annotate(self, groups: Sequence[RolloutGroup]) -> list[RolloutGroup]:
        """The same groups with `Step.advantage` set on the policy's own steps.

        The trajectory's return of equation 11 is the return from its first step on.
        """
        rollouts = [(number, rollout) for number, group in enumerate(groups) for rollout in group.rollouts]
        if not rollouts:
            return list(groups)
        lengths = np.array([len(rollout.rewards) for _, rollout in rollouts])
        tasks = np.array([number for number, _ in rollouts])
        returns = [self.returns(rollout) for _, rollout in rollouts]
        indices = np.concatenate([np.arange(length) for length in lengths])
        step_tasks = np.repeat(tasks, lengths)
        config = self._config
        if config.trajectory_advantage == "paper":
            firsts = np.array([of_one[0] for of_one in returns])
            whole = np.repeat(trajectory_advantages(firsts, tasks, config.norm), lengths)
        else:
            rewards = np.concatenate([rollout.rewards for _, rollout in rollouts])
            whole = released_code_trajectory_advantages(rewards, step_tasks, config.norm)
        steps = step_advantages(np.concatenate(returns), step_tasks, indices, config.norm)
        total = combine(whole, steps, config.trajectory_weight, config.step_weight)
        pieces = iter(np.split(total, np.cumsum(lengths)[:-1]))
        return [replace(group, rollouts=tuple(_with(next(pieces), r) for r in group.rollouts)) for group in groups]


def policy_samples(groups: Sequence[RolloutGroup]) -> list[PolicySample]:
    """Every annotated step that has tokens and an advantage other than 0, with the context that the policy saw.

    Text that could not be read is among them: it earned nothing, and is to become less likely.
    """
    return [
        PolicySample(rollout.context(index), step.decision.token_ids, step.decision.log_probs, step.advantage)
        for group in groups
        for rollout in group.rollouts
        for index, step in enumerate(rollout.trajectory.steps)
        if step.advantage and step.decision.token_ids
    ]


def _with(advantages: np.ndarray, rollout: Rollout) -> Rollout:
    steps = tuple(
        replace(step, advantage=float(advantage))
        for step, advantage in zip(rollout.trajectory.steps, advantages, strict=True)
    )
    return replace(rollout, trajectory=replace(rollout.trajectory, steps=steps))
