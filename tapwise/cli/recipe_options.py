"""Recipes on the command line: where they are found, what may be overridden, and how `--help` tells of it."""

from __future__ import annotations

import difflib
import importlib.resources
import types
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.training.kinds import AnyRecipe
    from tapwise.training.recipes import BaseRecipe

HELP_FLAGS = ("-h", "--help")
_HELP_COLUMN = 36


def shipped_recipes() -> dict[str, Path]:
    """The recipes that come with the package: name to TOML file."""
    folder = Path(str(importlib.resources.files("tapwise"))) / "recipes"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def find_recipe(name: str) -> Path:
    """The file of a shipped recipe, or the path itself."""
    return shipped_recipes().get(name, Path(name))


def summary_of(path: Path) -> str:
    """What a recipe is for: its first line, a comment."""
    return path.read_text(encoding="utf-8").splitlines()[0].lstrip("# ")


def read_recipe(path: Path | None, overrides: Sequence[str]) -> AnyRecipe:
    """Read, override and check a recipe. Raises ConfigError for whatever can be seen to be wrong before any work."""
    from tapwise.training.kinds import read_recipe_file

    recipe = read_recipe_file(path, overrides)
    check_parts(recipe)
    return recipe


def check_parts(recipe: BaseRecipe, *further_suites: str) -> None:
    """Raise ConfigError unless the recipe's suite, or one of the further ones, and its way to the devices exist."""
    from tapwise.android_env.instructions import STEP_LIMITS
    from tapwise.android_env.suites import suite_names
    from tapwise.emulators.adb.binary import find_adb

    known = (*suite_names(), *STEP_LIMITS, *further_suites)
    if recipe.suite.partition(":")[0] not in known:
        raise ConfigError(f"suite {recipe.suite!r} does not exist: take one of {', '.join(known)}")
    if recipe.farm.transport == "binary" and recipe.farm.backend != "in_process":
        find_adb()


def split_overrides(
    arguments: Sequence[str], flags: Sequence[str], valued: Sequence[str]
) -> tuple[list[str], list[str]]:
    """Part a command's own arguments from overrides: `--farm.devices 8` and `--farm.devices=8` become
    `farm.devices=8`.

    `flags` and `valued` are the command's own options without and with a value. Raises ConfigError for an option that
    is neither the command's nor a key of recipes, and for one without its value.
    """
    own: list[str] = []
    overrides: list[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        option, equals, value = argument.partition("=")
        if not argument.startswith("--") or option in (*flags, *HELP_FLAGS):
            own.append(argument)
            continue
        if option not in valued:
            _check_key(option, (*flags, *valued))
        if not equals:
            if not rest or rest[0].startswith("--"):
                raise ConfigError(f"option {option} has no value: write it as {option}=VALUE")
            value = rest.pop(0)
        if option in valued:
            own += [f"{option}={value}"]
        else:
            overrides.append(f"{option.removeprefix('--')}={value}")
    return own, overrides


def keys_help() -> str:
    """Every key of recipes with its default and meaning, for `--help`."""
    lines = ["recipe keys (default):"]
    section = ""
    for key in _keys():
        here = key.name.rpartition(".")[0]
        if here != section:
            lines.append("")
            section = here
        lines.append(f"  {key.left:<{_HELP_COLUMN}}  {key.right}".rstrip())
    return "\n".join(lines)


def _check_key(option: str, own: Sequence[str]) -> None:
    key = option.removeprefix("--")
    known = [key.name for key in _keys()]
    if key in known:
        return
    near = difflib.get_close_matches(option, [*own, *(f"--{name}" for name in known)], n=1, cutoff=0.6)
    hint = f"did you mean {near[0]}?" if near else "`tapwise train --help` lists all"
    raise ConfigError(f"option {option} is neither one of the command's nor a key of recipes: {hint}")


@dataclass(frozen=True, slots=True)
class _Key:
    """One thing that a recipe may say. `choices` is empty where any value of the type is allowed, `kinds` where recipes
    of every kind say it."""

    name: str
    default: str
    description: str
    choices: tuple[str, ...]
    kinds: tuple[str, ...] = ()

    @property
    def left(self) -> str:
        return f"--{self.name} ({self.default})" if self.default else f"--{self.name}"

    @property
    def right(self) -> str:
        told = all(f"{choice}:" in self.description for choice in self.choices)
        words = self.description if told else f"{self.description} [{' | '.join(self.choices)}]"
        return f"{words} (kind {', '.join(self.kinds)})" if self.kinds else words


def _keys() -> list[_Key]:
    """Everything that recipes may say, plain keys before sections; what alternatives and kinds share is told once."""
    from tapwise.training.kinds import KINDS

    found: dict[str, _Key] = {}
    kinds: dict[str, list[str]] = {}
    for kind, model in KINDS.items():
        for key in _keys_of(model, "", None):
            first = found.get(key.name, key)
            choices = tuple(dict.fromkeys((*first.choices, *key.choices)))
            found[key.name] = replace(first, choices=choices)
            kinds[key.name] = list(dict.fromkeys((*kinds.get(key.name, []), kind)))
    told = [
        key if len(kinds[key.name]) == len(KINDS) else replace(key, kinds=tuple(kinds[key.name]))
        for key in found.values()
    ]
    return sorted(told, key=lambda key: "." in key.name)


def _keys_of(model: type[BaseModel], prefix: str, defaults: BaseModel | None) -> Iterator[_Key]:
    for name, field in model.model_fields.items():
        default: Any = getattr(defaults, name, field.default)
        sections = _sections(field.annotation)
        for section in sections:
            inner = default if isinstance(default, section) else None
            yield from _keys_of(section, f"{prefix}{name}.", inner)
        if not sections:
            description = " ".join((field.description or "").split())
            choices = tuple(value for value in get_args(field.annotation) if isinstance(value, str))
            yield _Key(prefix + name, _shown(default), description, choices)


def _sections(annotation: Any) -> list[type[BaseModel]]:
    parts = get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)
    return [part for part in parts if isinstance(part, type) and issubclass(part, BaseModel)]


def _shown(default: Any) -> str:
    if default is PydanticUndefined or default is None or default == "" or default == ():
        return ""
    return str(default)
