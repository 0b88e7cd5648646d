"""`collect` over the nodes of a Ray cluster.

The driver alone writes the store. Nodes are given jobs in batches and answer with each trajectory as it ends. When a
worker or its node is lost, what it had is recorded as aborted and handed out anew; an answer that comes after that,
from a node that was only cut off, finds its job taken and is dropped. Which node plays which job is a matter of speed,
and the seeds of phones and tasks are the jobs' own.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

import tapwise
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.errors import ConfigError, FarmError
from tapwise.protocols import Device, Policy
from tapwise.records import End, Fault, Provenance, Trajectory
from tapwise.training.cluster.job_table import JobTable
from tapwise.training.cluster.members import ClusterLimits, Lost, Member, Members
from tapwise.training.cluster.policy_plan import Weights, plan_of
from tapwise.training.collect import CollectorSettings, Job, OnEpisode, OnUsage, free_id
from tapwise.training.recipes import BaseRecipe
from tapwise.training.usage import Usage

_POLL_S = 0.05


class ClusterCollector:
    """Runs jobs on the nodes of the cluster that this process is connected to. Use as a context manager."""

    def __init__(
        self,
        recipe: BaseRecipe,
        store: ParquetTrajectoryStore,
        settings: CollectorSettings,
        on_usage: OnUsage = lambda _: None,
        limits: ClusterLimits | None = None,
    ) -> None:
        self._devices = recipe.farm.devices
        self._store, self._settings, self._on_usage = store, settings, on_usage
        self._limits = limits or ClusterLimits()
        self._members = Members(recipe, settings, self._limits)
        self._stopped = threading.Event()
        self.weights = Weights()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the workers and their devices."""
        self._members.close()

    @contextmanager
    def lend(self, task: str) -> Iterator[Device]:
        """Never: the devices are elsewhere. Raises ConfigError."""
        raise ConfigError(f"{task}: this needs a device of this machine; leave farm.ray out")
        yield

    def stop(self) -> None:
        """Let a `collect` that is under way in another thread end soon: it raises CancelledError. For good."""
        self._stopped.set()

    def status(self) -> list[DeviceStatus]:
        """Every device of every node, as its worker last told."""
        return self._members.status()

    def fetched(self) -> dict[str, tuple[int, ...]]:
        """The versions of weights that each node's worker has fetched, in order."""
        living = self._members.living()
        return {member.node: member.status.fetched for member in living if member.status is not None}

    def collect(
        self,
        policy: Policy,
        jobs: Sequence[Job],
        on_episode: OnEpisode = lambda _: None,
        *,
        with_tree: bool = False,
    ) -> list[Trajectory]:
        """Run all jobs; the trajectories that were not aborted, in the order of the jobs.

        `on_episode` sees every trajectory, aborted ones too. What the store holds already is not played again. Raises
        FarmError when no node has a worker for long, and ConfigError for a policy that cannot travel.
        """
        plan = plan_of(policy, self.weights)
        call = _Call(self._members, self._store, self._settings, on_episode, policy)
        known = {job.id: stored for job in jobs if (stored := self._known(job)) is not None}
        for trajectory in known.values():
            on_episode(trajectory)
        table = JobTable(jobs, self._settings.attempts, known)
        started = answered = time.monotonic()
        self._members.forgive_silence()
        try:
            while not table.over:
                if self._stopped.is_set():
                    raise CancelledError
                self._members.place()
                living = self._members.living()
                moved = False
                for member in living:
                    moved |= call.hear(member, table)
                    if member.idle and table.waiting:
                        batch = table.hand_out(member.name, len(living), self._devices)
                        self._members.play(member, batch, plan, with_tree)
                if moved or any(member.status is not None for member in self._members.living()):
                    answered = time.monotonic()
                elif time.monotonic() - answered > self._limits.nobody_s:
                    raise FarmError(
                        f"no node of the cluster has had a worker for {self._limits.nobody_s:g} s; the last said:"
                        f" {self._members.last_error or 'nothing'}. What was recorded is kept: start the run again"
                    )
                if not moved:
                    self._stopped.wait(_POLL_S)
        finally:
            call.usage.wall_s = time.monotonic() - started
            self._on_usage(call.usage)
        return table.found()

    def _known(self, job: Job) -> Trajectory | None:
        """The episode of a job that an earlier run has played to its end."""
        name = free_id(self._store, job.id)
        return self._store.get(name) if name in self._store else None


class _Call:
    """One call of `collect`: takes in what workers say, and what becomes of those that say nothing more."""

    def __init__(
        self,
        members: Members,
        store: ParquetTrajectoryStore,
        settings: CollectorSettings,
        on_episode: OnEpisode,
        policy: Policy,
    ) -> None:
        self._members, self._store, self._settings = members, store, settings
        self._on_episode, self._policy = on_episode, policy
        self.usage = Usage(0)

    def hear(self, member: Member, table: JobTable) -> bool:
        """Whether a worker had something to say."""
        try:
            heard = self._members.listen(member)
        except Lost as error:
            self._members.give_up(member, str(error))
            self._abort(table.lose(member.name), str(error))
            return True
        for one in heard:
            if isinstance(one, Usage):
                self.usage.merge(one)
            else:
                self._answer(member, table, one)
        if member.idle:
            table.lose(member.name)  # what it was given and did not answer for
        return bool(heard)

    def _answer(self, member: Member, table: JobTable, played: Trajectory) -> None:
        device = f"{member.node}/{played.provenance.device}"
        name = free_id(self._store, played.id)
        kept = replace(played, id=name, provenance=replace(played.provenance, device=device))
        if table.answer(member.name, played.id, kept):
            self._store.append(kept)
            self._on_episode(kept)

    def _abort(self, jobs: Sequence[Job], why: str) -> None:
        for job in jobs:
            provenance = Provenance(
                self._policy.name, self._policy.version, "", job.seed, self._settings.recipe_sha, tapwise.__version__
            )
            fault = Fault("device", "WorkerLost", why)
            record = Trajectory(free_id(self._store, job.id), job.task, (), End.ABORTED, provenance, fault=fault)
            self._store.append(record)
            self.usage.episodes += 1
            self.usage.aborted += 1
            self._on_episode(record)
