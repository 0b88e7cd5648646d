"""Function-call syntax, as UI-TARS and AutoGLM write it: `name(key='text', key=[1, 2], key=3)`.

Strings stand in single or double quotes. A quote inside that the model forgot to escape is taken as text where no
comma with a further key, and no closing bracket, follows it. Nothing is evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from tapwise.agent.codecs.arguments import excerpt

Value = str | float | list[float]

_HEAD = re.compile(r"\s*([A-Za-z_]\w{0,63})\(\s*")
_KEY = re.compile(r"([A-Za-z_]\w{0,63})\s*=\s*")
_NUMBER = re.compile(r"-?\d{1,18}(?:\.\d{1,18})?")
_LIST = re.compile(r"\[([^\[\]]{0,200})\]")
_AFTER_STRING = re.compile(r"\s*(?:\)|,\s*(?:[A-Za-z_]\w{0,63}\s*=|\)))")
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", "'": "'", '"': '"'}
_NAMES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


@dataclass(frozen=True, slots=True)
class Call:
    """A function's name with its arguments by key."""

    name: str
    arguments: Mapping[str, Value]


def quote(text: str, mark: str) -> str:
    """Text between two of `mark` (one quotation mark), with backslash escapes, on one line as far as \\n and \\r go."""
    return mark + "".join(_NAMES.get(c, f"\\{c}" if c == mark else c) for c in text) + mark


def read_call(text: str, start: int = 0) -> tuple[Call, int]:
    """The call that begins at `start`, and where it ends. Raises ValueError when there is none."""
    head = _HEAD.match(text, start)
    if head is None:
        raise ValueError(f"{excerpt(text[start:])} is no call of the form name(key=value)")
    arguments: dict[str, Value] = {}
    place = head.end()
    while not text.startswith(")", place):
        key = _KEY.match(text, place)
        if key is None:
            raise ValueError(f"expected key=value or a closing bracket at {excerpt(text[place:])}")
        arguments[key.group(1)], place = _value(text, key.end())
        place = _skip(text, place)
        if text.startswith(",", place):
            place = _skip(text, place + 1)
        elif not text.startswith(")", place):
            raise ValueError(f"expected a comma or a closing bracket at {excerpt(text[place:])}")
    return Call(head.group(1), arguments), place + 1


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def _value(text: str, place: int) -> tuple[Value, int]:
    if text.startswith(("'", '"'), place):
        return _string(text, place)
    if number := _NUMBER.match(text, place):
        return float(number.group()), number.end()
    if items := _LIST.match(text, place):
        numbers = [part.strip() for part in items.group(1).split(",")]
        if all(_NUMBER.fullmatch(part) for part in numbers):
            return [float(part) for part in numbers], items.end()
    raise ValueError(f"expected a string in quotes, a number or a list of numbers at {excerpt(text[place:])}")


def _string(text: str, place: int) -> tuple[str, int]:
    mark, characters = text[place], []
    at = place + 1
    while at < len(text):
        c = text[at]
        if c == "\\" and at + 1 < len(text) and text[at + 1] in _ESCAPES:
            characters.append(_ESCAPES[text[at + 1]])
            at += 2
            continue
        if c == mark and _AFTER_STRING.match(text, at + 1):
            return "".join(characters), at + 1
        characters.append(c)
        at += 1
    raise ValueError(f"the string at {excerpt(text[place:])} has no end")
