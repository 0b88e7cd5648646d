"""sqlite3 on the phone's files: in memory, and nowhere else."""

from __future__ import annotations

import csv
import io
import sqlite3
from typing import Final

from tapwise.emulators.virtual.databases import open_database
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_DOTS: Final = {
    ".tables": "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ORDER BY 1",
    ".schema": "SELECT sql || ';' FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'",
    ".databases": "SELECT 'main: ' || 'r/w'",
}


def _sqlite3(call: Invocation) -> int:
    words, separator, header, as_csv = list(call.arguments), "|", False, False
    while words and words[0].startswith("-"):
        match words.pop(0).lstrip("-"):
            case "separator" if words:
                separator = words.pop(0)
            case "header":
                header = True
            case "csv":
                as_csv, separator = True, ","
            case "noheader" | "batch" | "bail" | "readonly" | "list":
                pass
            case other:
                raise CommandError(f"sqlite3: Error: unknown option: -{other}")
    if not words:
        raise CommandError("sqlite3: name a database")
    path = call.path(words.pop(0))
    source = " ".join(words) if words else call.stdin.read().decode("utf-8", "surrogateescape")
    files = call.phone.files
    call.phone.databases.reconcile(call.phone)  # the script may have changed records before it came here
    before = files.read(path) if files.exists(path) else b""
    try:
        connection = open_database(before)
    except sqlite3.Error:
        raise CommandError("Error: file is not a database") from None
    try:
        for statement in _statements(source):
            cursor = connection.execute(_DOTS.get(statement.split()[0], statement))
            names = [column[0] for column in cursor.description or ()]
            if header and names:
                call.out.line(separator.join(names))
            for row in cursor:
                call.out.line(_shown(row, separator, as_csv))
        after = connection.serialize()
    except (sqlite3.Error, sqlite3.Warning, UnicodeError, MemoryError, OverflowError) as error:
        raise CommandError(f"Error: {error}") from None
    finally:
        connection.close()
    if after != before:
        files.write(path, after, call.phone.clock.now())
        call.phone.databases.reconcile(call.phone)
    return 0


def _statements(source: str) -> list[str]:
    """Statements one by one; a line that begins with a dot is one."""
    found: list[str] = []
    current = ""
    for line in source.splitlines() or [source]:
        if not current.strip() and line.strip().startswith("."):
            found.append(line.strip())
            continue
        for piece in line.split(";"):
            current += piece
            if sqlite3.complete_statement(current + ";") and piece is not line.split(";")[-1]:
                found.append(current)
                current = ""
            elif piece is not line.split(";")[-1]:
                current += ";"
        current += "\n"
    found.append(current)
    return [statement for statement in found if statement.strip()]


def _shown(row: tuple[object, ...], separator: str, as_csv: bool) -> str:
    cells = [
        "" if cell is None else cell.decode("utf-8", "replace") if isinstance(cell, bytes) else str(cell)
        for cell in row
    ]
    if not as_csv:
        return separator.join(cells)
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()


COMMANDS: Final[CommandTable] = {"sqlite3": _sqlite3}
