"""What is known of how good single actions are, and the file that keeps it.

The file is JSON lines, only ever appended to: a run that was killed goes on where it was, and a line that was cut in
half is passed over. Of several lines about the same action from the same source the last one counts.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapwise.agent.action_text import ActionText
from tapwise.datasets.encoding import decode, encode
from tapwise.errors import StoreError
from tapwise.records import Action, Trajectory
from tapwise.training.transitions import step_context
from tapwise.training.vem.serialise import SerialisedStep, serialise

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StepLabel:
    """How good an action is in the state before step `step` of a trajectory.

    `good` lies in [0, 1]: 1 for good, 0 for bad, in between a share of successes; None where the source abstained.
    `action` is the action that is meant, or None for the trajectory's own. `source` says who labelled, and how:
    "vlm:MODEL", "rule:KIND", "fork:POLICY", "vem". Raises ValueError when a number is out of range.
    """

    trajectory: str
    step: int
    good: float | None
    source: str
    explanation: str = ""
    action: Action | None = None

    def __post_init__(self) -> None:
        if self.step < 0 or (self.good is not None and not 0.0 <= self.good <= 1.0):
            raise ValueError(
                f"label of step {self.step} of trajectory {self.trajectory!r} is {self.good}: steps count from 0 and a"
                " label lies in [0, 1], or is None"
            )

    @property
    def place(self) -> tuple[str, int]:
        """Trajectory and step."""
        return self.trajectory, self.step


@dataclass(frozen=True, slots=True)
class Example:
    """A step to learn from: what is shown, how good the action is, and the episode that it comes from."""

    step: SerialisedStep
    good: float
    episode: str


class LabelFile:
    """Labels at rest. `append` returns once they are on the disk. Raises StoreError when the file cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, labels: Sequence[StepLabel]) -> None:
        """Write labels at the end of the file, after a line that an earlier run may have left unfinished."""
        if not labels:
            return
        lines = "".join(json.dumps(encode(label, []), ensure_ascii=False) + "\n" for label in labels)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a+b") as file:
                if file.seek(0, os.SEEK_END):
                    file.seek(-1, os.SEEK_END)
                    lines = lines if file.read(1) == b"\n" else "\n" + lines
                file.write(lines.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"labels cannot be written to {self.path} ({error}): check its rights and the disk's free space"
            ) from error

    def __iter__(self) -> Iterator[StepLabel]:
        """The labels that count, in the order in which they were first written."""
        latest: dict[tuple[str, int, str, Action | None], StepLabel] = {}
        for label in self._all():
            latest[(*label.place, label.source, label.action)] = label
        return iter(latest.values())

    def decided(self, source: str) -> set[tuple[str, int]]:
        """The places (trajectory, step) at which a source has labelled and did not abstain."""
        return {label.place for label in self if label.source == source and label.good is not None}

    def _all(self) -> Iterator[StepLabel]:
        try:
            lines = self.path.read_bytes().split(b"\n") if self.path.exists() else []
        except OSError as error:
            raise StoreError(f"labels cannot be read from {self.path} ({error}): check the path and its rights") from (
                error
            )
        for number, line in enumerate(lines, 1):
            value = _json_object(line)
            if value is None:
                if line:
                    _log.warning(
                        "line %d of %s is cut short: its label is lost and will be asked for again", number, self.path
                    )
                continue
            try:
                yield decode(StepLabel, value, [])
            except ValueError as error:
                raise StoreError(f"line {number} of {self.path} is no label: {error}; remove the line") from None


def _json_object(line: bytes) -> dict[str, Any] | None:
    """The object on a line; None for a line that was never finished."""
    try:
        value = json.loads(line)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def examples(trajectories: Iterable[Trajectory], labels: Iterable[StepLabel], form: ActionText) -> list[Example]:
    """Labelled steps of trajectories as the critic reads them; abstentions teach nothing.

    Raises ValueError for a label whose trajectory is not among them, or has no such step.
    """
    known = {trajectory.id: trajectory for trajectory in trajectories}
    found: list[Example] = []
    for label in labels:
        if label.good is None:
            continue
        trajectory = known.get(label.trajectory)
        if trajectory is None or label.step >= len(trajectory.steps):
            raise ValueError(
                f"{label.source} labelled step {label.step} of trajectory {label.trajectory!r}, which is not among the"
                f" {len(known)} given: give the trajectories that the labels were made from"
            )
        action = label.action or trajectory.steps[label.step].decision.action
        step = serialise(step_context(trajectory, label.step), action, form)
        found.append(Example(step, label.good, label.trajectory))
    return found
