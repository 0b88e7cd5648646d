"""`input`: touches, keys and text."""

from __future__ import annotations

import math
from typing import Final

from tapwise.emulators.virtual.keyboards import APPIUM_IME, UNICODE_IME, from_utf7, is_editor_action
from tapwise.emulators.virtual.keys import press
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_USAGE: Final = "Usage: input [<source>] [-d DISPLAY_ID] <command> [<arg>...]"
_SOURCES: Final = frozenset({"touchscreen", "keyboard", "touchpad", "touchnavigation", "stylus", "mouse", "dpad"})
_CONTROL_KEYS: Final = frozenset({"CTRL_LEFT", "CTRL_RIGHT", "113", "114"})
_DEFAULT_SWIPE_MS: Final = 300.0


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
    keyboard = call.phone.settings.get("secure", "default_input_method")
    if keyboard == APPIUM_IME and is_editor_action(text):
        call.phone.key_event("KEYCODE_ENTER")
        return
    if keyboard == UNICODE_IME:
        text = from_utf7(text)
    typed = "".join(character for character in text if character.isprintable())
    if typed:
        call.phone.type_text(typed)


def _key_event(call: Invocation, values: list[str]) -> None:
    codes = [value for value in values if not value.startswith("--")]
    if not codes:
        raise CommandError(f"Error: Invalid arguments for command: keyevent\n{_USAGE}", 255)
    for code in codes:
        press(call.phone, code)


def _motion_event(call: Invocation, values: list[str]) -> None:
    """A touch in pieces acts when the finger goes up, where it went up."""
    if values and values[0].upper() == "UP":
        x, y = _coordinates(call, values[1:], 2)
        call.phone.tap(x, y)


def _combination(call: Invocation, values: list[str]) -> None:
    """Keys held together; of combinations, select-all, copy, cut and paste mean something here."""
    names = [value.upper().removeprefix("KEYCODE_") for value in values]
    if len(names) < 2:
        raise CommandError(f"Error: Invalid arguments for command: keycombination\n{_USAGE}", 255)
    phone = call.phone
    held = next((node.text for node in phone.tree().walk() if node.focused), "")
    match names[-1] if names[0] in _CONTROL_KEYS else "":
        case "C" | "31":
            phone.state.clipboard = held
        case "X" | "52":
            phone.state.clipboard = held
            phone.replace_text("")
        case "V" | "50":
            phone.type_text(phone.state.clipboard)


def _nothing(call: Invocation, values: list[str]) -> None:
    """`press` and `roll` are of trackballs, which phones lack."""


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
        "keycombination": _combination,
        "press": _nothing,
        "roll": _nothing,
    }
    action = actions.get(words[0])
    if action is None:
        raise CommandError(f"Error: Unknown command: {words[0]}\n{_USAGE}", 255)
    call.arguments = words
    action(call, words[1:])
    return 0


COMMANDS: Final[CommandTable] = {"input": _input}
