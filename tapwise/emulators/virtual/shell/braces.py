"""Brace expansion: `a{b,c}d` is `abd acd`, before anything else is expanded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tapwise.emulators.virtual.shell.syntax import Part, ShellSyntaxError, Text, Word

_MOST_WORDS: Final = 4096
_Items = Sequence[str | Part]
"""unquoted characters, and parts that are taken as they are"""


def expand_braces(word: Word) -> list[Word]:
    """The words that a word stands for; itself when it has no braces with a comma. Raises ShellSyntaxError."""
    if not any(isinstance(part, Text) and not part.quoted and "{" in part.text for part in word.parts):
        return [word]
    items: list[str | Part] = []
    for part in word.parts:
        items.extend(part.text if isinstance(part, Text) and not part.quoted else [part])
    return [_word(choice) for choice in _choices(items)]


def _choices(items: _Items) -> list[list[str | Part]]:
    for start, item in enumerate(items):
        found = _alternatives(items, start) if item == "{" else None
        if found is None:
            continue
        alternatives, end = found
        inner = [choice for alternative in alternatives for choice in _choices(alternative)]
        rests = _choices(items[end + 1 :])
        if len(inner) * len(rests) > _MOST_WORDS:
            raise ShellSyntaxError("too many words in braces")
        return [[*items[:start], *choice, *rest] for choice in inner for rest in rests]
    return [list(items)]


def _alternatives(items: _Items, start: int) -> tuple[list[_Items], int] | None:
    """What stands between the commas of the brace at `start`, and where it closes."""
    depth, begin = 0, start + 1
    found: list[_Items] = []
    for position in range(start, len(items)):
        item = items[position]
        depth += (item == "{") - (item == "}")
        if depth == 0 or (depth == 1 and item == ","):
            found.append(items[begin:position])
            begin = position + 1
        if depth == 0:
            return (found, position) if len(found) > 1 else None
    return None


def _word(items: _Items) -> Word:
    parts: list[Part] = []
    plain: list[str] = []
    for item in [*items, None]:
        if isinstance(item, str):
            plain.append(item)
            continue
        if plain:
            parts.append(Text("".join(plain), False))
            plain.clear()
        if item is not None:
            parts.append(item)
    return Word(tuple(parts))
