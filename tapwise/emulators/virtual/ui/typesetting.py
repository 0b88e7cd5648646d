"""Where the words of a line stand.

Every word starts on a fine grid of `WORD_GRID_DP` (a 24th of a 411 dp wide screen). People hardly notice; a model
that looks at patches of pixels meets each word in two positions instead of dozens, which is the difference between
learning to read in minutes and not learning it at all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from tapwise.emulators.virtual.ui.canvas import text_width

WORD_GRID_DP = 411.428571 / 24
MINIMUM_GAP = 0.22
"""smallest space between words, in font sizes"""

Align = Literal["left", "center"]


@dataclass(frozen=True, slots=True)
class Line:
    """Words with their left edges, and the extent of the line; all in pixels."""

    words: tuple[tuple[float, str], ...]
    left: float
    right: float


@lru_cache(maxsize=8192)
def line_width(text: str, size: int, grid: float) -> float:
    """Width of a line whose first word starts on the grid."""
    return set_line(text, size, 0.0, math.inf, grid).right


def set_line(text: str, size: int, left: float, right: float, grid: float, align: Align = "left") -> Line:
    """Set a line between `left` and `right`, shortened with an ellipsis where it does not fit."""
    if align == "center":
        left = max(left, (left + right - line_width(text, size, grid)) / 2)
    start = round(left / grid) * grid if align == "center" else _next(left, grid)
    words: list[tuple[float, str]] = []
    x = end = start
    for word in text.split(" "):
        width = text_width(word, size)
        if x + width > right + 1:
            words.append((x, _shorten(word, size, right - x)))
            end = min(right, x + width)
            break
        words.append((x, word))
        end = x + width
        x = _next(end + MINIMUM_GAP * size, grid)
    return Line(tuple((x, word) for x, word in words if word), start, end)


@lru_cache(maxsize=1024)
def wrap_text(text: str, size: int, width: float, grid: float) -> tuple[str, ...]:
    """The text broken at spaces into lines of at most `width` pixels."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line = ""
        for word in paragraph.split(" "):
            longer = f"{line} {word}" if line else word
            if line and line_width(longer, size, grid) > width:
                lines.append(line)
                line = word
            else:
                line = longer
        lines.append(line)
    return tuple(lines)


def _next(x: float, grid: float) -> float:
    """The first grid line at or just before `x`: a word may start a fraction early, never late by a whole cell."""
    return math.ceil(x / grid - 0.1) * grid


@lru_cache(maxsize=4096)
def _shorten(word: str, size: int, width: float) -> str:
    while word and text_width(word + "…", size) > width:
        word = word[:-1]
    return word + "…" if word else ""
