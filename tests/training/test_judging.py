"""Judges in training: whose word is learned from, what is paid for, and what a judge that fails costs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import ConfigError, JudgeError
from tapwise.records import Trajectory
from tapwise.training.judging import judge_told
from tapwise.training.recipes import JudgeConfig, Recipe
from tapwise.training.run import Run

MakeRecipe = Callable[..., Recipe]
YES = '{"success": true, "reason": "it looks done"}'
ROLLOUTS = 4 + 2 * 3


@pytest.fixture
def judged(make_recipe: MakeRecipe, chat_server: Any) -> Callable[..., Recipe]:
    """A recipe with a judge that says yes to everything; keyword arguments go to the judge's section."""
    chat_server.script = [YES]
    return lambda **more: make_recipe(judge={"url": chat_server.url, "model": "small", **more})


def stored(folder: Path) -> list[Trajectory]:
    with ParquetTrajectoryStore(folder / "trajectories", mode="read") as store:
        return list(store)


def test_verdicts_are_the_reward_where_the_recipe_says_so(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any, chat_server: Any
) -> None:
    run = Run(judged(reward="verdict"), tmp_path, watcher)
    run.go()
    assert [one.success for one in run.rollouts] == [True] * ROLLOUTS
    assert len(chat_server.requests) == ROLLOUTS  # the evaluations go by the phones' states
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    wrong = [line["alarms/false_completion"] for line in lines if "alarms/false_completion" in line]
    assert wrong == [1.0] * 3  # a random policy does nothing, and the judge believes in it


def test_outcomes_stay_the_reward_beside_a_judge_that_is_only_watched(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any
) -> None:
    run = Run(judged(), tmp_path, watcher)
    run.go()
    assert not any(one.success for one in run.rollouts)
    assert all(one.verdicts[0].success for one in run.rollouts)


def test_a_run_that_goes_on_asks_about_no_episode_twice(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any, chat_server: Any
) -> None:
    recipe = judged(reward="verdict")
    Run(recipe, tmp_path, watcher).go(stop_before="online/1")
    again = Run(recipe, tmp_path, watcher)
    again.go()
    assert [one.success for one in again.rollouts] == [True] * ROLLOUTS
    assert len(chat_server.requests) == ROLLOUTS


def test_an_endpoint_that_is_down_stops_the_run_and_loses_no_episode(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any, chat_server: Any
) -> None:
    recipe = judged(reward="verdict")
    chat_server.script = [{"status": 401}]
    with pytest.raises(JudgeError, match="OPENAI_API_KEY"):
        Run(recipe, tmp_path, watcher).go()
    before = {one.id for one in stored(tmp_path) if one.id.startswith("offline-")}
    assert len(before) == 4
    chat_server.script = [YES]
    run = Run(recipe, tmp_path, watcher)
    run.go()
    assert before <= {one.id for one in run.rollouts}


def test_nothing_is_learned_from_an_episode_on_which_the_judge_abstains(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any, chat_server: Any
) -> None:
    chat_server.script = ["I cannot say.", YES]
    run = Run(judged(reward="verdict"), tmp_path, watcher)
    run.go()
    assert len(run.rollouts) == ROLLOUTS - 1
    assert len(run.progress.rollouts) == ROLLOUTS


@pytest.mark.parametrize("given", [{"url": "http://127.0.0.1:1/v1"}, {"model": "m"}, {"reward": "verdict"}])
def test_a_judge_that_cannot_be_asked_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="url"):
        JudgeConfig.model_validate(given)


def test_lists_of_instructions_are_trained_on_by_verdicts_alone(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any, chat_server: Any
) -> None:
    for split in ("train", "test"):
        (tmp_path / split).write_text("Open the clock\nShow me the news\n", encoding="utf-8")
    lists = {"suite": "aitw_general", "aitw": {split: str(tmp_path / split) for split in ("train", "test")}}
    with pytest.raises(ConfigError, match=r"judge\.url"):
        Run(make_recipe(**lists), tmp_path / "no", watcher)
    chat_server.script = [YES]
    run = Run(make_recipe(**lists, judge={"url": chat_server.url, "model": "m"}), tmp_path / "run", watcher)
    run.go()
    assert [one.outcome for one in run.rollouts] == [None] * ROLLOUTS
    assert all(one.success for one in run.rollouts)
    assert [len(found) for found in run.progress.evaluations.values()] == [2, 2, 2]
    assert all(result["success"] for found in run.progress.evaluations.values() for result in found)


def test_what_a_judge_is_asked_is_in_the_manifest_and_in_its_name(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any
) -> None:
    ways = ({}, {"frames": "key:3"}, {"frames": "key:3", "examples": "2"})
    told = [judge_told(judged(**more).judge) for more in ways]
    assert len({one["prompt_sha"] for one in told}) == 3
    run = Run(judged(**ways[-1]), tmp_path / "run", watcher)
    run.go()
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["judge"] == told[-1]
    (name,) = {one.verdicts[0].judge for one in run.rollouts}
    assert name.startswith("vlm:small frames=key:3,examples=2:")


def test_examples_that_are_not_there_are_told_before_a_run(
    tmp_path: Path, judged: Callable[..., Recipe], watcher: Any
) -> None:
    with pytest.raises(ConfigError, match="nowhere"):
        Run(judged(examples="nowhere"), tmp_path, watcher)
    with pytest.raises(ValidationError, match="frames"):
        judged(frames="key:0")
