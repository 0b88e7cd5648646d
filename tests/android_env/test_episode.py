from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, EpisodeRunner, ScriptedExpert, Suite, run_episode
from tapwise.errors import DeviceLost, EnvError, PolicyError
from tapwise.records import Context, Decision, End, Fault, Finish, OpenApp, Point, Provenance, Step, Tap, TypeText, Wait


class ScriptedPolicy:
    """Plays a list of decisions; an exception in it is raised."""

    name = "scripted"
    version = 3

    def __init__(self, *script: Any) -> None:
        self._script = list(script)

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        item = self._script.pop(0)
        if isinstance(item, Exception):
            raise item
        return [Decision(item, "said")] if not isinstance(item, list) else item


def test_the_expert_solves_every_task_even_through_noise(env: AndroidEnv, suite: Suite, expert: ScriptedExpert) -> None:
    for task in suite.tasks():
        for seed in (0, 13):
            trajectory = run_episode(env, expert, task, seed)
            assert trajectory.end is End.FINISHED, trajectory.fault
            assert trajectory.outcome is True
            assert trajectory.steps[-1].reward == 1.0
            assert len(trajectory.steps) <= task.max_steps


def test_trajectories_record_what_happened(env: AndroidEnv, suite: Suite) -> None:
    seen: list[Step] = []
    task = suite.task("settings.name/bob/0")
    policy = ScriptedPolicy(OpenApp("settings"), TypeText("bob"), Finish())
    trajectory = run_episode(env, policy, task, 5, on_step=seen.append, trajectory_id="t1", recipe_sha="abc")
    assert trajectory.id == "t1"
    assert tuple(seen) == trajectory.steps
    assert [step.observation.activity for step in trajectory.steps] == [
        "fake.launcher/.Home",
        "fake.settings/.Settings",
        "fake.settings/.Settings",
    ]
    assert trajectory.outcome is False
    assert trajectory.trainable
    provenance = trajectory.provenance
    assert (provenance.policy, provenance.policy_version, provenance.device) == ("scripted", 3, "fake-1")
    assert (provenance.seed, provenance.recipe_sha) == (5, "abc")
    assert trajectory.final is trajectory.steps[-1].observation


def test_the_limit_ends_an_episode_as_truncated(env: AndroidEnv, suite: Suite) -> None:
    task = suite.tasks()[0]
    trajectory = run_episode(env, ScriptedPolicy(*[Wait()] * task.max_steps), task, 0)
    assert trajectory.end is End.TRUNCATED
    assert len(trajectory.steps) == task.max_steps
    assert trajectory.outcome is False


def test_same_seed_and_actions_give_the_same_pixels(env: AndroidEnv, suite: Suite, expert: ScriptedExpert) -> None:
    task = suite.tasks()[0]
    first, second = run_episode(env, expert, task, 13), run_episode(env, expert, task, 13)
    assert [s.observation.screenshot for s in first.steps] == [s.observation.screenshot for s in second.steps]


def test_a_lost_device_aborts_with_one_device_fault(env: AndroidEnv, phone: Any, suite: Suite) -> None:
    phone.fails = lambda call: DeviceLost("cable") if call == "open settings" else None
    trajectory = run_episode(env, ScriptedPolicy(OpenApp("settings")), suite.tasks()[0], 0)
    assert trajectory.end is End.ABORTED
    assert trajectory.fault == Fault("device", "DeviceLost", "cable")
    assert trajectory.outcome is None
    assert not trajectory.trainable
    assert len(trajectory.steps) == 1
    assert trajectory.final is None


def test_a_failed_reset_aborts_before_the_first_step(env: AndroidEnv, phone: Any, suite: Suite) -> None:
    phone.fails = lambda call: DeviceLost("cable")
    trajectory = run_episode(env, ScriptedPolicy(), suite.tasks()[0], 0)
    assert trajectory.end is End.ABORTED
    assert trajectory.steps == ()


@pytest.mark.parametrize("answer", [PolicyError("overloaded"), []])
def test_policy_faults_are_the_policys(env: AndroidEnv, suite: Suite, answer: Any) -> None:
    trajectory = run_episode(env, ScriptedPolicy(Wait(), answer), suite.tasks()[0], 0)
    assert trajectory.end is End.ABORTED
    assert trajectory.fault is not None
    assert trajectory.fault.boundary == "policy"
    assert len(trajectory.steps) == 1
    assert trajectory.final is not None


def test_errors_that_nobody_meant_are_not_hidden(env: AndroidEnv, suite: Suite) -> None:
    with pytest.raises(ZeroDivisionError):
        run_episode(env, ScriptedPolicy(ZeroDivisionError()), suite.tasks()[0], 0)


def test_one_policy_call_serves_many_runners(make_phone: Any, suite: Suite, expert: ScriptedExpert) -> None:
    runners = [
        EpisodeRunner(AndroidEnv(make_phone(), suite, EnvSettings(with_tree=True)), task, number, Provenance("expert"))
        for number, task in enumerate(suite.tasks()[:3])
    ]
    for runner in runners:
        runner.start()
    calls = 0
    while waiting := [runner for runner in runners if not runner.over]:
        calls += 1
        for runner, decision in zip(waiting, expert.act([runner.context for runner in waiting]), strict=True):
            runner.advance(decision)
    assert all(runner.trajectory.outcome for runner in runners)
    assert calls == max(len(runner.trajectory.steps) for runner in runners)
    assert len({runner.trajectory_id for runner in runners}) == 3


def test_runners_say_when_they_are_used_out_of_turn(env: AndroidEnv, phone: Any, suite: Suite) -> None:
    runner = EpisodeRunner(env, suite.tasks()[0], 0, Provenance("p"), "t9")
    with pytest.raises(EnvError, match=r"start\(\) first"):
        _ = runner.context
    runner.start()
    with pytest.raises(EnvError, match="has not ended"):
        _ = runner.trajectory
    with pytest.raises(EnvError, match="cannot start again"):
        runner.start()
    runner.advance(Decision(Tap(Point(0.5, 0.5)), ""))
    lost = DeviceLost("cable")
    phone.fails = lambda call: lost
    runner.advance(Decision(Wait(), ""))
    assert runner.error is lost
    runner.abort("policy", PolicyError("too late"))
    assert runner.trajectory.fault == Fault("device", "DeviceLost", "cable")
    with pytest.raises(EnvError, match="ended as aborted"):
        runner.advance(Decision(Wait(), ""))
