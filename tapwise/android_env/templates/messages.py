"""Tasks in Messages: sending texts, and pinning, marking and deleting chats."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.android_env import rows
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Template
from tapwise.android_env.templates.script import BACK, fill, has_parent_page, inside, is_asking, row_texts, tap_or_back
from tapwise.records import Action, Finish

PACKAGE = "com.google.android.apps.messaging"
CHATS = "content://mms-sms/conversations"
TEXTS = "content://sms"
RECEIVED, SENT = 1, 2

NAMES = ("alice", "bob", "carol", "david", "emma", "frank", "grace", "henry", "julia", "kevin", "laura", "martin")
BODIES = ("hello", "thank you", "see you", "good morning", "well done", "good luck")
FIRST_BODY = "How are you"


def _absent(params: Params) -> Sequence[str]:
    name = params["name"].capitalize()
    forget = (rows.delete(CHATS, f"recipient='{name}'"), rows.delete(TEXTS, f"address='{name}'"))
    return *forget, rows.remember(CHATS), rows.remember(TEXTS)


def _present(params: Params, pinned: bool = False, read: bool = True) -> Sequence[str]:
    name = params["name"].capitalize()
    return (
        *_absent(params)[:2],
        rows.insert(CHATS, recipient=name, pinned=int(pinned), read=int(read)),
        rows.insert(TEXTS, address=name, body=FIRST_BODY, type=RECEIVED),
        rows.remember(CHATS),
        rows.remember(TEXTS),
    )


def _sent_only(shell: Shell, params: Params) -> bool:
    """Whether the one text that came or went since the set-up is the one to be sent."""
    found = rows.changes(shell, TEXTS)
    if not found.count == len(found.added) == 1:
        return False
    text = found.added[0]
    return (
        rows.same(text["address"], params["name"])
        and rows.same(text["body"], params["body"])
        and text["type"] == str(SENT)
    )


# --- sending -----------------------------------------------------------------------------------------------


def _check_send(shell: Shell, params: Params) -> bool:
    chats = rows.changes(shell, CHATS)
    return _sent_only(shell, params) and not chats.added and not chats.removed


def _send(screen: Screen, params: Params) -> Action:
    if not has_parent_page(screen):
        return tap_or_back(screen, params["name"])
    if not screen.has(params["name"]) or screen.has("new chat"):
        return BACK
    return _write(screen, params)


def _write(screen: Screen, params: Params) -> Action:
    """In a chat: the body of a sent text stands on a bubble, not in the field."""
    bubbles = [n for n in screen.nodes if n.text.casefold() == params["body"] and not n.class_name.endswith("EditText")]
    return Finish() if bubbles else fill(screen, "body", "Message", params["body"]) or screen.tap("send")


def _check_new(shell: Shell, params: Params) -> bool:
    chats = rows.changes(shell, CHATS)
    return (
        _sent_only(shell, params)
        and len(chats.added) == 1
        and rows.same(chats.added[0]["recipient"], params["name"])
        and not chats.removed
    )


def _new(screen: Screen, params: Params) -> Action:
    if screen.has("new chat"):
        typing = fill(screen, "to", "Name", params["name"]) or fill(screen, "body", "Message", params["body"])
        return typing or screen.tap("send")
    if has_parent_page(screen):
        return _write(screen, params) if screen.has(params["name"]) else BACK
    return tap_or_back(screen, params["name"] if screen.has(params["name"]) else "add")


# --- the menu of a chat ------------------------------------------------------------------------------------


def _by_menu(screen: Screen, name: str, label: str, sign: str = "", signed: bool = False) -> Action:
    """Hold the chat and choose from its menu, until its row has the sign (or has it not), or is gone without a sign."""
    if is_asking(screen):
        return screen.tap(label) if screen.has(name) and screen.has(label) else screen.tap("cancel")
    if has_parent_page(screen) or not screen.has("messages"):
        return BACK
    if not screen.has(name) or (sign and (sign in row_texts(screen, name)) is signed):
        return Finish()
    return screen.long_press(name)


def _only_change(shell: Shell, params: Params, **expected: str) -> bool:
    chats, texts = rows.changes(shell, CHATS), rows.changes(shell, TEXTS)
    if texts.count or not chats.count == len(chats.changed) == 1:
        return False
    before, after = chats.changed[0]
    return rows.same(before["recipient"], params["name"]) and after == {**before, **expected}


def _check_delete(shell: Shell, params: Params) -> bool:
    chats, texts = rows.changes(shell, CHATS), rows.changes(shell, TEXTS)
    return (
        chats.count == len(chats.removed) == 1
        and rows.same(chats.removed[0]["recipient"], params["name"])
        and texts.count == len(texts.removed)
        and all(rows.same(text["address"], params["name"]) for text in texts.removed)
    )


def _delete(screen: Screen, params: Params) -> Action:
    return _by_menu(screen, params["name"], "delete")


def _set_up_pin(params: Params) -> Sequence[str]:
    return _present(params, pinned=params["command"] == "unpin")


def _check_pin(shell: Shell, params: Params) -> bool:
    return _only_change(shell, params, pinned=str(int(params["command"] == "pin")))


def _pin(screen: Screen, params: Params) -> Action:
    return _by_menu(screen, params["name"], params["command"], "pinned", params["command"] == "pin")


def _set_up_mark(params: Params) -> Sequence[str]:
    return _present(params, read=params["state"] == "unread")


def _check_mark(shell: Shell, params: Params) -> bool:
    return _only_change(shell, params, read=str(int(params["state"] == "read")))


def _mark(screen: Screen, params: Params) -> Action:
    return _by_menu(screen, params["name"], f"mark {params['state']}", "new", params["state"] == "unread")


# --- the templates -----------------------------------------------------------------------------------------

_NAME = {"name": NAMES}
_TEXT = {"body": BODIES, "name": NAMES}
_SEND = ("send {body} to {name}", "text {body} to {name}")
_NEW = ("start a chat with {name} saying {body}", "send {body} in a new chat with {name}")
_DELETE = ("delete the chat with {name}", "remove the chat with {name}")
_PIN = ("{command} the chat with {name}", "{command} the messages of {name}")
_MARK = ("mark the chat with {name} {state}", "mark the messages of {name} as {state}")

TEMPLATES: tuple[Template, ...] = tuple(
    Template(
        name=f"messages.{name}",
        suite="general",
        app="messages",
        instructions=instructions,
        params=params,
        max_steps=10,
        level=level,
        setup=set_up,
        check=check,
        expert=inside("messages", PACKAGE, act),
    )
    for level, name, instructions, params, set_up, check, act in (
        (2, "send", _SEND, _TEXT, _present, _check_send, _send),
        (3, "new", _NEW, _TEXT, _absent, _check_new, _new),
        (2, "delete", _DELETE, _NAME, _present, _check_delete, _delete),
        (2, "pin", _PIN, {"command": ("pin", "unpin"), "name": NAMES}, _set_up_pin, _check_pin, _pin),
        (2, "mark", _MARK, {"state": ("read", "unread"), "name": NAMES}, _set_up_mark, _check_mark, _mark),
    )
)
