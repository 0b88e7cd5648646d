"""Algorithms: each turns trajectories into weighted samples, and knows nothing of how they are executed."""

from __future__ import annotations

from tapwise.training.algorithms.base import Algorithm
from tapwise.training.algorithms.digirl import DigiRL
from tapwise.training.algorithms.filtered_bc import FilteredBC
from tapwise.training.recipes import DigiRLConfig, FilteredBCConfig


def make_algorithm(config: DigiRLConfig | FilteredBCConfig) -> Algorithm:
    """The algorithm that a recipe names."""
    return DigiRL(config) if isinstance(config, DigiRLConfig) else FilteredBC(config)
