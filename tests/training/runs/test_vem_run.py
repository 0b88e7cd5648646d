"""VEM runs at the smallest size: labels of every source, the critic, learning against it, cut and resumed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import ConfigError
from tapwise.training.checkpoint import load_checkpoint
from tapwise.training.report import write_report
from tapwise.training.runs import policy_run
from tapwise.training.runs.vem import VemRun
from tapwise.training.vem.critic import load_critic
from tapwise.training.vem.labels import LabelFile

TinyRecipe = Callable[..., Any]


def state_of(folder: Path) -> dict[str, Any]:
    state = load_checkpoint(folder / "checkpoints")
    assert state is not None
    return state


def copy_of(model: VlmModel) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.model.state_dict().items()}


def same(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


def test_from_forked_states_to_a_policy_and_a_report(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any) -> None:
    run = VemRun(tiny_recipe("vem", seed=2), tmp_path, watcher)  # good and bad steps in its held-out episode
    start = copy_of(run.model)
    run.go()
    assert watcher.units == [
        "demonstrations",
        "supervised",
        "evaluate/supervised",
        "label/0",
        "critic",
        "optimise/0",
        "optimise/1",
        "evaluate/vem",
    ]
    labels = list(LabelFile(tmp_path / "labels.jsonl"))
    assert {label.source for label in labels} == {"progress:scripted-expert"}
    assert {label.good for label in labels} == {0.0, 1.0}
    assert {label.trajectory for label in labels} == {"label-0000", "label-0001", "label-0002"}
    assert len(run.progress.found["vem_held_out"]) == 1
    assert not same(start, run.model.model.state_dict())
    assert same(copy_of(load_critic(tmp_path / "vem").reader), copy_of(VlmModel(tmp_path / "vem")))
    summary = write_report(tmp_path)
    assert set(summary["phases"]) == {"supervised", "vem"}
    held_out = summary["critic"]["held_out"]
    assert held_out["episodes"] == 1
    assert 0.0 <= held_out["auc"] <= 1.0
    assert -1.0 <= held_out["correlation"] <= 1.0
    assert [one["iteration"] for one in summary["guard"]] == [0, 1, 2]
    assert "The value environment model" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_an_expert_s_own_actions_are_progress(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any) -> None:
    labels = {"episodes": 2, "samples": 1, "expert_share": 1.0}
    run = VemRun(tiny_recipe("vem", labels=labels), tmp_path, watcher)
    run.go(stop_before="critic")
    with ParquetTrajectoryStore(tmp_path / "trajectories", mode="read") as store:
        won = {name for name in run.progress.rollouts if store.get(name).success}
    own = [label for label in run.labels if label.action is None and label.trajectory in won]
    assert own
    assert {label.good for label in own} == {1.0}


@pytest.mark.parametrize(("source", "told"), [("outcomes", "outcome"), ("success", "fork:vlm:")])
def test_outcomes_of_the_policy_are_labels(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, source: str, told: str
) -> None:
    labels = {"source": source, "episodes": 2, "samples": 0, "expert_share": 0.0}
    run = VemRun(tiny_recipe("vem", labels=labels), tmp_path, watcher)
    run.go(stop_before="critic")
    found = list(run.labels)
    assert found
    assert all(label.source.startswith(told) for label in found)
    with ParquetTrajectoryStore(tmp_path / "trajectories", mode="read") as store:
        success = {name: store.get(name).success for name in run.progress.rollouts}
    if source == "outcomes":
        assert all(label.good == float(bool(success[label.trajectory])) for label in found)
    assert run.progress.interactions > 0


def test_a_store_needs_no_phone(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(policy_run, "open_phones", lambda *_: pytest.fail("a farm was started"))
    recipe = tiny_recipe(
        "vem", data={"store": str(expert_store), "held_out": 0.3}, labels={"source": "rules"}, iterations=1
    )
    run = VemRun(recipe, tmp_path, watcher)
    run.go()
    assert {label.source.partition(":")[0] for label in run.labels} == {"rule"}
    assert {label.trajectory for label in run.labels} == set(run.progress.demonstrations)
    assert set(run.progress.demonstrations).isdisjoint(run._held_out)
    assert [one["iteration"] for one in run.progress.found["guard"]] == [0, 1]
    assert set(write_report(tmp_path)["phases"]) == {"supervised", "vem"}


def test_a_model_s_labels(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path, chat_server: Any
) -> None:
    chat_server.script = ['{"good": true, "reason": "as asked"}']
    labels = {"source": "vlm", "url": chat_server.url, "model": "judge"}
    run = VemRun(
        tiny_recipe("vem", data={"store": str(expert_store), "held_out": 0.3}, labels=labels), tmp_path, watcher
    )
    run.go(stop_before="critic")
    with ParquetTrajectoryStore(expert_store, mode="read") as store:
        steps = sum(store.summary(name).steps for name in run.progress.demonstrations)
    assert [label.good for label in run.labels] == [1.0] * steps
    assert len(chat_server.requests) == steps


def test_labels_that_vem_made(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path) -> None:
    """Its files name an episode by its number alone; labels of episodes that are not here are passed over."""
    rows = [
        {"ep_id": str(name), "step_id": 0, "critic_output": level}
        for name, level in ((0, "2"), (1, "1"), (2, "2"), (3, "1"), (4, "2"), (999, "1"))
    ]
    path = tmp_path / "train_critic.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    recipe = tiny_recipe(
        "vem", data={"store": str(expert_store), "held_out": 0.3}, labels={"source": "file", "file": str(path)}
    )
    run = VemRun(recipe, tmp_path / "run", watcher)
    run.go(stop_before="critic")
    learned = {name for name in run.progress.demonstrations if int(name.rpartition("/")[2]) < 5}
    assert {label.trajectory: label.good for label in run.labels} == {
        name: float(int(name.rpartition("/")[2]) % 2 == 0) for name in learned
    }
    path.write_text(json.dumps(rows[-1]), encoding="utf-8")
    other = VemRun(recipe, tmp_path / "other", watcher)
    with pytest.raises(ConfigError, match="labels none"):
        other.go()


def test_the_guard_ends_learning(tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, expert_store: Path) -> None:
    recipe = tiny_recipe("vem", data={"store": str(expert_store), "held_out": 0.3}, labels={"source": "rules"})
    run = VemRun(recipe, tmp_path, watcher)
    run.go(stop_before="optimise/1")
    run = VemRun(recipe, tmp_path, watcher)
    run.progress.found["guard"] = [
        {"iteration": 0, "score": 0.1, "successes": 20, "episodes": 20, "alarm": "none"},
        {"iteration": 1, "score": 0.9, "successes": 0, "episodes": 20, "alarm": "stop"},
    ]
    before = copy_of(run.model)
    run._optimise(1)
    assert same(before, run.model.model.state_dict())
    assert len(run.progress.found["guard"]) == 2
    run.close()


@pytest.mark.parametrize("unit", ["label/1", "critic", "optimise/1"])
@pytest.mark.slow
def test_a_run_that_was_cut_ends_with_the_same_weights(
    tmp_path: Path, tiny_recipe: TinyRecipe, watcher: Any, unit: str
) -> None:
    recipe = tiny_recipe("vem", labels={"episodes": 10, "samples": 1})
    VemRun(recipe, tmp_path / "whole", watcher).go()
    VemRun(recipe, tmp_path / "cut", watcher).go(stop_before=unit)
    VemRun(recipe, tmp_path / "cut", watcher).go()
    whole, cut = state_of(tmp_path / "whole"), state_of(tmp_path / "cut")
    assert same(whole["model"], cut["model"])
    assert whole["progress"]["found"] == cut["progress"]["found"]
    assert list(LabelFile(tmp_path / "whole" / "labels.jsonl")) == list(LabelFile(tmp_path / "cut" / "labels.jsonl"))


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        ({"labels": {"source": "vlm"}}, "labels.url"),
        ({"labels": {"file": "x.jsonl"}}, "labels.file"),
        ({"data": {"store": "x"}}, "needs phones"),
        ({"policy": {"lora": {"rank": 2}}}, "no adapters"),
        ({"policy": {"temperature": 0.5}}, "give both the same"),
    ],
)
def test_recipes_that_contradict_themselves(tiny_recipe: TinyRecipe, sections: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        tiny_recipe("vem", **sections)
