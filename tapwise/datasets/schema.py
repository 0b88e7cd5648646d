"""What is stored of a trajectory: its header, its steps as JSON, its screenshots as blobs.

Journal and shards hold the same JSON. The header is the trajectory without steps and final observation.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapwise.datasets.encoding import decode, encode
from tapwise.records import End, Fault, Observation, Provenance, Step, Task, Trajectory, Verdict

VERSION = 2
"""Of the stored JSON and columns; raised when a change makes older readers fail."""


@dataclass(frozen=True, slots=True)
class Summary:
    """The light part of a stored trajectory: everything but its steps. `reward` is the sum over the steps."""

    id: str
    task: Task
    end: End
    provenance: Provenance
    steps: int
    reward: float
    fault: Fault | None = None
    outcome: bool | None = None
    verdicts: tuple[Verdict, ...] = ()

    @property
    def trainable(self) -> bool:
        """As `Trajectory.trainable`."""
        return self.end is not End.ABORTED and self.steps > 0

    @property
    def success(self) -> bool | None:
        """As `Trajectory.success`."""
        if self.outcome is not None:
            return self.outcome
        return next((v.success for v in self.verdicts if v.success is not None), None)


@dataclass(frozen=True, slots=True)
class Interrupted:
    """An episode that began and never finished: what a run needs to go on with it."""

    id: str
    task: Task
    provenance: Provenance
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A trajectory as JSON values beside its blobs; blob indices in them count from 0."""

    header: Any
    steps: list[Any]
    final: Any
    blobs: list[bytes]


def dump(value: Any) -> str:
    """Compact ASCII JSON text; NaN and infinities keep Python's spelling."""
    return json.dumps(value, separators=(",", ":"))


def without_tree(observation: Observation) -> Observation:
    """The observation without its accessibility tree."""
    return dataclasses.replace(observation, ui=None)


def lighten(step: Step) -> Step:
    """The step without its accessibility tree."""
    return dataclasses.replace(step, observation=without_tree(step.observation))


def store_form(trajectory: Trajectory, keep_ui: bool) -> Stored:
    """Split a trajectory for storage; accessibility trees stay only with `keep_ui`."""
    blobs: list[bytes] = []
    final = trajectory.final
    if not keep_ui:
        final = None if final is None else without_tree(final)
        trajectory = dataclasses.replace(trajectory, steps=tuple(lighten(step) for step in trajectory.steps))
    steps = [encode(step, blobs) for step in trajectory.steps]
    last = encode(final, blobs)
    return Stored(encode(dataclasses.replace(trajectory, steps=(), final=None), blobs), steps, last, blobs)


def record_form(stored: Stored) -> Trajectory:
    """The inverse of `store_form`. Raises ValueError that names the field that is wrong."""
    header = decode(Trajectory, stored.header, ())
    steps = tuple(decode(Step, step, stored.blobs) for step in stored.steps)
    final = None if stored.final is None else decode(Observation, stored.final, stored.blobs)
    return dataclasses.replace(header, steps=steps, final=final)


def summarise(header: Any, steps: int, reward: float) -> Summary:
    """The summary of a stored header. Raises ValueError that names the field that is wrong."""
    whole = decode(Trajectory, header, ())
    return Summary(
        id=whole.id,
        task=whole.task,
        end=whole.end,
        provenance=whole.provenance,
        steps=steps,
        reward=reward,
        fault=whole.fault,
        outcome=whole.outcome,
        verdicts=whole.verdicts,
    )


def blob_index(observation: Any) -> int:
    """Where a stored observation's screenshot lies among the blobs. Raises ValueError when it does not say."""
    try:
        index = observation["screenshot"]["data"]
    except (KeyError, TypeError):
        raise ValueError("observation has no screenshot.data") from None
    if type(index) is not int:
        raise ValueError(f"observation.screenshot.data is {index!r}, expected the index of a blob")
    return index


def total_reward(steps: Sequence[Any]) -> float:
    """Sum of the rewards of stored steps."""
    return float(sum(step["reward"] for step in steps))
