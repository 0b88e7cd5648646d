"""DigiRL (Bai et al. 2024, arXiv 2406.11896): two filters over trajectories, then imitation of what passes both.

1. instruction level, eq. 4.4: A = R - V(instruction); the top fraction is kept. It is the curriculum: what succeeds
   although it was not expected to.
2. step level, eq. 4.3: the doubly robust advantage of each step; kept above 1/H. The released code instead adds
   the discounted return to V(s') - V(s) + r - 0.05, without lambda; `form = "code"` does the same. V is the critic's,
   or with `advantage = "vem"` that of a value environment model.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapwise.records import Trajectory
from tapwise.training.advantages import (
    doubly_robust_advantages,
    instruction_advantages,
    paper_threshold,
    released_code_advantages,
)
from tapwise.training.algorithms.base import Phase, StepValues, shuffled
from tapwise.training.critic import Critic
from tapwise.training.filters import top_fraction
from tapwise.training.recipes import DigiRLConfig
from tapwise.training.returns import discounted_returns
from tapwise.training.transitions import Sample, episode_return, step_context, teachable


class DigiRL:
    """Selects steps by both filters.

    `step_values` gives V(state) in the place of the critic, which always gives V(instruction). Raises ValueError when
    the configuration asks for a value environment model's values and there are none.
    """

    needs_critic = True

    def __init__(self, config: DigiRLConfig, step_values: StepValues | None = None) -> None:
        if config.advantage == "vem" and step_values is None:
            raise ValueError('advantage = "vem" needs the values of a value environment model: give step_values')
        self._config = config
        self._step_values = step_values

    def select(
        self,
        trajectories: Sequence[Trajectory],
        critic: Critic | None,
        phase: Phase,
        wanted: int,
        rng: np.random.Generator,
    ) -> tuple[list[Sample], dict[str, float]]:
        """Samples that pass both filters, and how many did."""
        assert critic is not None
        recent = trajectories[-self._config.window :]
        returns = np.array([episode_return(t) for t in recent])
        scores = returns
        if phase == "online" or self._config.form == "paper":  # the released code filters by plain reward offline
            values = np.array(critic.instruction_values([t.task for t in recent]))
            scores = instruction_advantages(returns, values)
        fraction = self._config.offline_fraction if phase == "offline" else self._config.online_fraction
        kept = top_fraction(scores, fraction, returns=returns)
        chosen: list[Sample] = []
        considered = 0
        for trajectory in shuffled([t for t, keep in zip(recent, kept, strict=True) if keep], rng):
            if len(chosen) >= wanted:
                break
            passes = self._step_mask(trajectory, critic)
            considered += len(trajectory.steps)
            chosen += [
                Sample(step_context(trajectory, i), step.decision.token_ids)
                for i, step in enumerate(trajectory.steps)
                if passes[i] and teachable(step)
            ]
        metrics = {
            "selection/trajectories": float(kept.sum()),
            "selection/steps": float(len(chosen)),
            "selection/step_share": len(chosen) / max(1, considered),
        }
        return chosen, metrics

    def _step_mask(self, trajectory: Trajectory, critic: Critic) -> np.ndarray:
        values = np.array((self._step_values or critic).step_values(trajectory))
        rewards = np.zeros(len(trajectory.steps))
        rewards[-1] = episode_return(trajectory)
        if self._config.form == "code":
            returns = np.array(discounted_returns(rewards, self._config.gamma))
            return released_code_advantages(values[:-1], values[1:], rewards, returns) > 0
        advantages = doubly_robust_advantages(values, rewards, rewards[-1], self._config.decay)
        return advantages > paper_threshold(trajectory.task.max_steps)
