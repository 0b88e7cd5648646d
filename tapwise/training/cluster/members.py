"""The workers of a cluster, one on each node: placed, asked, given up and placed again."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import tapwise
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.errors import ConfigError
from tapwise.records import Trajectory
from tapwise.training.cluster.policy_plan import PolicyPlan
from tapwise.training.cluster.worker import NodeStatus, RolloutWorker
from tapwise.training.collect import CollectorSettings, Job
from tapwise.training.recipes import BaseRecipe
from tapwise.training.usage import Usage

_AT_ONCE = {"asked": 2}
"""a worker answers how it is, and closes, while it plays"""
_BEAT_S = 1.0
_FETCH_S = 0.5
"""how long the driver waits for one answer to come over before it looks after others"""
_LONGEST_CAUSE = 160
"""characters; what follows is advice"""


@dataclass(frozen=True, slots=True)
class ClusterLimits:
    """How patient a cluster's driver is. Times in seconds."""

    start_timeout_s: float = 180.0
    """a worker that has not said that it is there after this long is given up"""
    silence_s: float = 60.0
    """so is one that does not say how it is"""
    first_retry_s: float = 1.0
    """wait before a node whose worker was lost gets another; doubled with each further one, up to `longest_retry_s`"""
    longest_retry_s: float = 30.0
    """see `first_retry_s`"""
    nobody_s: float = 180.0
    """a driver that has no worker for this long gives up"""
    close_s: float = 30.0
    """time in which workers may end their devices before they are killed"""


@dataclass(slots=True)
class Member:
    """A worker on a node. `node` is its address with the start of its id, and `heard_s` when it last said something, by
    the monotonic clock."""

    name: str
    node: str
    node_id: str
    actor: Any
    heard_s: float
    status: NodeStatus | None = None
    """None until it has said that it is there"""
    beat: Any = None
    """the question how it is, while it is open"""
    asked_s: float = 0.0
    stream: Any = None
    """what it is playing, or None"""
    arriving: list[Any] = field(default_factory=list)
    """answers that are told of and not here yet"""

    @property
    def idle(self) -> bool:
        """Whether it is there and has nothing to do."""
        return self.status is not None and self.stream is None and not self.arriving


class Lost(Exception):
    """A worker will not answer any more."""


class Members:
    """Keeps a worker on every living node that has a processor for it."""

    def __init__(self, recipe: BaseRecipe, settings: CollectorSettings, limits: ClusterLimits) -> None:
        import ray

        self._ray: Any = ray
        self._recipe, self._limits = recipe, limits
        self._settings = replace(settings, attempts=1)
        self._members: dict[str, Member] = {}
        self._retries: dict[str, tuple[int, float]] = {}
        self._placed = 0
        self.last_error = ""

    def living(self) -> list[Member]:
        """All workers that were placed and not lost."""
        return list(self._members.values())

    def status(self) -> list[DeviceStatus]:
        """Every device that a worker last told of, named by its node."""
        return [
            replace(device, serial=f"{member.node}/{device.serial}")
            for member in self.living()
            if member.status is not None
            for device in member.status.devices
        ]

    def forgive_silence(self) -> None:
        """Count from now on: nobody has listened for a while."""
        for member in self.living():
            member.heard_s = time.monotonic()

    def place(self) -> None:
        """Place a worker on each node that has none and whose time to be tried again has come."""
        taken, now = {member.node_id for member in self.living()}, time.monotonic()
        for node in self._ray.nodes():
            node_id = node["NodeID"]
            able = node["Alive"] and node["Resources"].get("CPU", 0) >= 1 and node_id not in taken
            if able and now >= self._retries.get(node_id, (0, 0.0))[1]:
                self._place_on(f"{node['NodeManagerAddress']}~{node_id[:6]}", node_id)

    def _place_on(self, node: str, node_id: str) -> None:
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        where = NodeAffinitySchedulingStrategy(node_id, soft=False)
        make = self._ray.remote(concurrency_groups=_AT_ONCE, max_restarts=0, max_task_retries=0)
        actor = make(RolloutWorker).options(num_cpus=1, scheduling_strategy=where)
        self._placed += 1
        name = f"{node}#{self._placed}"
        self._members[name] = Member(name, node, node_id, actor.remote(self._recipe, self._settings), time.monotonic())

    def play(self, member: Member, jobs: Sequence[Job], plan: PolicyPlan, with_tree: bool) -> None:
        """Give a worker something to do."""
        member.stream = member.actor.play.options(num_returns="streaming").remote(list(jobs), plan, with_tree)

    def listen(self, member: Member) -> list[Trajectory | Usage]:
        """What has arrived from a worker by now; returns at once.

        Raises Lost when it is dead, has failed, or has been silent for too long, and ConfigError when another version
        of tapwise runs on its node.
        """
        try:
            heard = self._hear(member)
        except self._ray.exceptions.RayError as error:
            raise Lost(f"worker on {member.node}: {_cause(error)}") from error
        patience = self._limits.silence_s if member.status is not None else self._limits.start_timeout_s
        if time.monotonic() - member.heard_s > patience:
            raise Lost(f"worker on {member.node} has said nothing for {patience:g} s")
        return heard

    def _hear(self, member: Member) -> list[Trajectory | Usage]:
        now = time.monotonic()
        if member.beat is None and now - member.asked_s >= _BEAT_S:
            member.beat, member.asked_s = member.actor.status.options(concurrency_group="asked").remote(), now
        if member.beat is not None and self._here(member.beat):
            answer, member.beat = member.beat, None
            member.status = self._ray.get(answer)
            member.heard_s = now
            self._check(member.node, member.status)
            self._retries.pop(member.node_id, None)
        while member.stream is not None and self._here(member.stream):
            try:
                member.arriving.append(next(member.stream))
            except StopIteration:
                member.stream = None
        heard: list[Trajectory | Usage] = []
        while member.arriving:
            try:
                heard.append(self._ray.get(member.arriving[0], timeout=_FETCH_S))
            except self._ray.exceptions.GetTimeoutError:
                break
            member.arriving.pop(0)
            member.heard_s = now
        return heard

    def _here(self, reference: Any) -> bool:
        """Whether an answer is told of. It is not brought here: a wait that ends at once would break that off again."""
        ready, _ = self._ray.wait([reference], timeout=0, fetch_local=False)
        return bool(ready)

    @staticmethod
    def _check(node: str, status: NodeStatus | None) -> None:
        if status is not None and status.tapwise != tapwise.__version__:
            raise ConfigError(
                f"node {node} runs tapwise {status.tapwise}, this machine {tapwise.__version__}: install one version"
            )

    def give_up(self, member: Member, why: str) -> None:
        """Forget a worker; its node gets another after a while."""
        self.last_error = why
        del self._members[member.name]
        lost = self._retries.get(member.node_id, (0, 0.0))[0]
        wait_s = min(self._limits.first_retry_s * 2**lost, self._limits.longest_retry_s)
        self._retries[member.node_id] = (lost + 1, time.monotonic() + wait_s)
        self._kill(member)

    def close(self) -> None:
        """Let the workers end their devices, then end them."""
        members = self.living()
        ends = [member.actor.close.options(concurrency_group="asked").remote() for member in members]
        if ends:
            self._ray.wait(ends, num_returns=len(ends), timeout=self._limits.close_s)
        for member in members:
            self._kill(member)
        self._members.clear()

    def _kill(self, member: Member) -> None:
        try:
            self._ray.kill(member.actor, no_restart=True)
        except (self._ray.exceptions.RayError, ValueError):
            self.last_error = self.last_error or f"worker on {member.node} was gone already"


def _cause(error: Exception) -> str:
    """The line of Ray's long messages that tells the reason."""
    inner = getattr(error, "cause", None) or error
    lines = [line.strip() for line in str(inner).splitlines() if line.strip()]
    return f"{type(inner).__name__}: {lines[-1][:_LONGEST_CAUSE] if lines else 'no reason given'}"
