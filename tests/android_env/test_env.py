from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, Suite, Template
from tapwise.errors import CommandFailed, DeviceError, DeviceLost, DeviceTimeout, EnvError
from tapwise.images import decode
from tapwise.records import Finish, Key, OpenApp, Point, Press, Tap, Task, Wait

TASK_ID = "settings.toggle/bluetooth-on/0"


@pytest.fixture
def task(suite: Suite) -> Task:
    return suite.task(TASK_ID)


def tap_to_goal(env: AndroidEnv) -> None:
    env.step(Tap(Point(0.15, 0.75)))
    env.step(Tap(Point(0.5, 0.2)))


def test_reset_shows_home_in_the_starting_state(env: AndroidEnv, phone: Any, task: Task) -> None:
    phone.state.settings["bluetooth"] = "1"
    observation = env.reset(task, seed=7)
    assert observation.activity == "fake.launcher/.Home"
    assert observation.settled
    assert observation.ui is not None
    assert phone.state.settings["bluetooth"] == "0"
    assert phone.state.seed == "7"


def test_the_first_reset_keeps_the_base_and_later_ones_bring_it_back(env: AndroidEnv, phone: Any, task: Task) -> None:
    env.reset(task, 0)
    assert "save tapwise_base" in phone.calls
    phone.state.name = "changed by the agent"
    phone.calls.clear()
    env.reset(task, 0)
    assert phone.state.name == ""
    assert phone.calls[0] == "load tapwise_base"
    assert not any(call.startswith("save") for call in phone.calls)


def test_a_base_that_stops_loading_is_a_device_error(env: AndroidEnv, phone: Any, task: Task) -> None:
    env.reset(task, 0)
    phone.fails = lambda call: DeviceError("snapshot damaged") if call.startswith("load") else None
    with pytest.raises(DeviceError, match="damaged"):
        env.reset(task, 0)


def test_without_snapshots_the_used_apps_are_stopped(make_phone: Any, suite: Suite, task: Task) -> None:
    phone = make_phone(snapshots=False)
    env = AndroidEnv(phone, suite)
    env.reset(task, 0)
    phone.open_app("settings")
    phone.state.name = "left over"
    assert env.step(Wait()).observation.activity.startswith("fake.settings")
    env.step(Press(Key.HOME))
    phone.calls.clear()
    assert env.reset(task, 0).activity == "fake.launcher/.Home"
    assert phone.calls.count("shell am force-stop fake.settings") == 1
    assert not any("fake.launcher" in call or call.startswith("load") for call in phone.calls)
    assert phone.state.name == ""


def test_a_lost_device_at_reset_passes_through(env: AndroidEnv, phone: Any, task: Task) -> None:
    for error in (DeviceLost("gone"), DeviceTimeout("slow")):
        phone.fails = lambda call, error=error: error
        with pytest.raises(type(error)):
            env.reset(task, 0)


def test_finish_terminates_and_the_state_decides(env: AndroidEnv, task: Task) -> None:
    env.reset(task, 0)
    assert env.step(Finish())[1:4] == (0.0, True, False)
    env.reset(task, 0)
    tap_to_goal(env)
    transition = env.step(Finish("impossible"))
    assert transition[1:4] == (1.0, True, False)
    assert transition.info["outcome"] is True


def test_the_step_limit_truncates_and_a_reached_goal_counts(env: AndroidEnv, task: Task) -> None:
    env.reset(replace(task, max_steps=3), 0)
    tap_to_goal(env)
    transition = env.step(Wait())
    assert transition[1:4] == (1.0, False, True)
    env.reset(replace(task, max_steps=1), 0)
    assert env.step(Wait())[1:4] == (0.0, False, True)


def test_steps_before_the_end_tell_nothing_of_the_outcome(env: AndroidEnv, task: Task) -> None:
    env.reset(task, 0)
    observation, reward, terminated, truncated, info = env.step(OpenApp("settings"))
    assert observation.activity == "fake.settings/.Settings"
    assert observation.settled
    assert (reward, terminated, truncated) == (0.0, False, False)
    assert info.pop("moved_s") >= 0
    assert info == {"outcome": None, "polls": 3, "settled": True, "moving": False, "refused": None}


def test_a_wrong_app_name_costs_a_step_and_nothing_else(env: AndroidEnv, task: Task) -> None:
    env.reset(task, 0)
    transition = env.step(OpenApp("no such app"))
    assert "no such app" in str(transition.info["refused"])
    assert not transition.terminated


def test_misuse_is_refused(env: AndroidEnv, task: Task) -> None:
    with pytest.raises(EnvError, match="reset"):
        env.step(Wait())
    env.reset(task, 0)
    env.step(Finish())
    with pytest.raises(EnvError, match="reset"):
        env.step(Wait())
    env.reset(task, 0)
    env.close()
    with pytest.raises(EnvError, match="reset"):
        env.step(Wait())
    with pytest.raises(EnvError, match="does not have"):
        env.reset(replace(task, template="other"), 0)


def test_a_failed_step_ends_the_episode_until_the_next_reset(env: AndroidEnv, phone: Any, task: Task) -> None:
    env.reset(task, 0)
    phone.fails = lambda call: DeviceTimeout("stuck") if call.startswith("tap") else None
    with pytest.raises(DeviceTimeout):
        env.step(Tap(Point(0.5, 0.5)))
    phone.fails = lambda call: None
    with pytest.raises(EnvError, match="reset"):
        env.step(Wait())
    env.reset(task, 0)
    env.step(Wait())


def suite_with(template: Template, **change: Any) -> Suite:
    return Suite("changed", [replace(template, **change)])


def test_a_broken_check_names_the_template(phone: Any, toggle: Template, task: Task) -> None:
    for check in (lambda shell, params: {}["missing"], lambda shell, params: shell("no-such-command")):
        env = AndroidEnv(phone, suite_with(toggle, check=check))
        env.reset(task, 0)
        with pytest.raises(EnvError, match=r"'settings\.toggle'"):
            env.step(Finish())


def test_a_device_lost_during_the_check_is_the_devices_fault(env: AndroidEnv, phone: Any, task: Task) -> None:
    env.reset(task, 0)
    phone.fails = lambda call: DeviceLost("gone")
    with pytest.raises(DeviceLost):
        env.step(Finish())


def test_a_set_up_that_fails_names_task_and_command(phone: Any, toggle: Template, task: Task) -> None:
    env = AndroidEnv(phone, suite_with(toggle, setup=lambda params: ["no-such-command"]))
    with pytest.raises(EnvError, match="no-such-command") as caught:
        env.reset(task, 0)
    assert TASK_ID in str(caught.value)
    assert isinstance(caught.value.__cause__, CommandFailed)


def test_settings_choose_tree_and_format(phone: Any, suite: Suite, task: Task) -> None:
    observation = AndroidEnv(phone, suite, EnvSettings(image_format="png")).reset(task, 0)
    assert observation.ui is None
    assert observation.screenshot.format == "png"
    assert np.array_equal(decode(observation.screenshot), phone.screenshot())
