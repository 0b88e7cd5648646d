"""Algorithms: each turns trajectories into weighted samples, and knows nothing of how they are executed."""

from __future__ import annotations

from tapwise.training.algorithms.base import Algorithm, StepValues
from tapwise.training.algorithms.digirl import DigiRL
from tapwise.training.algorithms.filtered_bc import FilteredBC
from tapwise.training.recipes import DigiRLConfig, FilteredBCConfig


def make_algorithm(config: DigiRLConfig | FilteredBCConfig, step_values: StepValues | None = None) -> Algorithm:
    """The algorithm that a recipe names; `step_values` takes the place of the critic's values of states."""
    return DigiRL(config, step_values) if isinstance(config, DigiRLConfig) else FilteredBC(config)
