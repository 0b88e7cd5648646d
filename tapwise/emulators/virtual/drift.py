"""Drift: what apps change between one version and the next, so that test worlds differ from those trained in.

Drawn from the world's seed, each change with the dial's probability; at 0 nothing changes, to the pixel. What the shops
sell is changed when a world is drawn, before anybody sets a task up in it, whose own goods are then there as ever.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TypeVar

from tapwise.emulators.virtual.ui.page import Page
from tapwise.emulators.virtual.ui.theme import ACCENTS, Colour
from tapwise.emulators.virtual.ui.views import Button, IconButton, View

ItemT = TypeVar("ItemT")

OTHER_NAMES = {
    "Add": ("New", "Create"),
    "Save": ("Done", "Keep"),
    "Delete": ("Remove", "Erase"),
    "Cancel": ("Dismiss", "Go back"),
    "Edit": ("Change", "Modify"),
    "Rename": ("New name", "Change name"),
    "Call": ("Dial", "Ring"),
    "Send": ("Submit", "Deliver"),
    "Search": ("Find", "Look up"),
    "Start": ("Begin", "Run"),
    "Reset": ("Clear", "Set back"),
    "Star": ("Favorite", "Like"),
    "Pin": ("Keep on top", "Fix"),
    "Add to cart": ("Buy", "Put in cart"),
    "Checkout": ("Pay", "To payment"),
}
"""What buttons may be called instead."""
FONT_SCALES = (0.88, 1.12, 1.2)


@dataclass(frozen=True, slots=True)
class Drift:
    """The changes of one world."""

    names: tuple[tuple[str, str], ...] = ()
    accent: Colour | None = None
    dark: bool = False
    font_scale: float = 1.0
    mirrored: bool = False
    """whether the toolbar's buttons stand in another order"""
    amount: float = 0.0
    seed: int = 0
    """of what each menu draws for itself"""


@lru_cache(maxsize=256)
def drift_of(amount: float, seed: int) -> Drift:
    """The changes that a world has."""
    if not amount:
        return Drift()
    rng = random.Random(f"{seed}/drift")

    def happens() -> bool:
        return rng.random() < amount

    names = [(name, rng.choice(others)) for name, others in OTHER_NAMES.items() if happens()]
    accent = rng.choice(ACCENTS)
    scale = rng.choice(FONT_SCALES)
    return Drift(
        tuple(names),
        accent if happens() else None,
        happens() and rng.random() < 0.5,
        scale if happens() else 1.0,
        happens(),
        amount,
        seed,
    )


def reordered(drift: Drift, items: Sequence[ItemT], key: str) -> list[ItemT]:
    """The entries of the menu called `key`, in the order that they have in this version."""
    order = list(items)
    if drift.amount:
        rng = random.Random(f"{drift.seed}/menu/{key}")
        if rng.random() < drift.amount:
            rng.shuffle(order)
    return order


def apply(drift: Drift, page: Page) -> None:
    """Rename the buttons of a page that has just been built, reorder those of its toolbar, and the entries of a menu
    that it has open."""
    if drift.mirrored:
        page.actions = list(reversed(page.actions))
    dialog = page.dialog
    if dialog is not None and all(isinstance(view, Button) and view.flat for view in dialog.body):
        dialog.body = reordered(drift, dialog.body, dialog.title)
    names = dict(drift.names)
    if not names:
        return
    parts: list[View | None] = [*page.actions, *page.body, page.toolbar, page.floating, page.bottom]
    if page.dialog is not None:
        parts += [*page.dialog.body, *page.dialog.buttons]
    for part in parts:
        for view in _walk(part):
            if isinstance(view, Button):
                view.label = names.get(view.label, view.label)
            elif isinstance(view, IconButton):
                view.description = names.get(view.description, view.description)


def _walk(view: View | None) -> Iterator[View]:
    if view is None:
        return
    yield view
    for field in fields(view):
        value = getattr(view, field.name)
        for inner in value if isinstance(value, (list, tuple)) else (value,):
            if isinstance(inner, View):
                yield from _walk(inner)
