"""What people say of episodes: a CSV file that grows by a line with each label, and that a killed writer leaves whole."""

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
_WORDS |= {"unknown": None, "cannot tell": None, "": None}


def read_labels(path: Path) -> dict[str, bool | None]:
    """What was said of each trajectory, the last word on it; None where people could not tell.

    The file needs a first line with the columns trajectory and success, and may have others. A torn last line, which a
    killed writer leaves, is passed over. Raises ConfigError that names the line that is wrong.
    """
    try:
        content = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the labels in {path} cannot be read: {error}") from None
    rows = csv.DictReader(io.StringIO(content))
    if not {"trajectory", "success"} <= set(rows.fieldnames or ()):
        raise ConfigError(f"{path} needs a first line with the columns trajectory and success")
    found: dict[str, bool | None] = {}
    torn = bool(content) and not content.endswith("\n")
    listed = list(rows)
    for number, row in enumerate(listed, 2):
        value = None if row["success"] is None else row["success"].strip().lower()
        if value not in _WORDS:
            if torn and number == len(listed) + 1:
                break
            raise ConfigError(
                f"line {number} of {path}: success is {row['success']!r}; write true, false or unknown"
            )
        found[row["trajectory"]] = _WORDS[str(value)]
    return found


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
            with path.open("a+b") as file:
                file.seek(0)
                content = file.read()
                whole = content.rfind(b"\n") + 1
                if whole == 0:
                    file.truncate(0)
                    file.write(",".join(COLUMNS).encode() + b"\n")
            self._said = read_labels(path)
            if 0 < whole < len(content):
                self._mend(whole)
        except OSError as error:
            raise ConfigError(f"labels cannot be kept in {path}: {error}") from None
        with path.open(newline="", encoding="utf-8") as file_of_text:
            self._columns = next(csv.reader(file_of_text))

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
