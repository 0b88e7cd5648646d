"""Labels out of VEM's own files, `PART_SPLIT_critic.jsonl`: one JSON object a step, rated 1 (bad) or 2 (good).

Every row repeats its whole episode; of that only the counts are checked, for the released preparation leaves out
screenshots that are missing, and with them shifts all later steps. Actions come from the trajectory that the label
belongs to: the same point is (x, y) in one of the peer's files and (y, x) in another.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tapwise.errors import StoreError
from tapwise.training.vem.labels import StepLabel

SOURCE = "vem"
_LEVELS = {"1": 0.0, "2": 1.0}


def read_vem_labels(path: Path, trajectory_id: Callable[[str], str] = str) -> Iterator[StepLabel]:
    """The labels of a file, row by row. `trajectory_id` makes the id that our trajectories have of an `ep_id`.

    Raises StoreError that names the file, the row and the field.
    """
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _label(line, f"row {number} of {path}", trajectory_id)
    except (OSError, UnicodeDecodeError) as error:
        raise StoreError(f"labels cannot be read from {path} ({error}): give a file that VEM's labelling wrote") from (
            error
        )


def _label(line: str, where: str, trajectory_id: Callable[[str], str]) -> StepLabel:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise StoreError(f"{where} is not JSON: {error}") from None
    if not isinstance(row, dict):
        raise StoreError(f"{where} is {type(row).__name__}, expected an object")
    episode, step, level = (_field(row, name, where) for name in ("ep_id", "step_id", "critic_output"))
    if isinstance(step, bool) or not isinstance(step, int) or step < 0:
        raise StoreError(f"{where}: step_id is {step!r}, expected a whole number from 0 on")
    if str(level).strip() not in _LEVELS:
        raise StoreError(f"{where}: critic_output is {level!r}, expected 1 or 2")
    _check_counts(row, step, where)
    explanation = row.get("critic_explanation", "")
    return StepLabel(
        trajectory_id(str(episode)),
        step,
        _LEVELS[str(level).strip()],
        SOURCE,
        explanation if isinstance(explanation, str) else "",
    )


def _field(row: dict[str, Any], name: str, where: str) -> Any:
    if name not in row:
        raise StoreError(f"{where} has no {name}: take the file whose name ends in _critic.jsonl")
    return row[name]


def _check_counts(row: dict[str, Any], step: int, where: str) -> None:
    counts = {name: len(row[name]) for name in ("action_list", "image_list") if isinstance(row.get(name), list)}
    if len(set(counts.values())) > 1:
        raise StoreError(
            f"{where} has {counts['action_list']} actions but {counts['image_list']} screenshots: its steps are shifted"
            " against each other; leave the episode out"
        )
    if any(step >= count for count in counts.values()):
        raise StoreError(f"{where}: step_id is {step}, but the episode has {min(counts.values())} steps")
