"""Rollouts: a farm, a policy and tasks become trajectories in a store.

Each device acts in a thread of its own, and the policy decides for several of them in one batch. Who shares a batch is
the schedule. "in_turns": two groups take turns, one acts while the policy decides for the other. Which episode meets
which batch is then a function of the jobs alone, so that a run that was killed and goes on collects the very same
trajectories. "free": whoever has come to rest is decided for at once and nobody waits for a slow device, which is what
devices of uneven speed need; a policy that draws from one random generator then gives other episodes each time.

A device that fails costs its own episode, which is recorded as ABORTED and tried again.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import Literal, Protocol, Self

import tapwise
from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import EpisodeRunner
from tapwise.android_env.tasks import Suite
from tapwise.datasets.schema import Summary
from tapwise.emulators.farm import Farm
from tapwise.errors import DeviceError, PolicyError
from tapwise.protocols import Device, Policy
from tapwise.records import Decision, End, Provenance, Step, Task, Trajectory
from tapwise.training.usage import Usage


@dataclass(frozen=True, slots=True)
class Job:
    """One episode to run: `id` names its trajectory."""

    id: str
    task: Task
    seed: int


Schedule = Literal["in_turns", "free"]


@dataclass(frozen=True, slots=True)
class CollectorSettings:
    """How rollouts are made. `attempts` is how often a job whose episode is aborted is tried in all; `schedule` is
    told in the module's head."""

    env: EnvSettings
    attempts: int = 3
    lease_timeout_s: float = 120.0
    recipe_sha: str = ""
    schedule: Schedule = "in_turns"


OnEpisode = Callable[[Trajectory], None]
OnUsage = Callable[[Usage], None]


class EpisodeRecorder(Protocol):
    """Takes an episode as it happens."""

    def step(self, step: Step) -> None: ...

    def finish(self, trajectory: Trajectory) -> None: ...


class EpisodeStore(Protocol):
    """What a collector asks of the store that it records in."""

    def begin(self, trajectory_id: str, task: Task, provenance: Provenance) -> EpisodeRecorder: ...

    def summary(self, trajectory_id: str) -> Summary: ...

    def __contains__(self, trajectory_id: object) -> bool: ...


def free_id(store: EpisodeStore, job_id: str) -> str:
    """Under which id an episode of a job is stored: a new one after each attempt that was aborted, or that of the one
    that was not."""
    trajectory_id, number = job_id, 1
    while trajectory_id in store and store.summary(trajectory_id).end is End.ABORTED:
        number += 1
        trajectory_id = f"{job_id}+{number}"
    return trajectory_id


@dataclass(frozen=True, slots=True)
class _Recording:
    """Where an episode is written: no writer when the very same episode is in the store already."""

    trajectory_id: str
    writer: EpisodeRecorder | None


class _Slot:
    """A leased device with the episode that runs on it."""

    def __init__(self, farm: Farm, suite: Suite, settings: CollectorSettings) -> None:
        self._farm, self._suite, self._settings = farm, suite, settings
        self._lease = ExitStack()
        self._device: Device | None = None
        self._env: AndroidEnv | None = None
        self.runner: EpisodeRunner | None = None
        self.job: Job | None = None
        self.attempt = 0
        self.pending: Future[None] | None = None
        """what the device is doing now"""
        self._rested_s = 0.0
        self._usage = Usage(1)

    def begin(self, job: Job, attempt: int, work: _Work, recording: _Recording) -> None:
        """Lease a device where there is none yet, and reset the environment for the job."""
        started, policy, env = time.monotonic(), work.policy, work.env
        self._usage = work.usage
        if self._device is None:
            self._device = self._lease.enter_context(self._farm.lease(self._settings.lease_timeout_s, job.task.id))
            self._env = None
        else:
            self._farm.use_for(self._device, job.task.id)
        if self._env is None or self._env.settings != env:
            self._env = AndroidEnv(self._device, self._suite, env, on_phase=self._count)
        provenance = Provenance(
            policy.name, policy.version, self._device.serial, job.seed, self._settings.recipe_sha, tapwise.__version__
        )
        on_step: Callable[[Step], None] | None = recording.writer.step if recording.writer else None
        self.job, self.attempt = job, attempt
        self.runner = EpisodeRunner(self._env, job.task, job.seed, provenance, recording.trajectory_id, on_step)
        leased = time.monotonic()
        self.runner.start()
        self._rested_s = time.monotonic()
        work.usage.add("lease", leased - started)
        work.usage.add("reset", self._rested_s - leased)

    def _count(self, phase: str, seconds: float) -> None:
        self._usage.add(phase, seconds)

    def advance(self, decision: Decision) -> None:
        """Carry out the decision on the episode's context."""
        assert self.runner is not None
        self._count("policy", time.monotonic() - self._rested_s)
        self.runner.advance(decision)
        self._rested_s = time.monotonic()

    def settle(self) -> None:
        """Wait until the device is done with what it does. Raises what went wrong beside the episode's own faults."""
        if self.pending is not None:
            pending, self.pending = self.pending, None
            pending.result()

    def finish(self) -> Trajectory:
        """The episode's record; the device goes back to the farm when it failed."""
        runner = self.runner
        assert runner is not None
        self.runner = None
        self._usage.episodes += 1
        self._usage.aborted += runner.trajectory.end is End.ABORTED
        self._usage.steps += len(runner.trajectory.steps)
        self._usage.unsettled += runner.unsettled
        self._usage.watch(runner.looks)
        if runner.error is not None:
            if isinstance(runner.error, DeviceError) and self._device is not None:
                self._farm.report(self._device, runner.error)
            self.release()
        return runner.trajectory

    def release(self) -> None:
        """Give the device back."""
        self._lease.close()
        self._device, self._env = None, None


@dataclass(slots=True)
class _Work:
    """One call of `collect`: what is to do, and what is done."""

    policy: Policy
    waiting: deque[tuple[Job, int]]
    on_episode: OnEpisode
    env: EnvSettings
    usage: Usage
    done: dict[str, Trajectory] = field(default_factory=dict)
    writers: dict[str, EpisodeRecorder] = field(default_factory=dict)


class Collector:
    """Runs jobs on a farm. Finished steps and trajectories go to the store before anything else sees them."""

    def __init__(
        self,
        farm: Farm,
        devices: int,
        suite: Suite,
        store: EpisodeStore,
        settings: CollectorSettings,
        on_usage: OnUsage = lambda _: None,
    ):
        self._slots = [_Slot(farm, suite, settings) for _ in range(devices)]
        self._store = store
        self._settings = settings
        self._on_usage = on_usage
        self._threads = ThreadPoolExecutor(devices, thread_name_prefix="device")
        self._stopped = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give all devices back and end the threads."""
        self._threads.shutdown(wait=True)
        self.give_back()

    def give_back(self) -> None:
        """Give all devices back between two calls of `collect`, for others to lease; the next call leases anew."""
        for slot in self._slots:
            slot.release()

    def stop(self) -> None:
        """Let a `collect` that is under way in another thread end soon: it raises CancelledError. For good."""
        self._stopped.set()

    def collect(
        self,
        policy: Policy,
        jobs: Sequence[Job],
        on_episode: OnEpisode = lambda _: None,
        *,
        with_tree: bool = False,
    ) -> list[Trajectory]:
        """Run all jobs; the trajectories that were not aborted, in the order of the jobs.

        `on_episode` sees every trajectory, aborted ones too. An aborted job is tried again up to the limit, then left
        out. Raises FarmError when no device can be had.
        """
        usage = Usage(len(self._slots))
        work = _Work(policy, deque((job, 1) for job in jobs), on_episode, self._environment(with_tree), usage)
        started = time.monotonic()
        try:
            while work.waiting or any(slot.runner or slot.pending for slot in self._slots):
                for group in self._groups(work):
                    if self._stopped.is_set():
                        raise CancelledError
                    self._turn(group, work)
        finally:
            wait([slot.pending for slot in self._slots if slot.pending is not None])
            usage.wall_s = time.monotonic() - started
            self._on_usage(usage)
        return [work.done[job.id] for job in jobs if job.id in work.done]

    def _groups(self, work: _Work) -> Iterator[Sequence[_Slot]]:
        """Whose turn it is, one group after the other."""
        if self._settings.schedule == "in_turns":
            yield from (self._slots[0::2], self._slots[1::2])
            return
        busy = [slot.pending for slot in self._slots if slot.pending is not None]
        if not any(slot.pending is None and (slot.runner or work.waiting) for slot in self._slots):
            wait(busy, return_when=FIRST_COMPLETED)
        yield [slot for slot in self._slots if slot.pending is None or slot.pending.done()]

    def _environment(self, with_tree: bool) -> EnvSettings:
        return self._settings.env.model_copy(update={"with_tree": with_tree})

    def _turn(self, group: Sequence[_Slot], work: _Work) -> None:
        """Let a group's devices come to rest, decide for them, and set them off again."""
        for slot in group:
            slot.settle()
            if slot.runner is not None and slot.runner.over:
                self._finish(slot, work)
        ready = [slot for slot in group if slot.runner is not None]
        for slot in group:
            if slot.runner is None and work.waiting:
                self._begin(slot, work)
        self._decide(ready, work)

    def _begin(self, slot: _Slot, work: _Work) -> None:
        job, attempt = work.waiting.popleft()
        recording = self._record(job, work.policy)
        if recording.writer is not None:
            work.writers[recording.trajectory_id] = recording.writer
        slot.pending = self._threads.submit(slot.begin, job, attempt, work, recording)

    def _finish(self, slot: _Slot, work: _Work) -> None:
        assert slot.job is not None
        trajectory = slot.finish()
        writer = work.writers.pop(trajectory.id, None)
        if writer is not None:
            writer.finish(trajectory)
        work.on_episode(trajectory)
        if trajectory.end is not End.ABORTED:
            work.done[slot.job.id] = trajectory
        elif slot.attempt < self._settings.attempts:
            work.waiting.append((slot.job, slot.attempt + 1))

    def _decide(self, slots: Sequence[_Slot], work: _Work) -> None:
        runners = [slot.runner for slot in slots if slot.runner is not None]
        if not runners:
            return
        started = time.monotonic()
        try:
            decisions: list[Decision] = work.policy.act([runner.context for runner in runners])
        except PolicyError as error:
            for runner in runners:
                runner.abort("policy", error)
            return
        finally:
            work.usage.policy_s += time.monotonic() - started
            work.usage.policy_calls += 1
            work.usage.decisions += len(runners)
        for slot, decision in zip(slots, decisions, strict=True):
            slot.pending = self._threads.submit(slot.advance, decision)

    def _record(self, job: Job, policy: Policy) -> _Recording:
        """Where the episode is stored."""
        trajectory_id = free_id(self._store, job.id)
        if trajectory_id in self._store:
            return _Recording(trajectory_id, None)
        provenance = Provenance(
            policy.name, policy.version, "", job.seed, self._settings.recipe_sha, tapwise.__version__
        )
        return _Recording(trajectory_id, self._store.begin(trajectory_id, job.task, provenance))
