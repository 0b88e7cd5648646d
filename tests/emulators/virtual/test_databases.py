"""Apps' records as SQLite files, and sqlite3 on the phone."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell

EVENTS = "/data/data/com.simplemobiletools.calendar.pro/databases/events.db"
CALENDAR = "com.simplemobiletools.calendar.pro"
Run = Callable[..., str]


@pytest.fixture
def phone() -> VirtualPhone:
    return VirtualPhone(seed=4)


@pytest.fixture
def run(phone: VirtualPhone) -> Run:
    shell = PhoneShell(phone)

    def call(source: str, status: int = 0) -> str:
        result = shell.run(source)
        assert result.status == status, b"".join(map(bytes, result.stderr))
        return b"".join(map(bytes, result.stdout)).decode()

    return call


def test_the_records_are_rows(phone: VirtualPhone, run: Run) -> None:
    events = phone.state.apps[CALENDAR].data.items  # type: ignore[attr-defined]
    found = run(f'sqlite3 {EVENTS} "SELECT title, location FROM events ORDER BY id"').splitlines()
    assert found == [f"{event.title}|{event.location}" for event in events]
    first = run(f"sqlite3 {EVENTS} \"SELECT datetime(start_ts, 'unixepoch') FROM events ORDER BY id LIMIT 1\"")
    assert first == f"{events[0].day} {events[0].hour:02}:00:00\n"


@pytest.mark.parametrize(
    ("path", "table", "package"),
    [
        ("/data/data/org.tasks/databases/database", "tasks", "org.tasks"),
        ("/data/data/com.arduia.expense/databases/accounting.db", "expense", "com.arduia.expense"),
        ("/data/data/com.flauschcode.broccoli/databases/broccoli", "recipes", "com.flauschcode.broccoli"),
    ],
)
def test_reading_back_what_was_written_changes_nothing(
    phone: VirtualPhone, run: Run, path: str, table: str, package: str
) -> None:
    before = repr(phone.state.apps[package].data)
    count = int(run(f'sqlite3 {path} "SELECT count(*) FROM {table}"'))
    assert count > 2
    run(f'sqlite3 {path} "CREATE TABLE IF NOT EXISTS other (x)"')
    assert repr(phone.state.apps[package].data) == before
    run(f'sqlite3 {path} "DELETE FROM {table} WHERE rowid > 1"')
    assert len(phone.state.apps[package].data.items) == 1  # type: ignore[attr-defined]


def test_what_is_inserted_stands_on_the_screen(phone: VirtualPhone, run: Run) -> None:
    values = "start_ts, end_ts, title, location) VALUES (1772442000, 1772445600, 'Inserted', 'Here')"
    run(f'sqlite3 {EVENTS} "INSERT INTO events ({values}"')
    phone.open(CALENDAR)
    assert "Inserted" in {node.text for node in phone.tree().walk()}


def test_a_pushed_file_is_taken_over_and_a_removed_one_leaves_nothing(
    phone: VirtualPhone, run: Run, tmp_path: Path
) -> None:
    run(f"ls {EVENTS}")
    (tmp_path / "db").write_bytes(phone.files.read(EVENTS))
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("UPDATE events SET title = 'Changed outside'")
    connection.close()
    phone.files.write(EVENTS, (tmp_path / "db").read_bytes(), phone.clock.now())
    run(f"ls {EVENTS}")
    titles = {event.title for event in phone.state.apps[CALENDAR].data.items}  # type: ignore[attr-defined]
    assert titles == {"Changed outside"}
    run(f"rm -rf {EVENTS.rpartition('/')[0]}")
    assert phone.state.apps[CALENDAR].data.items == []  # type: ignore[attr-defined]
    assert run(f'sqlite3 {EVENTS} "SELECT count(*) FROM events"') == "0\n"


def test_texts_are_in_the_telephony_database(run: Run) -> None:
    run("content insert --uri content://sms --bind address:s:555 --bind body:s:hello --bind type:i:1")
    path = "/data/data/com.android.providers.telephony/databases/mmssms.db"
    assert "555|hello" in run(f'sqlite3 {path} "SELECT address, body FROM sms"')


def test_forms_of_output(run: Run) -> None:
    run("sqlite3 /sdcard/x.db \"CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x;y'), (2, NULL);\"")
    assert run('sqlite3 /sdcard/x.db "SELECT * FROM t"') == "1|x;y\n2|\n"
    assert run('sqlite3 -header -separator , /sdcard/x.db "SELECT * FROM t LIMIT 1"') == "a,b\n1,x;y\n"
    assert run('sqlite3 /sdcard/x.db ".tables"') == "t\n"
    assert run("echo 'SELECT count(*) FROM t;' | sqlite3 /sdcard/x.db") == "2\n"


@pytest.mark.parametrize(
    "statement",
    [
        "ATTACH DATABASE '{secret}' AS s",
        "VACUUM INTO '{folder}/copy.db'",
        "SELECT load_extension('{secret}')",
        "SELECT readfile('{secret}')",
        "SELECT writefile('{folder}/x', 'y')",
        "SELECT * FROM nothing",
        "SELEKT",
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
        "SELECT zeroblob(2000000000)",
    ],
)
def test_nothing_reaches_the_host_or_goes_on_for_ever(run: Run, tmp_path: Path, statement: str) -> None:
    secret = tmp_path / "secret.db"
    secret.write_bytes(b"")
    run(f'sqlite3 /sdcard/y.db "{statement.format(secret=secret, folder=tmp_path)}"', 1)
    assert list(tmp_path.iterdir()) == [secret]
    assert secret.read_bytes() == b""


def test_bytes_that_are_no_database_are_an_error_and_leave_no_records(phone: VirtualPhone, run: Run) -> None:
    run(f"ls {EVENTS}")
    phone.files.write(EVENTS, b"not a database at all", phone.clock.now())
    run(f"ls {EVENTS}")
    assert phone.state.apps[CALENDAR].data.items == []  # type: ignore[attr-defined]
    run("echo nonsense > /sdcard/z.db")
    run('sqlite3 /sdcard/z.db "SELECT 1 FROM sqlite_master"', 1)
