"""Behaviour cloning, DigiRL's baseline: imitate trajectories, every step alike; filtered, only the successful ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapwise.records import Trajectory
from tapwise.training.algorithms.base import Phase, shuffled
from tapwise.training.critic import Critic
from tapwise.training.recipes import BehaviourCloningConfig, FilteredBCConfig
from tapwise.training.transitions import Sample, episode_return, samples


class BehaviourCloning:
    """Keeps the latest trajectories (`window` of them), or the successes among them, with weight 1."""

    needs_critic = False

    def __init__(self, config: BehaviourCloningConfig | FilteredBCConfig) -> None:
        self._config = config

    def select(
        self,
        trajectories: Sequence[Trajectory],
        critic: Critic | None,
        phase: Phase,
        wanted: int,
        rng: np.random.Generator,
    ) -> tuple[list[Sample], dict[str, float]]:
        """Steps of whole trajectories in random order, until there are as many as are wanted; the critic is not
        asked."""
        kept: Sequence[Trajectory] = trajectories[-self._config.window :]
        if isinstance(self._config, FilteredBCConfig):
            kept = [trajectory for trajectory in kept if episode_return(trajectory) > 0]
        chosen: list[Sample] = []
        for trajectory in shuffled(kept, rng):
            if len(chosen) >= wanted:
                break
            chosen += samples([trajectory])
        return chosen, {"selection/trajectories": len(kept), "selection/steps": len(chosen)}
