"""Algorithms: each turns trajectories into weighted samples, and knows nothing of how they are executed."""

from __future__ import annotations

from tapwise.training.algorithms.base import Algorithm, StepValues
from tapwise.training.algorithms.behaviour_cloning import BehaviourCloning
from tapwise.training.algorithms.digirl import DigiRL
from tapwise.training.recipes import AlgorithmConfig, DigiRLConfig


def make_algorithm(config: AlgorithmConfig, step_values: StepValues | None = None) -> Algorithm:
    """The algorithm that a recipe names; `step_values` takes the place of the critic's values of states."""
    if isinstance(config, DigiRLConfig):
        return DigiRL(config, step_values)
    return BehaviourCloning(config)
