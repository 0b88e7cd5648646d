"""Android's keys by number and name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_NAMED_KEYCODES: Final = (
    "3 HOME, 4 BACK, 19 DPAD_UP, 20 DPAD_DOWN, 21 DPAD_LEFT, 22 DPAD_RIGHT, 23 DPAD_CENTER, 24 VOLUME_UP,"
    " 25 VOLUME_DOWN, 26 POWER, 61 TAB, 62 SPACE, 66 ENTER, 67 DEL, 82 MENU, 83 NOTIFICATION, 84 SEARCH,"
    " 92 PAGE_UP, 93 PAGE_DOWN, 111 ESCAPE, 112 FORWARD_DEL, 122 MOVE_HOME, 123 MOVE_END,"
    " 187 APP_SWITCH, 223 SLEEP, 224 WAKEUP"
)
_KEYCODES: Final = {
    **{int(number): name for number, name in (pair.split() for pair in _NAMED_KEYCODES.split(","))},
    **{7 + digit: str(digit) for digit in range(10)},
    **{29 + letter: chr(ord("A") + letter) for letter in range(26)},
}


def press(phone: VirtualPhone, code: str) -> None:
    """Press a key by its number or its name; letters, digits and the space bar type, keys without a use do nothing."""
    name = _KEYCODES.get(int(code), "UNKNOWN") if code.isdecimal() else code.upper().removeprefix("KEYCODE_")
    if len(name) == 1:
        phone.type_text(name.lower())
    elif name == "SPACE":
        phone.type_text(" ")
    else:
        phone.key_event(f"KEYCODE_{name}")
