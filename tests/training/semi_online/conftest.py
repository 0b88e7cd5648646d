"""Experts' trajectories of a few typed words, and policies that are right or wrong as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tapwise.android_env.replay import ReplayEnv, ReplaySettings
from tapwise.errors import PolicyError
from tapwise.records import (
    Context,
    Decision,
    End,
    Observation,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    TypeText,
)


def _expert(name: str, length: int) -> Trajectory:
    task = Task(name, f"do {name}", "general", "notes", "type", (), 10, "train")
    screens = [
        Observation(Screenshot(f"{name} {n}".encode(), "png", Size(20, 10)), "app/.Main", True, float(n))
        for n in range(length + 1)
    ]
    steps = tuple(
        Step(screen, Decision(TypeText(f"{name} {n}"), "by the expert")) for n, screen in enumerate(screens[:length])
    )
    return Trajectory(f"expert-{name}", task, steps, End.FINISHED, Provenance("human"), final=screens[length])


MakeEnv = Callable[..., ReplayEnv]


@pytest.fixture
def make_env() -> MakeEnv:
    """A function that makes the replay environment of a task of so many steps."""

    def make(name: str = "t", length: int = 3, **settings: int | bool | None) -> ReplayEnv:
        return ReplayEnv(_expert(name, length), ReplaySettings.model_validate(settings))

    return make


class Puppet:
    """Does what the expert did but at the calls that `wrong` names: (task, step, how often it was asked there).

    `broken` names the tasks on which it cannot decide. It remembers the contexts of each call.
    """

    name, version = "puppet", 3

    def __init__(self, wrong: set[tuple[str, int, int]] | None = None, broken: set[str] | None = None) -> None:
        self.wrong, self.broken = wrong or set(), broken or set()
        self.calls: list[list[Context]] = []
        self._asked: dict[tuple[str, int], int] = {}

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        if any(context.task.id in self.broken for context in contexts):
            raise PolicyError("the prompt is too long")
        self.calls.append(list(contexts))
        return [self._decide(context) for context in contexts]

    def _decide(self, context: Context) -> Decision:
        step = int(context.observation.time_s)
        key = (context.task.id, step)
        count = self._asked.get(key, 0)
        self._asked[key] = count + 1
        wrong = (*key, count) in self.wrong
        word = "wrong" if wrong else f"{context.task.id} {step}"
        return Decision(TypeText(word), f"own {word}", (7, step), (-0.5, -0.25), self.version)


@pytest.fixture
def make_policy() -> type[Puppet]:
    return Puppet
