"""Tasks in Notes: new notes, and writing, renaming, pinning and deleting them."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, fill, has_parent_page, inside, is_asking, tap_or_back
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.keep"
NOTES = "content://com.google.android.keep/notes"

TITLES = ("groceries", "ideas", "travel", "books", "recipes", "homework", "birthday", "garden", "music", "budget")
NEW_TITLES = ("plans", "family", "school", "winter", "kitchen", "sport")
TEXTS = ("red shoes", "green tea", "two tickets", "blue paint", "fresh bread", "new phone")
OLD_TEXT = "Nothing yet"


def _where(title: str) -> str:
    return f"title='{title.capitalize()}'"


def _absent(params: Params) -> Sequence[str]:
    return rows.delete(NOTES, _where(params["title"])), rows.remember(NOTES)


def _present(params: Params, pinned: bool = False) -> Sequence[str]:
    title = params["title"].capitalize()
    insert = rows.insert(NOTES, title=title, body=OLD_TEXT, pinned=int(pinned))
    return rows.delete(NOTES, _where(params["title"])), insert, rows.remember(NOTES)


def _changed(shell: Shell, params: Params, column: str, value: str) -> bool:
    """Whether nothing changed but this one column of the note."""
    found = rows.changes(shell, NOTES)
    if not found.count == len(found.changed) == 1:
        return False
    before, after = found.changed[0]
    return (
        rows.same(before["title"], params["title"])
        and rows.same(after[column], value)
        and {**before, column: ""} == {**after, column: ""}
    )


def _on_note(screen: Screen, title: str) -> Action | None:
    """Come to the page of the note."""
    if has_parent_page(screen):
        return None if screen.has(title) and screen.has("rename") else BACK
    return tap_or_back(screen, title)


# --- new notes ---------------------------------------------------------------------------------------------


def _check_new(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, NOTES)
    return found.count == len(found.added) == 1 and (
        rows.same(found.added[0]["title"], params["title"])
        and rows.same(found.added[0]["body"], params.get("text", ""))
    )


def _new(screen: Screen, params: Params) -> Action:
    if screen.has("new note"):
        typing = fill(screen, "title", "Title", params["title"])
        if typing is None and "text" in params:
            typing = fill(screen, "body", "Text", params["text"])
        return typing or screen.tap("save")
    if has_parent_page(screen):
        return Finish() if screen.has(params["title"]) else BACK
    return tap_or_back(screen, params["title"] if screen.has(params["title"]) else "add")


# --- changes of a note -------------------------------------------------------------------------------------


def _check_write(shell: Shell, params: Params) -> bool:
    return _changed(shell, params, "body", params["text"])


def _write(screen: Screen, params: Params) -> Action:
    if screen.has("write note") and screen.has(params["title"]):
        return fill(screen, "body", "Text", params["text"]) or screen.tap("save")
    action = _on_note(screen, params["title"])
    if action is not None:
        return action
    return Finish() if screen.has(params["text"]) else screen.tap("write")


def _set_up_rename(params: Params) -> Sequence[str]:
    return rows.delete(NOTES, _where(params["new"])), *_present(params)


def _check_rename(shell: Shell, params: Params) -> bool:
    return _changed(shell, params, "title", params["new"])


def _rename(screen: Screen, params: Params) -> Action:
    if screen.has("rename note") and screen.has(params["title"]):
        return fill(screen, "title", "New title", params["new"]) or screen.tap("save")
    if screen.has(params["new"]):
        return Finish()
    return _on_note(screen, params["title"]) or screen.tap("rename")


def _set_up_pin(params: Params) -> Sequence[str]:
    return _present(params, pinned=params["command"] == "unpin")


def _check_pin(shell: Shell, params: Params) -> bool:
    return _changed(shell, params, "pinned", str(int(params["command"] == "pin")))


def _pin(screen: Screen, params: Params) -> Action:
    action = _on_note(screen, params["title"])
    if action is not None:
        return action
    return screen.tap(params["command"]) if screen.has(params["command"]) else Finish()


def _check_delete(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, NOTES)
    return found.count == len(found.removed) == 1 and rows.same(found.removed[0]["title"], params["title"])


def _delete(screen: Screen, params: Params) -> Action:
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {params['title']}") else screen.tap("cancel")
    if screen.has("notes") and not screen.has(params["title"]):
        return Finish()
    return _on_note(screen, params["title"]) or screen.tap("delete")


# --- the templates -----------------------------------------------------------------------------------------

_TITLE = {"title": TITLES}
_TITLE_AND_TEXT = {"title": TITLES, "text": TEXTS}
_NEW = ("create a note called {title}", "add a note with title {title}", "make a new note called {title}")
_NEW_WITH_TEXT = ("create a note called {title} with text {text}", "add a note {title} with text {text}")
_WRITE = ("write {text} in the note {title}", "change the text of note {title} to {text}")
_RENAME = ("rename the note {title} to {new}", "change the title of note {title} to {new}")
_PIN = ("{command} the note {title}", "{command} my note called {title}")
_DELETE = ("delete the note {title}", "remove the note called {title}")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"notes.{name}",
        suite="general",
        app="notes",
        instructions=instructions,
        params=params,
        max_steps=10,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("notes", PACKAGE, act),
    )
    for level, name, instructions, params, set_up, check, act in (
        (2, "new", _NEW, _TITLE, _absent, _check_new, _new),
        (3, "new_with_text", _NEW_WITH_TEXT, _TITLE_AND_TEXT, _absent, _check_new, _new),
        (3, "write", _WRITE, _TITLE_AND_TEXT, _present, _check_write, _write),
        (3, "rename", _RENAME, {"title": TITLES, "new": NEW_TITLES}, _set_up_rename, _check_rename, _rename),
        (2, "pin", _PIN, {"command": ("pin", "unpin"), "title": TITLES}, _set_up_pin, _check_pin, _pin),
        (2, "delete", _DELETE, _TITLE, _present, _check_delete, _delete),
    )
)
