"""Forked states on a virtual phone: what an action leads to, found by going on from it."""

from __future__ import annotations

import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, SettleBudget, Suite, load_suite, run_episode
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import EnvError
from tapwise.records import Action, Context, Finish, Key, Press, Size, Task
from tapwise.training.vem.forks import ForkedStates, ForkValue

SETTINGS = EnvSettings(with_tree=True, settle=SettleBudget(seconds=60.0))


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("general")


@pytest.fixture
def env(suite: Suite) -> AndroidEnv:
    return AndroidEnv(InProcessDevice(VirtualPhone(size=Size(600, 270))), suite, SETTINGS)


@pytest.fixture(scope="module")
def task(suite: Suite) -> Task:
    return next(task for task in suite.tasks("train") if task.app == "settings")


def give_up(context: Context, action: Action) -> list[Action]:
    return [Finish("impossible"), action, Press(Key.HOME)]


def test_an_episode_takes_its_course_beside_its_forks(env: AndroidEnv, suite: Suite, task: Task) -> None:
    expert = ScriptedExpert(suite)
    plain = run_episode(env, expert, task, 5, trajectory_id="e")
    forked, labels = ForkedStates(env, expert, rollouts=1).label_episode(expert, task, 5, give_up, "e")
    assert forked.outcome is True
    assert [step.decision for step in forked.steps] == [step.decision for step in plain.steps]
    shown = [[step.observation.screenshot for step in one.steps] for one in (forked, plain)]
    assert shown[0] == shown[1]
    own = [label for label in labels if label.action is None]
    assert [(label.place, label.good) for label in own] == [(("e", n), 1.0) for n in range(len(forked.steps))]
    early = [label.good for label in labels if isinstance(label.action, Finish) and label.step < len(forked.steps) - 1]
    assert early == [0.0] * (len(forked.steps) - 1)
    assert {label.source for label in labels} == {"fork:scripted-expert"}


def test_a_detour_that_the_policy_recovers_from_is_worth_something(env: AndroidEnv, suite: Suite, task: Task) -> None:
    """A rule calls the home key bad wherever the expert does something else; a fork shows that nothing is lost."""
    expert = ScriptedExpert(suite)
    observation = env.reset(task, 5)
    forks = ForkedStates(env, expert, rollouts=2)
    context = Context(task, (), observation)
    assert forks.value(context, Press(Key.HOME)) == ForkValue(2, 2)
    assert forks.value(context, Finish("success")) == ForkValue(0, 1)
    assert env.step(Press(Key.HOME)).info["outcome"] is None  # the episode can go on


def test_a_detour_brings_the_goal_no_nearer(env: AndroidEnv, suite: Suite, task: Task) -> None:
    """The same detour that success forgives costs a step; the state is as it was, whatever was tried."""
    expert = ScriptedExpert(suite)
    observation = env.reset(task, 5)
    forks = ForkedStates(env, expert, rollouts=1, no_detour=True)
    context = Context(task, (), observation)
    needed = forks.steps_needed(context)
    assert needed is not None
    assert forks.value(context, Press(Key.HOME), needed) == ForkValue(0, 1)
    assert forks.value(context, Press(Key.HOME), needed + 1) == ForkValue(1, 1)
    (decision,) = expert.act([context])
    assert forks.value(context, decision.action, needed) == ForkValue(1, 1)
    assert forks.steps_needed(context) == needed


def test_labels_of_progress_tell_a_detour_from_the_way(env: AndroidEnv, suite: Suite, task: Task) -> None:
    expert = ScriptedExpert(suite)
    forks = ForkedStates(env, expert, rollouts=1, no_detour=True)
    forked, labels = forks.label_episode(expert, task, 5, give_up, "e")
    own = [label.good for label in labels if label.action is None]
    assert own == [1.0] * len(forked.steps)
    assert [label.good for label in labels if label.action == Press(Key.HOME)] == [0.0] * len(own)
    assert {label.source for label in labels} == {"progress:scripted-expert"}


def test_steps_of_forks_count_towards_the_limit(suite: Suite, task: Task) -> None:
    env = AndroidEnv(InProcessDevice(VirtualPhone(size=Size(600, 270))), suite, SETTINGS)
    observation = env.reset(task, 5)
    state = env.save_state("here")
    assert state.steps == 0
    env.step(Press(Key.HOME))
    assert env.save_state("there").steps == 1
    assert env.load_state(state) == observation
    assert env.save_state("here").steps == 0
    for number in range(task.max_steps):
        assert env.step(Press(Key.HOME)).truncated == (number == task.max_steps - 1)
    with pytest.raises(EnvError, match="save_state needs an episode"):
        env.save_state("here")


def test_shares_come_with_intervals() -> None:
    assert ForkValue(3, 4).share == 0.75
    assert ForkValue(3, 4).describe() == "3 of 4 rollouts succeeded, 95 % interval 0.30 to 0.95"
    assert ForkValue(0, 0, 4).share is None
    assert ForkValue(0, 0, 4).describe() == "all 4 rollouts were ended by faults"


def test_forks_need_rollouts(env: AndroidEnv, suite: Suite) -> None:
    with pytest.raises(ValueError, match="rollouts is 0"):
        ForkedStates(env, ScriptedExpert(suite), rollouts=0)
