"""Colours and measures. Lengths are in dp (1 dp = density / 160 pixels), as on Android."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]

STATUS_BAR_DP = 28.0
TOOLBAR_DP = 94.5
ROW_DP = 914.285714 / 13
"""13 rows on a 411 x 914 dp screen"""
NAVIGATION_BAR_DP = 70.0
GUTTER_DP = 16.0
ICON_DP = 32.0

BODY_DP = 24.0
TITLE_DP = 28.0
SMALL_DP = 17.0


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of one look."""

    background: Colour
    surface: Colour
    text: Colour
    muted: Colour
    accent: Colour
    on_accent: Colour
    outline: Colour
    dark: bool


ACCENTS: tuple[Colour, ...] = (
    (26, 115, 232),
    (0, 121, 107),
    (123, 31, 162),
    (194, 24, 91),
    (216, 67, 21),
    (56, 106, 32),
    (69, 90, 100),
    (84, 71, 191),
)


def theme(*, dark: bool, accent: Colour) -> Theme:
    """The light or the dark theme with one accent colour."""
    if dark:
        lifted = (min(255, accent[0] + 70), min(255, accent[1] + 70), min(255, accent[2] + 70))
        return Theme(
            (18, 19, 22), (38, 40, 45), (232, 234, 237), (160, 165, 172), lifted, (16, 16, 20), (70, 74, 80), True
        )
    return Theme(
        (250, 250, 252), (236, 239, 244), (28, 29, 32), (98, 103, 110), accent, (255, 255, 255), (205, 209, 216), False
    )


def mix(first: Colour, second: Colour, amount: float) -> Colour:
    """`first` moved towards `second` by `amount` in [0, 1]."""
    return (
        round(first[0] + (second[0] - first[0]) * amount),
        round(first[1] + (second[1] - first[1]) * amount),
        round(first[2] + (second[2] - first[2]) * amount),
    )
