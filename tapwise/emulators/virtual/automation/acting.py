"""What all automation servers do to a phone: find nodes, scroll, type, press keys."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tapwise.emulators.virtual.automation.nodes import Node, Nodes
from tapwise.emulators.virtual.automation.selectors import Selector, find
from tapwise.emulators.virtual.hierarchy import hierarchy
from tapwise.emulators.virtual.keys import press
from tapwise.records import UiNode

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_NAMES: Final = {"recent": "APP_SWITCH", "delete": "DEL"}
_SCROLL_SHARE: Final = 0.7


class NotFound(LookupError):
    """No node on screen is meant by a selector."""


class Acting:
    """Acts on one phone."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone

    def nodes(self) -> Nodes:
        """What is on screen now."""
        self._phone.poll()
        return Nodes(self._phone.tree())

    def find(self, selector: Selector) -> list[Node]:
        """Every node that is meant."""
        return find(self.nodes(), selector)

    def one(self, selector: Selector) -> Node:
        """The first node that is meant. Raises NotFound."""
        found = self.find(selector)
        if not found:
            said = {name: value for name, value in selector.items() if value and name != "mask"}
            raise NotFound(f"nothing on screen is {said}")
        return found[0]

    def dump(self, depth: int = 50) -> str:
        """The tree in uiautomator's XML, without what lies deeper than `depth` nodes."""
        self._phone.poll()
        return hierarchy(_cut(self._phone.tree(), max(1, depth)), self._phone.rotation)

    def clear_focused(self) -> bool:
        """Empty the field that has the keyboard; whether there is one."""
        entry = self._phone.entry
        if entry.focus is None:
            return False
        self._phone.replace_text("")
        return True

    def set_clipboard(self, text: str) -> None:
        """Put a text on the clipboard."""
        self._phone.state.clipboard = text

    def press_named(self, name: str) -> bool:
        """Press a key by uiautomator's name."""
        self._phone.key_event(f"KEYCODE_{_NAMES.get(name, name.upper())}")
        return True

    def press_code(self, code: int) -> bool:
        """Press a key by Android's number."""
        press(self._phone, str(int(code)))
        return True

    def scroll(self, node: Node, forward: int) -> bool:
        """Move a node's content on (1) or back (-1) by most of its height; whether anything moved."""
        before = self._phone.entry.scroll
        left, top, right, bottom = node.ui.bounds
        x, middle, reach = (left + right) / 2, (top + bottom) / 2, (bottom - top) * _SCROLL_SHARE / 2 * forward
        self._phone.swipe(x, middle + reach, x, middle - reach, 0.3)
        return self._phone.entry.scroll != before

    def swipe_in(self, node: Node, direction: str, share: float) -> bool:
        """Move a finger within a node: "up", "down", "left" or "right", over a share of it."""
        left, top, right, bottom = node.ui.bounds
        (x, y), across, along = node.ui.centre, (right - left) * share / 2, (bottom - top) * share / 2
        ways = {"left": (across, 0.0), "right": (-across, 0.0), "up": (0.0, along), "down": (0.0, -along)}
        if direction not in ways:
            raise ValueError(f"there is no direction {direction!r}")
        dx, dy = ways[direction]
        self._phone.swipe(x + dx, y + dy, x - dx, y - dy, 0.3)
        return True


def _cut(node: UiNode, depth: int) -> UiNode:
    if not node.children:
        return node
    return replace(node, children=tuple(_cut(child, depth - 1) for child in node.children) if depth > 1 else ())
