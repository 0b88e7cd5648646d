"""Behaviour cloning, DigiRL's baseline: imitate trajectories, every step alike; filtered, only the successful ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tapwise.records import Trajectory
from tapwise.training.algorithms.base import Phase, shuffled
from tapwise.training.critic import Critic
from tapwise.training.recipes import BehaviourCloningConfig, FilteredBCConfig
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
        return _imitate(kept, wanted, rng)


class BehaviourCloning:
    """Keeps the latest trajectories, whatever came of them, with weight 1."""

    needs_critic = False

    def __init__(self, config: BehaviourCloningConfig) -> None:
        self._config = config

    def select(
        self,
        trajectories: Sequence[Trajectory],
        critic: Critic | None,
        phase: Phase,
        wanted: int,
        rng: np.random.Generator,
    ) -> tuple[list[Sample], dict[str, float]]:
        """Samples of all; the critic is not asked."""
        return _imitate(trajectories[-self._config.window :], wanted, rng)


def _imitate(
    kept: Sequence[Trajectory], wanted: int, rng: np.random.Generator
) -> tuple[list[Sample], dict[str, float]]:
    """Steps of whole trajectories in random order, until there are as many as are wanted."""
    chosen: list[Sample] = []
    for trajectory in shuffled(kept, rng):
        if len(chosen) >= wanted:
            break
        chosen += samples([trajectory])
    return chosen, {"selection/trajectories": len(kept), "selection/steps": len(chosen)}
