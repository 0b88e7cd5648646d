"""Messages: conversations that can be pinned, marked and deleted, and texts sent in them."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from tapwise.emulators.virtual.app import App, NewestFirst, RecordTable, Table, Ui
from tapwise.emulators.virtual.apps.schemas import sms_database
from tapwise.emulators.virtual.databases import Database
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.page import Dialog, Page, choice_dialog
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Icon, IconButton, ListItem, Plate, Row, Space, Text, View

NAMES = ("Alice", "Bob", "Carol", "David", "Emma", "Frank", "Grace", "Henry", "Julia", "Kevin", "Laura", "Martin")
BODIES = (
    "Are you home",
    "Call me later",
    "Dinner at eight",
    "Nice photo",
    "Where are you",
    "See the news",
    "All good here",
)
PLATES: tuple[Colour, ...] = ((216, 67, 21), (123, 31, 162), (0, 121, 107), (26, 115, 232))
UNREAD_COLOUR: Colour = (26, 115, 232)
RECEIVED, SENT = 1, 2
BUBBLES_SHOWN = 8


@dataclass
class Conversation:
    """A thread with one person."""

    id: int
    recipient: str
    pinned: bool = False
    read: bool = True


@dataclass
class Message:
    """A text from or to `address`; `type` is 1 when received and 2 when sent, as on Android."""

    id: int
    address: str
    body: str
    type: int = RECEIVED


@dataclass
class MessagesData:
    """All threads and all texts."""

    conversations: list[Conversation]
    messages: list[Message]


class Messages(App):
    """Google's messages."""

    package = "com.google.android.apps.messaging"
    label = "Messages"
    icon = "chat"
    colour = (26, 115, 232)
    activity = ".ui.ConversationListActivity"

    def initial(self, rng: random.Random) -> MessagesData:
        names = rng.sample(NAMES, rng.randint(2, 5))
        threads = [Conversation(n, name, rng.random() < 0.2, rng.random() < 0.6) for n, name in enumerate(names, 1)]
        texts = [Message(n, name, rng.choice(BODIES)) for n, name in enumerate(names, 1)]
        return MessagesData(threads, texts)

    def tables(self, data: MessagesData) -> Mapping[str, Table]:
        columns = {"_id": "id", "recipient": "recipient", "pinned": "pinned", "read": "read"}
        texts = {"_id": "id", "address": "address", "body": "body", "type": "type"}
        return {
            "content://mms-sms/conversations": RecordTable(data.conversations, Conversation, columns),
            "content://sms": RecordTable(data.messages, Message, texts),
            "content://sms/inbox": NewestFirst(data.messages, Message, texts, "type", RECEIVED),
            "content://sms/sent": NewestFirst(data.messages, Message, texts, "type", SENT),
        }

    def databases(self, data: MessagesData) -> Sequence[Database]:
        return [sms_database(Message, data.messages, Conversation, data.conversations)]

    def page(self, ui: Ui) -> Page:
        if ui.route[0] == "new":
            return _new_page(ui)
        if ui.route[0] == "chat":
            return _chat_page(ui, ui.route[1])
        return _list_page(ui)


def _texts(ui: Ui, name: str) -> list[Message]:
    return [message for message in ui.data.messages if message.address.casefold() == name.casefold()]


def _list_page(ui: Ui) -> Page:
    threads: list[Conversation] = ui.data.conversations
    shown = sorted(threads, key=lambda thread: (not thread.pinned, -thread.id))
    rows = [_thread_row(ui, thread) for thread in shown]
    chosen = next((thread for thread in threads if str(thread.id) == ui.field("dialog")), None)
    add = IconButton(icon="add", description="Add", on_tap=partial(ui.go, "new"))
    return Page(title="Messages", body=rows, floating=add, dialog=_thread_dialog(ui, chosen) if chosen else None)


def _thread_row(ui: Ui, thread: Conversation) -> View:
    def open_thread() -> None:
        thread.read = True
        ui.go("chat", thread.recipient)

    texts = _texts(ui, thread.recipient)
    marks: list[View] = [Space(size=themes.ICON_DP), Space(size=themes.ICON_DP)]
    if not thread.read:
        marks[0] = Text(value="New", size=themes.SMALL_DP, align="center", colour=UNREAD_COLOUR)
    if thread.pinned:
        marks[1] = Icon(name="pin", size=24, description="Pinned")
    return ListItem(
        title=thread.recipient,
        subtitle=texts[-1].body if texts else "No messages",
        icon="person",
        plate=PLATES[thread.id % len(PLATES)],
        trailing=Row(children=marks),
        trailing_width=84,
        on_tap=open_thread,
        on_long_press=partial(ui.set_field, "dialog", str(thread.id)),
    )


def _thread_dialog(ui: Ui, thread: Conversation) -> Dialog:
    def close() -> None:
        ui.set_field("dialog", "")

    def flip_pin() -> None:
        thread.pinned = not thread.pinned
        close()

    def flip_read() -> None:
        thread.read = not thread.read
        close()

    def delete() -> None:
        ui.data.conversations.remove(thread)
        gone = _texts(ui, thread.recipient)
        ui.data.messages[:] = [message for message in ui.data.messages if message not in gone]
        close()

    options: Sequence[tuple[str, Callable[[], None]]] = (
        ("Unpin" if thread.pinned else "Pin", flip_pin),
        ("Mark unread" if thread.read else "Mark read", flip_read),
        ("Delete", delete),
    )
    return choice_dialog(thread.recipient, options, close)


def _send(ui: Ui, name: str, body: str) -> bool:
    """Send a text, in a new thread where there is none yet; False when there is nothing to send."""
    body = body.strip()
    if not body or not name:
        ui.toast("Nothing to send")
        return False
    if all(thread.recipient.casefold() != name.casefold() for thread in ui.data.conversations):
        ui.data.conversations.append(Conversation(ui.new_id(), name[:1].upper() + name[1:]))
    known = next(t.recipient for t in ui.data.conversations if t.recipient.casefold() == name.casefold())
    ui.data.messages.append(Message(ui.new_id(), known, body, SENT))
    return True


def _entry_bar(ui: Ui, send: Callable[[], None]) -> View:
    field = ui.text_field("body", "Message", on_submit=lambda _: send())
    button = IconButton(icon="send", description="Send", on_tap=send)
    return Row(children=[Space(size=1), field, button], weights=[0.02, 0.82, 0.16], row_height=themes.ROW_DP)


def _chat_page(ui: Ui, name: str) -> Page:
    def send() -> None:
        if _send(ui, name, ui.field("body")):
            ui.set_field("body", "")
            ui.focus(None)

    bubbles = [_bubble(message) for message in _texts(ui, name)[-BUBBLES_SHOWN:]]
    return Page(title=name, on_back=ui.back, body=bubbles, bottom=_entry_bar(ui, send))


def _bubble(message: Message) -> View:
    """A text on its rounded plate: received on the left, sent on the right in the accent's colour."""
    sent = message.type == SENT
    text = Text(value=message.body, align="center", colour=(255, 255, 255) if sent else None)
    plate = Plate(child=text, colour=UNREAD_COLOUR if sent else None, radius=18, plate_height=themes.ROW_DP - 14)
    weights = [0.32, 0.64, 0.04] if sent else [0.04, 0.64, 0.32]
    return Row(children=[Space(size=1), plate, Space(size=1)], weights=weights, row_height=themes.ROW_DP - 6)


def _new_page(ui: Ui) -> Page:
    def send() -> None:
        name = ui.field("to").strip()
        if _send(ui, name, ui.field("body")):
            ui.replace("chat", name[:1].upper() + name[1:])

    field = ui.text_field("to", "Name", icon="person")
    return Page(title="New chat", on_back=ui.back, body=[Space(size=8), field], bottom=_entry_bar(ui, send))
