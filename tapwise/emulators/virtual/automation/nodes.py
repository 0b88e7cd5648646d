"""The accessibility tree as a flat list with parents, which locators search."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tapwise.records import UiNode


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the tree. `place` is its place in the list of all nodes, parents first; `index` among its siblings."""

    place: int
    index: int
    parent: int | None
    ui: UiNode


class Nodes(Sequence[Node]):
    """All nodes of a tree, parents before children, in the order in which uiautomator goes through them."""

    def __init__(self, root: UiNode) -> None:
        self._nodes: list[Node] = []
        self._ends: list[int] = []
        self._add(root, 0, None)

    def _add(self, ui: UiNode, index: int, parent: int | None) -> None:
        place = len(self._nodes)
        self._nodes.append(Node(place, index, parent, ui))
        self._ends.append(place)
        for number, child in enumerate(ui.children):
            self._add(child, number, place)
        self._ends[place] = len(self._nodes)

    def __getitem__(self, place):  # type: ignore[no-untyped-def]  # Sequence has two forms of it
        return self._nodes[place]

    def __len__(self) -> int:
        return len(self._nodes)

    def below(self, node: Node) -> Sequence[Node]:
        """All nodes below one."""
        return self._nodes[node.place + 1 : self._ends[node.place]]

    def children(self, node: Node) -> Iterator[Node]:
        """The nodes directly below one."""
        return (other for other in self.below(node) if other.parent == node.place)

    def parent(self, node: Node) -> Node | None:
        """The node above one; None above the root."""
        return None if node.parent is None else self._nodes[node.parent]
