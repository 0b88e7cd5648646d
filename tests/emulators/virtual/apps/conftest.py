"""A hand on a virtual phone that finds things by their label."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import UiNode


class Hand:
    """Touches a noiseless phone."""

    def __init__(self, seed: int) -> None:
        self.phone = VirtualPhone(seed=seed)

    def labels(self) -> list[str]:
        return [node.label for node in self.phone.tree().walk() if node.label]

    def find(self, label: str) -> UiNode:
        nodes = [node for node in self.phone.tree().walk() if node.label == label]
        assert nodes, f"no {label!r} among {self.labels()}"
        return next((node for node in nodes if node.clickable), nodes[0])

    def tap(self, *labels: str) -> None:
        for label in labels:
            self.phone.tap(*self.find(label).centre)

    def hold(self, label: str) -> None:
        self.phone.long_press(*self.find(label).centre)

    def type(self, field: str, text: str) -> None:
        self.tap(field)
        self.phone.type_text(text)

    def back(self) -> None:
        self.phone.key_event("KEYCODE_BACK")


@pytest.fixture
def hand() -> Callable[[int], Hand]:
    """Makes a hand on a fresh phone of a seed."""
    return Hand
