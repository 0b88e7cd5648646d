"""Labels that people give: what is read, what a killed writer leaves, and how a file goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapwise.datasets.labels import LabelFile, read_labels
from tapwise.errors import ConfigError


def test_the_last_word_counts_and_not_being_able_to_tell_is_one(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    labels = LabelFile(path)
    for name, success in (("a", True), ('b,"x"', False), ("a", False), ("c", True), ("c", None)):
        labels.keep(name, success)
    assert read_labels(path) == {"a": False, 'b,"x"': False, "c": None}
    assert "c" in labels
    assert "d" not in labels
    assert (labels.said("a"), labels.said("c")) == (False, None)


def test_a_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "labels.csv"
    LabelFile(path).keep("a", True)
    again = LabelFile(path)
    again.keep("b", False)
    assert again.said("a") is True
    assert path.read_text(encoding="utf-8").count("trajectory") == 1
    assert read_labels(path) == {"a": True, "b": False}


@pytest.mark.parametrize("kept", range(1, 40))
def test_a_writer_that_was_killed_costs_no_other_label(kept: int, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    labels = LabelFile(path)
    labels.keep("first", True)
    before = path.stat().st_size
    labels.keep("second", False)
    path.write_bytes(path.read_bytes()[: before + kept])
    assert read_labels(path)["first"] is True
    again = LabelFile(path)
    again.keep("third", None)
    found = read_labels(path)
    assert (found.pop("first"), found.pop("third")) == (True, None)
    assert found in ({}, {"second": False})


def test_a_torn_heading_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    path.write_text("trajec", encoding="utf-8")
    LabelFile(path).keep("a", True)
    assert read_labels(path) == {"a": True}


def test_files_of_people_may_have_other_columns_and_lack_the_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("who,success,trajectory\nAnna,yes,a\nBob,No,b", encoding="utf-8")
    assert read_labels(path) == {"a": True, "b": False}
    LabelFile(path).keep("c", True)
    assert read_labels(path) == {"a": True, "b": False, "c": True}


@pytest.mark.parametrize(
    ("text", "hint"), [("a,b\n", "columns"), ("trajectory,success\nx,perhaps\n", "line 2"), (None, "cannot be read")]
)
def test_labels_that_cannot_be_read(text: str | None, hint: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.csv"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=hint):
        read_labels(path)


def test_labels_that_cannot_be_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be kept"):
        LabelFile(tmp_path)
    foreign = tmp_path / "other.csv"
    foreign.write_text("a,b\n1,2\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="columns"):
        LabelFile(foreign)
    assert foreign.read_text(encoding="utf-8") == "a,b\n1,2\n"
