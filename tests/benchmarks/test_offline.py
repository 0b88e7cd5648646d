"""The offline benchmark: its arithmetic, and at its small size the whole of it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tapwise.config import load_recipe
from tapwise.training.recipes import BaseRecipe

FOLDER = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def offline() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_offline", FOLDER / "offline.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["bench_offline"] = module  # pydantic looks up annotations there
    spec.loader.exec_module(module)
    return module


def seeds_of(**success: list[bool]) -> dict[int, dict[str, Any]]:
    """Two seeds with the same results, by method; every other method fails throughout."""
    names = ("bc", "filtered_bc", "digirl_vem", "stepwise", "semi_online")
    lost = [False] * 20
    one = {name: {"start": lost, "success": success.get(name, lost)} for name in names}
    return {0: one, 1: one}


def test_orderings_are_told_as_they_are(offline: ModuleType) -> None:
    won = [True] * 20
    few = [True] + [False] * 19
    found = offline.orderings(seeds_of(filtered_bc=won, semi_online=few))
    assert [one["verdict"] for one in found] == ["holds", "reversed", "not decided"]
    assert [one["points"] for one in found] == pytest.approx([100.0, -100.0, 5.0])
    assert found[0]["expected"] == "filtered BC > behaviour cloning"


def test_rows_pool_the_seeds(offline: ModuleType) -> None:
    rows = {row["name"]: row for row in offline.summarise(seeds_of(bc=[True] * 5 + [False] * 15))}
    assert rows["bc"]["success"] == 0.25
    assert rows["bc"]["episodes"] == 40
    assert rows["bc"]["seeds"] == [0.25, 0.25]
    assert rows["bc"]["seed_sd"] == 0.0
    assert rows["start"]["success"] == 0.0
    assert rows["bc"]["ci95"][0] < 0.25 < rows["bc"]["ci95"][1]


def test_all_methods_share_what_is_not_theirs(offline: ModuleType) -> None:
    settings = load_recipe(offline.Settings, FOLDER / "offline.toml")
    rollouts = [settings.rollout_recipe(3, name) for name in offline.ALGORITHMS]
    replays = [settings.replay_recipe(3, name) for name in offline.REPLAYS]
    for name in BaseRecipe.model_fields:
        assert len({repr(getattr(recipe, name)) for recipe in (*rollouts, *replays)}) == 1, name
    assert [recipe.algorithm.type for recipe in rollouts] == ["bc", "filtered_bc", "digirl"]
    assert [(recipe.replay.own_history, recipe.replay.patches) for recipe in replays] == [(False, None), (True, 1)]
    assert rollouts[2].algorithm.trains_vem
    assert rollouts[0].evaluation.split == "test"
    assert rollouts[0].online.iterations == 0


@pytest.mark.slow
def test_the_small_size_works_end_to_end_and_goes_on(tmp_path: Path) -> None:
    command = [sys.executable, str(FOLDER / "offline.py"), "--small", "--seeds=1", "--jobs=1", "--json"]
    command += ["--run", str(tmp_path / "run"), "--out", str(tmp_path / "offline.json")]
    first = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    result = json.loads(first.stdout)
    names = [row["name"] for row in result["rows"]]
    assert names == ["start", "bc", "filtered_bc", "digirl_vem", "stepwise", "semi_online"]
    assert len(result["orderings"]) == 3
    assert result["manifest"]["suite"]["test_tasks"] > 0
    again = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=280, check=True).stdout)
    assert again["rows"] == result["rows"]
    assert again["by_seed"] == result["by_seed"]
    assert json.loads((tmp_path / "offline.json").read_text(encoding="utf-8"))["rows"] == result["rows"]


def test_a_wrong_key_is_explained(offline: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert offline.main(["--set", "shared.seeds=3"]) == 1
    assert "shared.seeds" in capsys.readouterr().err
