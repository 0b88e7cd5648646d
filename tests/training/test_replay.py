"""A policy on stored observations: what it is shown at each step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tapwise.records import (
    Action,
    Context,
    Decision,
    End,
    Key,
    Observation,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    Wait,
)
from tapwise.training.replay import History, replay_policy


class Recorder:
    """Always presses home, and keeps what it saw."""

    name, version = "recorder", 0

    def __init__(self) -> None:
        self.batches: list[list[Context]] = []

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        self.batches.append(list(contexts))
        return [Decision(Press(Key.HOME), "home") for _ in contexts]


def trajectory(name: str, *actions: Action) -> Trajectory:
    task = Task(name, f"do {name}", "s", "a", "t", (), 9, "test")
    steps = tuple(
        Step(Observation(Screenshot(b"%d" % n, "png", Size(2, 2)), name, True, float(n)), Decision(action, "expert"))
        for n, action in enumerate(actions)
    )
    return Trajectory(name, task, steps, End.FINISHED, Provenance("expert"))


@pytest.mark.parametrize(("history", "told"), [("expert", ["expert"]), ("own", ["home"])])
def test_history_and_batches(history: History, told: list[str]) -> None:
    policy = Recorder()
    long, short = trajectory("long", Wait(), Wait(), Press(Key.BACK)), trajectory("short", Wait())
    decided = replay_policy(policy, [long, short, trajectory("empty")], history)
    assert [len(one) for one in decided] == [3, 1, 0]
    assert [[context.task.id for context in batch] for batch in policy.batches] == [
        ["long", "short"],
        ["long"],
        ["long"],
    ]
    last = policy.batches[2][0]
    assert last.observation is long.steps[2].observation
    assert [step.decision.text for step in last.history] == told * 2
    assert [step.observation for step in last.history] == [step.observation for step in long.steps[:2]]
