"""Rollouts without rounds, and the advantages that come of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tapwise.android_env.replay import ReplayEnv
from tapwise.android_env.replay_episode import without_thought
from tapwise.errors import PolicyError
from tapwise.records import Action, Context, Decision
from tapwise.training.semi_online.algorithm import SemiOnline, policy_samples
from tapwise.training.semi_online.config import SemiOnlineConfig
from tapwise.training.semi_online.rollout import RolloutDriver, RolloutGroup

MakeEnv = Callable[..., ReplayEnv]
WRITE = without_thought(lambda action: f"patch {action.text}" if hasattr(action, "text") else "patch")


def roll_out(policy: Any, *envs: ReplayEnv, **options: Any) -> list[RolloutGroup]:
    return list(RolloutDriver(policy, WRITE, **options).groups(envs))


def words(context: Context) -> list[str]:
    return [step.decision.text for step in context.history]


def test_an_expert_policy_gets_all_matches(make_env: MakeEnv, make_policy: Any) -> None:
    (group,) = roll_out(make_policy(), make_env(length=3, patches=0), rollouts=2)
    assert group.expert == "expert-t"
    assert [rollout.complete for rollout in group.rollouts] == [True, True]
    assert [rollout.trajectory.id for rollout in group.rollouts] == ["replay/0/0", "replay/0/1"]
    provenance = group.rollouts[0].trajectory.provenance
    assert (provenance.policy, provenance.policy_version, provenance.device) == ("puppet", 3, "replay:expert-t")


def test_a_policy_sees_its_own_words_and_the_patch(make_env: MakeEnv, make_policy: Any) -> None:
    wrong = {("t", 1, 0)}
    (cut,) = roll_out(make_policy(wrong), make_env(patches=0), rollouts=1)
    assert len(cut.rollouts[0].rewards) == 2
    policy = make_policy(wrong)
    (patched,) = roll_out(policy, make_env(patches=1), rollouts=1)
    assert len(patched.rollouts[0].rewards) == 3
    assert [words(contexts[0]) for contexts in policy.calls] == [[], ["own t 0"], ["own t 0", "patch t 1"]]
    assert patched.rollouts[0].context(2) == policy.calls[2][0], "what is learned from is what was seen"


def test_the_baseline_sees_the_expert_s_words(make_env: MakeEnv, make_policy: Any) -> None:
    policy = make_policy({("t", 0, 0)})
    (group,) = roll_out(policy, make_env(own_history=False, patches=None), rollouts=1)
    assert len(group.rollouts[0].rewards) == 3
    assert words(policy.calls[2][0]) == ["patch t 0", "patch t 1"]


def test_no_rounds_and_full_batches(make_env: MakeEnv, make_policy: Any) -> None:
    envs = [make_env(f"task{n}", length) for n, length in enumerate((1, 6, 2, 6, 3, 6, 2, 6))]
    policy = make_policy()
    finished = [group.expert for group in roll_out(policy, *envs, rollouts=2, batch_size=4)]
    sizes = [len(contexts) for contexts in policy.calls]
    assert sorted(finished) == [f"expert-task{n}" for n in range(8)]
    assert finished[0] == "expert-task0"
    assert sum(sizes) == 2 * sum((1, 6, 2, 6, 3, 6, 2, 6))
    assert max(sizes) == 4
    assert sizes.count(4) >= len(sizes) - 6, "the batch is full until the last episodes"
    depths = [{len(context.history) for context in contexts} for contexts in policy.calls]
    assert any(len(depth) > 1 for depth in depths), "episodes of different age share a batch"


def test_the_driver_asks_for_no_more_than_it_has_room_for(make_env: MakeEnv, make_policy: Any) -> None:
    taken: list[int] = []

    def supply() -> Any:
        for number in range(10):
            taken.append(number)
            yield make_env(f"task{number}", 2)

    groups = RolloutDriver(make_policy(), WRITE, rollouts=2, batch_size=2).groups(supply())
    assert next(groups).expert == "expert-task0"
    assert taken == [0]


def test_a_prompt_that_is_too_long_costs_its_own_episode(make_env: MakeEnv, make_policy: Any) -> None:
    policy = make_policy(broken={"long"})
    groups = {g.expert: g for g in roll_out(policy, make_env("long"), make_env("short"), rollouts=2)}
    assert (groups["expert-long"].rollouts, groups["expert-long"].aborted) == ((), 2)
    assert (len(groups["expert-short"].rollouts), groups["expert-short"].aborted) == (2, 0)
    assert all(rollout.complete for rollout in groups["expert-short"].rollouts)


class Muser:
    """Thinks of the action that it is shown, and remembers for which screens it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, list[str]]] = []

    def think(self, contexts: Sequence[Context], actions: Sequence[Action]) -> list[str]:
        self.asked += [(context.observation.time_s, words(context)) for context in contexts]
        return [f"because of {action.text}" for action in actions]  # type: ignore[union-attr]


def test_thoughts_are_asked_for_where_the_policy_failed(make_env: MakeEnv, make_policy: Any) -> None:
    policy, muser = make_policy({("t", 1, 0)}), Muser()
    driver = RolloutDriver(policy, lambda action, thought: f"[{thought}]", rollouts=1, thinker=muser)
    list(driver.groups([make_env(patches=1)]))
    assert muser.asked == [(1.0, ["own t 0"])]
    assert words(policy.calls[2][0]) == ["own t 0", "[because of t 1]"]


def test_a_policy_that_gives_too_few_decisions_is_an_error(make_env: MakeEnv) -> None:
    class Lazy:
        name, version = "lazy", 0

        def act(self, contexts: Sequence[Context]) -> list[Decision]:
            return []

    with pytest.raises(PolicyError, match="'lazy' gave 0 decisions for 8 contexts"):
        roll_out(Lazy(), make_env())
    with pytest.raises(ValueError, match="rollouts is 0"):
        RolloutDriver(Lazy(), WRITE, rollouts=0)


# --- the algorithm -----------------------------------------------------------------------------------------


def test_a_rollout_that_failed_at_once_is_worth_less_at_every_step(make_env: MakeEnv, make_policy: Any) -> None:
    algorithm = SemiOnline(SemiOnlineConfig(norm="mean_norm"))
    groups = roll_out(make_policy({("t", 0, 1)}), make_env(length=2, patches=1), rollouts=2)
    returns = [algorithm.returns(rollout).tolist() for rollout in groups[0].rollouts]
    assert returns == [[1.5, 1.0], [0.5, 1.0]]
    assert algorithm.first_returns(groups[0]).tolist() == [1.5, 0.5]
    good, bad = algorithm.annotate(groups)[0].rollouts
    assert [step.advantage for step in good.trajectory.steps] == pytest.approx([1.0, 0.5])
    assert [step.advantage for step in bad.trajectory.steps] == pytest.approx([-1.0, -0.5])
    by_code = SemiOnline(SemiOnlineConfig(norm="mean_norm", trajectory_advantage="code")).annotate(groups)[0].rollouts
    assert [s.advantage for s in by_code[1].trajectory.steps] == pytest.approx([-0.375 - 0.5, 0.125])


def test_tasks_are_not_compared_with_each_other(make_env: MakeEnv, make_policy: Any) -> None:
    algorithm = SemiOnline(SemiOnlineConfig())
    wrong = {("a", 0, 0), ("a", 0, 1)}
    groups = algorithm.annotate(roll_out(make_policy(wrong), make_env("a"), make_env("b"), rollouts=2))
    advantages = [s.advantage for g in groups for r in g.rollouts for s in r.trajectory.steps]
    assert np.abs(advantages).max() < 1e-6
    assert algorithm.annotate([]) == []


def test_samples_hold_what_the_policy_saw_and_said(make_env: MakeEnv, make_policy: Any) -> None:
    algorithm = SemiOnline(SemiOnlineConfig(step_weight=0.0))
    groups = algorithm.annotate(roll_out(make_policy({("t", 0, 1)}), make_env(length=2), rollouts=2))
    samples = policy_samples(groups)
    assert [sample.token_ids for sample in samples] == [(7, 0), (7, 1), (7, 0), (7, 1)]
    assert [words(sample.context) for sample in samples] == [[], ["own t 0"], [], ["patch t 0"]]
    assert [np.sign(sample.advantage) for sample in samples] == [1, 1, -1, -1]
    assert samples[0].log_probs == (-0.5, -0.25)
