"""Rollouts over a farm: order, batching, and what becomes of an episode whose device fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.android_env.env import EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessBackend, InProcessDevice, InProcessPhone
from tapwise.emulators.farm import Farm
from tapwise.records import Context, Decision, End, Task, Trajectory
from tapwise.training.collect import Collector, CollectorSettings, Job, Schedule


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("general")


@pytest.fixture
def farm() -> Iterator[Farm]:
    with Farm(InProcessBackend(), 2) as farm:
        farm.wait_ready()
        yield farm


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ParquetTrajectoryStore]:
    with ParquetTrajectoryStore(tmp_path / "store", sync="never") as store:
        yield store


def jobs(suite: Suite, count: int) -> list[Job]:
    tasks: Sequence[Task] = suite.sample(np.random.default_rng(3), "train", count)
    return [Job(f"job-{n}", task, n) for n, task in enumerate(tasks)]


def outline(trajectories: Sequence[Trajectory]) -> list[tuple[str, list[str], bool | None]]:
    return [(t.id, [repr(s.decision.action) for s in t.steps], t.outcome) for t in trajectories]


schedules = pytest.mark.parametrize("schedule", ["in_turns", "free"])


@schedules
def test_jobs_come_back_in_order_and_are_stored(
    farm: Farm, suite: Suite, store: ParquetTrajectoryStore, schedule: Schedule
) -> None:
    with Collector(farm, 2, suite, store, CollectorSettings(EnvSettings(), schedule=schedule)) as collector:
        found = collector.collect(ScriptedExpert(suite), jobs(suite, 5), with_tree=True)
    assert [t.id for t in found] == [f"job-{n}" for n in range(5)]
    assert all(t.outcome for t in found)
    assert sorted(store.ids()) == sorted(t.id for t in found)


class Slow:
    """A device that takes its time for one task's taps until told to go on; everything else passes through."""

    def __init__(self, device: InProcessDevice, gate: threading.Event, victim: Callable[[], bool]) -> None:
        self._device, self._gate, self._victim = device, gate, victim

    def __getattr__(self, name: str) -> Any:
        return getattr(self._device, name)

    def press(self, keycode: str) -> None:
        if self._victim():
            assert self._gate.wait(30)
        self._device.press(keycode)


class SlowBackend(InProcessBackend):
    """In-process phones; the first one blocks in every reset until `gate` is set."""

    def __init__(self, gate: threading.Event) -> None:
        super().__init__()
        self._gate = gate

    def boot(self, index: int, timeout_s: float) -> InProcessPhone:
        phone = super().boot(index, timeout_s)
        phone._device = Slow(phone.device, self._gate, lambda: index == 0)  # type: ignore[assignment]
        return phone


def test_without_turns_nobody_waits_for_a_slow_device(suite: Suite, store: ParquetTrajectoryStore) -> None:
    gate = threading.Event()
    todo = jobs(suite, 6)
    seen: list[Trajectory] = []

    def see(trajectory: Trajectory) -> None:
        seen.append(trajectory)
        if len(seen) == len(todo) - 1:  # all but the slow device's; only now may that one go on
            gate.set()

    settings = CollectorSettings(EnvSettings(), schedule="free")
    with Farm(SlowBackend(gate), 2) as farm, Collector(farm, 2, suite, store, settings) as collector:
        farm.wait_ready(30)
        found = collector.collect(ScriptedExpert(suite), todo, see, with_tree=True)
    assert [t.id for t in found] == [job.id for job in todo]
    assert all(t.outcome for t in found)
    assert len({t.provenance.device for t in found}) == 2


def test_the_same_jobs_again_give_the_same_episodes_and_store_nothing_twice(
    farm: Farm, suite: Suite, store: ParquetTrajectoryStore
) -> None:
    with Collector(farm, 2, suite, store, CollectorSettings(EnvSettings())) as collector:
        first = collector.collect(ScriptedExpert(suite), jobs(suite, 3), with_tree=True)
        again = collector.collect(ScriptedExpert(suite), jobs(suite, 3), with_tree=True)
    assert outline(first) == outline(again)
    assert len(store) == 3


def test_a_collector_that_is_stopped_ends_what_is_under_way(
    farm: Farm, suite: Suite, store: ParquetTrajectoryStore
) -> None:
    with Collector(farm, 2, suite, store, CollectorSettings(EnvSettings())) as collector:
        with pytest.raises(CancelledError):
            collector.collect(ScriptedExpert(suite), jobs(suite, 4), lambda _: collector.stop(), with_tree=True)
        assert 1 <= len(store) < 4


class Saboteur:
    """An expert whose hands break the device under one episode, once."""

    name, version = "saboteur", 0

    def __init__(self, suite: Suite, farm: Farm, victim: str) -> None:
        self._expert, self._farm, self._victim = ScriptedExpert(suite), farm, victim
        self.done = False

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        for context in contexts:
            if not self.done and context.task.id == self._victim and len(context.history) == 1:
                self.done = True
                for status in self._farm.status():
                    if status.task == self._victim:
                        device = next(
                            s.booted.device
                            for s in self._farm._supervisors
                            if s.booted and s.status().task == status.task
                        )
                        device.close()  # type: ignore[attr-defined]
        return self._expert.act(contexts)


@schedules
def test_a_lost_device_costs_one_episode_which_is_tried_again(
    farm: Farm, suite: Suite, store: ParquetTrajectoryStore, schedule: Schedule
) -> None:
    todo = jobs(suite, 4)
    saboteur = Saboteur(suite, farm, todo[0].task.id)
    seen: list[Trajectory] = []
    with Collector(farm, 2, suite, store, CollectorSettings(EnvSettings(), schedule=schedule)) as collector:
        found = collector.collect(saboteur, todo, seen.append, with_tree=True)
    assert saboteur.done
    lost = [t for t in seen if t.end is End.ABORTED]
    assert [(t.id, t.fault.boundary) for t in lost if t.fault] == [("job-0", "device")]
    assert not any(t.trainable for t in lost)
    assert [t.task.id for t in found] == [job.task.id for job in todo]
    assert found[0].id == "job-0+2"
    assert store.summary("job-0").end is End.ABORTED
