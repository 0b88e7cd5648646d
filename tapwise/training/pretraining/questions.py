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
from tapwise.training.pretraining.screens import Element, LabelledScreen

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


TYPING, SEQUENCE, STATE, HOLD, BESIDE = 0.12, 0.25, 0.08, 0.04, 0.3
"""shares of the kinds of questions; the rest says what to tap. BESIDE is the share of those whose element is drawn from
the ones that stand beside another at the same height, where small models confuse left and right"""


class Questioner:
    """Draws questions about screens: what to touch, which state a switch has, what to type, and what comes next of
    several things to do, given those that are done."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = list(words)
        self._text = GridActionText()

    def ask(self, screen: LabelledScreen, rng: random.Random, count: int) -> list[tuple[str, str]]:
        """`count` pairs of prompt and answer; only labels that stand once on the screen are asked for."""
        counts = Counter(element.label for element in screen.elements)
        elements = [e for e in screen.elements if counts[e.label] == 1]
        beside = _beside_another(elements)
        return [self._question(elements, beside, rng) for _ in range(count)]

    def _question(self, elements: Sequence[Element], beside: Sequence[Element], rng: random.Random) -> tuple[str, str]:
        kind = rng.random()
        if kind < TYPING or not elements:
            return self._typing(rng)
        element = rng.choice(beside if beside and rng.random() < BESIDE else elements)
        if kind < TYPING + SEQUENCE:
            return self._sequence(element, rng)
        if kind < TYPING + SEQUENCE + STATE and element.state is not None:
            return self._after(f"state {element.label}", "on" if element.state else "off", rng)
        verb = "hold" if kind > 1 - HOLD else "tap"
        return self._after(f"{verb} {element.label}", self._touch(verb, element), rng)

    def _typing(self, rng: random.Random) -> tuple[str, str]:
        """Words to copy, at times from the middle of a longer goal."""
        typed = f"type {self._some_words(rng)}"
        before = f"{self._some_words(rng)} and " if rng.random() < 0.25 else ""
        after = f" and {self._some_words(rng)}" if rng.random() < 0.25 else ""
        return self._after(f"{before}{typed}{after}", typed, rng)

    def _sequence(self, element: Element, rng: random.Random) -> tuple[str, str]:
        """Two to four things to do in order, of which some are done; the next one is to be said, or that all are."""
        parts = [
            f"type {self._some_words(rng)}" if rng.random() < 0.3 else f"tap {self._some_words(rng)}"
            for _ in range(rng.choice((2, 2, 3, 4)))
        ]
        done = rng.randint(0, len(parts))
        answer = "done"
        if done < len(parts):
            answer = parts[done]
            if answer.startswith("tap"):
                parts[done] = f"tap {element.label}"
                answer = self._touch("tap", element)
        return prompt_text(" and ".join(parts), parts[:done]), answer

    def _touch(self, verb: str, element: Element) -> str:
        at = Point(min(max(element.at[0], 0.0), 1.0), min(max(element.at[1], 0.0), 1.0))
        return self._text.format(LongPress(at, target=element.label) if verb == "hold" else Tap(at, element.label))

    def _after(self, goal: str, answer: str, rng: random.Random) -> tuple[str, str]:
        """A question that follows random actions, which must not matter."""
        history = [
            f"{rng.choice(('tap', 'tap', 'tap', 'type'))} {' '.join(rng.choices(self._words, k=rng.choice((1, 2))))}"
            for _ in range(rng.choice((0, 0, 0, 1, 2, 3)))
        ]
        return prompt_text(goal, history), answer

    def _some_words(self, rng: random.Random) -> str:
        return " ".join(rng.choices(self._words, k=rng.choice((1, 1, 2, 2, 2, 3))))


def _beside_another(elements: Sequence[Element]) -> list[Element]:
    """Elements with another one at their height, but elsewhere across the screen."""
    return [
        e for e in elements if any(abs(e.at[1] - o.at[1]) < 0.02 and abs(e.at[0] - o.at[0]) > 0.1 for o in elements)
    ]
