"""Keyboards of test tools: what they make of the characters that `input text` sends them."""

from __future__ import annotations

import base64
import re
from typing import Final

LATIN_IME: Final = "com.google.android.inputmethod.latin/com.android.inputmethod.latin.LatinIME"
ADB_KEYBOARD: Final = "com.android.adbkeyboard/.AdbIME"
APPIUM_IME: Final = "io.appium.settings/.AppiumIME"
UNICODE_IME: Final = "io.appium.settings/.UnicodeIME"
_SHIFTED: Final = re.compile(r"&([A-Za-z0-9+,]*)-")
_EDITOR_ACTION: Final = re.compile(r"/\w+/")


def from_utf7(text: str) -> str:
    """Text as Appium's keyboard reads it: IMAP's UTF-7, in which any text is ASCII."""
    return _SHIFTED.sub(_unshifted, text)


def is_editor_action(text: str) -> bool:
    """Whether Appium's keyboard takes a text for an action of the field, as in "/done/"."""
    return _EDITOR_ACTION.fullmatch(text) is not None


def _unshifted(match: re.Match[str]) -> str:
    coded = match[1].replace(",", "/")
    try:
        return base64.b64decode(coded + "=" * (-len(coded) % 4)).decode("utf-16-be") if coded else "&"
    except ValueError:
        return match[0]
