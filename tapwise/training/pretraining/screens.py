"""Labelled screens: pictures with the words on them and the elements that can be touched.

Coordinates are normalised (x, y) in [0, 1] of the screen; boxes are (left, top, right, bottom) in the same frame.
"""

from __future__ import annotations

import random
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import LAUNCHER, VirtualPhone
from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.canvas import text_width
from tapwise.emulators.virtual.ui.typesetting import WORD_GRID_DP, set_line
from tapwise.emulators.virtual.ui.views import FIELD_MARGIN_DP, TextField
from tapwise.records import Size, UiNode

Box = tuple[float, float, float, float]
READABLE_DP = 20.0
"""smaller text is not asked for: it is hardly legible at the policy's resolution"""
NAVIGATION = ("Back", "Home", "Overview")


@dataclass(frozen=True, slots=True)
class Word:
    """A word on the screen and the point where its element is touched."""

    text: str
    box: Box
    at: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Element:
    """Something to touch: its label in lower case, where, and for switches whether it is on."""

    label: str
    at: tuple[float, float]
    state: bool | None = None


@dataclass(frozen=True, slots=True)
class LabelledScreen:
    """A picture, uint8 of shape (height, width, 3), and what is on it."""

    pixels: NDArray[np.uint8]
    words: tuple[Word, ...]
    elements: tuple[Element, ...]


def label_screen(pixels: NDArray[np.uint8], tree: UiNode, scale: float) -> LabelledScreen:
    """Read words and elements off the accessibility tree; `scale` is pixels per dp."""
    size = Size(*pixels.shape[:2])
    words: list[Word] = []
    elements: list[Element] = []
    for node, switch in _leaves(tree):
        label = node.label.strip().lower()
        if (
            not label
            or node.description in NAVIGATION
            or (node.bounds[3] - node.bounds[1]) < READABLE_DP * scale * 1.25
        ):
            continue
        x, y = node.centre
        at = (x / size.width, y / size.height)
        words += _words(node, label, at, size, scale)
        elements.append(Element(label, at, switch))
    return LabelledScreen(pixels, tuple(words), tuple(elements))


def _leaves(node: UiNode) -> Iterator[tuple[UiNode, bool | None]]:
    """Leaf nodes, each with the state of the one switch or mark beside it."""
    states = [child.checked for child in node.children if child.checkable]
    state = states[0] if len(states) == 1 else None
    for child in node.children:
        if child.checkable and not child.label:
            continue
        if child.children:
            yield from _leaves(child)
        else:
            yield child, state
            state = None  # only the title, not what stands below it


def _words(node: UiNode, label: str, at: tuple[float, float], size: Size, scale: float) -> list[Word]:
    left, top, right, bottom = node.bounds
    font = round(themes.BODY_DP * scale)
    if not node.text:  # an icon: its description fills its box
        middle_x, middle_y, half = (left + right) / 2, (top + bottom) / 2, 16 * scale
        box = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
        return [Word(word, _normalised(box, size), at) for word in label.split()]
    grid = WORD_GRID_DP * scale
    if node.class_name.endswith("Button"):
        line = set_line(node.text, font, left + 6 * scale, right - 6 * scale, grid, "center")
    elif node.class_name.endswith("EditText"):
        line = set_line(node.text, font, left + (FIELD_MARGIN_DP + 12) * scale, right, grid)
    else:
        font = round((bottom - top) / 1.3)
        line = set_line(node.text, font, left - 1, right + 2, grid)
    middle, half = (top + bottom) / 2, font * 0.65
    words: list[Word] = []
    for x, word in line.words:
        box = (x, middle - half, x + text_width(word, font), middle + half)
        words.append(Word(word.lower(), _normalised(box, size), at))
    return words


def _normalised(box: Box, size: Size) -> Box:
    return box[0] / size.width, box[1] / size.height, box[2] / size.width, box[3] / size.height


def walk(seed: int, words: Sequence[str], steps: int) -> Iterator[VirtualPhone]:
    """A phone on a random walk through its apps: touches, words typed, scrolling, back. No task is followed."""
    rng = random.Random(f"walk/{seed}")
    phone = VirtualPhone(seed=seed, noise=Noise(popups=0.08, ads=0.08, layout_shifts=1.0))
    if rng.random() < 0.3:
        phone.settings.put("secure", "ui_night_mode", "2")
    for _ in range(steps):
        phone.entry.loading_s = 0.0
        yield phone
        _wander(phone, rng, words)


def walk_screens(
    seed: int, words: Sequence[str], steps: int = 24, taken: Container[int] | None = None
) -> Iterator[LabelledScreen]:
    """The screens of such a walk, or those of them whose numbers (from 0) are `taken`; others are never drawn."""
    for number, phone in enumerate(walk(seed, words, steps)):
        if taken is None or number in taken:
            yield label_screen(phone.frame(), phone.tree(), phone.density / 160)


def _wander(phone: VirtualPhone, rng: random.Random, words: Sequence[str]) -> None:
    nodes = [n for n in phone.tree().walk() if n.clickable and n.enabled and n.description not in NAVIGATION]
    choice = rng.random()
    if phone.entry.focus is not None and choice < 0.5:
        field = next((view for view in phone.views() if isinstance(view, TextField) and view.focused), None)
        if field is None or not field.value:  # words run together would be no words of any app
            phone.type_text(" ".join(rng.choices(words, k=rng.choice((1, 2, 2)))))
        if rng.random() < 0.6:
            phone.key_event("KEYCODE_ENTER")
    elif choice < 0.12:
        phone.key_event("KEYCODE_BACK")
    elif choice < 0.16:
        phone.key_event("KEYCODE_HOME")
    elif choice < 0.20:
        phone.swipe(270, 850, 270, 400 if rng.random() < 0.7 else 1100, 0.3)
    elif choice < 0.24:
        phone.open(rng.choice([package for package in phone.apps if package != LAUNCHER]))
    elif nodes:
        node = rng.choice(nodes)
        phone.tap(*node.centre)
