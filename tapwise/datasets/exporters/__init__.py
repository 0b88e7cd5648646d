"""Trajectories in the formats of other tools, one module per format; a module is loaded when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import cast

from tapwise.errors import ConfigError
from tapwise.records import Trajectory

EXPORTS = {
    "ui_s1": "UI-S1's JSONL with a folder of images",
    "chat": "chat JSONL, one row per step, for TRL and LLaMA-Factory",
    "aitw": "TFRecord shards as Android in the Wild has them",
    "hub": "a folder of Parquet that `datasets.load_dataset` takes, to upload as it is",
}

Exporter = Callable[[Iterable[Trajectory], Path], int]


def exporter(name: str) -> Exporter:
    """The `export` function of a format: export(trajectories, folder) -> steps written. Raises ConfigError."""
    if name not in EXPORTS:
        raise ConfigError(f"export format {name!r} is unknown: take one of {', '.join(EXPORTS)}")
    module = importlib.import_module(f"tapwise.datasets.exporters.{name}")
    return cast(Exporter, module.export)
