"""Foreign data sets as trajectories, one module per format; a module is loaded when its format is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from tapwise.datasets.importers.common import Imported, Importer, Options, Problem
from tapwise.errors import ConfigError, DataError

__all__ = ["FORMATS", "Format", "Imported", "Importer", "Options", "Problem", "find_sources", "importer"]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: what it is, the names of its files in a folder, and how many episodes and steps are official."""

    summary: str
    patterns: tuple[str, ...]
    official: tuple[tuple[str, int, int], ...] = ()


FORMATS: dict[str, Format] = {
    "aitw": Format(
        "Android in the Wild, TFRecord shards",
        ("*-of-*", "*.tfrecord*"),
        (
            ("google_apps", 625542, 4903601),
            ("install", 25760, 250058),
            ("web_shopping", 28061, 365253),
            ("general", 9476, 85413),
            ("single", 26303, 85668),
        ),
    ),
    "android_control": Format("AndroidControl, TFRecord shards", ("*-of-*", "*.tfrecord*")),
    "see_click": Format("SeeClick's JSON of AitW", ("*.json",)),
    "digirl": Format("DigiRL's trajectories (.pt)", ("*.pt",)),
    "vem": Format("VEM's JSONL", ("*.jsonl",)),
    "ui_s1": Format("UI-S1's JSONL", ("*.jsonl",), (("AndroidControl test, as SOP", 1543, 8444),)),
    "hub": Format("any Hugging Face data set, by a map of columns", ()),
}


def importer(name: str) -> Importer:
    """The `episodes` function of a format. Raises ConfigError for an unknown one."""
    if name not in FORMATS:
        raise ConfigError(f"format {name!r} is unknown: take one of {', '.join(FORMATS)}")
    module = importlib.import_module(f"tapwise.datasets.importers.{name}")
    return cast(Importer, module.episodes)


def find_sources(name: str, path: Path) -> list[Path]:
    """The files of a format: `path` itself, or all below the folder that it is. Raises DataError for none."""
    patterns = FORMATS[name].patterns
    if not patterns or path.is_file():
        return [path]
    found = {file for pattern in patterns for file in path.rglob(pattern) if file.is_file()}
    if not found:
        reason = f"holds no file named {' or '.join(patterns)}" if path.is_dir() else "does not exist"
        raise DataError(f"{path} {reason}: give a file of {FORMATS[name].summary}, or a folder of them")
    return sorted(found)
