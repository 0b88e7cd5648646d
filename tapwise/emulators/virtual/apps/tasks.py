"""Tasks: things to do, by when, and how much they matter."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import ClassVar

from tapwise.emulators.virtual.app import Ui
from tapwise.emulators.virtual.apps.forms import Field, Values
from tapwise.emulators.virtual.apps.records import RecordsApp, line
from tapwise.emulators.virtual.apps.schemas import tasks_database
from tapwise.emulators.virtual.clock import START
from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.ui.pickers import spoken_day
from tapwise.emulators.virtual.ui.views import IconButton, ListItem, Mark, View

THINGS = (
    "Buy stamps",
    "Call plumber",
    "Water plants",
    "Pay rent",
    "Return books",
    "Clean oven",
    "Fix bike",
    "Book hotel",
    "Send card",
)
PRIORITIES = ("Low", "Medium", "High")


@dataclass
class ToDo:
    """A thing to do: its ISO date, its priority, and whether it is done."""

    id: int
    title: str
    due: str
    priority: str = "Medium"
    notes: str = ""
    done: bool = False


@dataclass
class TasksData:
    """All things to do."""

    items: list[ToDo]


class Tasks(RecordsApp):
    """Tasks.org."""

    package = "org.tasks"
    label = "Tasks"
    icon = "checklist"
    colour = (48, 63, 159)
    activity = "com.todoroo.astrid.activity.MainActivity"
    record = ToDo
    noun = "task"
    uri = "content://org.tasks/tasks"
    columns: ClassVar = {
        "_id": "id",
        "title": "title",
        "due": "due",
        "priority": "priority",
        "notes": "notes",
        "done": "done",
    }
    fields = (
        Field("title", "Title", required=True),
        Field("notes", "Notes", icon="note"),
        Field("due", "Due", "day"),
        Field("priority", "Priority", "choice", PRIORITIES, icon="star", usual="Medium"),
    )

    def initial(self, rng: random.Random) -> TasksData:
        names = rng.sample(THINGS, rng.randint(4, 6))
        day = START.date()
        items = [
            ToDo(n, name, (day + timedelta(days=rng.randrange(12))).isoformat(), rng.choice(PRIORITIES))
            for n, name in enumerate(names, 1)
        ]
        for item in items:
            item.done = rng.random() < 0.25
        return TasksData(items)

    def databases(self, data: TasksData) -> Sequence[Database]:
        return [tasks_database(ToDo, data.items)]

    def title_of(self, record: ToDo) -> str:
        return record.title

    def defaults(self, ui: Ui) -> Values:
        return {"due": ui.now().date().isoformat()}

    def list_body(self, ui: Ui) -> Sequence[View]:
        items: list[ToDo] = sorted(ui.data.items, key=lambda item: (item.due, item.id))
        rows: list[View] = [self._row(ui, item) for item in items if not item.done]
        done = [self._row(ui, item) for item in items if item.done]
        return [*rows, *([ListItem(title="Completed", enabled=False), *done] if done else [])]

    def _row(self, ui: Ui, item: ToDo) -> View:
        def flip() -> None:
            item.done = not item.done

        mark = Mark(checked=item.done, description=f"Complete {item.title}", on_tap=flip)
        return self.row(ui, item, subtitle=f"{spoken_day(item.due)}, {item.priority}", trailing=mark)

    def item_actions(self, ui: Ui, record: ToDo) -> Sequence[IconButton]:
        flip = partial(setattr, record, "done", not record.done)
        name = "Reopen" if record.done else "Complete"
        return [IconButton(icon="check", description=name, selected=record.done, on_tap=flip)]

    def details(self, ui: Ui, record: ToDo) -> Sequence[View]:
        return [
            line("Due", spoken_day(record.due), "calendar"),
            line("Priority", record.priority, "star"),
            line("Notes", record.notes, "note"),
            line("State", "Done" if record.done else "Open", "check"),
        ]
