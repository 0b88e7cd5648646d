"""Where a format's coordinates live, and the way between them and the unit square.

A model sees a resized screenshot and answers in numbers that mean nothing without the transform that made them. A
`Frame` is that transform, and every codec that writes coordinates holds one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from tapwise.records import Point, Size

QWEN_FACTOR = 28
"""Qwen2-VL and Qwen2.5-VL: patches of 14 pixels, merged two by two. Qwen3-VL has 32."""
QWEN_MIN_PIXELS = 4 * QWEN_FACTOR**2
"""Fewest pixels after the resize: UI-S1's setting, and the preprocessor's own lower bound."""
QWEN_MAX_PIXELS = 12800 * QWEN_FACTOR**2
"""Most pixels after the resize: UI-S1's setting."""
LONGEST_ASPECT = 200
THOUSAND = 1000


class Unit(StrEnum):
    """What a coordinate counts."""

    SCREEN_PIXEL = "screen pixel"
    RESIZED_PIXEL = "resized pixel"
    THOUSANDTH = "thousandth"


def smart_resize(
    height: int,
    width: int,
    factor: int = QWEN_FACTOR,
    min_pixels: int = QWEN_MIN_PIXELS,
    max_pixels: int = QWEN_MAX_PIXELS,
) -> tuple[int, int]:
    """The (height, width) in pixels to which Qwen's preprocessor resizes a picture.

    Both sides become the nearest multiples of `factor`. Where their product then leaves min_pixels..max_pixels, both
    are scaled by one ratio until it does not: down to multiples below, or up to multiples above. Source: Qwen2-VL
    technical report (arXiv 2409.12191), section 2.1, and the image processor that is released with it. A side never
    falls below one `factor`; releases of the processor differ on that, for sides under half a factor only.

    Raises ValueError for sides or bounds that are not positive, and for pictures over 200 times as long as wide.
    """
    if min(height, width, factor, min_pixels) < 1 or max_pixels < min_pixels:
        raise ValueError(
            f"a picture of {height}x{width} cannot be resized by factor {factor} to {min_pixels}..{max_pixels} pixels:"
            " all must be positive and the upper bound not below the lower"
        )
    if max(height, width) > LONGEST_ASPECT * min(height, width):
        raise ValueError(f"a picture of {height}x{width} is more than {LONGEST_ASPECT} times as long as wide")
    sides = height, width
    rows, columns = (max(factor, round(side / factor) * factor) for side in sides)
    if rows * columns > max_pixels:
        ratio = math.sqrt(height * width / max_pixels)
        rows, columns = (max(factor, math.floor(side / ratio / factor) * factor) for side in sides)
    elif rows * columns < min_pixels:
        ratio = math.sqrt(min_pixels / (height * width))
        rows, columns = (math.ceil(side * ratio / factor) * factor for side in sides)
    return rows, columns


@dataclass(frozen=True, slots=True)
class Frame:
    """The coordinates of one format on one screen: whole numbers (x, y), origin top left.

    unit: what the numbers count. original: the screen in pixels. resized: the picture that the model sees, in pixels.
    A size may be None where the unit does not need it. Build one with `screen_pixels`, `resized_pixels` or
    `thousandths`. Raises ValueError when a size that the unit needs is missing or not positive.
    """

    unit: Unit
    original: Size | None = None
    resized: Size | None = None

    def __post_init__(self) -> None:
        extent = self.extent
        if extent.height < 1 or extent.width < 1:
            raise ValueError(f"a frame of {extent.height}x{extent.width} {self.unit}s is empty")

    @classmethod
    def screen_pixels(cls, original: Size) -> Frame:
        """Pixels of the screen itself."""
        return cls(Unit.SCREEN_PIXEL, original)

    @classmethod
    def resized_pixels(
        cls,
        original: Size,
        factor: int = QWEN_FACTOR,
        min_pixels: int = QWEN_MIN_PIXELS,
        max_pixels: int = QWEN_MAX_PIXELS,
    ) -> Frame:
        """Pixels of the picture that `smart_resize` makes of a screen of `original` pixels."""
        resized = Size(*smart_resize(original.height, original.width, factor, min_pixels, max_pixels))
        return cls(Unit.RESIZED_PIXEL, original, resized)

    @classmethod
    def thousandths(cls) -> Frame:
        """Thousandths of the screen's width and height. 1000 is read but 999 is the largest that is written, since
        the model families disagree on whether 1000 exists."""
        return cls(Unit.THOUSANDTH)

    @property
    def extent(self) -> Size:
        """The numbers that stand for the whole height and width."""
        if self.unit is Unit.THOUSANDTH:
            return Size(THOUSAND, THOUSAND)
        size = self.original if self.unit is Unit.SCREEN_PIXEL else self.resized
        if size is None:
            raise ValueError(f"a frame in {self.unit}s needs the size whose pixels it counts")
        return size

    def write(self, point: Point) -> tuple[int, int]:
        """The numbers (x, y) nearest to a point, each at most its extent less one."""
        extent = self.extent
        x, y = round(point.x * extent.width), round(point.y * extent.height)
        return min(x, extent.width - 1), min(y, extent.height - 1)

    def read(self, x: float, y: float) -> Point:
        """The point that the numbers (x, y) name. Raises ValueError when they lie outside the frame."""
        extent = self.extent
        if not (0 <= x <= extent.width and 0 <= y <= extent.height):
            raise ValueError(
                f"({x}, {y}) lies outside the frame of {self.unit}s, which ends at ({extent.width}, {extent.height})"
            )
        return Point(x / extent.width, y / extent.height)

    def snap(self, point: Point) -> Point:
        """The point that remains of `point` after it is written and read."""
        return self.read(*self.write(point))
