"""Progress and side effects on the virtual phone."""

from __future__ import annotations

import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, load_suite, run_episode
from tapwise.android_env.assessment import assess
from tapwise.android_env.linting import Fixed
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Task

SEED = 4


@pytest.fixture
def env() -> AndroidEnv:
    phone = VirtualPhone(noise=Noise(popups=0.2, layout_shifts=1.0))
    return AndroidEnv(InProcessDevice(phone), load_suite("general"), EnvSettings(with_tree=True))


@pytest.fixture
def task(env: AndroidEnv) -> Task:
    return next(task for task in env.suite.tasks() if task.template == "notes.new_with_text")


def test_the_experts_own_episode_is_whole_and_clean(env: AndroidEnv, task: Task) -> None:
    played = run_episode(env, ScriptedExpert(env.suite), task, SEED)
    before = env.device.shell("tapwise-phone state-hash")
    found = assess(env, task, SEED, played.outcome is True)
    assert (found.success, found.progress, found.side_effects, found.missing) == (True, 1.0, (), ())
    assert env.device.shell("tapwise-phone state-hash") == before


def test_nothing_done_is_no_progress(env: AndroidEnv, task: Task) -> None:
    played = run_episode(env, Fixed(), task, SEED)
    found = assess(env, task, SEED, played.outcome is True)
    assert not found.success
    assert found.progress == 0.0
    assert found.side_effects == ()
    assert [line.split(" (")[0] for line in found.missing] == [
        f"Notes notes: added {dict(task.params)['title'].capitalize()!r}"
    ]


def test_what_was_done_beside_the_goal_is_told(env: AndroidEnv, task: Task) -> None:
    run_episode(env, ScriptedExpert(env.suite), task, SEED)
    env.device.shell("settings put global wifi_on 0; echo x > /sdcard/x")
    found = assess(env, task, SEED, True)
    assert found.success
    assert found.progress == 1.0
    assert found.side_effects == (
        "files: added /sdcard/x",
        "global settings: changed wifi_on (from '1' to '0')",
    )
