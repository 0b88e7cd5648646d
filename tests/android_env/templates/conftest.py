"""What every template must pass, on a noisy virtual phone in this process."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.tasks import Suite, Template
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Context, Decision, Finish, Size

NOISE = Noise(popups=0.1, ads=0.1, slow_loads=0.1, layout_shifts=1.0)
SIZE, DENSITY = Size(600, 270), 105
"""half of the default phone: the same layout, drawn in a quarter of the time"""


class Idle:
    """Ends every episode at once."""

    name, version = "idle", 0

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        return [Decision(Finish(), "") for _ in contexts]


@pytest.fixture
def prove() -> Callable[[Template], None]:
    """Play two instances of a template in two noisy worlds each: the expert succeeds, doing nothing does not."""

    def run(template: Template) -> None:
        suite = Suite("under test", [template])
        tasks = suite.tasks()
        assert len(tasks) >= 6
        phone = VirtualPhone(size=SIZE, density=DENSITY, noise=NOISE)
        env = AndroidEnv(InProcessDevice(phone), suite, EnvSettings(with_tree=True))
        middle = len(tasks) // 2 + 1
        for seed, task in ((1, tasks[0]), (2, tasks[0]), (3, tasks[middle]), (4, tasks[middle])):
            played = run_episode(env, ScriptedExpert(suite), task, seed)
            actions = [step.decision.action for step in played.steps]
            assert played.fault is None, (task.id, played.fault, actions)
            assert played.outcome is True, (task.id, seed, played.end, actions)
            assert isinstance(actions[-1], Finish), (task.id, seed, "the expert did not notice that it was done")
            assert run_episode(env, Idle(), task, seed).outcome is False, (task.id, "was done before it began")

    return run
