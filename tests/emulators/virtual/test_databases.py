"""Apps' records as SQLite files, and sqlite3 on the phone."""

from __future__ import annotations

import random
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


# --- what records are coarser than ---------------------------------------------------------------------------

EXPENSES = "/data/data/com.arduia.expense/databases/accounting.db"
TEXTS = "/data/data/com.android.providers.telephony/databases/mmssms.db"


def _two_expenses(run: Run) -> None:
    values = "('Shoes', 12345, 8, 1700000000000), ('Pay', 99, 77, 5)"
    run(
        f'sqlite3 {EXPENSES} "DELETE FROM expense; CREATE TABLE extra (x); '
        f'INSERT INTO expense (name, amount, category, created_date) VALUES {values}"'
    )


def test_what_the_app_does_not_know_of_outlives_its_changes(phone: VirtualPhone, run: Run) -> None:
    _two_expenses(run)
    items = phone.state.apps["com.arduia.expense"].data.items  # type: ignore[attr-defined]
    assert [(one.amount, one.cents, one.category) for one in items] == [(123, 45, "Clothes"), (0, 99, "Others")]
    items[1].name = "Wages"
    columns = "name, amount, category, created_date"
    assert run(f'sqlite3 {EXPENSES} "SELECT {columns} FROM expense"') == "Shoes|12345|8|1700000000000\nWages|99|77|5\n"
    items.pop(0)
    assert run(f'sqlite3 {EXPENSES} "SELECT {columns} FROM expense"') == "Wages|99|77|5\n"
    assert run(f'sqlite3 {EXPENSES} ".tables"') == "expense\nextra\n"


def test_it_outlives_a_snapshot_too(phone: VirtualPhone, run: Run) -> None:
    _two_expenses(run)
    phone.restore(phone.snapshot())
    assert run(f'sqlite3 {EXPENSES} "SELECT category, created_date FROM expense"') == "8|1700000000000\n77|5\n"


def test_another_world_and_cleared_data_begin_with_another_file(phone: VirtualPhone, run: Run) -> None:
    _two_expenses(run)
    query = f'sqlite3 {EXPENSES} "SELECT name FROM expense"'
    run("pm clear com.arduia.expense")
    fresh = [one.name for one in phone.state.apps["com.arduia.expense"].data.items]  # type: ignore[attr-defined]
    assert run(query).splitlines() == fresh != ["Shoes", "Pay"]
    assert run(f'sqlite3 {EXPENSES} ".tables"') == "expense\n"
    _two_expenses(run)
    phone.set_property("debug.tapwise.seed", "9")
    assert "Shoes" not in run(query)
    assert run(f'sqlite3 {EXPENSES} ".tables"') == "expense\n"


def test_one_script_sees_what_it_has_just_changed(run: Run) -> None:
    _two_expenses(run)
    found = run(f'pm clear com.arduia.expense; sqlite3 {EXPENSES} "SELECT count(*) FROM expense WHERE amount = 12345"')
    assert found == "Success\n0\n"


def test_minutes_and_lengths_of_a_client_are_shown(phone: VirtualPhone, run: Run) -> None:
    values = "1772444700, 1772446500, 'Standup'"
    run(f'sqlite3 {EVENTS} "DELETE FROM events; INSERT INTO events (start_ts, end_ts, title) VALUES ({values})"')
    event = phone.state.apps[CALENDAR].data.items[0]  # type: ignore[attr-defined]
    assert (event.hour, event.minute, event.length) == (9, 45, 30)
    phone.open(CALENDAR, "item", str(event.id))
    assert {"9:45", "30 minutes"} <= {node.text for node in phone.tree().walk()}
    event.location = "Office"
    assert run(f'sqlite3 {EVENTS} "SELECT start_ts, end_ts, location FROM events"') == "1772444700|1772446500|Office\n"


def test_threads_are_those_of_messages(phone: VirtualPhone, run: Run) -> None:
    data = phone.state.apps["com.google.android.apps.messaging"].data
    threads = [str(one.id) for one in data.conversations]  # type: ignore[attr-defined]
    assert run(f'sqlite3 {TEXTS} "SELECT _id FROM threads ORDER BY _id"').split() == threads
    joined = f'sqlite3 {TEXTS} "SELECT count(*) FROM sms JOIN threads ON thread_id = threads._id"'
    assert int(run(joined)) == len(threads)
    run(f'sqlite3 {TEXTS} "UPDATE threads SET read = 1"')
    assert [str(one.id) for one in data.conversations if one.read] == threads  # type: ignore[attr-defined]
    run(f'sqlite3 {TEXTS} "DELETE FROM sms; DELETE FROM threads"')
    assert data.conversations == data.messages == []  # type: ignore[attr-defined]


def test_looking_is_no_change(phone: VirtualPhone, run: Run) -> None:
    before, digest = phone.snapshot(), phone.data_hash()
    run(f"ls {EVENTS}")
    assert phone.changes_since(before) == []
    assert phone.data_hash() == digest
    run(f'sqlite3 {EVENTS} "DELETE FROM events WHERE id = 1"')
    assert [change.what for change in phone.changes_since(before)] == ["removed"]
    assert phone.data_hash() != digest


@pytest.mark.parametrize(
    "layout",
    [
        "CREATE VIEW expense AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT x FROM n",
        "CREATE TABLE expense (other)",
        "CREATE TABLE expense (expense_id TEXT PRIMARY KEY, name); INSERT INTO expense VALUES (x'00ff', 1e300)",
    ],
)
def test_a_file_laid_out_otherwise_is_replaced_once_the_app_writes(phone: VirtualPhone, run: Run, layout: str) -> None:
    run(f'sqlite3 {EXPENSES} "DROP TABLE expense; {layout}"')
    items = phone.state.apps["com.arduia.expense"].data.items  # type: ignore[attr-defined]
    kind = type(phone.apps["com.arduia.expense"].initial(random.Random(0)).items[0])  # type: ignore[attr-defined]
    items[:] = [kind(1, "Big \udcff", 10**40, "Food"), kind(1, "Twice", 2, "Food")]
    assert run(f'sqlite3 {EXPENSES} "SELECT name, amount FROM expense"') == "Twice|200\n"


def test_a_write_ahead_database_is_read(phone: VirtualPhone, run: Run, tmp_path: Path) -> None:
    run(f"ls {EVENTS}")
    (tmp_path / "db").write_bytes(phone.files.read(EVENTS))
    with sqlite3.connect(tmp_path / "db") as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("UPDATE events SET title = 'Ahead'")
    connection.close()
    pushed = (tmp_path / "db").read_bytes()
    assert pushed[18:20] == b"\2\2"
    phone.files.write(EVENTS, pushed, phone.clock.now())
    assert set(run(f'sqlite3 {EVENTS} "SELECT title FROM events"').split()) == {"Ahead"}
    titles = {event.title for event in phone.state.apps[CALENDAR].data.items}  # type: ignore[attr-defined]
    assert titles == {"Ahead"}


def test_a_folder_in_the_place_of_the_file_breaks_nothing(phone: VirtualPhone, run: Run) -> None:
    count = len(phone.state.apps[CALENDAR].data.items)  # type: ignore[attr-defined]
    phone.files.make_directory(EVENTS, parents=True)
    assert run("ls /data/data >/dev/null; echo alive") == "alive\n"
    assert len(phone.state.apps[CALENDAR].data.items) == count  # type: ignore[attr-defined]
