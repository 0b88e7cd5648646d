"""What Android's `input text` can type, and how it must be told."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from tapwise.errors import DeviceError


def check_typable(text: str) -> None:
    """Raises DeviceError when `input text` cannot type the text: it knows printable ASCII and line ends only."""
    odd = sorted({character for character in text if character != "\n" and not " " <= character <= "~"})
    if odd:
        raise DeviceError(
            f"text with {''.join(odd[:8])!r} cannot be typed: `input text` knows ASCII only. Leave these characters out"
            " of the task, or install the ADBKeyboard app on the phone and broadcast ADB_INPUT_B64 to it"
        )


def typing_commands(text: str) -> Iterator[str]:
    """Shell commands that type the text in order; a line end is the enter key.

    `input text` reads "%s" as a space, so a literal "%s" is split between two commands.
    """
    check_typable(text)
    for number, line in enumerate(text.split("\n")):
        if number > 0:
            yield "input keyevent KEYCODE_ENTER"
        pieces = line.split("%s")
        for index, piece in enumerate(pieces):
            typed = ("s" if index > 0 else "") + piece + ("%" if index < len(pieces) - 1 else "")
            if typed:
                yield f"input text {shlex.quote(typed.replace(' ', '%s'))}"
