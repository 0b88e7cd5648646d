"""Recipes: TOML files checked against frozen pydantic models, with dotted overrides from the command line."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tapwise.errors import ConfigError


class Config(BaseModel):
    """Base of every recipe section: frozen, and a misspelt key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


ConfigT = TypeVar("ConfigT", bound=Config)


def load_recipe(model: type[ConfigT], path: Path | None, overrides: Sequence[str] = ()) -> ConfigT:
    """Read a TOML recipe, apply `key.sub=value` overrides, and validate.

    Raises ConfigError that names the file, the key and what was expected of it.
    """
    data: dict[str, Any] = {}
    where = "the default recipe"
    if path is not None:
        where = str(path)
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise ConfigError(
                f"recipe {path} does not exist: give the path of a TOML file, or the name of one that"
                " `tapwise train --list` prints"
            ) from None
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(f"recipe {path} cannot be read as TOML: {error}") from error
    for override in overrides:
        _set_dotted(data, override)
    return validate(model, data, where)


def validate(model: type[ConfigT], data: dict[str, Any], where: str) -> ConfigT:
    """Validate a mapping. Raises ConfigError that names every wrong key and the keys that exist beside it."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        lines = [_explain(model, problem["loc"], problem["type"], problem["msg"]) for problem in error.errors()]
        raise ConfigError(f"{where} is not a valid recipe:\n" + "\n".join(f"  {line}" for line in lines)) from None


def _explain(model: type[BaseModel], location: tuple[int | str, ...], kind: str, message: str) -> str:
    key = ".".join(str(part) for part in location)
    if kind != "extra_forbidden":
        return f"{key}: {message}"
    section: Any = model
    for part in location[:-1]:
        is_section = isinstance(section, type) and issubclass(section, BaseModel)
        field = section.model_fields.get(str(part)) if is_section else None
        section = field.annotation if field is not None else None
    known = sorted(section.model_fields) if isinstance(section, type) and issubclass(section, BaseModel) else []
    return f"{key}: unknown key; known here: {', '.join(known)}" if known else f"{key}: unknown key"


def _set_dotted(data: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator:
        raise ConfigError(f"override {override!r} has no value: write it as section.key=value")
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text  # a bare word is a string
    *sections, last = key.split(".")
    for section in sections:
        data = data.setdefault(section, {})
        if not isinstance(data, dict):
            raise ConfigError(f"override {override!r}: {section!r} is a value, not a section")
    data[last] = value


def recipe_sha(config: BaseModel) -> str:
    """Hash of the resolved recipe, the same for equal recipes whatever the order of their keys."""
    text = json.dumps(config.model_dump(mode="json"), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
