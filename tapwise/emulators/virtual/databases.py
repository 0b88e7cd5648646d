"""Apps' records as SQLite files, where checkers of real Android look for them and write to them.

A file is made from the records when somebody is about to look, and read back when somebody has written: `reconcile`
before and after does both. What an app changes is written into the file that is there, so that a client finds all else
that it once wrote. Whoever removes a file leaves the app without records, as on Android.
"""

from __future__ import annotations

import itertools
import posixpath
import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from tapwise.emulators.virtual.app import App
    from tapwise.emulators.virtual.filesystem import VirtualFileSystem
    from tapwise.emulators.virtual.phone import VirtualPhone
    from tapwise.emulators.virtual.state import AppState

Row = Mapping[str, Any]
PREFIXES = ("/data/data/", "/data/user/0/")
"""where apps keep their own files"""
_OPERATIONS: Final = 5_000_000
"""of SQLite's machine, after which a connection gives up"""
_STEP: Final = 10_000
_LARGEST: Final = 64 << 20
_ROLLBACK, _WRITE_AHEAD = b"\1\1", b"\2\2"


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

    def write(self, connection: sqlite3.Connection) -> None:
        """Make the table say what the records say, touching nothing else in it."""
        known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
        if connection.execute(known, [self.name]).fetchone() is None:
            connection.execute(self.schema)
        rows = {row[self.key]: dict(row) for row in connection.execute(f'SELECT * FROM "{self.name}"')}  # noqa: S608 names of our own
        for record in self.records:
            row = self.to_row(record)
            old = rows.pop(row[self.key], None)
            if old is None:
                names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
                insert = f'INSERT OR REPLACE INTO "{self.name}" ({names}) VALUES ({marks})'  # noqa: S608
                connection.execute(insert, [_stored(value) for value in row.values()])
                continue
            told = self.to_row(self.from_row(old))  # a record may be coarser than the row that it came from
            changed = {name: value for name, value in row.items() if value != told[name]}
            if changed:
                marks = ", ".join(f'"{name}" = ?' for name in changed)
                values = [_stored(value) for value in (*changed.values(), row[self.key])]
                connection.execute(f'UPDATE "{self.name}" SET {marks} WHERE "{self.key}" IS ?', values)  # noqa: S608
        for key in rows:
            connection.execute(f'DELETE FROM "{self.name}" WHERE "{self.key}" IS ?', [key])  # noqa: S608


@dataclass(frozen=True, slots=True)
class Database:
    """A file and its tables."""

    path: str
    tables: Sequence[SqlTable]

    def build(self, base: bytes | None = None) -> bytes:
        """The file: `base` with what the records say otherwise. What they do not know of, such as further columns and
        tables that a client wrote, stays; a base that is no database, or is laid out otherwise, is replaced."""
        try:
            return self._patched(base or b"")
        except (sqlite3.DatabaseError, IndexError):
            return self._patched(b"")

    def _patched(self, base: bytes) -> bytes:
        with closing(open_database(base)) as connection:
            connection.row_factory = sqlite3.Row
            connection.execute("BEGIN")
            for table in self.tables:
                table.write(connection)
            connection.execute("COMMIT")
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
    """A database of these bytes, in memory. It reaches no file, for nothing can be attached to it, and gives up with
    sqlite3.OperationalError what does not come to an end."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    if data:
        if data[18:20] == _WRITE_AHEAD:  # a journal that needs files of its own
            data = data[:18] + _ROLLBACK + data[20:]
        connection.deserialize(data)
    connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _LARGEST)
    steps = itertools.count()
    connection.set_progress_handler(lambda: int(next(steps) >= _OPERATIONS // _STEP), _STEP)
    return connection


def _stored(value: Any) -> Any:
    """A value as SQLite can hold it."""
    if isinstance(value, int) and not -(1 << 63) <= value < 1 << 63:
        return str(value)
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


def database_paths(apps: Mapping[str, App], states: Mapping[str, AppState]) -> frozenset[str]:
    """The files of all databases, and the apps' folders that they stand in."""
    found: set[str] = set()
    for package, app in apps.items():
        for database in app.databases(states[package].data):
            folder = posixpath.dirname(database.path)
            found |= {database.path, folder, posixpath.dirname(folder)}
    return frozenset(found)


@dataclass(slots=True)
class DatabaseFiles:
    """What the files of a phone's databases held when they were last looked at."""

    _seen: dict[str, tuple[str, bytes]] = field(default_factory=dict)

    def forget(self) -> None:
        """The phone became another one."""
        self._seen.clear()

    def drop(self, files: VirtualFileSystem, databases: Iterable[Database]) -> None:
        """Remove the files of records that gave way to others."""
        for database in databases:
            self._seen.pop(database.path, None)
            if files.exists(database.path):
                files.remove(database.path, recursive=True)

    def reconcile(self, phone: VirtualPhone) -> None:
        """Bring files and records together: a file that somebody changed wins, else the records do."""
        for package, app in phone.apps.items():
            for database in app.databases(phone.state.apps[package].data):
                try:
                    self._reconcile(phone, database)
                except OSError:  # no room, or somebody made a folder where the file belongs: records go without one
                    self._seen.pop(database.path, None)

    def _reconcile(self, phone: VirtualPhone, database: Database) -> None:
        files, path = phone.files, database.path
        said = repr([table.records for table in database.tables])
        known = self._seen.get(path)
        data = files.read(path) if files.exists(path) else None
        if known is not None and data != known[1]:
            database.adopt(data)
            phone.advance(0.0)  # whatever shows the records is drawn anew
            said = repr([table.records for table in database.tables])
            if data is not None:
                self._seen[path] = said, data
                return
        elif known is not None and said == known[0]:
            return
        built = database.build(data)
        if built != data:
            now = phone.clock.now()
            files.make_directory(posixpath.dirname(path), parents=True, exist_ok=True, mtime=now)
            files.write(path, built, now)
        self._seen[path] = said, built


def is_near(text: str) -> bool:
    """Whether a script or a path may be about apps' own files."""
    return "sqlite3" in text or any(prefix in text for prefix in PREFIXES)
