from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

NOTES = "content://com.google.android.keep/notes"


@pytest.fixture
def user(hand: Callable[[int], Any]) -> Any:
    """The notes app without a note."""
    found = hand(1)
    found.phone.content.delete(NOTES, lambda row: True)
    found.tap("Notes")
    return found


def test_a_note_is_made_written_renamed_and_pinned(user: Any) -> None:
    user.tap("Add")
    user.type("Title", "plans")
    user.tap("Save", "Write")
    user.type("Text", "two tickets")
    user.tap("Save", "Rename")
    user.type("New title", "travel")
    user.tap("Save", "Pin")
    (row,) = user.phone.content.query(NOTES)
    assert (row["title"], row["body"], row["pinned"]) == ("Travel", "Two tickets", 1)
    assert {"Travel", "Two tickets", "Pinned", "Unpin"} <= set(user.labels())


def test_a_note_is_deleted_only_after_the_question(user: Any) -> None:
    user.phone.content.insert(NOTES, {"title": "Books"})
    user.tap("Books", "Delete", "Cancel", "Delete", "Delete")
    assert user.phone.content.query(NOTES) == []
    assert "Books" not in user.labels()


def test_a_note_needs_a_title(user: Any) -> None:
    user.tap("Add", "Save")
    assert "Title needed" in user.labels()
    assert user.phone.content.query(NOTES) == []


def test_pinned_notes_come_first(user: Any) -> None:
    for title, pinned in (("Books", 0), ("Music", 1), ("Ideas", 0)):
        user.phone.content.insert(NOTES, {"title": title, "pinned": pinned})
    labels = user.labels()
    assert labels.index("Music") < min(labels.index("Books"), labels.index("Ideas"))
