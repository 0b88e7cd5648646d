"""`input`: touches, keys and text."""

from __future__ import annotations

import math
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_USAGE: Final = "Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]"
_SOURCES: Final = frozenset({"touchscreen", "keyboard", "touchpad", "touchnavigation", "stylus", "mouse", "dpad"})
_DEFAULT_SWIPE_MS: Final = 300.0
_NAMED_KEYCODES: Final = (
    "3 HOME, 4 BACK, 19 DPAD_UP, 20 DPAD_DOWN, 21 DPAD_LEFT, 22 DPAD_RIGHT, 23 DPAD_CENTER, 24 VOLUME_UP,"
    " 25 VOLUME_DOWN, 26 POWER, 61 TAB, 62 SPACE, 66 ENTER, 67 DEL, 82 MENU, 84 SEARCH, 92 PAGE_UP, 93 PAGE_DOWN,"
    " 111 ESCAPE, 112 FORWARD_DEL, 122 MOVE_HOME, 123 MOVE_END, 187 APP_SWITCH, 223 SLEEP, 224 WAKEUP"
)
_KEYCODES: Final = {
    **{int(number): name for number, name in (pair.split() for pair in _NAMED_KEYCODES.split(","))},
    **{7 + digit: str(digit) for digit in range(10)},
    **{29 + letter: chr(ord("A") + letter) for letter in range(26)},
}


def _number(call: Invocation, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise CommandError(
            f"Exception occurred while executing '{call.arguments[0]}':\njava.lang.NumberFormatException: \"{text}\"",
            255,
        )
    return value


def _coordinates(call: Invocation, values: list[str], count: int) -> list[float]:
    if len(values) < count:
        raise CommandError(f"Error: Invalid arguments for command: {call.arguments[0]}\n{_USAGE}", 255)
    return [_number(call, value) for value in values[:count]]


def _tap(call: Invocation, values: list[str]) -> None:
    x, y = _coordinates(call, values, 2)
    call.phone.tap(x, y)


def _swipe(call: Invocation, values: list[str]) -> None:
    x1, y1, x2, y2 = _coordinates(call, values, 4)
    milliseconds = _number(call, values[4]) if len(values) > 4 and values[4] else _DEFAULT_SWIPE_MS
    call.phone.swipe(x1, y1, x2, y2, max(milliseconds, 0.0) / 1000)


def _text(call: Invocation, values: list[str]) -> None:
    text = " ".join(values).replace("%s", " ")
    if not text.isascii():
        raise CommandError(
            "Exception occurred while executing 'text':\njava.lang.NullPointerException: Attempt to get length of null"
            " array",
            255,
        )
    typed = "".join(character for character in text if character.isprintable())
    if typed:
        call.phone.type_text(typed)


def _key_event(call: Invocation, values: list[str]) -> None:
    codes = [value for value in values if not value.startswith("--")]
    if not codes:
        raise CommandError(f"Error: Invalid arguments for command: keyevent\n{_USAGE}", 255)
    for code in codes:
        name = _KEYCODES.get(int(code), "UNKNOWN") if code.isdecimal() else code.upper().removeprefix("KEYCODE_")
        if len(name) == 1:
            call.phone.type_text(name.lower())
        elif name == "SPACE":
            call.phone.type_text(" ")
        else:
            call.phone.key_event(f"KEYCODE_{name}")


def _motion_event(call: Invocation, values: list[str]) -> None:
    """A touch in pieces acts when the finger goes up, where it went up."""
    if values and values[0].upper() == "UP":
        x, y = _coordinates(call, values[1:], 2)
        call.phone.tap(x, y)


def _input(call: Invocation) -> int:
    words = list(call.arguments)
    while words and (words[0] in _SOURCES or words[0] == "-d"):
        del words[: 2 if words[0] == "-d" else 1]
    if not words:
        raise CommandError(_USAGE, 255)
    actions = {
        "tap": _tap,
        "swipe": _swipe,
        "draganddrop": _swipe,
        "text": _text,
        "keyevent": _key_event,
        "motionevent": _motion_event,
    }
    action = actions.get(words[0])
    if action is None:
        raise CommandError(f"Error: Unknown command: {words[0]}\n{_USAGE}", 255)
    call.arguments = words
    action(call, words[1:])
    return 0


COMMANDS: Final[CommandTable] = {"input": _input}
