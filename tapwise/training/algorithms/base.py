"""What an algorithm is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from tapwise.records import Trajectory
from tapwise.training.critic import Critic
from tapwise.training.transitions import Sample

Phase = Literal["offline", "online"]


class StepValues(Protocol):
    """Expected success along a trajectory."""

    def step_values(self, trajectory: Trajectory) -> list[float]:
        """A value in [0, 1] before each step and after the last: one more than the trajectory has steps."""
        ...


class Algorithm(Protocol):
    """Turns trajectories into weighted samples."""

    needs_critic: bool

    def select(
        self,
        trajectories: Sequence[Trajectory],
        critic: Critic | None,
        phase: Phase,
        wanted: int,
        rng: np.random.Generator,
    ) -> tuple[list[Sample], dict[str, float]]:
        """Samples to learn from, and metrics of the selection.

        Where more trajectories are worth learning from than `wanted` samples need, whole trajectories are drawn at
        random without replacement: steps that would not be learned from in this round are not looked at.
        """
        ...


def shuffled(trajectories: Sequence[Trajectory], rng: np.random.Generator) -> list[Trajectory]:
    """The trajectories in random order."""
    return [trajectories[index] for index in rng.permutation(len(trajectories))]
