"""Semi-online runs at the smallest size: on phones, on a store without any phone, cut and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tapwise.errors import CheckpointError, ConfigError
from tapwise.training.checkpoint import load_checkpoint
from tapwise.training.report import write_report
from tapwise.training.runs import policy_run
from tapwise.training.runs.semi_online import SemiOnlineRun

TinyRecipe = Callable[..., Any]


def state_of(folder: Path) -> dict[str, Any]:
    state = load_checkpoint(folder / "checkpoints")
    assert state is not None
    return state


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture
def no_phones(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        pytest.fail("a farm was started")

    monkeypatch.setattr(policy_run, "open_phones", refuse)


def test_phones_demonstrate_and_measure_but_do_not_take_part_in_learning(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any
) -> None:
    recipe = tiny_recipe("semi_online", data={"demonstrations": 1}, iterations=1)
    run = SemiOnlineRun(recipe, tmp_path, watcher)
    start = {name: value.clone() for name, value in run.model.model.state_dict().items()}
    run.go()
    assert watcher.units == [
        "demonstrations",
        "supervised",
        "evaluate/supervised",
        "semi_online/0",
        "evaluate/semi_online",
    ]
    assert 20 < len(run.demonstrations) <= len(run.suite.templates)  # the screen is too small for some
    assert not same(start, run.model.model.state_dict())
    assert run.progress.interactions == 0
    summary = write_report(tmp_path)
    assert set(summary["phases"]) == {"supervised", "semi_online"}
    assert set(summary["phases"]["semi_online"]) >= {"success", "ci95", "episodes"}
    assert "supervised_to_semi_online" in summary["gain"]


def test_a_store_needs_no_phone(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path, no_phones: None
) -> None:
    data = {"store": str(expert_store), "held_out": 0.3}
    run = SemiOnlineRun(tiny_recipe("semi_online", data=data, evaluation={"episodes": 8}), tmp_path, watcher)
    run.go()
    learned, measured = set(run.progress.demonstrations), run.progress.evaluations["semi_online"]
    assert learned
    assert measured
    assert learned.isdisjoint(run._held_out)
    assert learned | set(run._held_out) == {f"expert/{number}" for number in range(8)}
    assert {"progress/supervised", "progress/semi_online"} <= set().union(
        *(line.keys() for line in _metrics(tmp_path / "metrics.jsonl"))
    )
    summary = write_report(tmp_path)
    assert summary["phases"]["semi_online"]["episodes"] == len(run._held_out)
    assert summary["manifest"]["protocol"]["device"].startswith("none")


def test_a_run_that_was_cut_ends_with_the_same_weights(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path
) -> None:
    """With a surplus of rollouts that waits at the cut, and optimiser and reference in the checkpoint."""
    recipe = tiny_recipe(
        "semi_online",
        data={"store": str(expert_store), "held_out": 0.3},
        sampling={"rollouts": 8, "tasks": 1, "spread": 0.0, "attempts": 6, "batch_size": 48},
    )
    SemiOnlineRun(recipe, tmp_path / "whole", watcher).go()
    SemiOnlineRun(recipe, tmp_path / "cut", watcher).go(stop_before="semi_online/1")
    waiting = state_of(tmp_path / "cut")["semi_online"]["waiting"]
    assert waiting["groups"] != "[]", "nothing was carried over"
    SemiOnlineRun(recipe, tmp_path / "cut", watcher).go()
    whole, cut = state_of(tmp_path / "whole"), state_of(tmp_path / "cut")
    assert same(whole["model"], cut["model"])
    assert same(whole["reference"], cut["reference"])
    assert not same(whole["reference"], {name: whole["model"][name] for name in whole["reference"]})
    assert whole["semi_online"]["refused"] == cut["semi_online"]["refused"]


def test_another_recipe_is_refused(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path) -> None:
    data = {"store": str(expert_store), "held_out": 0.3}
    SemiOnlineRun(tiny_recipe("semi_online", data=data), tmp_path, watcher).go(stop_before="supervised")
    with pytest.raises(CheckpointError, match="recipe"):
        SemiOnlineRun(tiny_recipe("semi_online", data=data, seed=1), tmp_path, watcher)


def test_only_some_demonstrations_are_imitated(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any) -> None:
    recipe = tiny_recipe(
        "semi_online", supervised={"demonstrations": 1, "updates": 1}, data={"demonstrations": 1}, iterations=0
    )
    run = SemiOnlineRun(recipe, tmp_path, watcher)
    run.go(stop_before="evaluate/supervised")
    templates = [trajectory.task.template for trajectory in run.demonstrations]
    assert max(map(templates.count, templates)) == 2
    imitated = [trajectory.task.template for trajectory in run._imitated]
    assert sorted(imitated) == sorted(set(templates))


def test_an_empty_store_is_explained(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any) -> None:
    with pytest.raises(ConfigError, match="tapwise data import"):
        SemiOnlineRun(tiny_recipe("semi_online", data={"store": str(tmp_path / "none")}), tmp_path / "run", watcher)


def _metrics(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
