"""Recipes: what is wrong is named with its place, overrides win, equal recipes hash alike."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from tapwise.config import Config, load_recipe, recipe_sha
from tapwise.errors import ConfigError


class Farm(Config):
    devices: int = Field(4, gt=0)
    backend: str = "virtual"
    addresses: tuple[str, ...] = ()


class Whole(Config):
    name: str = "run"
    rate: float = 0.5
    farm: Farm = Farm()


def written(folder: Path, text: str) -> Path:
    path = folder / "recipe.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_with_overrides(tmp_path: Path) -> None:
    path = written(tmp_path, 'name = "mine"\n[farm]\ndevices = 2\n')
    recipe = load_recipe(Whole, path, ["farm.devices=8", 'farm.addresses=["a:1", "b:2"]', "rate=1e-3"])
    assert recipe == Whole(name="mine", rate=1e-3, farm=Farm(devices=8, addresses=("a:1", "b:2")))


def test_without_a_file_the_defaults_hold() -> None:
    assert load_recipe(Whole, None) == Whole()


@pytest.mark.parametrize(("text", "value"), [("remote", "remote"), ('"remote"', "remote"), ("a=b", "a=b"), ("", "")])
def test_bare_words_are_strings(text: str, value: str) -> None:
    assert load_recipe(Whole, None, [f"farm.backend={text}"]).farm.backend == value


@pytest.mark.parametrize(
    ("text", "overrides", "parts"),
    [
        ("nam = 1", [], ["nam: unknown key; known here: farm, name, rate"]),
        ("[farm]\ndevice = 1", [], ["farm.device: unknown key; known here: addresses, backend, devices"]),
        ("[farm]\ndevices = 0", [], ["farm.devices", "greater than 0"]),
        ("rate = 'quick'\nnam = 1", [], ["rate", "nam"]),
        ("name = ", [], ["cannot be read as TOML"]),
        ("", ["farm.devices"], ["'farm.devices'", "section.key=value"]),
        ("", ["name.first=x"], []),
        ("name = 'x'", ["name.first=y"], ["'name' is a value, not a section"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, overrides: list[str], parts: list[str]) -> None:
    with pytest.raises(ConfigError) as raised:
        load_recipe(Whole, written(tmp_path, text), overrides)
    assert all(part in str(raised.value) for part in parts)


def test_the_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml does not exist"):
        load_recipe(Whole, tmp_path / "nowhere.toml")
    with pytest.raises(ConfigError, match=r"recipe\.toml is not a valid recipe"):
        load_recipe(Whole, written(tmp_path, "x = 1"))
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"bytes\.toml cannot be read"):
        load_recipe(Whole, tmp_path / "bytes.toml")


def test_recipes_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Whole().name = "other"  # type: ignore[misc]


@given(st.permutations(["name=x", "rate=0.1", "farm.devices=3"]))
def test_the_hash_knows_no_order(overrides: list[str]) -> None:
    expected = recipe_sha(Whole(name="x", rate=0.1, farm=Farm(devices=3)))
    assert recipe_sha(load_recipe(Whole, None, overrides)) == expected
    assert expected != recipe_sha(Whole())
