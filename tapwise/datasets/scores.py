"""What judges and policies said of stored trajectories, kept so that nothing is asked twice.

A JSON-lines file beside a store, which the store itself does not know of: it may grow while the store is being written,
and deleting it loses no data, only work. Entries are found by what the trajectory contains, not by its id, so that a
copy, an import or a compacted store finds them too.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from tapwise.datasets.encoding import decode, encode
from tapwise.datasets.lock import lock_file
from tapwise.datasets.schema import dump, store_form
from tapwise.errors import StoreError
from tapwise.records import Action, Provenance, Trajectory, Verdict

RecordT = TypeVar("RecordT")


@dataclasses.dataclass(frozen=True, slots=True)
class Actions:
    """What a policy would have done at each step of a trajectory; None where its text could not be read."""

    actions: tuple[Action | None, ...]


def content_key(trajectory: Trajectory) -> str:
    """A digest of what happened in a trajectory: 64 hexadecimal digits.

    Covers the task, every observation with its screenshot and tree, every decision and reward, the end and the
    outcome. Does not cover what others said about it (verdicts, values, advantages), its id and its provenance.
    """
    steps = tuple(dataclasses.replace(step, value=None, advantage=None) for step in trajectory.steps)
    bare = dataclasses.replace(trajectory, id="", steps=steps, provenance=Provenance(""), verdicts=())
    stored = store_form(bare, keep_ui=True)
    digest = hashlib.sha256(dump([stored.header, stored.steps, stored.final]).encode("ascii"))
    for blob in stored.blobs:
        digest.update(hashlib.sha256(blob).digest())
    return digest.hexdigest()


class ScoreFile:
    """Verdicts and actions by content key and name of who said it. One process writes at a time.

    A later entry replaces an earlier one. The torn last line of a killed writer is cut off on opening. Raises
    StoreError when the file is in use, cannot be read or written, or holds a line that is not an entry.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._entries: dict[tuple[str, str], Any] = {}
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"scores {path} cannot be opened ({error.strerror}): give another file, or check the folder's rights"
            ) from error
        try:
            lock_file(self._file, f"scores {path} are in use by another process: wait for it, or give another file")
            self._load()
        except BaseException:
            self.close()
            raise

    def verdict(self, key: str, judge: str) -> Verdict | None:
        """What a judge said of a trajectory, or None."""
        return self._get(Verdict, key, judge)

    def actions(self, key: str, policy: str) -> tuple[Action | None, ...] | None:
        """What a policy would have done in a trajectory (None at steps of unreadable text), or None."""
        found = self._get(Actions, key, policy)
        return None if found is None else found.actions

    def put(self, key: str, name: str, said: Verdict | tuple[Action | None, ...]) -> None:
        """Keep what `name` said; on return it survives the death of this process. Raises StoreError."""
        record = said if isinstance(said, Verdict) else Actions(said)
        entry = encode(record, [])
        line = (dump({"key": key, "name": name, "said": entry}) + "\n").encode("ascii")
        end = os.fstat(self._file).st_size
        try:
            written = os.write(self._file, line)
            if written < len(line):
                raise OSError(28, "No space left on device")
        except OSError as error:
            os.ftruncate(self._file, end)
            raise StoreError(
                f"scores {self.path} cannot be written ({error.strerror}): free space on its disk"
            ) from error
        self._entries[key, name] = entry

    def __len__(self) -> int:
        return len(self._entries)

    def close(self) -> None:
        """Close the file and give its lock back."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _load(self) -> None:
        data = self.path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            os.ftruncate(self._file, len(whole))
        for number, text in enumerate(whole.splitlines(), 1):
            try:
                line = json.loads(text)
                self._entries[line["key"], line["name"]] = line["said"]
            except (KeyError, TypeError, ValueError) as error:
                raise StoreError(
                    f"scores {self.path}, line {number}, cannot be read ({error}): remove the line, or the file"
                ) from error

    def _get(self, record: type[RecordT], key: str, name: str) -> RecordT | None:
        entry = self._entries.get((key, name))
        if entry is None:
            return None
        try:
            return decode(record, entry, ())
        except ValueError as error:
            raise StoreError(
                f"scores {self.path} hold something else than {record.__name__} for {name!r} ({error}): remove the file"
            ) from error
