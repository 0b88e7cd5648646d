"""Values, advantages and verdicts that later passes add to stored trajectories, in a JSON-lines file of their own.

One line per annotated trajectory and pass; a later line wins, field by field. A last line without its line feed is
the torn tail of a killed writer and is cut off.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapwise.datasets.encoding import decode, encode
from tapwise.datasets.journal import sync_folder
from tapwise.datasets.schema import Summary, dump
from tapwise.errors import StoreError
from tapwise.records import Trajectory, Verdict


@dataclass(frozen=True, slots=True)
class Annotation:
    """What is added to one trajectory; None leaves what is stored. Values and advantages: one per step."""

    values: tuple[float | None, ...] | None = None
    advantages: tuple[float | None, ...] | None = None
    verdicts: tuple[Verdict, ...] | None = None

    def over(self, older: Annotation) -> Annotation:
        """This annotation on top of an older one."""
        return Annotation(
            older.values if self.values is None else self.values,
            older.advantages if self.advantages is None else self.advantages,
            older.verdicts if self.verdicts is None else self.verdicts,
        )

    def check(self, trajectory_id: str, steps: int) -> None:
        """Raises StoreError unless there is one value and one advantage per step."""
        for name, given in (("values", self.values), ("advantages", self.advantages)):
            if given is not None and len(given) != steps:
                raise StoreError(
                    f"trajectory {trajectory_id!r} has {steps} steps but {len(given)} {name} were given: give one"
                    " per step"
                )


class Annotations:
    """The annotations of one store. Not safe to share between threads.

    `damage` holds the lines that could not be read on opening.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self._path = path
        self._latest: dict[str, Annotation] = {}
        self._lines = 0
        self.damage: list[StoreError] = []
        if not path.exists():
            return
        data = path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if writable and len(whole) < len(data):
            os.truncate(path, len(whole))
        for number, line in enumerate(whole.splitlines(), 1):
            self._lines += 1
            try:
                self._read_line(json.loads(line))
            except (KeyError, TypeError, ValueError) as error:
                self.damage.append(
                    StoreError(
                        f"annotations {path}, line {number}, cannot be read ({error}): remove the line, or open the"
                        ' store with on_corrupt="skip" to use all else'
                    )
                )

    def add(self, trajectory_id: str, annotation: Annotation, *, sync: bool) -> None:
        """Write one line; survives the process on return, and the machine with `sync`. Raises StoreError."""
        try:
            with self._path.open("ab") as file:
                start = file.tell()
                try:
                    file.write(_line(trajectory_id, annotation))
                    file.flush()
                    if sync:
                        os.fdatasync(file.fileno())
                except OSError:
                    os.truncate(self._path, start)
                    raise
        except OSError as error:
            raise StoreError(
                f"annotations {self._path} cannot be written ({error.strerror}): free space on its disk"
            ) from error
        self._lines += 1
        self._put(trajectory_id, annotation)

    def check(self, trajectory_id: str, steps: int) -> None:
        """Raises StoreError when the annotation of a trajectory does not fit its number of steps."""
        if trajectory_id in self._latest:
            self._latest[trajectory_id].check(trajectory_id, steps)

    def onto(self, trajectory: Trajectory) -> Trajectory:
        """The trajectory with its annotation merged in."""
        annotation = self._latest.get(trajectory.id)
        if annotation is None:
            return trajectory
        annotation.check(trajectory.id, len(trajectory.steps))
        steps = trajectory.steps
        if annotation.values is not None:
            steps = tuple(dataclasses.replace(s, value=v) for s, v in zip(steps, annotation.values, strict=True))
        if annotation.advantages is not None:
            steps = tuple(
                dataclasses.replace(s, advantage=a) for s, a in zip(steps, annotation.advantages, strict=True)
            )
        verdicts = trajectory.verdicts if annotation.verdicts is None else annotation.verdicts
        return dataclasses.replace(trajectory, steps=steps, verdicts=verdicts)

    def onto_summary(self, summary: Summary) -> Summary:
        """The summary with the annotated verdicts."""
        annotation = self._latest.get(summary.id)
        if annotation is None or annotation.verdicts is None:
            return summary
        return dataclasses.replace(summary, verdicts=annotation.verdicts)

    def __contains__(self, trajectory_id: object) -> bool:
        return trajectory_id in self._latest

    def compact(self, known: Collection[str]) -> None:
        """Rewrite the file, atomically, when more than half of its lines are outdated; drops ids not in `known`."""
        if self._lines > 2 * len(self._latest):
            self._rewrite({name: annotation for name, annotation in self._latest.items() if name in known})

    def drop(self, trajectory_ids: Collection[str]) -> None:
        """Forget the annotations of trajectories that carry them themselves by now, and shorten the file."""
        kept = {name: annotation for name, annotation in self._latest.items() if name not in trajectory_ids}
        if len(kept) < len(self._latest):
            self._rewrite(kept)

    def _rewrite(self, kept: dict[str, Annotation]) -> None:
        if self.damage:  # lines that cannot be read are kept for whoever can
            return
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        try:
            with temporary.open("wb") as file:
                file.writelines(_line(name, annotation) for name, annotation in kept.items())
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self._path)
        except OSError as error:
            raise StoreError(
                f"annotations {self._path} cannot be shortened ({error.strerror}): free space on its disk"
            ) from error
        sync_folder(self._path.parent)
        self._latest, self._lines = kept, len(kept)

    def _read_line(self, line: Any) -> None:
        self._put(line["id"], decode(Annotation, line["annotation"], ()))

    def _put(self, trajectory_id: str, annotation: Annotation) -> None:
        self._latest[trajectory_id] = annotation.over(self._latest.get(trajectory_id, Annotation()))


def annotation_of(
    values: Sequence[float | None] | None, advantages: Sequence[float | None] | None, verdicts: Sequence[Verdict] | None
) -> Annotation:
    """An annotation from any sequences."""
    return Annotation(
        None if values is None else tuple(values),
        None if advantages is None else tuple(advantages),
        None if verdicts is None else tuple(verdicts),
    )


def _line(trajectory_id: str, annotation: Annotation) -> bytes:
    return (dump({"id": trajectory_id, "annotation": encode(annotation, [])}) + "\n").encode("ascii")
