"""Trajectories at rest. The store is loaded when it is asked for: workers that only read foreign files do without."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapwise.datasets.schema import Interrupted, Summary
    from tapwise.datasets.store import EpisodeWriter, ParquetTrajectoryStore

__all__ = ["EpisodeWriter", "Interrupted", "ParquetTrajectoryStore", "Summary"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "schema" if name in ("Interrupted", "Summary") else "store"
    return getattr(importlib.import_module(f"{__name__}.{module}"), name)
