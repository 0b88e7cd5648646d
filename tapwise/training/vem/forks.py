"""True values of actions: go on from one state in several ways, and count how often it ends well.

A virtual phone is a value. At any state of an episode it is kept, an action is carried out, a policy finishes the
episode, and the phone is brought back. The share of successes is the action's value under that policy, with no model
that guesses it. VEM and its relatives have nothing of the kind: their labels are a model's opinion.

What the world does is part of the phone's state, so a policy without chance meets the same future each time: one
rollout is then exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import tapwise
from tapwise.android_env.env import AndroidEnv, EpisodeState
from tapwise.android_env.episode import EpisodeRunner
from tapwise.errors import PolicyError, TapwiseError
from tapwise.evaluator.statistics import wilson_interval
from tapwise.protocols import Policy
from tapwise.records import Action, Context, Decision, Finish, Provenance, Step, Task, Trajectory
from tapwise.training.vem.labels import StepLabel

SNAPSHOT = "tapwise_fork"

Alternatives = Callable[[Context, Action], Sequence[Action]]
"""Other actions to try in a state, from the state and the action that is taken there."""


@dataclass(frozen=True, slots=True)
class ForkValue:
    """How often an action led to success. `faults` are rollouts that our own faults ended: they do not count."""

    successes: int
    rollouts: int
    faults: int = 0

    @property
    def share(self) -> float | None:
        """Share of successes; None when no rollout came to its end."""
        return self.successes / self.rollouts if self.rollouts else None

    def describe(self) -> str:
        """The counts, with the 95 % Wilson interval of the share."""
        if not self.rollouts:
            return f"all {self.faults} rollouts were ended by faults"
        low, high = wilson_interval(self.successes, self.rollouts)
        return f"{self.successes} of {self.rollouts} rollouts succeeded, 95 % interval {low:.2f} to {high:.2f}"


class ForkedStates:
    """Values of actions in the state that an environment is in.

    `policy` finishes the episodes: with an expert's script the value says whether the task can still be done, with the
    current policy whether that policy would do it. With `no_detour` only those rollouts count as successes that take
    no step more than the policy would have needed from the state itself: with an expert's script the value then says
    whether the action brings the goal nearer, for an expert mends nearly everything in the end. In a state from which
    the policy does not succeed there is no such number, and every success counts.
    Raises ValueError when `rollouts` is below 1.
    """

    def __init__(self, env: AndroidEnv, policy: Policy, rollouts: int = 4, *, no_detour: bool = False) -> None:
        if rollouts < 1:
            raise ValueError(f"rollouts is {rollouts}: a share needs at least one")
        self.env = env
        self._policy = policy
        self._rollouts = rollouts
        self._no_detour = no_detour

    @property
    def source(self) -> str:
        """Its name in labels."""
        return f"{'progress' if self._no_detour else 'fork'}:{self._policy.name}"

    def value(self, context: Context, action: Action, limit: int | None = None) -> ForkValue:
        """The value of `action` in the state that the environment is in, of which `context` is the record.

        Successes after more than `limit` steps, the action among them, count as failures. Afterwards the environment
        is in that state again. A rollout in which the policy is at a loss is no success.
        Raises EnvError when no episode is under way, and DeviceError when the phone cannot be brought back.
        """
        state = self.env.save_state(SNAPSHOT)
        successes = rollouts = faults = 0
        try:
            for _ in range(1 if isinstance(action, Finish) else self._rollouts):
                success, _ = self._rollout(state, context, action, limit)
                faults += success is None
                rollouts += success is not None
                successes += bool(success)
        finally:
            self.env.load_state(state)
        return ForkValue(successes, rollouts, faults)

    def steps_needed(self, context: Context) -> int | None:
        """How many steps the policy takes to success from the state that the environment is in; None for no success.

        Raises as `value` does.
        """
        state = self.env.save_state(SNAPSHOT)
        try:
            success, steps = self._rollout(state, context, None, None)
        finally:
            self.env.load_state(state)
        return steps if success else None

    def _rollout(
        self, state: EpisodeState, context: Context, action: Action | None, limit: int | None
    ) -> tuple[bool | None, int]:
        """Success of a rollout, None for a fault, and its steps. Without an action the policy takes the first one."""
        self.env.load_state(state)
        history, observation = list(context.history), context.observation
        decision = None if action is None else Decision(action, text="")
        steps = 0
        try:
            while limit is None or steps < limit:
                if decision is None:
                    (decision,) = self._policy.act([Context(context.task, tuple(history), observation)])
                transition = self.env.step(decision.action)
                steps += 1
                if transition.terminated or transition.truncated:
                    return transition.reward > 0, steps
                history.append(Step(observation, decision, transition.reward))
                observation, decision = transition.observation, None
        except PolicyError:
            return False, steps
        except TapwiseError:
            return None, steps
        return False, steps

    def label_episode(
        self,
        behaviour: Policy,
        task: Task,
        seed: int,
        alternatives: Alternatives,
        trajectory_id: str | None = None,
    ) -> tuple[Trajectory, list[StepLabel]]:
        """One episode of `behaviour`, with the value of each of its actions, and of the alternatives, in every state.

        The episode takes its course as if there had been no forks. Labels of states whose rollouts all failed by our
        own fault are abstentions.
        """
        provenance = Provenance(behaviour.name, behaviour.version, self.env.serial, seed, tapwise=tapwise.__version__)
        runner = EpisodeRunner(self.env, task, seed, provenance, trajectory_id)
        labels: list[StepLabel] = []
        runner.start()
        while not runner.over:
            context = runner.context
            try:
                (decision,) = behaviour.act([context])
            except PolicyError as error:
                runner.abort("policy", error)
                break
            own = decision.action
            others = [action for action in dict.fromkeys(alternatives(context, own)) if action != own]
            limit = self.steps_needed(context) if self._no_detour else None
            for action in (own, *others):
                value = self.value(context, action, limit)
                place = runner.trajectory_id, len(context.history)
                labels.append(
                    StepLabel(*place, value.share, self.source, value.describe(), None if action == own else action)
                )
            runner.advance(decision)
        return runner.trajectory, labels
