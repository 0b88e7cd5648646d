"""Questions about a labelled screen, as the texts that the model is trained on, and the dense naming targets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tapwise.agent.action_text import GRID, GridActionText
from tapwise.agent.vlm.prompt import prompt_text
from tapwise.records import LongPress, Point, Tap
from tapwise.training.pretraining.screens import LabelledScreen

ROWS, COLUMNS = 13, 6
"""visual tokens of a 540 x 1200 screen at policy size (192 x 416 pixels, 32 x 32 a token)"""
WORDS_PER_CELL = 4
MINIMUM_OVERLAP = 0.35
"""share of a cell's width, or half of the word, that a word must cover to be named there"""


@dataclass(frozen=True, slots=True)
class Naming:
    """Targets for each visual token, row by row: up to `WORDS_PER_CELL` word ids (-1 where none), the grid row and
    column at which the words' element is touched (-1 where none), and whether the token sees no text at all. Tokens
    that see a mere sliver of a word have neither words nor `empty`: nothing is asked of them."""

    words: NDArray[np.int64]
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    empty: NDArray[np.bool_]


def naming_targets(screen: LabelledScreen, word_ids: dict[str, int]) -> Naming:
    """Which words each visual token should name: those that fill a good part of it, or lie mostly in it."""
    cells = ROWS * COLUMNS
    words = np.full((cells, WORDS_PER_CELL), -1, np.int64)
    rows, columns = np.full(cells, -1, np.int64), np.full(cells, -1, np.int64)
    empty = np.ones(cells, np.bool_)
    for word in screen.words:
        for cell, clear in _covered_cells(word.box):
            empty[cell] = False
            free = np.flatnonzero(words[cell] < 0)
            if clear and free.size and word.text in word_ids:
                words[cell, free[0]] = word_ids[word.text]
                rows[cell] = min(int(word.at[1] * GRID), GRID - 1)
                columns[cell] = min(int(word.at[0] * GRID), GRID - 1)
    return Naming(words, rows, columns, empty)


def _covered_cells(box: tuple[float, float, float, float]) -> Iterator[tuple[int, bool]]:
    """Cells that a word touches, each with whether it shows enough of the word."""
    left, top, right, bottom = box
    for row in range(max(0, int(top * ROWS)), min(ROWS - 1, int(bottom * ROWS)) + 1):
        height = min(bottom, (row + 1) / ROWS) - max(top, row / ROWS)
        for column in range(max(0, int(left * COLUMNS)), min(COLUMNS - 1, int(right * COLUMNS)) + 1):
            width = min(right, (column + 1) / COLUMNS) - max(left, column / COLUMNS)
            wide = width * COLUMNS >= MINIMUM_OVERLAP or width >= 0.5 * (right - left)
            yield row * COLUMNS + column, wide and height >= 0.45 * (bottom - top)


class Questioner:
    """Draws questions about screens: what to touch, which state a switch has, what to type."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._text = GridActionText()

    def ask(self, screen: LabelledScreen, rng: random.Random, count: int) -> list[tuple[str, str]]:
        """`count` pairs of prompt and answer; only labels that stand once on the screen are asked for."""
        counts = Counter(element.label for element in screen.elements)
        elements = [e for e in screen.elements if counts[e.label] == 1]
        pairs: list[tuple[str, str]] = []
        for _ in range(count):
            kind = rng.random()
            if kind < 0.10 or not elements:
                typed = " ".join(rng.choices(self._words, k=rng.choice((1, 1, 2, 2, 2, 3))))
                pairs.append(self._pair(f"type {typed}", f"type {typed}", rng))
                continue
            element = rng.choice(elements)
            if kind < 0.20 and element.state is not None:
                pairs.append(self._pair(f"state {element.label}", "on" if element.state else "off", rng))
                continue
            at = Point(min(max(element.at[0], 0.0), 1.0), min(max(element.at[1], 0.0), 1.0))
            action = LongPress(at, target=element.label) if kind > 0.96 else Tap(at, element.label)
            verb = "hold" if isinstance(action, LongPress) else "tap"
            pairs.append(self._pair(f"{verb} {element.label}", self._text.format(action), rng))
        return pairs

    def _pair(self, goal: str, answer: str, rng: random.Random) -> tuple[str, str]:
        history = [
            f"{rng.choice(('tap', 'tap', 'tap', 'type'))} {' '.join(rng.choices(self._words, k=rng.choice((1, 2))))}"
            for _ in range(rng.choice((0, 0, 0, 1, 2, 3)))
        ]
        return prompt_text(goal, history), answer
