"""Episodes whose outcome is known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, Suite, load_suite
from tapwise.android_env.mutants import KINDS, MutantMaker, kind_of_policy
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import End, Finish, Size, Task, Trajectory


@pytest.fixture(scope="module")
def suite() -> Suite:
    return load_suite("general")


@pytest.fixture
def maker(suite: Suite) -> MutantMaker:
    phone = VirtualPhone(size=Size(600, 270), density=105)
    return MutantMaker(AndroidEnv(InProcessDevice(phone), suite, EnvSettings(with_tree=True)))


def task(suite: Suite, template: str) -> Task:
    return next(one for one in suite.tasks() if one.template == template)


def make(maker: MutantMaker, kind: str, wanted: Task) -> Trajectory:
    """An episode of the kind in world 3, with whichever chance gives one."""
    tries = (maker.make(kind, wanted, 3, np.random.default_rng(seed)) for seed in range(30))
    return next(one for one in tries if one is not None)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_comes_out_as_it_says(maker: MutantMaker, suite: Suite, kind: str) -> None:
    made = make(maker, kind, task(suite, "notes.new"))
    assert made.outcome is (kind == "success")
    assert kind_of_policy(made.provenance.policy) == kind


def test_a_near_miss_claims_success_one_step_before_it(maker: MutantMaker, suite: Suite) -> None:
    wanted = task(suite, "notes.new_with_text")
    whole, missed = make(maker, "success", wanted), make(maker, "near miss", wanted)
    assert [s.decision.action for s in missed.steps[:-1]] == [s.decision.action for s in whole.steps[:-2]]
    assert missed.steps[-1].decision.action == Finish("success")


def test_a_side_effect_does_the_task_and_more(maker: MutantMaker, suite: Suite) -> None:
    wanted = task(suite, "notes.new")
    whole, more = make(maker, "success", wanted), make(maker, "side effect", wanted)
    count = len(whole.steps) - 1
    assert [s.decision.action for s in more.steps[:count]] == [s.decision.action for s in whole.steps[:count]]
    assert len(more.steps) > len(whole.steps)


def test_failures_give_up_or_run_out_of_steps(maker: MutantMaker, suite: Suite) -> None:
    ends = set()
    for seed in range(8):
        made = maker.make("failure", task(suite, "notes.new_with_text"), 3, np.random.default_rng(seed))
        assert made is not None
        ends.add(made.end)
    assert ends == {End.FINISHED, End.TRUNCATED}


def test_what_comes_out_otherwise_is_not_given(maker: MutantMaker) -> None:
    suite = load_suite("all")
    impossible = next(one for one in suite.tasks() if suite.template_of(one).impossible)
    phone = VirtualPhone(size=Size(600, 270), density=105)
    maker = MutantMaker(AndroidEnv(InProcessDevice(phone), suite, EnvSettings(with_tree=True)))
    given_up = [maker.make("failure", impossible, 1, np.random.default_rng(seed)) for seed in range(6)]
    assert None in given_up  # giving up is what this task asks for
    assert all(one is None or one.outcome is False for one in given_up)


def test_other_policies_have_no_kind() -> None:
    assert [kind_of_policy(name) for name in ("testbed:near-miss", "testbed:odd", "vlm:base")] == ["near miss", "", ""]
