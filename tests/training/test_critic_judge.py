"""The test-bed, and the small judge that is trained on one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tapwise.agent.vlm.model import VlmModel
from tapwise.android_env.mutants import kind_of_policy
from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.virtual.noise import Noise
from tapwise.evaluator.outcome import OutcomeJudge
from tapwise.records import End, Finish, Trajectory
from tapwise.training.critic_judge import CriticJudge, ending, judge_examples, train_judge
from tapwise.training.testbed import make_testbed
from tapwise.training.vem.critic import load_critic

NOISE = Noise(popups=0.05, layout_shifts=1.0)
KINDS = 20


def fill(folder: Path, episodes: int, seed: int = 0) -> int:
    with ParquetTrajectoryStore(folder) as store:
        return make_testbed(store, load_suite("general"), "test", episodes, seed, NOISE)


def read(folder: Path) -> list[Trajectory]:
    with ParquetTrajectoryStore(folder, mode="read") as store:
        return list(store)


@pytest.fixture(scope="module")
def testbed(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Trajectory]:
    folder = tmp_path_factory.mktemp("testbed")
    fill(folder, KINDS)
    return read(folder)


def test_a_testbed_has_all_kinds_and_only_successes_are_successes(testbed: Sequence[Trajectory]) -> None:
    kinds = Counter(kind_of_policy(one.provenance.policy) for one in testbed)
    assert kinds == {"success": 8, "failure": 3, "near miss": 3, "false completion": 3, "side effect": 3}
    assert all(one.outcome is (kind_of_policy(one.provenance.policy) == "success") for one in testbed)
    assert all(verdict.success is one.outcome for one, verdict in zip(testbed, OutcomeJudge().judge(testbed)))  # noqa: B905


def test_the_same_seed_gives_the_same_episodes_and_a_part_is_gone_on_with(
    tmp_path: Path, testbed: Sequence[Trajectory]
) -> None:
    assert fill(tmp_path, 4) == 4
    assert fill(tmp_path, 6) == 2
    made = read(tmp_path)
    for one, other in zip(made, testbed[:6], strict=True):
        assert [s.decision.action for s in one.steps] == [s.decision.action for s in other.steps]
        assert [s.observation.screenshot for s in one.steps] == [s.observation.screenshot for s in other.steps]
    fill(tmp_path / "other", 1, seed=1)
    assert read(tmp_path / "other")[0].task != made[0].task


def test_an_episode_is_judged_at_its_end(testbed: Sequence[Trajectory]) -> None:
    claimed = next(one for one in testbed if one.end is End.FINISHED)
    context, said = ending(claimed)
    assert said == claimed.steps[-1].decision.action
    assert context.history == claimed.steps[:-1]
    stopped = replace(claimed, steps=claimed.steps[:-1], end=End.TRUNCATED)
    context, said = ending(stopped)
    assert said == Finish("success")
    assert (context.history, context.observation) == (stopped.steps, stopped.final)


def test_a_judge_learns_ends_and_that_a_success_is_none_before(
    testbed: Sequence[Trajectory], model_folder: Path
) -> None:
    found = judge_examples(testbed, VlmModel(model_folder), np.random.default_rng(0))
    good = Counter((example.episode.split("-")[0], example.good) for example in found)
    assert good["success", 1.0] == 8
    assert good["success", 0.0] > 8
    assert {label for (kind, label) in good if kind != "success"} == {0.0}


def test_a_judge_is_trained_kept_and_gives_a_verdict_on_each_episode(
    testbed: Sequence[Trajectory], model_folder: Path, tmp_path: Path
) -> None:
    critic, loss = train_judge(VlmModel(model_folder), testbed, 2, seed=0)
    assert np.isfinite(loss)
    judge = CriticJudge(critic)
    aborted = replace(testbed[0], id="aborted", end=End.ABORTED)
    verdicts = judge.judge([*testbed[:3], aborted])
    assert [verdict.success is None for verdict in verdicts] == [False] * 3 + [True]
    assert all(verdict.success is (verdict.score >= 0.5) for verdict in verdicts[:3] if verdict.score is not None)
    critic.save(tmp_path)
    again = CriticJudge(load_critic(tmp_path))
    assert again.name == judge.name
    assert [one.score for one in again.judge(testbed[:3])] == pytest.approx([one.score for one in verdicts[:3]])
