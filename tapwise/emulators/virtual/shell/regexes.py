"""POSIX regular expressions in Python's form."""

from __future__ import annotations

import re
from typing import Final

_CLASSES: Final = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "upper": "A-Z",
    "lower": "a-z",
    "space": r"\s",
    "blank": r" \t",
    "punct": r"!-/:-@\[-`{-~",
    "xdigit": "0-9A-Fa-f",
}
_PIECE: Final = re.compile(r"\[\^?\]?(?:\[:\w+:\]|[^\]])*\]|\\.|[|(){}+?*^$]|[^\\]", re.DOTALL)

_NAMED: Final = re.compile("\0(\\w+)\0")


def basic_to_python(pattern: str) -> str:
    """A basic expression: `\\|`, `\\(`, `\\{`, `\\+`, `\\?` are operators, and the bare characters are not."""
    pieces: list[str] = []
    for piece in _PIECE.findall(pattern):
        if piece.startswith("[") and len(piece) > 1:
            pieces.append(_bracket(piece))
        elif len(piece) == 2 and piece[1] in "|(){}+?":
            pieces.append(piece[1])
        elif piece in ("|", "(", ")", "{", "}", "+", "?") or (piece == "*" and pieces[-1:] in ([], ["("], ["^"])):
            pieces.append("\\" + piece)
        else:
            pieces.append(_plain(piece))
    return "".join(pieces)


def extended_to_python(pattern: str) -> str:
    """An extended expression."""
    return "".join(_bracket(p) if p.startswith("[") and len(p) > 1 else _plain(p) for p in _PIECE.findall(pattern))


def _plain(piece: str) -> str:
    return {"\\<": r"\b(?=\w)", "\\>": r"\b(?<=\w)"}.get(piece, piece)


def _bracket(piece: str) -> str:
    """In brackets a backslash is itself, and classes have names."""
    inner = re.sub(r"\[:(\w+):\]", lambda match: "\0" + match[1] + "\0", piece[1:-1])
    head = "^" if inner.startswith("^") else ""
    inner = inner[len(head) :].replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")
    named = re.sub(_NAMED, lambda match: _CLASSES.get(match[1], ""), inner)
    return f"[{head}{named}]"
