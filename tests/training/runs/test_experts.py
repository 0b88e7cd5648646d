"""Choosing experts' trajectories, reading them one by one, and the texts of recipes of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.android_env.replay import ReplaySettings
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import ConfigError
from tapwise.training.kinds import KINDS, kind_of_file, read_recipe_file
from tapwise.training.recipes import DataConfig, Recipe
from tapwise.training.runs.experts import (
    Replays,
    States,
    StoredTrajectories,
    choose_experts,
    open_experts,
)
from tapwise.training.runs.units import kind_of, unit_seed
from tapwise.training.semi_online.recipe import SemiOnlineRecipe
from tapwise.training.vem.recipe import VemRecipe


def test_a_store_of_one_split_is_parted_by_instruction(expert_store: Path) -> None:
    with open_experts(str(expert_store)) as store:
        chosen = choose_experts(store, DataConfig(held_out=0.3), np.random.default_rng(0))
        words = [{store.get(name).task.instruction for name in part} for part in (chosen.training, chosen.held_out)]
        assert chosen.training_steps == sum(len(store.get(name).steps) for name in chosen.training)
        fewer = choose_experts(store, DataConfig(held_out=0.3, episodes=2), np.random.default_rng(0))
    assert len(chosen.training) + len(chosen.held_out) == 8
    assert words[0].isdisjoint(words[1])
    assert len(fewer.training) == 2
    assert set(fewer.training) <= set(chosen.training)
    assert fewer.held_out == chosen.held_out


def test_the_splits_of_tasks_count_where_there_are_two(expert_store: Path, tmp_path: Path) -> None:
    with open_experts(str(expert_store)) as source, ParquetTrajectoryStore(tmp_path) as store:
        for number, trajectory in enumerate(source):
            task = replace(trajectory.task, split="test" if number < 3 else "train")
            store.append(replace(trajectory, task=task, outcome=number != 7))
        chosen = choose_experts(store, DataConfig(), np.random.default_rng(0))
    assert sorted(chosen.held_out) == ["expert/0", "expert/1", "expert/2"]
    assert sorted(chosen.training) == ["expert/3", "expert/4", "expert/5", "expert/6"]  # and not what failed


def test_sequences_read_what_they_are_asked_for(expert_store: Path) -> None:
    with open_experts(str(expert_store)) as store:
        found = StoredTrajectories(store, ["expert/0", "expert/1", "expert/2"])
        assert [one.id for one in found[1:]] == ["expert/1", "expert/2"]
        replays = Replays(found, ReplaySettings())
        assert [env.expert.id for env in replays] == list(found.ids)
        lengths = [len(one.steps) for one in found]
        states = States(found, lengths)
        assert len(states) == sum(lengths)
        first_of_second = states[lengths[0]]
        assert first_of_second.task.id == found[1].task.id
        assert first_of_second.history == ()
        assert [len(state.history) for state in states[: lengths[0]]] == list(range(lengths[0]))
        with pytest.raises(IndexError):
            states[len(states)]


@pytest.mark.parametrize(
    ("text", "overrides", "kind"),
    [
        ("", [], Recipe),
        ('kind = "vem"', [], VemRecipe),
        ('kind = "vem"', ['kind="semi_online"'], SemiOnlineRecipe),
        ("", ["kind=vem"], VemRecipe),
    ],
)
def test_a_key_says_which_kind_of_recipe_it_is(tmp_path: Path, text: str, overrides: list[str], kind: type) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    assert kind_of_file(path, overrides) is kind
    assert type(read_recipe_file(path, overrides)) is kind


def test_a_kind_that_does_not_exist(tmp_path: Path) -> None:
    path = tmp_path / "r.toml"
    path.write_text('kind = "ppo"', encoding="utf-8")
    with pytest.raises(ConfigError, match="rl, vem, semi_online"):
        read_recipe_file(path)


@pytest.mark.parametrize("kind", list(KINDS))
def test_recipes_survive_json(tiny_recipe: Callable[..., Any], kind: str) -> None:
    sections = {"replay": {"patches": "all", "own_history": False}} if kind == "semi_online" else {}
    recipe = tiny_recipe(kind, **sections)
    assert KINDS[kind].model_validate_json(recipe.model_dump_json()) == recipe


def test_units_are_seeded_by_their_names() -> None:
    assert unit_seed(0, "online/1") != unit_seed(0, "online/2")
    assert unit_seed(0, "online/1") != unit_seed(1, "online/1")
    assert [kind_of(name) for name in ("label/12", "evaluate/vem", "critic")] == ["label", "evaluate/vem", "critic"]
