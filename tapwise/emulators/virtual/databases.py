"""Apps' records as SQLite files, where checkers of real Android look for them and write to them.

A file is made from the records when somebody is about to look, and read back when somebody has written: `reconcile`
before and after does both. Whoever removes a file leaves the app without records, as on Android.
"""

from __future__ import annotations

import posixpath
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

Row = Mapping[str, Any]
PREFIXES = ("/data/data/", "/data/user/0/")
"""where apps keep their own files"""


@dataclass(frozen=True, slots=True)
class SqlTable:
    """A list of records as a table. `schema` is its CREATE TABLE, `key` its column of the records' numbers;
    `to_row` gives the columns of a record, `from_row` makes one of a row."""

    name: str
    schema: str
    key: str
    records: list[Any]
    to_row: Callable[[Any], dict[str, Any]]
    from_row: Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Database:
    """A file and its tables."""

    path: str
    tables: Sequence[SqlTable]

    def build(self) -> bytes:
        """The file."""
        with closing(sqlite3.connect(":memory:")) as connection:
            for table in self.tables:
                connection.execute(table.schema)
                for record in table.records:
                    row = table.to_row(record)
                    names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
                    connection.execute(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', list(row.values()))  # noqa: S608 names of our own
            connection.commit()
            return connection.serialize()

    def adopt(self, data: bytes | None) -> None:
        """Take the file's rows as the records; no file, or one that is no database, leaves none."""
        found: dict[str, list[dict[str, Any]]] = {}
        if data:
            with closing(open_database(data)) as connection:
                connection.row_factory = sqlite3.Row
                for table in self.tables:
                    try:
                        rows = connection.execute(f'SELECT * FROM "{table.name}"').fetchall()  # noqa: S608 names of our own
                    except sqlite3.DatabaseError:
                        continue
                    found[table.name] = [dict(row) for row in rows]
        for table in self.tables:
            table.records[:] = [table.from_row(row) for row in found.get(table.name, [])]


def open_database(data: bytes) -> sqlite3.Connection:
    """A database of these bytes, in memory, which reaches no file: nothing can be attached to it."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    if data:
        connection.deserialize(data)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    return connection


@dataclass(slots=True)
class DatabaseFiles:
    """What the files of a phone's databases held when they were last looked at."""

    _seen: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def forget(self) -> None:
        """The phone became another one."""
        self._seen.clear()

    def reconcile(self, phone: VirtualPhone) -> None:
        """Bring files and records together: a file that somebody changed wins, else the records do."""
        files = phone.files
        for package, app in phone.apps.items():
            for database in app.databases(phone.state.apps[package].data):
                said = repr([table.records for table in database.tables])
                known = self._seen.get(database.path)
                data = files.read(database.path) if files.exists(database.path) else None
                if known is not None and data != known[1]:
                    database.adopt(data)
                    phone.advance(0.0)  # whatever shows the records is drawn anew
                    said = repr([table.records for table in database.tables])
                    if data is not None:
                        self._seen[database.path] = said, data
                        continue
                elif known is not None and said == known[0]:
                    continue
                built = database.build()
                folder = posixpath.dirname(database.path)
                files.make_directory(folder, parents=True, exist_ok=True, mtime=phone.clock.now())
                files.write(database.path, built, phone.clock.now())
                self._seen[database.path] = said, built


def is_near(text: str) -> bool:
    """Whether a script or a path may be about apps' own files."""
    return "sqlite3" in text or any(prefix in text for prefix in PREFIXES)
