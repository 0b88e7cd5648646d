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
    current policy whether that policy would do it. Raises ValueError when `rollouts` is below 1.
    """

    def __init__(self, env: AndroidEnv, policy: Policy, rollouts: int = 4) -> None:
        if rollouts < 1:
            raise ValueError(f"rollouts is {rollouts}: a share needs at least one")
        self.env = env
        self._policy = policy
        self._rollouts = rollouts

    @property
    def source(self) -> str:
        """Its name in labels."""
        return f"fork:{self._policy.name}"

    def value(self, context: Context, action: Action) -> ForkValue:
        """The value of `action` in the state that the environment is in, of which `context` is the record.

        Afterwards the environment is in that state again. A rollout in which the policy is at a loss is no success.
        Raises EnvError when no episode is under way, and DeviceError when the phone cannot be brought back.
        """
        state = self.env.save_state(SNAPSHOT)
        successes = rollouts = faults = 0
        try:
            for _ in range(1 if isinstance(action, Finish) else self._rollouts):
                success = self._rollout(state, context, action)
                faults += success is None
                rollouts += success is not None
                successes += bool(success)
        finally:
            self.env.load_state(state)
        return ForkValue(successes, rollouts, faults)

    def _rollout(self, state: EpisodeState, context: Context, action: Action) -> bool | None:
        self.env.load_state(state)
        history, observation = list(context.history), context.observation
        decision = Decision(action, text="")
        try:
            while True:
                transition = self.env.step(decision.action)
                history.append(Step(observation, decision, transition.reward))
                observation = transition.observation
                if transition.terminated or transition.truncated:
                    return transition.reward > 0
                (decision,) = self._policy.act([Context(context.task, tuple(history), observation)])
        except PolicyError:
            return False
        except TapwiseError:
            return None

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
            for action in (own, *others):
                value = self.value(context, action)
                place = runner.trajectory_id, len(context.history)
                labels.append(
                    StepLabel(*place, value.share, self.source, value.describe(), None if action == own else action)
                )
            runner.advance(decision)
        return runner.trajectory, labels
