"""Worked examples that a model judge is shown before the question: a folder of screens with verdicts.

The folder holds `index.toml` and pictures. Each example is a table of it:

    [[example]]
    image = "alarm.png"              # the last screen of an episode, a file of the folder
    goal = "set an alarm for 7 30"   # what was asked for
    actions = ["open the app \"Clock\"", "tap (50%, 90%)"]
    success = true                   # what a judge should say
    reason = "The list of alarms shows 7 30, switched on."

The order is that of the file. Examples that ship with the package are of the virtual phone, from tasks of the training
split alone; `scripts/make_judge_examples.py` makes them.
"""

from __future__ import annotations

import hashlib
import io
import json
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from tapwise.errors import ConfigError
from tapwise.records import Screenshot, Size

SHIPPED = "judge_examples"
INDEX = "index.toml"
_FIELDS: dict[str, type] = {"image": str, "goal": str, "actions": list, "success": bool, "reason": str}


@dataclass(frozen=True, slots=True)
class Example:
    """One worked example: the end of an episode, and the verdict on it. `actions` are in words, in order."""

    picture: Screenshot
    goal: str
    actions: tuple[str, ...]
    success: bool
    reason: str

    @property
    def answer(self) -> str:
        """The reply that a judge should give."""
        return json.dumps({"success": self.success, "reason": self.reason}, ensure_ascii=False)


def load_examples(spec: str) -> tuple[Example, ...]:
    """The examples that `spec` names: `none`, a number of those that ship with the package, or a folder's path.

    Raises ConfigError that names the folder and the example when there are not that many, or one cannot be used.
    """
    if spec == "none":
        return ()
    if not spec.isdecimal():
        return _read(Path(spec), spec)
    found = _read(files("tapwise.evaluator") / SHIPPED, "the package")
    if int(spec) > len(found):
        raise ConfigError(f"{spec} examples were asked for, but {len(found)} ship with the package: make a folder")
    return found[: int(spec)]


def digest(examples: Sequence[Example]) -> str:
    """A hash of all that a judge sees of examples, in their order; empty without any."""
    if not examples:
        return ""
    found = hashlib.sha256()
    for one in examples:
        told = [one.goal, list(one.actions), one.answer, hashlib.sha256(one.picture.data).hexdigest()]
        found.update(json.dumps(told).encode())
    return found.hexdigest()


def _read(folder: Path | Traversable, name: str) -> tuple[Example, ...]:
    try:
        content = tomllib.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"examples {name!r}: give none, a number, or a folder with an {INDEX} ({error})") from None
    entries = content.get("example")
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{INDEX} of {name} has no [[example]] table")
    return tuple(_example(folder, entry, f"example {number} of {name}") for number, entry in enumerate(entries, 1))


def _example(folder: Path | Traversable, entry: Any, name: str) -> Example:
    given = entry if isinstance(entry, dict) else {}
    unknown = sorted(set(given) - set(_FIELDS))
    if unknown:
        raise ConfigError(f"{name} has the unknown key {unknown[0]!r}: it takes {', '.join(_FIELDS)}")
    for key, kind in _FIELDS.items():
        if not isinstance(given.get(key), kind):
            raise ConfigError(f"{name} needs {key} = ... of type {kind.__name__}, and has {given.get(key)!r}")
    if not all(isinstance(action, str) for action in given["actions"]):
        raise ConfigError(f"{name}: actions must be words")
    picture = _picture(folder, given["image"], name)
    return Example(picture, given["goal"], tuple(given["actions"]), given["success"], given["reason"])


def _picture(folder: Path | Traversable, image: str, name: str) -> Screenshot:
    if Path(image).name != image:
        raise ConfigError(f"{name}: image {image!r} must be the name of a file in the folder")
    try:
        data = (folder / image).read_bytes()
        with Image.open(io.BytesIO(data)) as opened:
            width, height = opened.size
            kind = (opened.format or "").lower()
    except (OSError, SyntaxError) as error:
        raise ConfigError(f"{name}: the picture {image} cannot be read: {error}") from None
    image_format: Literal["png", "jpeg"] | None = {"png": "png", "jpeg": "jpeg"}.get(kind)  # type: ignore[assignment]
    if image_format is None:
        raise ConfigError(f"{name}: {image} is of format {kind or 'unknown'}: use PNG or JPEG")
    return Screenshot(data, image_format, Size(height, width))
