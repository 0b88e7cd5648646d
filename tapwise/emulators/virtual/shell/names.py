"""`command -v`, `type` and `whence`: what a name would run."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.streams import Streams

_RESERVED: Final = frozenset(
    {"if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "in", "function"}
    | {"{", "}", "!", "[[", "select", "time"}
)


def tell_names(shell: Shell, names: list[str], builtins: Collection[str], streams: Streams, *, in_words: bool) -> int:
    """A line for each name that is known; status 1 when one is not."""
    status = 0
    for name in names:
        kind = ""
        if name in _RESERVED:
            kind = "a reserved word"
        elif name in shell.functions:
            kind = "a function"
        elif name in builtins:
            kind = "a shell builtin"
        path = name if kind else f"/system/bin/{name}"
        if not kind and name not in shell.commands:
            status = 1
            if in_words:
                streams.stdout.line(f"{name} not found")
        elif in_words:
            streams.stdout.line(f"{name} is {kind or f'a tracked alias for {path}'}")
        else:
            streams.stdout.line(path)
    return status
