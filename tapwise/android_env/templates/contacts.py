"""Tasks in Contacts: adding, deleting, starring, editing and calling people."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, fill, has_parent_page, inside, is_asking, tap_or_back
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.contacts"
CONTACTS = "content://com.android.contacts/contacts"
CALLS = "content://call_log/calls"

NAMES = ("alice", "bob", "carol", "david", "emma", "frank", "grace", "henry", "julia", "kevin", "laura", "martin")
NUMBERS = ("1234", "5678", "2468", "1357")
OLD_NUMBER = "4440100"


def _where(params: Params) -> str:
    return f"display_name='{params['name'].capitalize()}'"


def _absent(params: Params) -> Sequence[str]:
    return rows.delete(CONTACTS, _where(params)), rows.remember(CONTACTS)


def _present(params: Params, starred: bool = False) -> Sequence[str]:
    name = params["name"].capitalize()
    insert = rows.insert(CONTACTS, display_name=name, number=OLD_NUMBER, starred=int(starred))
    return rows.delete(CONTACTS, _where(params)), insert, rows.remember(CONTACTS)


def _only_change(shell: Shell, params: Params, **expected: str) -> bool:
    """Whether nothing changed but the person, whose row was as `_present` made it except for what is expected."""
    found = rows.changes(shell, CONTACTS)
    if not found.count == len(found.changed) == 1:
        return False
    before, after = found.changed[0]
    return rows.same(before["display_name"], params["name"]) and after == {**before, **expected}


def _on_person(screen: Screen, params: Params) -> Action | None:
    """Come to the person's own page."""
    if has_parent_page(screen):
        return None if screen.has(params["name"]) and screen.has("call") else BACK
    return tap_or_back(screen, params["name"])


# --- add ---------------------------------------------------------------------------------------------------


def _check_add(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CONTACTS)
    return found.count == len(found.added) == 1 and (
        rows.same(found.added[0]["display_name"], params["name"]) and found.added[0]["number"] == params["number"]
    )


def _add(screen: Screen, params: Params) -> Action:
    if screen.has("new contact"):
        typing = fill(screen, "name", "Name", params["name"]) or fill(screen, "number", "Number", params["number"])
        return typing or screen.tap("save")
    if has_parent_page(screen) or screen.has(params["name"]):
        done = screen.has(params["name"]) and screen.has(params["number"])
        return Finish() if done else (_on_person(screen, params) or BACK)
    return tap_or_back(screen, "add")


# --- delete ------------------------------------------------------------------------------------------------


def _check_delete(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CONTACTS)
    return found.count == len(found.removed) == 1 and rows.same(found.removed[0]["display_name"], params["name"])


def _delete(screen: Screen, params: Params) -> Action:
    if is_asking(screen):
        return screen.tap("delete") if screen.has(f"delete {params['name']}") else screen.tap("cancel")
    if screen.has("contacts") and not screen.has(params["name"]):
        return Finish()
    return _on_person(screen, params) or screen.tap("delete")


# --- star --------------------------------------------------------------------------------------------------


def _set_up_star(params: Params) -> Sequence[str]:
    return _present(params, starred=params["command"] == "unstar")


def _check_star(shell: Shell, params: Params) -> bool:
    return _only_change(shell, params, starred=str(int(params["command"] == "star")))


def _star(screen: Screen, params: Params) -> Action:
    action = _on_person(screen, params)
    if action is not None:
        return action
    return screen.tap(params["command"]) if screen.has(params["command"]) else Finish()


# --- number ------------------------------------------------------------------------------------------------


def _check_number(shell: Shell, params: Params) -> bool:
    return _only_change(shell, params, number=params["number"])


def _change_number(screen: Screen, params: Params) -> Action:
    if screen.has("edit contact") and screen.has(params["name"]):
        return fill(screen, "number", "New number", params["number"]) or screen.tap("save")
    action = _on_person(screen, params)
    if action is not None:
        return action
    return Finish() if screen.has(params["number"]) else screen.tap("edit")


# --- call --------------------------------------------------------------------------------------------------


def _set_up_call(params: Params) -> Sequence[str]:
    return *_present(params), rows.delete(CALLS, f"number='{OLD_NUMBER}'"), rows.remember(CALLS)


def _check_call(shell: Shell, params: Params) -> bool:
    found = rows.changes(shell, CALLS)
    return found.count == len(found.added) == 1 and found.added[0]["number"] == OLD_NUMBER


def _call(screen: Screen, params: Params) -> Action:
    if screen.has("calling"):
        return Finish() if screen.has(params["name"]) else screen.tap("end call")
    return _on_person(screen, params) or screen.tap("call")


# --- the templates -----------------------------------------------------------------------------------------

_NAME = {"name": NAMES}
_ADD = ("add {name} with number {number}", "save {name} with the number {number}")
_DELETE = ("delete {name} from contacts", "remove {name} from my contacts")
_STAR = ("{command} {name} in contacts", "{command} the contact {name}")
_NUMBER = ("change the number of {name} to {number}", "set the number of {name} to {number}")
_CALL = ("please call {name}", "call {name} from contacts", "make a call to {name}")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"contacts.{name}",
        suite="general",
        app="contacts",
        instructions=instructions,
        params=params,
        max_steps=10,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("contacts", PACKAGE, act),
    )
    for level, name, instructions, params, set_up, check, act in (
        (3, "add", _ADD, {"name": NAMES, "number": NUMBERS}, _absent, _check_add, _add),
        (2, "delete", _DELETE, _NAME, _present, _check_delete, _delete),
        (2, "star", _STAR, {"command": ("star", "unstar"), "name": NAMES}, _set_up_star, _check_star, _star),
        (3, "number", _NUMBER, {"name": NAMES, "number": NUMBERS}, _present, _check_number, _change_number),
        (1, "call", _CALL, _NAME, _set_up_call, _check_call, _call),
    )
)
