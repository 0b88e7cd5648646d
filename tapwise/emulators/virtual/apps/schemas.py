"""How the records of apps look in the databases of the real apps of the same name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tapwise.emulators.virtual.databases import Database, Row, SqlTable

_IMPORTANCE = {"High": 0, "Medium": 1, "Low": 2}
_CATEGORIES = {"Food": 3, "Home": 4, "Gifts": 5, "Fun": 6, "Travel": 7, "Health": 9} | {
    "Others": 1,
    "Income": 2,
    "Clothes": 8,
    "Education": 10,
    "Donation": 11,
}
_EVENTS = """CREATE TABLE events (id INTEGER PRIMARY KEY AUTOINCREMENT, start_ts INTEGER NOT NULL, end_ts INTEGER NOT
 NULL, title TEXT NOT NULL, location TEXT NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', reminder_1_minutes
 INTEGER DEFAULT -1, reminder_2_minutes INTEGER DEFAULT -1, reminder_3_minutes INTEGER DEFAULT -1, reminder_1_type
 INTEGER DEFAULT 0, reminder_2_type INTEGER DEFAULT 0, reminder_3_type INTEGER DEFAULT 0, repeat_interval INTEGER
 DEFAULT 0, repeat_rule INTEGER DEFAULT 0, repeat_limit INTEGER DEFAULT 0, repetition_exceptions TEXT DEFAULT '[]',
 attendees TEXT DEFAULT '', import_id TEXT DEFAULT '', time_zone TEXT DEFAULT 'UTC', flags INTEGER DEFAULT 0, event_type
 INTEGER DEFAULT 1, parent_id INTEGER DEFAULT 0, last_updated INTEGER DEFAULT 0, source TEXT DEFAULT 'simple-calendar',
 availability INTEGER DEFAULT 0, color INTEGER DEFAULT 0, type INTEGER DEFAULT 0)"""
_TASKS = """CREATE TABLE tasks (_id INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, importance INTEGER DEFAULT 1,
 dueDate INTEGER DEFAULT 0, hideUntil INTEGER DEFAULT 0, created INTEGER DEFAULT 0, modified INTEGER DEFAULT 0,
 completed INTEGER DEFAULT 0, deleted INTEGER DEFAULT 0, notes TEXT DEFAULT '', estimatedSeconds INTEGER DEFAULT 0,
 elapsedSeconds INTEGER DEFAULT 0, timerStart INTEGER DEFAULT 0, notificationFlags INTEGER DEFAULT 0, lastNotified
 INTEGER DEFAULT 0, recurrence TEXT, repeat_from INTEGER DEFAULT 0, calendarUri TEXT, remoteId TEXT, collapsed INTEGER
 DEFAULT 0, parent INTEGER DEFAULT 0, "order" INTEGER, read_only INTEGER DEFAULT 0)"""
_EXPENSE = """CREATE TABLE expense (expense_id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, amount INTEGER, category
 INTEGER, note TEXT DEFAULT '', created_date INTEGER DEFAULT 0, modified_date INTEGER DEFAULT 0)"""
_RECIPES = """CREATE TABLE recipes (recipeId INTEGER PRIMARY KEY AUTOINCREMENT, title TEXT, imageName TEXT DEFAULT '',
 description TEXT DEFAULT '', servings TEXT DEFAULT '', preparationTime TEXT DEFAULT '', source TEXT DEFAULT '',
 ingredients TEXT DEFAULT '', directions TEXT DEFAULT '', favorite INTEGER DEFAULT 0)"""
_SMS = """CREATE TABLE sms (_id INTEGER PRIMARY KEY, thread_id INTEGER DEFAULT 1, address TEXT, person INTEGER, date
 INTEGER DEFAULT 0, read INTEGER DEFAULT 1, type INTEGER, body TEXT)"""
_THREADS = """CREATE TABLE threads (_id INTEGER PRIMARY KEY AUTOINCREMENT, date INTEGER DEFAULT 0, message_count INTEGER
 DEFAULT 0, recipient_ids TEXT, snippet TEXT, snippet_cs INTEGER DEFAULT 0, read INTEGER DEFAULT 1, archived INTEGER
 DEFAULT 0, type INTEGER DEFAULT 0, error INTEGER DEFAULT 0, has_attachment INTEGER DEFAULT 0)"""


def _moment(day: str, hour: int) -> datetime:
    return datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(hours=hour)


def _text(row: Row, name: str) -> str:
    return "" if row.get(name) is None else str(row[name])


def _int(row: Row, name: str) -> int:
    try:
        return int(row.get(name) or 0)
    except (TypeError, ValueError, OverflowError):
        return 0


def _time(seconds: float) -> datetime:
    """A moment of an outside number, within what a calendar knows."""
    return datetime.fromtimestamp(min(max(seconds, 0), 4_000_000_000), UTC)


def calendar_database(record: Any, records: list[Any]) -> Database:
    """Simple Calendar Pro's."""

    def to_row(event: Any) -> dict[str, Any]:
        start = int(_moment(event.day, event.hour).timestamp()) + 60 * event.minute
        return {
            "id": event.id,
            "start_ts": start,
            "end_ts": start + 60 * event.length,
            "title": event.title,
            "location": event.location,
            "description": event.description,
        }

    def from_row(row: Row) -> Any:
        start = _time(_int(row, "start_ts"))
        return record(
            _int(row, "id"),
            _text(row, "title"),
            start.date().isoformat(),
            start.hour,
            _text(row, "location"),
            _text(row, "description"),
            start.minute,
            max(0, _int(row, "end_ts") - _int(row, "start_ts")) // 60,
        )

    table = SqlTable("events", _EVENTS, "id", records, to_row, from_row)
    return Database("/data/data/com.simplemobiletools.calendar.pro/databases/events.db", [table])


def tasks_database(record: Any, records: list[Any]) -> Database:
    """Tasks.org's."""
    names = {number: name for name, number in _IMPORTANCE.items()}

    def to_row(task: Any) -> dict[str, Any]:
        due = int(_moment(task.due, 12).timestamp() * 1000)
        return {
            "_id": task.id,
            "title": task.title,
            "importance": _IMPORTANCE.get(task.priority, 1),
            "dueDate": due,
            "completed": due if task.done else 0,
            "notes": task.notes,
        }

    def from_row(row: Row) -> Any:
        due = _time(_int(row, "dueDate") / 1000).date().isoformat()
        priority = names.get(_int(row, "importance"), "Low")
        return record(
            _int(row, "_id"), _text(row, "title"), due, priority, _text(row, "notes"), bool(_int(row, "completed"))
        )

    return Database(
        "/data/data/org.tasks/databases/database", [SqlTable("tasks", _TASKS, "_id", records, to_row, from_row)]
    )


def expenses_database(record: Any, records: list[Any]) -> Database:
    """Pro Expense's: amounts in cents, categories as numbers."""
    names = {number: name for name, number in _CATEGORIES.items()}

    def to_row(expense: Any) -> dict[str, Any]:
        return {
            "expense_id": expense.id,
            "name": expense.name,
            "amount": 100 * expense.amount + expense.cents,
            "category": _CATEGORIES.get(expense.category, 1),
            "note": expense.note,
        }

    def from_row(row: Row) -> Any:
        category = names.get(_int(row, "category"), "Others")
        amount, cents = divmod(_int(row, "amount"), 100)
        return record(_int(row, "expense_id"), _text(row, "name"), amount, category, _text(row, "note"), cents)

    table = SqlTable("expense", _EXPENSE, "expense_id", records, to_row, from_row)
    return Database("/data/data/com.arduia.expense/databases/accounting.db", [table])


def recipes_database(record: Any, records: list[Any]) -> Database:
    """Broccoli's."""

    def to_row(recipe: Any) -> dict[str, Any]:
        return {
            "recipeId": recipe.id,
            "title": recipe.title,
            "servings": str(recipe.servings),
            "preparationTime": recipe.time,
            "ingredients": recipe.ingredients,
            "favorite": int(recipe.favorite),
        }

    def from_row(row: Row) -> Any:
        return record(
            _int(row, "recipeId"),
            _text(row, "title"),
            _text(row, "ingredients"),
            _int({"servings": _text(row, "servings").split(" ")[0]}, "servings"),
            _text(row, "preparationTime"),
            bool(_int(row, "favorite")),
        )

    table = SqlTable("recipes", _RECIPES, "recipeId", records, to_row, from_row)
    return Database("/data/data/com.flauschcode.broccoli/databases/broccoli", [table])


def sms_database(record: Any, records: list[Any], thread: Any, threads: list[Any]) -> Database:
    """The telephony provider's. A thread that a client makes is with whoever its `recipient_ids` names."""
    known = {one.id: one for one in threads}
    numbers = {one.recipient.casefold(): one.id for one in threads}

    def thread_row(one: Any) -> dict[str, Any]:
        return {"_id": one.id, "recipient_ids": str(one.id), "read": int(one.read)}

    def thread_of(row: Row) -> Any:
        old = known.get(_int(row, "_id"))
        recipient, pinned = (old.recipient, old.pinned) if old else (_text(row, "recipient_ids"), False)
        return thread(_int(row, "_id"), recipient, pinned, bool(_int(row, "read")))

    def to_row(message: Any) -> dict[str, Any]:
        number = numbers.get(message.address.casefold(), 0)
        row = {"_id": message.id, "thread_id": number, "address": message.address}
        return row | {"type": message.type, "body": message.body}

    def from_row(row: Row) -> Any:
        return record(_int(row, "_id"), _text(row, "address"), _text(row, "body"), _int(row, "type"))

    tables = [
        SqlTable("sms", _SMS, "_id", records, to_row, from_row),
        SqlTable("threads", _THREADS, "_id", threads, thread_row, thread_of),
    ]
    return Database("/data/data/com.android.providers.telephony/databases/mmssms.db", tables)
