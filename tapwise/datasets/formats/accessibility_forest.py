"""The accessibility forest of android_env and AndroidControl: windows, each with a flat list of nodes.

Source: android_env/proto/a11y/*.proto. The tree becomes a `UiNode` whose children are the windows, lowest layer first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from tapwise.datasets.formats import wire
from tapwise.records import UiNode

_TEXTS = {3: "class_name", 4: "description", 6: "package", 7: "text", 10: "resource_id"}
_FLAGS = {
    12: "checkable",
    13: "checked",
    14: "clickable",
    16: "enabled",
    17: "focusable",
    18: "focused",
    19: "long_clickable",
    20: "password",
    21: "scrollable",
    22: "selected",
}
_SIDES = (1, 2, 3, 4)  # left, top, right, bottom


@dataclass(slots=True)
class _Flat:
    number: int = 0
    node: UiNode = field(default_factory=lambda: UiNode(enabled=False))
    children: list[int] = field(default_factory=list)


def read_forest(data: bytes | memoryview) -> UiNode:
    """The forest as one tree; bounds are in device pixels. Raises ValueError when the bytes are no forest."""
    windows = [_read_window(value) for value in _messages(memoryview(data), 1)]
    if not windows:
        raise ValueError("there is no window in it")
    windows.sort(key=lambda window: window[0])
    return UiNode(class_name="Windows", children=tuple(root for _, roots in windows for root in roots))


def _messages(message: memoryview, number: int) -> Iterator[memoryview]:
    for found, _, value in wire.fields(message):
        if found == number and isinstance(value, memoryview):
            yield value


def _read_window(message: memoryview) -> tuple[int, tuple[UiNode, ...]]:
    layer, nodes = 0, []
    for number, _, value in wire.fields(message):
        if number == 4 and isinstance(value, int):
            layer = wire.signed(value)
        elif number == 11 and isinstance(value, memoryview):
            nodes = [_read_node(node) for node in _messages(value, 1)]
    return layer, _grow(nodes)


def _read_node(message: memoryview) -> _Flat:
    flat = _Flat()
    changes: dict[str, object] = {}
    for number, _, value in wire.fields(message):
        if isinstance(value, int):
            if number == 1:
                flat.number = value
            elif number in _FLAGS:
                changes[_FLAGS[number]] = bool(value)
            elif number == 25:
                flat.children.append(value)
        elif number in _TEXTS:
            changes[_TEXTS[number]] = str(value, "utf-8", "replace")
        elif number == 2:
            sides = {side: wire.signed(at) for side, _, at in wire.fields(value) if isinstance(at, int)}
            changes["bounds"] = tuple(sides.get(side, 0) for side in _SIDES)
        elif number == 25:
            flat.children += wire.varints(value)
    flat.node = replace(flat.node, **changes)  # type: ignore[arg-type]
    return flat


def _grow(nodes: list[_Flat]) -> tuple[UiNode, ...]:
    """The trees of a flat list: every node once, below the first that claims it; cycles are cut."""
    known = {flat.number: flat for flat in nodes}
    children: dict[int, list[int]] = {flat.number: [] for flat in nodes}
    claimed: set[int] = set()
    for flat in nodes:
        for child in flat.children:
            if child in known and child not in claimed and child != flat.number:
                claimed.add(child)
                children[flat.number].append(child)
    grown: dict[int, UiNode] = {}
    roots = [flat.number for flat in nodes if flat.number not in claimed]
    stack = [(number, False) for number in reversed(roots)]
    while stack:
        number, ready = stack.pop()
        if ready:
            grown[number] = replace(known[number].node, children=tuple(grown[child] for child in children[number]))
        else:
            stack.append((number, True))
            stack += [(child, False) for child in reversed(children[number])]
    return tuple(grown[number] for number in roots)
