"""What people say of episodes: a CSV file that grows by a line with each label, and survives a killed writer."""

from __future__ import annotations

import csv
import io
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from tapwise.errors import ConfigError

COLUMNS = ("trajectory", "success", "time")
_WORDS: dict[str, bool | None] = {"true": True, "1": True, "yes": True, "success": True}
_WORDS |= {"false": False, "0": False, "no": False, "failure": False}
_WORDS |= {"unknown": None, "cannot tell": None}


def read_labels(path: Path) -> dict[str, bool | None]:
    """What was said of each trajectory, the last word on it; None where people could not tell.

    The file needs a first line with the columns trajectory and success, and may have others. A torn last line, which a
    killed writer leaves, is passed over. Raises ConfigError that names the line that is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"the labels in {path} cannot be read: {error}") from None
    return _parse(path, content)[0]


def _parse(path: Path, content: bytes) -> tuple[dict[str, bool | None], list[str], bool]:
    """The labels, the columns, and whether the last line is torn and holds none."""
    whole = content.rfind(b"\n") + 1
    try:
        text = content[:whole].decode() + content[whole:].decode("utf-8", "replace")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the labels in {path} cannot be read: {error}") from None
    rows = csv.DictReader(io.StringIO(text))
    columns = list(rows.fieldnames or ())
    if not {"trajectory", "success"} <= set(columns):
        raise ConfigError(f"{path} needs a first line with the columns trajectory and success")
    listed = list(rows)
    found: dict[str, bool | None] = {}
    for number, row in enumerate(listed, 2):
        value = None if row["success"] is None else row["success"].strip().lower()
        if value is None or value not in _WORDS:
            if whole < len(content) and number == len(listed) + 1:
                return found, columns, True
            raise ConfigError(f"line {number} of {path}: success is {row['success']!r}; write true, false or unknown")
        found[row["trajectory"]] = _WORDS[value]
    return found, columns, False


class LabelFile:
    """Labels that are kept as soon as they are given; safe to share between threads.

    A file that is there goes on, without a torn last line. Raises ConfigError when it cannot be read or written, or is
    no file of labels.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._guard = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            content = path.read_bytes() if path.exists() else b""
            heading = ",".join(COLUMNS).encode()
            if heading.startswith(content):  # nothing yet, or a torn first line
                content = heading + b"\n"
                path.write_bytes(content)
            self._said, self._columns, torn = _parse(path, content)
            if not content.endswith(b"\n"):
                with path.open("r+b") as file:
                    file.truncate(content.rfind(b"\n") + 1 if torn else len(content))
                    file.seek(0, os.SEEK_END)
                    file.write(b"" if torn else b"\n")
        except OSError as error:
            raise ConfigError(f"labels cannot be kept in {path}: {error}") from None

    def __contains__(self, trajectory: str) -> bool:
        return trajectory in self._said

    def _mend(self, whole: int) -> None:
        """End the last line, so that the next label is one of its own; without a label it is dropped."""
        with self._path.open("r+b") as file:
            lines = file.read()[:whole].count(b"\n")
            if len(self._said) == lines:
                file.write(b"\n")
            else:
                file.truncate(whole)

    def said(self, trajectory: str) -> bool | None:
        """What was said last of a trajectory; None also where nothing was."""
        return self._said.get(trajectory)

    def keep(self, trajectory: str, success: bool | None) -> None:
        """Write a label and wait until it is on the disk; a later one on the same trajectory counts instead."""
        word = "unknown" if success is None else str(success).lower()
        values = {"trajectory": trajectory, "success": word, "time": datetime.now(UTC).isoformat(timespec="seconds")}
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([values.get(column, "") for column in self._columns])
        with self._guard:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line.getvalue())
                file.flush()
                os.fsync(file.fileno())
            self._said[trajectory] = success
