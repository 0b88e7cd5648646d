"""The environment on the virtual phone in this process: the whole way without a wire."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tapwise.android_env import (
    AndroidEnv,
    EnvSettings,
    ScriptedExpert,
    SettleBudget,
    Suite,
    check_env,
    load_suite,
    run_episode,
)
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import DeviceError
from tapwise.images import decode
from tapwise.records import Action, Finish, Key, OpenApp, Point, Press, Swipe, Tap, Trajectory, TypeText, Wait

NOISE = Noise(popups=0.3, ads=0.3, slow_loads=0.5, layout_shifts=0.5)
PATIENT = EnvSettings(with_tree=True, settle=SettleBudget(seconds=60.0))


def fresh_env(suite: Suite, noise: Noise = NOISE) -> AndroidEnv:
    return AndroidEnv(InProcessDevice(VirtualPhone(noise=noise)), suite, PATIENT)


@pytest.fixture(scope="module")
def general() -> Suite:
    return load_suite("general")


@pytest.fixture
def virtual_env(general: Suite) -> AndroidEnv:
    return fresh_env(general)


def pictures(trajectory: Trajectory) -> list[bytes]:
    assert trajectory.final is not None
    shown = [step.observation for step in trajectory.steps] + [trajectory.final]
    return [observation.screenshot.data for observation in shown]


def test_the_expert_solves_tasks_of_the_shipped_suite_in_a_noisy_world(virtual_env: AndroidEnv, general: Suite) -> None:
    expert = ScriptedExpert(general)
    for seed, task in enumerate(general.sample(np.random.default_rng(1), "train", 6)):
        trajectory = run_episode(virtual_env, expert, task, seed)
        assert trajectory.outcome is True, (task.id, trajectory.fault)


def test_two_fresh_phones_show_the_same_pixels(general: Suite) -> None:
    task = general.tasks("train")[0]
    first, second = (run_episode(fresh_env(general), ScriptedExpert(general), task, 5) for _ in range(2))
    assert pictures(first) == pictures(second)


def test_a_used_phone_shows_the_same_pixels_as_a_fresh_one(virtual_env: AndroidEnv, general: Suite) -> None:
    expert = ScriptedExpert(general)
    task, other = general.tasks("train")[0], general.tasks("train")[-1]
    run_episode(virtual_env, expert, other, 3)
    used = run_episode(virtual_env, expert, task, 5)
    assert pictures(used) == pictures(run_episode(fresh_env(general), expert, task, 5))


def test_every_kind_of_action_is_performed(virtual_env: AndroidEnv, general: Suite) -> None:
    virtual_env.reset(replace(general.tasks()[0], max_steps=50), 0)
    script: list[Action] = [
        OpenApp("settings"),
        Tap(Point(0.5, 0.3)),
        Swipe(Point(0.5, 0.7), Point(0.5, 0.3)),
        TypeText('it\'s 100% "quoted" $HOME'),
        Wait(0.5),
        *(Press(key) for key in Key),
    ]
    for action in script:
        assert virtual_env.step(action).info["refused"] is None
    assert virtual_env.step(OpenApp("no such app")).info["refused"]
    assert virtual_env.step(TypeText("naïve")).info["refused"] is None
    assert virtual_env.step(TypeText("bell\a")).info["refused"]


def test_the_conformance_suite_has_nothing_to_say(general: Suite) -> None:
    for noise in (Noise(), NOISE):
        findings = check_env(fresh_env(general, noise), general.tasks()[0], seed=4)
        assert [finding for finding in findings if not finding.passed] == []


@pytest.mark.filterwarnings("ignore::UserWarning")  # advice on shapes that screens do not follow
def test_gymnasiums_own_check_passes_on_a_virtual_phone(virtual_env: AndroidEnv) -> None:
    checker: Any = pytest.importorskip("gymnasium.utils.env_checker")
    from tapwise.android_env.gym_adapter import GymnasiumEnv

    gym_env = GymnasiumEnv(virtual_env)
    checker.check_env(gym_env, skip_render_check=True)
    shown, _ = gym_env.reset(seed=2)
    size = virtual_env.device.size()
    assert shown["screenshot"].shape == (size.height, size.width, 3)


def test_the_seed_changes_the_world(virtual_env: AndroidEnv, general: Suite) -> None:
    task = general.tasks()[0]
    screens = {decode(virtual_env.reset(task, seed).screenshot).tobytes() for seed in range(6)}
    assert len(screens) > 1


@pytest.mark.parametrize("known", [True, False])
def test_what_an_episode_has_changed_for_good_is_told_where_it_is_asked_for(general: Suite, known: bool) -> None:
    settings = PATIENT.model_copy(update={"tell_changes": known})
    env = AndroidEnv(InProcessDevice(VirtualPhone()), general, settings)
    task = next(task for task in general.tasks() if task.template == "notes.new_with_text")
    played = run_episode(env, ScriptedExpert(general), task, 4)
    words = [change.split(" (")[0] for change in played.changes or ()]
    assert words == ([f"Notes notes: added {dict(task.params)['title'].capitalize()!r}"] if known else [])


def test_a_device_that_keeps_no_state_tells_no_changes(make_phone: Any, suite: Suite) -> None:
    env = AndroidEnv(make_phone(snapshots=False), suite, EnvSettings(tell_changes=True))
    env.reset(suite.task("settings.toggle/bluetooth-on/0"), 0)
    assert "changes" not in env.step(Finish()).info


@pytest.mark.parametrize("verified", [True, False])
def test_a_reset_that_brings_another_state_back_is_the_devices_fault(general: Suite, verified: bool) -> None:
    phone = VirtualPhone()
    settings = PATIENT.model_copy(update={"verify_reset": verified})
    env = AndroidEnv(InProcessDevice(phone), general, settings)
    task = general.tasks()[0]
    for seed in range(2):
        env.reset(task, seed)
    phone.faults.add(FaultSpec.parse("snapshot:mode=wrong,on=load"))
    if verified:
        with pytest.raises(DeviceError, match="another state than it first gave"):
            env.reset(task, 2)
    else:
        env.reset(task, 2)
