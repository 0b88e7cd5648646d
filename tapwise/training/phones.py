"""The phones of a recipe and what collects on them: on this machine, or on the nodes of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

from tapwise.android_env.tasks import Suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.protocols import Device, Policy
from tapwise.records import Trajectory
from tapwise.training.collect import Collector, CollectorSettings, Job, OnEpisode, OnUsage
from tapwise.training.farms import make_farm
from tapwise.training.recipes import BaseRecipe


class EpisodeCollector(Protocol):
    """Runs jobs, wherever the devices are; see `Collector` and `ClusterCollector`."""

    def collect(
        self, policy: Policy, jobs: Sequence[Job], on_episode: OnEpisode = ..., *, with_tree: bool = False
    ) -> list[Trajectory]: ...

    def stop(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Phones:
    """Where episodes are collected, how the devices are, `lend(task)`: one of them for other work than that, and how
    many wait for one."""

    collector: EpisodeCollector
    status: Callable[[], list[DeviceStatus]]
    lend: Callable[[str], AbstractContextManager[Device]]
    waiting: Callable[[], int] = lambda: 0


@contextmanager
def open_phones(
    recipe: BaseRecipe,
    suite: Suite,
    store: ParquetTrajectoryStore,
    settings: CollectorSettings,
    on_usage: OnUsage = lambda _: None,
) -> Iterator[Phones]:
    """A recipe's phones, with at least one of them ready. Raises FarmError when none can be had."""
    if recipe.farm.ray:
        from tapwise.training.cluster.collector import ClusterCollector
        from tapwise.training.cluster.connection import connected

        with connected(recipe.farm.ray), ClusterCollector(recipe, store, settings, on_usage) as cluster:
            yield Phones(cluster, cluster.status, cluster.lend)
        return
    with make_farm(recipe.farm) as farm:
        farm.wait_ready(count=1)
        with Collector(farm, recipe.farm.devices, suite, store, settings, on_usage) as collector:

            @contextmanager
            def lend(task: str) -> Iterator[Device]:
                collector.give_back()
                with farm.lease(task=task) as device:
                    yield device

            yield Phones(collector, farm.status, lend, farm.waiting)
