"""Episodes: an environment, a task and decisions become a trajectory."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, Protocol

import tapwise
from tapwise.errors import DeviceError, EnvError, PolicyError, TapwiseError
from tapwise.protocols import Env, Policy, Transition
from tapwise.records import (
    Context,
    Decision,
    End,
    Fault,
    Observation,
    Provenance,
    Step,
    Task,
    Trajectory,
)

Boundary = Literal["device", "policy", "env", "judge"]
OnStep = Callable[[Step], None]


class HostedEnv(Env, Protocol):
    """An environment that can say which device it runs on."""

    @property
    def serial(self) -> str: ...


class Look(NamedTuple):
    """How the screen was when a step looked at it: the newest moment, in seconds after the action, after which it was
    still seen to change, and whether it changed up to the end of the wait."""

    moved_s: float
    moving: bool


class EpisodeRunner:
    """One episode, advanced from outside, so that one policy can serve many of them at once.

    Call `start`, then `advance` with a decision on `context` until `over`; `trajectory` is then the record. A
    deliberate error of the device or the environment aborts the episode instead of passing through; `error`
    keeps it, for whoever looks after the device. `on_step` sees each step once its reward is known.
    """

    def __init__(
        self,
        env: Env,
        task: Task,
        seed: int,
        provenance: Provenance,
        trajectory_id: str | None = None,
        on_step: OnStep | None = None,
    ) -> None:
        self.task = task
        self.error: TapwiseError | None = None
        self.unsettled = 0
        """steps after which the screen did not come to rest within the budget"""
        self.looks: list[Look] = []
        """of each step that told, how the screen was when it was looked at"""
        self._env = env
        self._seed = seed
        self._on_step = on_step
        self._steps: list[Step] = []
        self._observation: Observation | None = None
        self._record = Trajectory(
            id=trajectory_id or uuid.uuid4().hex, task=task, steps=(), end=End.ABORTED, provenance=provenance
        )
        self._over = False

    @property
    def trajectory_id(self) -> str:
        """The id that the trajectory will have."""
        return self._record.id

    @property
    def over(self) -> bool:
        """Whether the episode has ended, in whatever way."""
        return self._over

    @property
    def context(self) -> Context:
        """What the policy is to decide on. Raises EnvError before `start` and after the end."""
        if self._observation is None or self._over:
            raise EnvError(f"the episode {self.trajectory_id} of {self.task.id!r} waits for no decision: {self._state}")
        return Context(self.task, tuple(self._steps), self._observation)

    @property
    def trajectory(self) -> Trajectory:
        """The record of the episode. Raises EnvError before the end."""
        if not self._over:
            raise EnvError(f"the episode {self.trajectory_id} of {self.task.id!r} has not ended: {self._state}")
        return self._record

    def start(self) -> None:
        """Reset the environment."""
        if self._observation is not None or self._over:
            raise EnvError(f"the episode {self.trajectory_id} of {self.task.id!r} cannot start again: {self._state}")
        try:
            self._observation = self._env.reset(self.task, self._seed)
        except TapwiseError as error:
            self.abort(_boundary(error), error)

    def advance(self, decision: Decision) -> None:
        """Carry out the decision on `context`."""
        observation = self.context.observation
        try:
            transition = self._env.step(decision.action)
        except TapwiseError as error:
            self._finish_step(Step(observation, decision))
            self._observation = None  # nobody saw what the action did
            self.abort(_boundary(error), error)
            return
        self.unsettled += transition.info.get("settled") is False
        if isinstance(moved_s := transition.info.get("moved_s"), float):
            self.looks.append(Look(moved_s, transition.info.get("moving") is True))
        self._finish_step(Step(observation, decision, transition.reward))
        self._observation = transition.observation
        if transition.terminated or transition.truncated:
            self._end(transition)

    def abort(self, boundary: Boundary, error: TapwiseError) -> None:
        """End the episode by a fault of ours; a second fault of the same episode changes nothing."""
        if self._over:
            return
        self._over = True
        self.error = error
        fault = Fault(boundary, type(error).__name__, str(error))
        self._record = replace(self._record, steps=tuple(self._steps), final=self._observation, fault=fault)

    def _finish_step(self, step: Step) -> None:
        self._steps.append(step)
        if self._on_step is not None:
            self._on_step(step)

    def _end(self, transition: Transition) -> None:
        self._over = True
        outcome, changes = transition.info.get("outcome"), transition.info.get("changes")
        self._record = replace(
            self._record,
            steps=tuple(self._steps),
            end=End.FINISHED if transition.terminated else End.TRUNCATED,
            final=transition.observation,
            outcome=outcome if isinstance(outcome, bool) else None,
            changes=changes if isinstance(changes, tuple) else None,
        )

    @property
    def _state(self) -> str:
        if self._over:
            return f"it ended as {self._record.end.value}"
        return "call start() first" if self._observation is None else f"{len(self._steps)} steps are done"


def run_episode(
    env: HostedEnv,
    policy: Policy,
    task: Task,
    seed: int,
    *,
    on_step: OnStep | None = None,
    trajectory_id: str | None = None,
    recipe_sha: str = "",
) -> Trajectory:
    """One whole episode on one device, with one policy call per step. Faults end it as ABORTED."""
    provenance = Provenance(policy.name, policy.version, env.serial, seed, recipe_sha, tapwise.__version__)
    runner = EpisodeRunner(env, task, seed, provenance, trajectory_id, on_step)
    runner.start()
    while not runner.over:
        try:
            decision = _decide(policy, runner.context)
        except TapwiseError as error:
            runner.abort("policy", error)
        else:
            runner.advance(decision)
    return runner.trajectory


def _decide(policy: Policy, context: Context) -> Decision:
    decisions = policy.act([context])
    if len(decisions) != 1:
        raise PolicyError(
            f"policy {policy.name!r} gave {len(decisions)} decisions for one context: act must give one for each"
        )
    return decisions[0]


def _boundary(error: TapwiseError) -> Boundary:
    return "device" if isinstance(error, DeviceError) else "env"
