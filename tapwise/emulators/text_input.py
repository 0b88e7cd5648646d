"""What Android's `input text` can type and how it must be told, and the ADBKeyboard app for all other text."""

from __future__ import annotations

import base64
import re
import shlex
import time
import unicodedata
from collections.abc import Callable, Iterator

from tapwise.errors import DeviceError

ADB_KEYBOARD = "com.android.adbkeyboard/.AdbIME"
"""The keyboard that types what is broadcast to it: github.com/senzhk/ADBKeyBoard"""

_SWITCH_S = 3.0
_LOOK_EVERY_S = 0.05


def check_typable(text: str) -> None:
    """Raises DeviceError for control characters other than the line end: no keyboard has them."""
    odd = sorted({character for character in text if character != "\n" and unicodedata.category(character) == "Cc"})
    if odd:
        raise DeviceError(f"text with the control characters {odd[:8]} cannot be typed: leave them out of the task")


def type_lines(text: str, type_line: Callable[[str], object], press_enter: Callable[[], object]) -> None:
    """Type line by line, with the enter key for each line end. Raises DeviceError for what no keyboard has."""
    check_typable(text)
    for number, line in enumerate(text.split("\n")):
        if number > 0:
            press_enter()
        if line:
            type_line(line)


def odd_characters(text: str) -> str:
    """The characters that `input text` cannot type: it knows printable ASCII and line ends only."""
    return "".join(sorted({character for character in text if character != "\n" and not " " <= character <= "~"}))


def type_by_keyboard(text: str, shell: Callable[[str], str]) -> None:
    """Type any text by the ADBKeyboard app, and give the user's keyboard back afterwards.

    `shell` runs a command on the phone. Raises DeviceError when the app is not installed, or does not become the
    keyboard in time.
    """
    check_typable(text)
    if ADB_KEYBOARD not in shell("ime list -a -s").split():
        raise DeviceError(
            f"text with {odd_characters(text)[:8]!r} cannot be typed: `input text` knows ASCII only. Leave these"
            " characters out of the task, or install the ADBKeyboard app on the phone"
        )
    before = shell("settings get secure default_input_method").strip()
    shell(f"ime enable {ADB_KEYBOARD}")
    shell(f"ime set {ADB_KEYBOARD}")
    try:
        _await_keyboard(shell)
        type_lines(
            text,
            lambda line: shell(f"am broadcast -a ADB_INPUT_B64 --es msg {base64.b64encode(line.encode()).decode()}"),
            lambda: shell("input keyevent KEYCODE_ENTER"),
        )
    finally:
        if before not in ("", "null", ADB_KEYBOARD):
            shell(f"ime set {shlex.quote(before)}")


def _await_keyboard(shell: Callable[[str], str]) -> None:
    """Until the app is bound to the field: what is broadcast before that is lost."""
    deadline = time.monotonic() + _SWITCH_S
    while True:
        told = shell("dumpsys input_method")
        bound = re.search(r"\bmCurId=(\S+)", told) or re.search(r"\bmCurMethodId=(\S+)", told)
        if bound is not None and bound[1] == ADB_KEYBOARD:
            return
        if time.monotonic() >= deadline:
            now = bound[1] if bound else "not told"
            raise DeviceError(f"keyboard {ADB_KEYBOARD} is not in use {_SWITCH_S:g} s after `ime set`; it is {now}")
        time.sleep(_LOOK_EVERY_S)


def typing_commands(text: str) -> Iterator[str]:
    """Shell commands that type ASCII text in order; a line end is the enter key.

    `input text` reads "%s" as a space, so a literal "%s" is split between two commands.
    """
    for number, line in enumerate(text.split("\n")):
        if number > 0:
            yield "input keyevent KEYCODE_ENTER"
        pieces = line.split("%s")
        for index, piece in enumerate(pieces):
            typed = ("s" if index > 0 else "") + piece + ("%" if index < len(pieces) - 1 else "")
            if typed:
                yield f"input text {shlex.quote(typed.replace(' ', '%s'))}"
