"""Whether a text is on a screen, given what was read from it: yes, no, or perhaps.

Reading errs: letters are mistaken, gaps between words lost, long names cut off. A plain match is a yes; only where not
even a likeness of the text is found it is a no; what lies between is perhaps, None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tapwise.evaluator.ocr import Line

SURE = 0.8
"""score of a line from which on its words are believed"""
LEAST_STEM = 6
"""letters of a name that was cut off with dots for it to count as the name"""
LEAST_FUZZY = 4
"""letters of a word in which one letter may be mistaken"""
BESIDE = 0.038
"""of the screen's height between the middles of a value and its label, at most"""


def seen(text: str, lines: Sequence[Line]) -> bool | None:
    """Whether `text` is among the lines. True for whole words of a believed line; False when some word of it is not
    found anywhere, not even with a letter mistaken."""
    wanted = _plain(text)
    if not wanted:
        return None
    if any(line.score >= SURE and _holds(_plain(line.text), wanted) for line in lines):
        return True
    page = "".join(_squashed(line.text) for line in lines)
    words = [word for line in lines for word in _plain(line.text).split()]
    return None if all(_resembles(word, page, words) for word in wanted.split()) else False


def near(value: str, label: str, lines: Sequence[Line]) -> bool | None:
    """Whether `value` stands above or below `label`, or in its row. False when one of them is not on the screen, or
    when both are and apart."""
    whole = seen(value, lines), seen(label, lines)
    if False in whole:
        return False
    values = [line for line in lines if _holds(_plain(line.text), _plain(value)) and line.score >= SURE]
    labels = [line for line in lines if _holds(_plain(line.text), _plain(label)) and line.score >= SURE]
    if any(abs(_middle(one) - _middle(other)) <= BESIDE for one in values for other in labels):
        return True
    return None if None in whole else False


def _middle(line: Line) -> float:
    return (line.box[1] + line.box[3]) / 2


def _plain(text: str) -> str:
    """Lower case words and numbers with single spaces between; dots that cut a name off are kept."""
    words = re.findall(r"[^\W_]+(?:(?:[.:'-]|(?<=\d),(?=\d))[^\W_]+)*(?:\.{2,}|…)?", text.casefold())
    return " ".join(words)


def _squashed(text: str) -> str:
    return re.sub(r"[\W_]+", "", text.casefold())


def _holds(line: str, wanted: str) -> bool:
    if f" {wanted} " in f" {line} " or _squashed(line) == _squashed(wanted):
        return True
    stem = re.sub(r"(\.{2,}|…)$", "", line)
    return stem != line and len(_squashed(stem)) >= LEAST_STEM and wanted.startswith(stem)


def _resembles(word: str, page: str, words: Sequence[str]) -> bool:
    squashed = _squashed(word)
    if squashed in page:
        return True
    for other in words:
        stem = re.sub(r"(\.{2,}|…)$", "", other)
        if stem != other and stem and word.startswith(stem):
            return True
        if len(word) >= LEAST_FUZZY and word.isalpha() and _one_mistake(word, other):
            return True
    return False


def _one_mistake(one: str, other: str) -> bool:
    """Whether the words differ by one letter changed, added or left out."""
    if abs(len(one) - len(other)) > 1:
        return False
    start = 0
    while start < min(len(one), len(other)) and one[start] == other[start]:
        start += 1
    rest, others = one[start:], other[start:]
    return rest[1:] == others[1:] or rest[1:] == others or rest == others[1:]
