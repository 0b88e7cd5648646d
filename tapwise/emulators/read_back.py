"""Typed text, read back from its field: characters that a phone lost or doubled are mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout
from tapwise.records import UiNode

MENDS = 2
"""how often a field is cleared and filled anew before the phone is taken to be at fault"""


def type_and_read_back(
    text: str,
    type_plainly: Callable[[str], None],
    read_tree: Callable[[], UiNode],
    press: Callable[[str], None],
) -> None:
    """Type into the focused field and see that it has arrived.

    Left as typed: text with line ends, which may send a form; fields that hide what they hold; whatever has no field
    that can be read, before or after. Raises DeviceTimeout when the field still holds something else after `MENDS`
    attempts: then no episode should go on, since the agent would pay for it.
    """
    before = None if "\n" in text else _focused(read_tree)
    type_plainly(text)
    if before is None or before.password:
        return
    held = before.text
    for attempt in range(MENDS + 1):
        after = _focused(read_tree)
        if after is None or not _same_field(before, after):
            return
        if any(arrived(content, text, after.text) for content in (held, "")):  # an empty field tells its hint
            return
        if attempt == MENDS:
            raise DeviceTimeout(
                f"a text field does not take what is typed: it holds {len(after.text)} characters instead of"
                f" {len(held) + len(text)} after {MENDS + 1} attempts; the phone swallows input"
            )
        for key in clearing_keys(after.text):
            press(key)
        empty = _focused(read_tree)
        if empty is not None and empty.text == held:
            held = ""  # it was the hint
        type_plainly(held + text)


def arrived(held: str, typed: str, holds: str) -> bool:
    """Whether a field that held `held` may hold `holds` after `typed` was typed at any place in it. What fields do of
    their own is no loss: capitals, and marks between groups of figures."""
    known, new, now = _essence(held), _essence(typed), _essence(holds)
    return len(now) == len(known) + len(new) and new in now


def clearing_keys(text: str) -> Iterator[str]:
    """Keys that empty a field."""
    yield "KEYCODE_MOVE_END"
    for _ in text:
        yield "KEYCODE_DEL"


def _essence(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _same_field(before: UiNode, after: UiNode) -> bool:
    return (before.resource_id, before.class_name) == (after.resource_id, after.class_name)


def _focused(read_tree: Callable[[], UiNode]) -> UiNode | None:
    try:
        root = read_tree()
    except (DeviceLost, DeviceTimeout):
        raise
    except DeviceError:  # a screen that moves cannot be dumped
        return None
    return next((node for node in root.walk() if node.focused and "EditText" in node.class_name), None)
