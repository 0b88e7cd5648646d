"""Episodes whose outcome is known beforehand: an expert's, and experts' that are led astray in one way each.

They are what a judge is tried on. Each kind says what it looks like; whether it is so is read from the phone's state,
and an episode that came out otherwise is not used.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tapwise.android_env.env import AndroidEnv
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.linting import Linter, last_effective
from tapwise.errors import PolicyError
from tapwise.records import Action, Context, Decision, End, Finish, Task, Trajectory, Wait

KINDS: dict[str, str] = {
    "success": "the expert's own episode",
    "failure": "half of the way, then giving up or waiting until the step limit",
    "near miss": "all of the way but its last step, then a claim of success",
    "false completion": "a claim of success after doing the same for something else, or a part of the way",
    "side effect": "what was asked for and then the same for something else, which the task did not ask for",
}
"""kinds of episodes, in words; of all but the first the outcome is failure"""


class _Mutant:
    """The expert, but for what `act` decides otherwise."""

    version = 0

    def __init__(self, expert: ScriptedExpert, name: str, decide: Callable[[Context], Action | None]) -> None:
        self.name = f"testbed:{name}"
        self._expert, self._decide = expert, decide

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        return [self._one(context) for context in contexts]

    def _one(self, context: Context) -> Decision:
        action = self._decide(context)
        return self._expert.act([context])[0] if action is None else Decision(action, "")


class MutantMaker:
    """Makes episodes on an environment whose observations have trees."""

    def __init__(self, env: AndroidEnv) -> None:
        self._env = env
        self._expert = ScriptedExpert(env.suite)
        self._linter = Linter(env)

    def make(self, kind: str, task: Task, seed: int, rng: np.random.Generator) -> Trajectory | None:
        """An episode of a kind of `KINDS`; None where this task has none, as when nothing else can be done the same
        way, and when it came out otherwise than the kind says or was aborted."""
        name = kind.replace(" ", "-")
        decide = self._way(kind, task, seed, rng)
        if decide is None:
            return None
        played = run_episode(self._env, _Mutant(self._expert, name, decide), task, seed)
        if played.end is End.ABORTED or played.outcome is not (kind == "success"):
            return None
        return played

    def _way(
        self, kind: str, task: Task, seed: int, rng: np.random.Generator
    ) -> Callable[[Context], Action | None] | None:
        if kind == "success":
            return lambda context: None
        if kind == "failure":
            steps = self._length(task, seed)
            ending: Action = Finish("impossible") if rng.random() < 0.5 else Wait(1.0)
            return None if steps is None else _after(steps // 2, ending)
        if kind == "near miss":
            steps = self._last_effective(task, seed)
            return None if steps is None else _after(steps, Finish("success"))
        other = self._sibling(task, rng)
        if kind == "false completion":
            steps = self._length(task, seed) if other is None or rng.random() < 0.5 else None
            if steps is not None:
                return _after(int(rng.integers(0, max(1, steps - 1))), Finish("success"))
            return None if other is None else self._instead(other)
        return None if other is None else self._beside(other)

    def _length(self, task: Task, seed: int) -> int | None:
        """How many steps the expert needs before it says that it is done."""
        played = run_episode(self._env, self._expert, task, seed)
        return len(played.steps) - 1 if played.outcome is True else None

    def _last_effective(self, task: Task, seed: int) -> int | None:
        play = self._linter.play(task, seed)
        return last_effective(play) if play.trajectory.outcome is True else None

    def _sibling(self, task: Task, rng: np.random.Generator) -> Task | None:
        """A task of the same template about something else."""
        others = [one for one in self._env.suite.tasks() if one.template == task.template and one.params != task.params]
        return others[int(rng.integers(len(others)))] if others else None

    def _instead(self, other: Task) -> Callable[[Context], Action | None]:
        return lambda context: self._ask(replace(context, task=other))

    def _beside(self, other: Task) -> Callable[[Context], Action | None]:
        """The task first; from where the expert would say that it is done, the other one."""
        done: list[int] = []

        def decide(context: Context) -> Action | None:
            if not context.history:
                done.clear()
            if not done:
                action = self._ask(context)
                if not isinstance(action, Finish):
                    return action
                done.append(len(context.history))
            return self._ask(replace(context, task=other, history=context.history[done[0] :]))

        return decide

    def _ask(self, context: Context) -> Action:
        """The expert's action; where it is at a loss, a claim of success, as agents do."""
        try:
            return self._expert.act([context])[0].action
        except PolicyError:
            return Finish("success")


def _after(steps: int, ending: Action) -> Callable[[Context], Action | None]:
    """The expert's way for so many steps, and then the same action again and again."""
    return lambda context: ending if len(context.history) >= steps else None


def kind_of_policy(name: str) -> str:
    """The kind of an episode that a `MutantMaker` made, by the name of its policy; "" for any other."""
    prefix, _, name = name.partition(":")
    kind = name.replace("-", " ")
    return kind if prefix == "testbed" and kind in KINDS else ""
