"""Algorithms: each turns trajectories into weighted samples, and knows nothing of how they are executed."""

from __future__ import annotations

from tapwise.training.algorithms.base import Algorithm, StepValues
from tapwise.training.algorithms.digirl import DigiRL
from tapwise.training.algorithms.filtered_bc import BehaviourCloning, FilteredBC
from tapwise.training.recipes import AlgorithmConfig, BehaviourCloningConfig, DigiRLConfig


def make_algorithm(config: AlgorithmConfig, step_values: StepValues | None = None) -> Algorithm:
    """The algorithm that a recipe names; `step_values` takes the place of the critic's values of states."""
    if isinstance(config, DigiRLConfig):
        return DigiRL(config, step_values)
    return BehaviourCloning(config) if isinstance(config, BehaviourCloningConfig) else FilteredBC(config)
