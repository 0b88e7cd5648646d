"""Rows of Android's content providers, read and written through the shell's `content` command.

Values are text throughout, as `content query` prints them; a missing value reads "NULL".
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from tapwise.android_env.tasks import Shell

Row = dict[str, str]

_ROW = re.compile(r"^Row: \d+ ", re.MULTILINE)
_COLUMN = re.compile(r"(?:^|, )([A-Za-z_]\w*)=")
_NOTES = "/data/local/tmp/tapwise_"


def parse(output: str, columns: Sequence[str] = ()) -> list[Row]:
    """The rows that `content query` printed: `Row: 0 _id=2, name=Alice`.

    Values may hold commas and line breaks. Without `columns`, the columns are those that every row has in the
    same order, so that a value such as "a, b=c" is not taken for a column of its own.
    """
    lines = [line.rstrip("\n") for line in _ROW.split(output)[1:]]
    names = list(columns) or _common_columns(lines)
    if not names:
        return []
    pattern = re.compile("(?:^|, )(" + "|".join(map(re.escape, names)) + ")=")
    return [_row(line, pattern) for line in lines]


def _common_columns(lines: Sequence[str]) -> list[str]:
    if not lines:
        return []
    others = [set(_COLUMN.findall(line)) for line in lines]
    return [name for name in dict.fromkeys(_COLUMN.findall(lines[0])) if all(name in found for found in others)]


def _row(line: str, pattern: re.Pattern[str]) -> Row:
    row: Row = {}
    found = list(pattern.finditer(line))
    for match, following in zip(found, [*found[1:], None], strict=True):
        row.setdefault(match.group(1), line[match.end() : following.start() if following else len(line)])
    return row


def query(shell: Shell, uri: str, where: str = "") -> list[Row]:
    """The rows of a content URI; `where` is an SQL condition such as "name='Alice'"."""
    condition = f" --where {shlex.quote(where)}" if where else ""
    return parse(shell(f"content query --uri {uri}{condition}"))


# --- set-up commands ---------------------------------------------------------------------------------------


def insert(uri: str, **values: str | int) -> str:
    """The command that adds a row."""
    return f"content insert --uri {uri} {_bindings(values)}"


def update(uri: str, where: str, **values: str | int) -> str:
    """The command that changes the rows that meet an SQL condition."""
    return f"content update --uri {uri} {_bindings(values)} --where {shlex.quote(where)}"


def delete(uri: str, where: str) -> str:
    """The command that removes the rows that meet an SQL condition."""
    return f"content delete --uri {uri} --where {shlex.quote(where)}"


def _bindings(values: dict[str, str | int]) -> str:
    return " ".join(
        "--bind " + shlex.quote(f"{name}:{'i' if isinstance(value, int) else 's'}:{value}")
        for name, value in values.items()
    )


# --- what an episode changed -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changes:
    """How a table differs from what it was; `changed` pairs the row before with the row after."""

    added: tuple[Row, ...]
    removed: tuple[Row, ...]
    changed: tuple[tuple[Row, Row], ...]

    @property
    def count(self) -> int:
        """How many rows differ."""
        return len(self.added) + len(self.removed) + len(self.changed)


def note_path(uri: str) -> str:
    """Where `remember` keeps the rows of a URI on the device."""
    return _NOTES + re.sub(r"\W+", "_", uri.removeprefix("content://")) + ".txt"


def remember(uri: str) -> str:
    """The command that keeps the present rows on the device, for `changes` to compare with. Put it last in a set-up."""
    return f"content query --uri {uri} > {note_path(uri)}"


def changes(shell: Shell, uri: str) -> Changes:
    """How the rows differ from those that `remember` kept, matched by `_id`."""
    before = {row["_id"]: row for row in parse(shell(f"cat {note_path(uri)}"))}
    after = {row["_id"]: row for row in query(shell, uri)}
    return Changes(
        added=tuple(row for key, row in after.items() if key not in before),
        removed=tuple(row for key, row in before.items() if key not in after),
        changed=tuple((row, after[key]) for key, row in before.items() if key in after and after[key] != row),
    )


def same(first: str, second: str) -> bool:
    """Whether two texts are the same to a person: whatever their case and outer spaces."""
    return first.strip().casefold() == second.strip().casefold()
