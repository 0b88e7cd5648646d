"""Experts' trajectories at rest: which are learned from, which are measured on, and reading them as they are needed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

import numpy as np

from tapwise.android_env.replay import ReplayEnv, ReplaySettings
from tapwise.datasets.schema import Summary
from tapwise.datasets.splits import Item, split_by_instruction
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import ConfigError
from tapwise.records import Context, Trajectory
from tapwise.training.recipes import DataConfig
from tapwise.training.transitions import step_context


@dataclass(frozen=True, slots=True)
class ExpertIds:
    """Ids of a store's trajectories, and how many steps they have; no instruction is in both parts."""

    training: tuple[str, ...]
    held_out: tuple[str, ...]
    training_steps: int
    held_out_steps: int


def open_experts(folder: str) -> ParquetTrajectoryStore:
    """The store, for reading. Raises ConfigError when there is none, StoreError when it is damaged."""
    path = Path(folder)
    if not ((path / "journal.log").exists() or any(path.glob("shard-*.parquet"))):
        raise ConfigError(
            f"data.store {folder} holds no trajectories: import some with `tapwise data import FORMAT SOURCE --out"
            f" {folder}`, or name another store"
        )
    return ParquetTrajectoryStore(path, mode="read", keep_ui=True)


def choose_experts(store: ParquetTrajectoryStore, data: DataConfig, rng: np.random.Generator) -> ExpertIds:
    """Part what can be learned from: by the splits that the tasks name, or by a hash of the instruction where all are
    of one split. Raises ConfigError when a part is empty."""
    found = [one for one in store.scan(lambda one: one.trainable) if one.success is not False]
    parts = {split: [one for one in found if one.task.split == split] for split in ("train", "test")}
    if not (parts["train"] and parts["test"]):
        fractions = {"train": 1.0 - data.held_out, "test": data.held_out}
        items = [Item(one.id, one.task.instruction) for one in found]
        by_id = {one.id: one for one in found}
        split = split_by_instruction(items, fractions)
        parts = {name: [by_id[item.episode] for item in split[name]] for name in ("train", "test")}
    training, held_out = parts["train"], parts["test"]
    if data.episodes and len(training) > data.episodes:
        training = [training[index] for index in sorted(rng.permutation(len(training))[: data.episodes])]
    if not training or not held_out:
        raise ConfigError(
            f"data.store {store.path} has {len(training)} episodes to learn from and {len(held_out)} to measure on:"
            " import more, or change data.held_out"
        )
    return ExpertIds(_ids(training), _ids(held_out), _steps(training), _steps(held_out))


def _ids(found: Sequence[Summary]) -> tuple[str, ...]:
    return tuple(one.id for one in found)


def _steps(found: Sequence[Summary]) -> int:
    return sum(one.steps for one in found)


class StoredTrajectories(Sequence[Trajectory]):
    """Trajectories of a store by their ids, each read when it is asked for."""

    def __init__(self, store: ParquetTrajectoryStore, ids: Sequence[str]) -> None:
        self._store = store
        self.ids = tuple(ids)

    def __len__(self) -> int:
        return len(self.ids)

    @overload
    def __getitem__(self, index: int) -> Trajectory: ...
    @overload
    def __getitem__(self, index: slice) -> StoredTrajectories: ...
    def __getitem__(self, index: int | slice) -> Trajectory | StoredTrajectories:
        if isinstance(index, slice):
            return StoredTrajectories(self._store, self.ids[index])
        return self._store.get(self.ids[index])


class Replays(Sequence[ReplayEnv]):
    """A replay environment of each trajectory, made when it is asked for. Raises EnvError for one that cannot be
    replayed."""

    def __init__(self, experts: Sequence[Trajectory], settings: ReplaySettings) -> None:
        self._experts, self._settings = experts, settings

    def __len__(self) -> int:
        return len(self._experts)

    @overload
    def __getitem__(self, index: int) -> ReplayEnv: ...
    @overload
    def __getitem__(self, index: slice) -> Replays: ...
    def __getitem__(self, index: int | slice) -> ReplayEnv | Replays:
        if isinstance(index, slice):
            return Replays(self._experts[index], self._settings)
        return ReplayEnv(self._experts[index], self._settings)


class States(Sequence[Context]):
    """Every state of trajectories in which an action was taken, read when it is asked for."""

    def __init__(self, trajectories: Sequence[Trajectory], lengths: Sequence[int]) -> None:
        self._trajectories = trajectories
        self._places = [(number, step) for number, length in enumerate(lengths) for step in range(length)]

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> Context: ...
    @overload
    def __getitem__(self, index: slice) -> list[Context]: ...
    def __getitem__(self, index: int | slice) -> Context | list[Context]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        number, step = self._places[index]
        return step_context(self._trajectories[number], step)
