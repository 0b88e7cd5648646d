from __future__ import annotations

from collections.abc import Callable
from typing import Any

CONTACTS = "content://com.android.contacts/contacts"


def test_a_contact_is_added_edited_starred_and_deleted(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    content = user.phone.content
    content.delete(CONTACTS, lambda row: True)
    user.tap("Contacts", "Add")
    user.type("Name", "dora")
    user.type("Number", "1234")
    user.tap("Save", "Star", "Edit")
    user.type("New number", "5678")
    user.tap("Save")
    (row,) = content.query(CONTACTS)
    assert (row["display_name"], row["number"], row["starred"]) == ("Dora", "5678", 1)
    user.tap("Delete", "Delete")
    assert content.query(CONTACTS) == []


def test_a_contact_needs_a_name(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    before = user.phone.content.query(CONTACTS)
    user.tap("Contacts", "Add", "Save")
    assert "Name needed" in user.labels()
    assert user.phone.content.query(CONTACTS) == before


def test_a_call_is_in_the_call_log(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    person = user.phone.content.query(CONTACTS)[0]
    user.tap("Contacts", person["display_name"], "Call")
    assert [row["number"] for row in user.phone.content.query("content://call_log/calls")] == [person["number"]]
    user.tap("End call")
    assert person["display_name"] in user.labels()


def test_a_page_of_a_contact_that_went_away_is_still_a_page(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    user.tap("Contacts", user.phone.content.query(CONTACTS)[0]["display_name"])
    user.phone.content.delete(CONTACTS, lambda row: True)
    assert "No contact" in user.labels()
