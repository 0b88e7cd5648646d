"""Yes, no and perhaps: whether a text was read on a screen."""

from __future__ import annotations

import pytest

from tapwise.evaluator.ocr import Line
from tapwise.evaluator.text_match import near, seen


def lines(*texts: str, score: float = 0.99) -> list[Line]:
    """Texts in rows below each other, each a twentieth of the height."""
    return [Line(text, score, (0.1, 0.05 * row, 0.5, 0.05 * row + 0.03)) for row, text in enumerate(texts)]


@pytest.mark.parametrize(
    ("text", "page", "found"),
    [
        ("wish list", ["Wish list"], True),
        ("wish list", ["Wish list is empty"], True),
        ("echo watch", ["Echowatch"], True),  # the gap was lost
        ("30 minutes", ["30 minutes,for 5"], True),
        ("noodle bowl", ["Noodle bo..."], True),
        ("sort photos", ["Sort phot…"], True),
        ("$12", ["$12"], True),
        ("11:00", ["11:00"], True),
        ("2", ["2"], True),
        ("concert", ["Interview", "Station"], False),
        ("12", ["45", "30 minutes"], False),
        ("red sofa", ["Blue sofa", "Green lamp"], False),
        ("2", ["12", "25"], None),  # perhaps the reader put two numbers together
        ("concert", ["Concort"], None),
        ("concert", ["Conc..."], None),  # too little of the name
        ("living room", ["Living", "room"], None),  # broken over two lines
        ("concert", ["Concerts"], None),
        ("", ["anything"], None),
    ],
)
def test_texts_are_seen(text: str, page: list[str], found: bool | None) -> None:
    assert seen(text, lines(*page)) is found


def test_what_the_reader_doubts_is_perhaps() -> None:
    assert seen("Save", lines("Save", score=0.6)) is None


def test_an_empty_screen_shows_nothing() -> None:
    assert seen("Save", []) is False


@pytest.mark.parametrize(
    ("value", "label", "found"),
    [
        ("loud", "volume", True),
        ("silent", "volume", False),
        ("chime", "volume", False),  # on the screen, but elsewhere
        ("loud", "brightness", False),
    ],
)
def test_values_stand_beside_their_labels(value: str, label: str, found: bool) -> None:
    page = [
        Line("Volume", 0.99, (0.1, 0.30, 0.3, 0.32)),
        Line("Loud", 0.99, (0.1, 0.33, 0.2, 0.35)),
        Line("Ringtone", 0.99, (0.1, 0.38, 0.3, 0.40)),
        Line("Chime", 0.99, (0.1, 0.41, 0.2, 0.43)),
    ]
    assert near(value, label, page) is found
