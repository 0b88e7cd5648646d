"""What runs on a node: devices of its own, and the policy as the driver sends it."""

from __future__ import annotations

import queue
import zlib
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import tapwise
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.records import Provenance, Step, Task, Trajectory
from tapwise.training.cluster.policy_plan import PolicyBuilder, PolicyPlan
from tapwise.training.collect import Collector, CollectorSettings, Job
from tapwise.training.farms import make_farm
from tapwise.training.recipes import BaseRecipe
from tapwise.training.suites import suite_of
from tapwise.training.usage import Usage


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """A node's devices at one moment, the versions of weights that it has fetched, and what it runs."""

    devices: tuple[DeviceStatus, ...]
    fetched: tuple[int, ...]
    tapwise: str


class _Unkept:
    """Where nodes keep episodes: nowhere. They go to the driver, which alone writes."""

    def begin(self, trajectory_id: str, task: Task, provenance: Provenance) -> _Unkept:
        return self

    def step(self, step: Step) -> None:
        pass

    def finish(self, trajectory: Trajectory) -> None:
        pass

    def __contains__(self, trajectory_id: object) -> bool:
        return False

    def summary(self, trajectory_id: str) -> Any:
        raise KeyError(trajectory_id)


class RolloutWorker:
    """Plays jobs on a farm of this node. Ray makes an actor of it; nothing in it knows of Ray.

    Each job is tried once: the driver decides about further attempts, here or elsewhere.
    """

    def __init__(self, recipe: BaseRecipe, settings: CollectorSettings) -> None:
        self._stack = ExitStack()
        self._usage: Usage | None = None
        suite = suite_of(recipe)
        self._policies = PolicyBuilder(recipe.policy, suite, recipe.threads)
        self._farm = self._stack.enter_context(make_farm(recipe.farm))
        self._threads = self._stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="collect"))
        self._collector = self._stack.enter_context(
            Collector(self._farm, recipe.farm.devices, suite, _Unkept(), settings, self._keep_usage)
        )

    def play(self, jobs: list[Job], plan: PolicyPlan, with_tree: bool) -> Iterator[Trajectory | Usage]:
        """Each trajectory as soon as its episode has ended, then what the devices' time went into."""
        ended: queue.SimpleQueue[Trajectory | None] = queue.SimpleQueue()
        policy = self._policies.build(plan, zlib.crc32(",".join(job.id for job in jobs).encode()))
        work: Future[list[Trajectory]] = self._threads.submit(
            self._collector.collect, policy, jobs, ended.put, with_tree=with_tree
        )
        work.add_done_callback(lambda _: ended.put(None))
        while (trajectory := ended.get()) is not None:
            yield trajectory
        work.result()
        if self._usage is not None:
            yield self._usage

    def status(self) -> NodeStatus:
        """How the node is; answered while `play` is under way."""
        return NodeStatus(tuple(self._farm.status()), tuple(self._policies.fetched), tapwise.__version__)

    def close(self) -> None:
        """End what is played, and the devices."""
        self._collector.stop()
        self._stack.close()

    def _keep_usage(self, usage: Usage) -> None:
        self._usage = usage
