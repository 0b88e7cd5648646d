from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

DOCUMENTS, MUSIC = "/sdcard/Documents", "/sdcard/Music"


@pytest.fixture
def user(hand: Callable[[int], Any]) -> Any:
    """The documents folder with one file in it."""
    found = hand(1)
    found.phone.files.write(f"{DOCUMENTS}/report.txt", b"Hello", found.phone.clock.now())
    found.tap("Files", "Documents")
    return found


def test_a_file_is_renamed_moved_and_deleted(user: Any) -> None:
    files = user.phone.files
    user.tap("Report", "Rename")
    user.type("New name", "plans")
    user.tap("Save")
    assert files.listdir(DOCUMENTS) == ["plans.txt"]
    user.tap("Plans", "Move", "Music")
    assert (files.listdir(DOCUMENTS), files.listdir(MUSIC)) == ([], ["plans.txt"])
    user.tap("Plans", "Delete", "Cancel", "Delete", "Delete")
    assert files.listdir(MUSIC) == []
    assert "No files" in user.labels()


def test_a_folder_is_made_opened_and_deleted(user: Any) -> None:
    user.tap("Add")
    user.type("Folder name", "work")
    user.tap("Save")
    assert user.phone.files.is_dir(f"{DOCUMENTS}/Work")
    user.tap("Work")
    assert "No files" in user.labels()
    user.back()
    user.hold("Work")
    user.tap("Delete")
    assert user.phone.files.listdir(DOCUMENTS) == ["report.txt"]


@pytest.mark.parametrize("name", ["", "a/b", ".hidden", "taken"])
def test_names_that_cannot_be_are_refused(user: Any, name: str) -> None:
    user.phone.files.write(f"{DOCUMENTS}/taken.txt", b"", user.phone.clock.now())
    user.tap("Report", "Rename")
    user.type("New name", name)
    user.tap("Save")
    assert "Rename file" in user.labels()
    assert sorted(user.phone.files.listdir(DOCUMENTS)) == ["report.txt", "taken.txt"]


def test_a_folder_that_went_away_is_still_a_page(user: Any) -> None:
    user.tap("Report")
    user.phone.files.remove(f"{DOCUMENTS}/report.txt")
    user.phone.key_event("KEYCODE_ENTER")
    assert "Not found" in user.labels()
