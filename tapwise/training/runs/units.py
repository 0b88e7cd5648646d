"""The machinery of runs: a list of small units of work in a folder, each followed by a checkpoint.

Every unit draws its randomness from the recipe's seed and its own name, and reads the rest from the checkpoint and
the trajectory store. A run that is killed at any moment therefore goes on with the unit it was in and ends with the
same weights as one that was not.

Words: a *unit* is what lies between two checkpoints; a *phase* is what success is measured after.
"""

from __future__ import annotations

import hashlib
import json
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch

from tapwise.config import recipe_sha
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.records import Trajectory
from tapwise.tracking import JsonlTracker
from tapwise.training.checkpoint import check_fits, load_checkpoint, save_checkpoint
from tapwise.training.compose import use_threads
from tapwise.training.recipes import BaseRecipe

RecipeT = TypeVar("RecipeT", bound=BaseRecipe)
Unit = tuple[str, Callable[[], None]]
"""A unit's name, which no other of the run has, and its work."""


class Observer(Protocol):
    """Who watches a run."""

    def unit(self, name: str, number: int, total: int) -> None:
        """A unit begins."""

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        """An episode has ended, aborted ones included."""

    def metrics(self, values: dict[str, float]) -> None:
        """Something was measured."""

    def warning(self, text: str) -> None:
        """Something looks wrong, though the run goes on."""

    def devices(self, status: Callable[[], list[DeviceStatus]]) -> None:
        """The farm is up; `status` tells of it at any time."""


@dataclass
class Progress:
    """What a checkpoint keeps beside weights: how far the run is and what it has found."""

    done: int = 0
    demonstrations: list[str] = field(default_factory=list)
    rollouts: list[str] = field(default_factory=list)
    evaluations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    interactions: int = 0
    """steps taken by the policy on training tasks"""
    found: dict[str, Any] = field(default_factory=dict)
    """what else units have found out, by name, as JSON"""


class UnitRun(ABC, Generic[RecipeT]):
    """Runs a recipe in a folder, from wherever an earlier run of the same recipe there was ended.

    A kind of run builds what has weights in its constructor, then calls `_ready`. Raises CheckpointError when the
    folder holds the run of another recipe.
    """

    def __init__(self, recipe: RecipeT, folder: Path, observer: Observer) -> None:
        self.recipe, self.folder, self.observer = recipe, folder, observer
        self.sha = recipe_sha(recipe)
        folder.mkdir(parents=True, exist_ok=True)
        self._saved = load_checkpoint(folder / "checkpoints")
        if self._saved is not None:
            check_fits(self._saved, self.sha)
        use_threads(recipe.threads)
        torch.manual_seed(recipe.seed)
        self.progress = Progress()

    def _ready(self) -> None:
        """Open the store, take over what the checkpoint keeps, and describe the run."""
        self.store = ParquetTrajectoryStore(self.folder / "trajectories", sync="episode", keep_ui=True)
        self.store.close_interrupted()
        if self._saved is not None:
            self.progress = Progress(**self._saved["progress"])
            self._restore(self._saved)
            self._saved = None
        (self.folder / "recipe.json").write_text(self.recipe.model_dump_json(indent=2), encoding="utf-8")
        (self.folder / "manifest.json").write_text(json.dumps(self._manifest(), indent=2), encoding="utf-8")
        self.tracker = JsonlTracker(self.folder / "metrics.jsonl")

    @abstractmethod
    def units(self) -> list[Unit]:
        """Names and work of all units, in order."""

    @abstractmethod
    def sizes(self) -> dict[str, int]:
        """Episodes that a unit of each kind plays (a kind is a name without its number); other units only learn."""

    @abstractmethod
    def _manifest(self) -> dict[str, Any]:
        """How the numbers of the run are obtained."""

    @abstractmethod
    def _state(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the progress."""

    @abstractmethod
    def _restore(self, saved: dict[str, Any]) -> None:
        """Take over what `_state` gave; the progress is restored already."""

    @property
    @abstractmethod
    def _updates(self) -> int:
        """Gradient steps of the policy so far."""

    def _forget(self) -> None:
        """Drop what is remembered in memory alone, before each unit: a run that goes on has no such memory, and the
        last bits of what is computed anew depend on the batch."""

    def _equipment(self) -> AbstractContextManager[object]:
        """What units need while they work, such as devices."""
        return nullcontext()

    def go(self, stop_before: str | None = None) -> None:
        """Do all units that are not done yet, or only those before the one named."""
        units = self.units()
        names = [name for name, _ in units]
        units = units[: names.index(stop_before)] if stop_before else units
        if self.progress.done >= len(units):
            self.close()
            return
        try:
            with self._equipment():
                for number in range(self.progress.done, len(units)):
                    self._do(number, units)
        finally:
            self.close()

    def close(self) -> None:
        """Close store and metrics."""
        self.store.close()
        self.tracker.close()

    def _do(self, number: int, units: Sequence[Unit]) -> None:
        name, work = units[number]
        self.observer.unit(name, number, len(units))
        torch.manual_seed(unit_seed(self.recipe.seed, name))
        self._forget()
        started = time.monotonic()
        work()
        kind = kind_of(name)
        self.progress.seconds[kind] = self.progress.seconds.get(kind, 0.0) + time.monotonic() - started
        self.progress.done = number + 1
        save_checkpoint(
            self.folder / "checkpoints",
            {"recipe_sha": self.sha, "progress": asdict(self.progress), **self._state()},
        )

    def _rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng(unit_seed(self.recipe.seed, name))

    def _watch(self, phase: str) -> Callable[[Trajectory], None]:
        return lambda trajectory: self.observer.episode(phase, trajectory)

    def _log(self, values: dict[str, float]) -> None:
        self.tracker.log({"interactions": self.progress.interactions, **values}, self._updates)
        self.observer.metrics(values)


def unit_seed(seed: int, name: str) -> int:
    """The seed of one unit of a run."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=6).digest(), "big")


def kind_of(name: str) -> str:
    """A unit's name without its number; evaluations keep theirs whole."""
    return name if name.startswith("evaluate") else name.rstrip("0123456789").rstrip("/")
