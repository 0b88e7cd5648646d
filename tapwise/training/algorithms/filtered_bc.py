"""Filtered behaviour cloning, DigiRL's baseline: imitate the successful trajectories, every step alike."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapwise.records import Trajectory
from tapwise.training.algorithms.base import Phase, shuffled
from tapwise.training.critic import Critic
from tapwise.training.recipes import FilteredBCConfig
from tapwise.training.transitions import Sample, episode_return, samples


class FilteredBC:
    """Keeps the successes among the latest trajectories (`window` of them), with weight 1."""

    needs_critic = False

    def __init__(self, config: FilteredBCConfig) -> None:
        self._config = config

    def select(
        self,
        trajectories: Sequence[Trajectory],
        critic: Critic | None,
        phase: Phase,
        wanted: int,
        rng: np.random.Generator,
    ) -> tuple[list[Sample], dict[str, float]]:
        """Samples of the successes; the critic is not asked."""
        recent = trajectories[-self._config.window :]
        kept = [t for t in recent if episode_return(t) > 0]
        chosen: list[Sample] = []
        for trajectory in shuffled(kept, rng):
            if len(chosen) >= wanted:
                break
            chosen += samples([trajectory])
        return chosen, {"selection/trajectories": len(kept), "selection/steps": len(chosen)}
