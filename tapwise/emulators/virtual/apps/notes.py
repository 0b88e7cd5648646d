"""Notes: titles with a text, pinned, renamed and deleted."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, RecordTable, Table, Ui
from tapwise.emulators.virtual.ui.page import Dialog, Page, confirm_dialog
from tapwise.emulators.virtual.ui.views import Button, Handler, Icon, IconButton, ListItem, Row, Space, Text, View

TITLES = ("Groceries", "Ideas", "Travel", "Books", "Recipes", "Homework", "Birthday", "Garden", "Music", "Budget")
TEXTS = ("Milk and bread", "Call the bank", "Two tickets", "Read chapter two", "Water the roses", "Ask Emma")


@dataclass
class Note:
    """A note."""

    id: int
    title: str
    body: str = ""
    pinned: bool = False


@dataclass
class NotesData:
    """All notes."""

    notes: list[Note]


class Notes(App):
    """Google's notes."""

    package = "com.google.android.keep"
    label = "Notes"
    icon = "note"
    colour = (244, 160, 0)
    activity = ".activities.BrowseActivity"

    def initial(self, rng: random.Random) -> NotesData:
        titles = rng.sample(TITLES, rng.randint(2, 5))
        notes = [Note(n, title, rng.choice(TEXTS), rng.random() < 0.2) for n, title in enumerate(titles, 1)]
        return NotesData(notes)

    def tables(self, data: NotesData) -> Mapping[str, Table]:
        columns = {"_id": "id", "title": "title", "body": "body", "pinned": "pinned"}
        return {"content://com.google.android.keep/notes": RecordTable(data.notes, Note, columns)}

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "new":
            return _new_page(ui)
        if ui.route[0] in ("note", "rename", "write"):
            note = next((note for note in ui.data.notes if str(note.id) == ui.route[1]), None)
            if note is None:
                return Page(title="No note", on_back=ui.back)
            pages = {"note": _note_page, "rename": _rename_page, "write": _write_page}
            return pages[ui.route[0]](ui, note)
        return _list_page(ui)


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]


def _list_page(ui: Ui) -> Page:
    notes: list[Note] = ui.data.notes
    shown = sorted(notes, key=lambda note: (not note.pinned, -note.id))
    rows = [
        ListItem(
            title=note.title,
            subtitle=note.body,
            icon="note",
            trailing=Icon(name="pin", size=24) if note.pinned else None,
            on_tap=partial(ui.go, "note", str(note.id)),
        )
        for note in shown
    ]
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new"))
    return Page(title="Notes", body=rows, floating=add)


def _new_page(ui: Ui) -> Page:
    def save() -> None:
        title = ui.field("title").strip()
        if not title:
            ui.toast("Title needed")
            return
        note = Note(ui.new_id(), _capitalised(title), _capitalised(ui.field("body").strip()))
        ui.data.notes.append(note)
        ui.replace("note", str(note.id))

    fields = [ui.text_field("title", "Title"), ui.text_field("body", "Text")]
    return _form(ui, "New note", fields, save)


def _form(ui: Ui, title: str, body: Sequence[View], save: Handler) -> Page:
    button = IconButton(icon="save", description="Save", on_tap=save)
    return Page(title=title, on_back=ui.back, actions=[button], body=[Space(size=8), *body])


def _note_page(ui: Ui, note: Note) -> Page:
    def flip_pin() -> None:
        note.pinned = not note.pinned

    pin = IconButton(icon="pin", description="Unpin" if note.pinned else "Pin", selected=note.pinned, on_tap=flip_pin)
    delete = IconButton(icon="delete", description="Delete", on_tap=partial(ui.set_field, "dialog", "delete"))
    key = str(note.id)
    buttons = [
        Button(label="Rename", icon="edit", flat=True, on_tap=partial(ui.go, "rename", key)),
        Button(label="Write", icon="note", flat=True, on_tap=partial(ui.go, "write", key)),
    ]
    body: list[View] = [Row(children=buttons, gap=8)]
    body.append(Row(children=[Space(size=1), Text(value=note.body or "Empty", wrap=True)], weights=[0.04, 0.96]))
    if note.pinned:
        body.append(ListItem(title="Pinned", icon="pin"))
    dialog = _delete_dialog(ui, note) if ui.field("dialog") else None
    return Page(title=note.title, on_back=ui.back, actions=[pin, delete], body=body, dialog=dialog)


def _delete_dialog(ui: Ui, note: Note) -> Dialog:
    def delete() -> None:
        ui.data.notes.remove(note)
        ui.root()

    return confirm_dialog(f"Delete {note.title}", "Delete", delete, partial(ui.set_field, "dialog", ""))


def _rename_page(ui: Ui, note: Note) -> Page:
    def save() -> None:
        title = ui.field("title").strip()
        if not title:
            ui.toast("Title needed")
            return
        note.title = _capitalised(title)
        ui.back()

    return _form(
        ui, "Rename note", [ListItem(title=note.title, icon="note"), ui.text_field("title", "New title")], save
    )


def _write_page(ui: Ui, note: Note) -> Page:
    def save() -> None:
        note.body = _capitalised(ui.field("body").strip())
        ui.back()

    return _form(ui, "Write note", [ListItem(title=note.title, icon="note"), ui.text_field("body", "Text")], save)
