"""Trajectories at rest."""

from __future__ import annotations

from tapwise.datasets.schema import Interrupted, Summary
from tapwise.datasets.store import EpisodeWriter, ParquetTrajectoryStore

__all__ = ["EpisodeWriter", "Interrupted", "ParquetTrajectoryStore", "Summary"]
