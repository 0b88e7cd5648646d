from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.datasets.formats import wire
from tapwise.datasets.formats.accessibility_forest import read_forest
from tapwise.records import UiNode

LEAF = UiNode(text="Größe", class_name="android.widget.Switch", bounds=(1, -2, 300, 400), clickable=True, checked=True)
ROOT = UiNode(description="all", resource_id="app:id/root", children=(LEAF, UiNode(children=(LEAF,)), UiNode(text="z")))


def test_round_trip(write_forest: Callable[[UiNode], bytes]) -> None:
    assert read_forest(write_forest(ROOT)).children == (ROOT,)


def test_windows_lie_in_the_order_of_their_layers() -> None:
    def window(layer: int, text: bytes) -> bytes:
        node = b"".join(wire.write_bytes(7, [text]))
        tree = b"".join(wire.write_bytes(1, [node]))
        return b"".join(wire.write_bytes(1, [wire.write_number(4, layer), *wire.write_bytes(11, [tree])]))

    found = read_forest(window(5, b"above") + window(2, b"below"))
    assert [node.text for node in found.children] == ["below", "above"]


def test_cycles_are_cut() -> None:
    def node(number: int, child: int) -> bytes:
        parts = [wire.write_number(1, number), wire.write_number(25, child)]
        return b"".join(wire.write_bytes(1, parts))

    tree = node(1, 2) + node(2, 2) + node(3, 1)
    forest = b"".join(wire.write_bytes(1, wire.write_bytes(11, [tree])))
    (root,) = read_forest(forest).children
    assert len(list(root.walk())) == 3


@pytest.mark.parametrize("data", [b"", b"\x0a\xff", b"\x0b", b"\xff" * 20])
def test_damage_is_named(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"window|needs|wire type|no end"):
        read_forest(data)
