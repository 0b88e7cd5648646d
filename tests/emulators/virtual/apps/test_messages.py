from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

CHATS, TEXTS = "content://mms-sms/conversations", "content://sms"


@pytest.fixture
def user(hand: Callable[[int], Any]) -> Any:
    """A phone with one unread chat, on the list of chats."""
    found = hand(1)
    content = found.phone.content
    for uri in (CHATS, TEXTS):
        content.delete(uri, lambda row: True)
    content.insert(CHATS, {"recipient": "Bob", "read": 0})
    content.insert(TEXTS, {"address": "Bob", "body": "Hi"})
    found.tap("Messages")
    return found


def test_opening_a_chat_reads_it_and_sends_into_it(user: Any) -> None:
    user.tap("Bob")
    user.type("Message", "see you")
    user.tap("Send")
    assert user.phone.content.query(CHATS)[0]["read"] == 1
    sent = user.phone.content.query(TEXTS)[-1]
    assert (sent["address"], sent["body"], sent["type"]) == ("Bob", "see you", 2)
    assert "Message" in user.labels()  # the field is empty again


def test_a_new_chat_with_a_known_person_joins_the_old_one(user: Any) -> None:
    user.tap("Add")
    user.type("Name", "bob")
    user.type("Message", "hello")
    user.phone.key_event("KEYCODE_ENTER")
    assert len(user.phone.content.query(CHATS)) == 1
    assert user.phone.content.query(TEXTS)[-1]["address"] == "Bob"
    assert "Hi" in user.labels()


def test_nothing_is_sent_without_text(user: Any) -> None:
    user.tap("Bob", "Send")
    assert "Nothing to send" in user.labels()
    assert len(user.phone.content.query(TEXTS)) == 1


def test_the_menu_pins_marks_and_deletes(user: Any) -> None:
    user.hold("Bob")
    user.tap("Pin")
    user.hold("Bob")
    user.tap("Mark read")
    row = user.phone.content.query(CHATS)[0]
    assert (row["pinned"], row["read"]) == (1, 1)
    user.hold("Bob")
    user.back()
    user.hold("Bob")
    user.tap("Delete")
    assert user.phone.content.query(CHATS) == user.phone.content.query(TEXTS) == []
