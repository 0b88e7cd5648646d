"""Which recipe and which run belong to a kind. Imports no torch before a run is made."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.config import load_recipe
from tapwise.errors import ConfigError
from tapwise.training.recipes import BaseRecipe, Recipe
from tapwise.training.semi_online.recipe import SemiOnlineRecipe
from tapwise.training.vem.recipe import VemRecipe

if TYPE_CHECKING:
    from tapwise.training.runs.units import Observer, UnitRun

AnyRecipe = Recipe | VemRecipe | SemiOnlineRecipe
KINDS: dict[str, type[AnyRecipe]] = {"rl": Recipe, "vem": VemRecipe, "semi_online": SemiOnlineRecipe}
DEFAULT = "rl"


def read_recipe_file(path: Path | None, overrides: Sequence[str] = ()) -> AnyRecipe:
    """Read, override and validate a recipe of any kind. Raises ConfigError as `load_recipe`, and for another kind."""
    return load_recipe(kind_of_file(path, overrides), path, overrides)


def kind_of_file(path: Path | None, overrides: Sequence[str] = ()) -> type[AnyRecipe]:
    """The recipe's model by its key `kind`; what cannot be read is told of by whoever reads it in full."""
    found: Any = DEFAULT
    if path is not None:
        try:
            found = tomllib.loads(path.read_text(encoding="utf-8")).get("kind", DEFAULT)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError):
            return KINDS[DEFAULT]
    for override in overrides:
        key, _, value = override.partition("=")
        found = value.strip('"') if key == "kind" else found
    return model_of_kind(found, str(path) if path else "the default recipe")


def model_of_kind(kind: object, where: str) -> type[AnyRecipe]:
    """The recipe's model. Raises ConfigError for a kind that does not exist."""
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(f"{where}: kind is {kind!r}, but there are only {', '.join(KINDS)}")
    return KINDS[kind]


def make_run(recipe: BaseRecipe, folder: Path, observer: Observer) -> UnitRun[Any]:
    """The run of a recipe in a folder. Raises what the kind's constructor does, such as CheckpointError."""
    if isinstance(recipe, VemRecipe):
        from tapwise.training.runs.vem import VemRun

        return VemRun(recipe, folder, observer)
    if isinstance(recipe, SemiOnlineRecipe):
        from tapwise.training.runs.semi_online import SemiOnlineRun

        return SemiOnlineRun(recipe, folder, observer)
    from tapwise.training.run import Run

    assert isinstance(recipe, Recipe)
    return Run(recipe, folder, observer)
