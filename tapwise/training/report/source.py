"""What a report is made from: the files of a run's folder."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapwise.errors import CheckpointError, ConfigError
from tapwise.training.checkpoint import load_checkpoint

PHASES = {
    "rl": ("supervised", "offline", "online"),
    "vem": ("supervised", "vem"),
    "semi_online": ("supervised", "semi_online"),
}
"""what success is measured after, in order, by kind of run"""
_NUMBER = re.compile(r"-(\d+)(?:\+\d+)?$")


@dataclass(frozen=True, slots=True)
class RunData:
    """A run as its folder tells of it.

    `evaluations` holds results (fields of `EpisodeResult`) by phase, in the order of phases; `metrics` the lines of
    metrics.jsonl; `seconds` the wall time by kind of unit.
    """

    folder: Path
    recipe: dict[str, Any]
    manifest: dict[str, Any]
    evaluations: dict[str, list[dict[str, Any]]]
    metrics: list[dict[str, float]]
    seconds: dict[str, float]
    interactions: int
    demonstrations: int
    found: dict[str, Any]
    """what else the run has found out, by name"""

    @property
    def phases(self) -> tuple[str, ...]:
        """What success is measured after, in order."""
        return PHASES[self.recipe.get("kind", "rl")]

    @property
    def wall_s(self) -> float:
        """Seconds that all units took together."""
        return sum(self.seconds.values())


def read_run(folder: Path) -> RunData:
    """Read a run's folder. Raises ConfigError when it is none, CheckpointError when it has nothing to tell yet."""
    state = load_checkpoint(folder / "checkpoints")
    if state is None:
        if not (folder / "recipe.json").exists():
            raise ConfigError(f"{folder} is not the folder of a run: give one that `tapwise demo` or `train` made")
        raise CheckpointError(f"run {folder} has no checkpoint yet: run it until its first unit is done")
    if "progress" not in state:
        raise CheckpointError(f"the checkpoint in {folder} keeps no progress: it was not written by a run")
    progress = state["progress"]
    found: dict[str, list[dict[str, Any]]] = progress["evaluations"]
    recipe = _read_json(folder / "recipe.json")
    return RunData(
        folder=folder,
        recipe=recipe,
        manifest=_read_json(folder / "manifest.json"),
        evaluations={phase: found[phase] for phase in PHASES[recipe.get("kind", "rl")] if found.get(phase)},
        metrics=_read_metrics(folder / "metrics.jsonl"),
        seconds=progress["seconds"],
        interactions=progress["interactions"],
        demonstrations=len(progress["demonstrations"]),
        found=progress.get("found", {}),
    )


def number_of(trajectory_id: str) -> int | None:
    """The place of an episode in its evaluation, which is the same task in every phase: the id's last number."""
    match = _NUMBER.search(trajectory_id)
    return int(match[1]) if match else None


def by_number(results: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """Results by their place in the evaluation."""
    numbered = ((number_of(result["trajectory"]), result) for result in results)
    return {number: result for number, result in numbered if number is not None}


def _read_json(path: Path) -> dict[str, Any]:
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read ({error}): the same command that made the run writes it again"
        ) from error
    return data


def _read_metrics(path: Path) -> list[dict[str, float]]:
    """The lines of the file; of a unit that was done twice because the run was killed in it, the second."""
    latest: dict[tuple[Any, ...], dict[str, float]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            values = json.loads(line)
        except ValueError:
            continue  # the torn last line of a killed run
        key = (values.get("step"), values.get("interactions"), *sorted(values))
        latest.pop(key, None)
        latest[key] = values
    return list(latest.values())
