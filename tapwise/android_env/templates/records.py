"""What the tasks of all apps that keep records share: set-ups, checks, and moves of the expert."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tapwise.android_env import rows
from tapwise.android_env.rows import Row
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell
from tapwise.android_env.templates.script import BACK, fill, has_parent_page, is_asking, row_texts, tap_or_back
from tapwise.records import Action, Finish

TODAY = date(2026, 3, 2)
"""the day on which every virtual phone starts"""


def later(days: int) -> date:
    """So many days after today."""
    return TODAY + timedelta(days=days)


def spoken(day: date) -> str:
    """A day as the apps write it, in lower case."""
    return f"{day:%a} {day.day} {day:%b}".lower()


def capital(text: str) -> str:
    """A text as a form stores it."""
    return text[:1].upper() + text[1:]


# --- set-ups and checks ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its app's label and package, its URI, what it is called, and the column that names one."""

    app: str
    package: str
    uri: str
    noun: str
    key: str = "title"
    usual: tuple[tuple[str, str | int], ...] = ()
    """columns of a record that a set-up makes, where it does not say"""

    def where(self, name: str) -> str:
        """The condition for the record of a name."""
        return f"{self.key}='{capital(name)}'"

    def absent(self, name: str) -> list[str]:
        """There is none of this name."""
        return [rows.delete(self.uri, self.where(name)), rows.remember(self.uri)]

    def present(self, name: str, **values: str | int) -> list[str]:
        """There is exactly one of this name, with these values."""
        insert = rows.insert(self.uri, **{self.key: capital(name), **dict(self.usual), **values})
        return [rows.delete(self.uri, self.where(name)), insert, rows.remember(self.uri)]

    def only(self, *records: Mapping[str, Any]) -> list[str]:
        """These are all there are."""
        inserts = [rows.insert(self.uri, **{**dict(self.usual), **record}) for record in records]
        return [rows.delete(self.uri, "_id > 0"), *inserts, rows.remember(self.uri)]

    def added(self, shell: Shell, **values: str) -> bool:
        """Whether exactly one record was added, with these values, and nothing else changed."""
        found = rows.changes(shell, self.uri)
        return found.count == len(found.added) == 1 and agrees(found.added[0], values)

    def removed(self, shell: Shell, name: str) -> bool:
        """Whether exactly this record is gone."""
        found = rows.changes(shell, self.uri)
        return found.count == len(found.removed) == 1 and rows.same(found.removed[0][self.key], name)

    def changed(self, shell: Shell, name: str, **values: str) -> bool:
        """Whether exactly this record changed, in these columns alone, to these values."""
        found = rows.changes(shell, self.uri)
        if not found.count == len(found.changed) == 1:
            return False
        before, after = found.changed[0]
        others = {column: text for column, text in before.items() if column not in values}
        return (
            rows.same(before[self.key], name)
            and agrees(after, values)
            and all(after[column] == text for column, text in others.items())
        )

    def untouched(self, shell: Shell, params: Params) -> bool:
        """Whether nothing changed."""
        return rows.changes(shell, self.uri).count == 0

    def row(self, shell: Shell, name: str) -> Row:
        """The record of a name."""
        return rows.query(shell, self.uri, self.where(name))[0]


def agrees(row: Row, values: dict[str, str]) -> bool:
    """Whether a row has these values, to a person."""
    return all(rows.same(row[column], value) for column, value in values.items())


# --- the expert's moves ----------------------------------------------------------------------------------

Setter = Callable[[Screen, Params], Action | None]
"""Brings one field of a form to its value; None when it has it"""


def typed(field: str, label: str, param: str) -> Setter:
    """A text field."""
    return lambda screen, params: fill(screen, field, label, params[param])


def chosen(label: str, param: str) -> Setter:
    """A field whose value is picked in a dialog."""

    def act(screen: Screen, params: Params) -> Action | None:
        if screen.field_focused:
            return BACK
        return None if params[param].lower() in row_texts(screen, label) else screen.tap(label)

    return act


def stepped(label: str, value: Callable[[Params], int], read: Callable[[str], int]) -> Setter:
    """A field that is moved a step at a time; `read` gives the number in what it shows behind its label."""

    def act(screen: Screen, params: Params) -> Action | None:
        if screen.field_focused:
            return BACK
        shown = next(text for text in screen.texts if text.startswith(f"{label} ") and text[-1:].isalnum())
        if shown.endswith(("earlier", "later")):
            shown = next(t for t in screen.texts if t.startswith(f"{label} ") and not t.endswith(("earlier", "later")))
        now, wanted = read(shown.removeprefix(label).strip()), value(params)
        if now == wanted:
            return None
        return screen.tap(f"{label} later" if now < wanted else f"{label} earlier")

    return act


def picked(label: str, shown: Callable[[Params], str]) -> Setter:
    """A field whose row opens a picker; `shown` is what stands behind its label once it is right."""

    def act(screen: Screen, params: Params) -> Action | None:
        if screen.field_focused:
            return BACK
        wanted = f"{label} {shown(params)}"
        if screen.has(wanted):
            return None
        row = next((node for node in screen.nodes if node.text.startswith(f"{label} ")), None)
        return screen.tap(row) if row is not None else screen.swipe_up()

    return act


def at_pickers(
    act: Callable[[Screen, Params], Action], cells: Callable[[Params], Sequence[str]]
) -> Callable[[Screen, Params], Action]:
    """Where a picker is open: choose the cells with these descriptions, then OK. Elsewhere as `act`."""

    def expert(screen: Screen, params: Params) -> Action:
        if not (is_asking(screen) and screen.has("ok")):
            return act(screen, params)
        for description in cells(params):
            cell = screen.find(description)
            if cell is None:
                return screen.swipe_up()
            if not cell.selected:
                return screen.tap(description)
        return screen.tap("ok")

    return expert


def hour_of(text: str) -> int:
    """The hour in "16:00"."""
    return int(text.partition(":")[0])


def day_of(text: str) -> int:
    """The day in "Tue 3 Mar", counted from today."""
    number, month = int(text.split()[1]), text.split()[2]
    return number - TODAY.day + {"Mar": 0, "Apr": 31}[month]


def picks(screen: Screen, params: Params) -> Action | None:
    """In a dialog with options: the one that a parameter names."""
    if not is_asking(screen):
        return None
    wanted = {value.lower() for value in params.values()}
    option = next((text for text in screen.texts[1:] if text.lower() in wanted), "cancel")
    return screen.tap(option)


def adding(kind: Kind, param: str, setters: Sequence[Setter]) -> Callable[[Screen, Params], Action]:
    """Add a record through the form, then finish on its page."""

    def act(screen: Screen, params: Params) -> Action:
        dialog = picks(screen, params)
        if dialog is not None:
            return dialog
        if screen.has(f"new {kind.noun}"):
            for setter in setters:
                action = setter(screen, params)
                if action is not None:
                    return action
            return screen.tap("save")
        name = params[param]
        if has_parent_page(screen):
            return Finish() if screen.has(name) and screen.has("edit") else BACK
        return tap_or_back(screen, "add")

    return act


def opening(screen: Screen, name: str) -> Action | None:
    """Come to the page of a record that the list shows."""
    if has_parent_page(screen):
        return None if screen.has(name) and screen.has("edit") else BACK
    return screen.tap(name) if screen.has(name) else screen.swipe_up()


def editing(
    kind: Kind, param: str, setter: Setter, done: Callable[[Screen, Params], bool]
) -> Callable[[Screen, Params], Action]:
    """Change one field of a record; `done` sees on its page that it is."""

    def act(screen: Screen, params: Params) -> Action:
        dialog = picks(screen, params)
        if dialog is not None:
            return dialog
        if screen.has(f"edit {kind.noun}"):
            return setter(screen, params) or screen.tap("save")
        action = opening(screen, params[param])
        if action is not None:
            return action
        return Finish() if done(screen, params) else screen.tap("edit")

    return act


def pressing(param: str, button: str) -> Callable[[Screen, Params], Action]:
    """Open a record and press a button of its page that then goes away."""

    def act(screen: Screen, params: Params) -> Action:
        action = opening(screen, params[param])
        if action is not None:
            return action
        return screen.tap(button) if screen.has(button) else Finish()

    return act


def deleting(param: str) -> Callable[[Screen, Params], Action]:
    """Open a record, delete it, confirm."""

    def act(screen: Screen, params: Params) -> Action:
        name = params[param]
        if is_asking(screen):
            return screen.tap("delete") if screen.has(f"delete {name}") else screen.tap("cancel")
        if not has_parent_page(screen) and screen.history_actions and screen.tapped("delete"):
            return Finish()
        return opening(screen, name) or screen.tap("delete")

    return act


def detail(screen: Screen, label: str) -> str:
    """What a record's page says beside a label, in lower case; empty when it says nothing."""
    for node in screen.nodes:
        texts = [child.text.lower() for child in node.children if child.text]
        if len(texts) == 2 and label.lower() in texts:
            return texts[1 - texts.index(label.lower())]
    return ""


def telling(param: str, label: str) -> Callable[[Screen, Params], Action]:
    """Open a record, and finish with what its page says beside a label."""

    def act(screen: Screen, params: Params) -> Action:
        return opening(screen, params[param]) or Finish("success", detail(screen, label))

    return act


def looking_in_vain(screen: Screen, params: Params) -> Action:
    """Look at the list, and say that it cannot be done."""
    return BACK if has_parent_page(screen) else Finish("impossible")
