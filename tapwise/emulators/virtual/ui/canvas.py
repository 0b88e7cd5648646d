"""A canvas that notes what is drawn on it as a list of marks. Coordinates are pixels.

Marks are plain values: two lists tell which part of a picture differs, and `raster` draws no more than that.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple, Protocol

from PIL import Image, ImageDraw, ImageFont

from tapwise.emulators.virtual.ui.icons import OVERSAMPLING, icon_mask
from tapwise.emulators.virtual.ui.theme import Colour

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels"""
Pixels = tuple[int, int, int, int]
"""the same in whole pixels"""


class Fill(NamedTuple):
    """A rectangle in one colour."""

    box: Pixels
    colour: Colour


class Stamp(NamedTuple):
    """A colour through a mask whose top left is at (left, top); `mask` holds the arguments of `mask_of`."""

    box: Pixels
    left: int
    top: int
    mask: tuple[str | int, ...]
    colour: Colour


class Paste(NamedTuple):
    """A picture with its top left at (left, top)."""

    box: Pixels
    left: int
    top: int
    picture: Image.Image


class Shade(NamedTuple):
    """Everything below darkened."""

    box: Pixels
    amount: float


Mark = Fill | Stamp | Paste | Shade
"""One thing drawn; `box` is the part of the picture that it may change"""


class Line(Protocol):
    """Words with their left edges in pixels."""

    @property
    def words(self) -> tuple[tuple[float, str], ...]: ...


@lru_cache(maxsize=64)
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own bundled font, so that pictures do not depend on the fonts of the host."""
    loaded = ImageFont.load_default(size)
    if not isinstance(loaded, ImageFont.FreeTypeFont):
        raise RuntimeError("Pillow was built without FreeType: install the Pillow wheel from PyPI")
    return loaded


@lru_cache(maxsize=8192)
def text_width(text: str, size: int) -> float:
    """Advance width of the text in pixels."""
    return font(size).getlength(text)


@lru_cache(maxsize=4096)
def _text_mask(text: str, size: int) -> Image.Image:
    width = max(1, round(text_width(text, size)) + 2)
    mask = Image.new("L", (width, round(size * 1.3)), 0)
    ImageDraw.Draw(mask).text((0, 0), text, fill=255, font=font(size))
    return mask


@lru_cache(maxsize=1024)
def _round_mask(width: int, height: int, radius: int, outline: int) -> Image.Image:
    scale = OVERSAMPLING
    mask = Image.new("L", (width * scale, height * scale), 0)
    box = (0, 0, width * scale - 1, height * scale - 1)
    if outline:
        ImageDraw.Draw(mask).rounded_rectangle(box, radius * scale, outline=255, width=outline * scale)
    else:
        ImageDraw.Draw(mask).rounded_rectangle(box, radius * scale, fill=255)
    return mask.resize((width, height), Image.Resampling.BOX)


def mask_of(key: tuple[str | int, ...]) -> Image.Image:
    """The mask of a stamp, from a cache."""
    match key:
        case ("text", str() as text, int() as size):
            return _text_mask(text, size)
        case ("icon", str() as name, int() as size):
            return icon_mask(name, size)
        case ("round", int() as width, int() as height, int() as radius, int() as outline):
            return _round_mask(width, height, radius, outline)
    raise ValueError(f"there is no mask {key}")


class Canvas:
    """A list of marks, made within a clip rectangle."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self._whole = (0, 0, width, height)
        self.marks: list[Mark] = [Fill(self._whole, colour)]
        self.clip: Box = self._whole

    def rectangle(self, box: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        left, top = max(box[0], self.clip[0]), max(box[1], self.clip[1])
        right, bottom = min(box[2], self.clip[2]), min(box[3], self.clip[3])
        if right > left and bottom > top:
            self.marks.append(Fill((round(left), round(top), round(right), round(bottom)), colour))

    def rounded(self, box: Box, colour: Colour, radius: float, outline: int = 0) -> None:
        """Fill (or outline, `outline` pixels wide) a rectangle with round corners."""
        width, height = round(box[2] - box[0]), round(box[3] - box[1])
        if width > 0 and height > 0:
            limit = min(width, height) // 2
            self._stamp(("round", width, height, min(round(radius), limit), outline), box[0], box[1], colour)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour) -> None:
        """Draw one line with its top left at (x, y)."""
        if text:
            self._stamp(("text", text, size), x, y, colour)

    def line(self, line: Line, top: float, size: int, colour: Colour) -> None:
        """Draw a line of words that was set, its top at `top`."""
        for x, word in line.words:
            self.text(x, top, word, size, colour)

    def icon(self, x: float, y: float, name: str, size: int, colour: Colour) -> None:
        """Draw an icon with its top left at (x, y)."""
        self._stamp(("icon", name, size), x, y, colour)

    def picture(self, x: float, y: float, picture: Image.Image) -> None:
        """Paste a picture with its top left at (x, y), clipped."""
        left, top = round(x), round(y)
        box = self._inside(left, top, picture.width, picture.height)
        if box is not None:
            self.marks.append(Paste(box, left, top, picture))

    def shade(self, amount: float) -> None:
        """Darken everything drawn so far."""
        self.marks.append(Shade(self._whole, amount))

    def _stamp(self, key: tuple[str | int, ...], x: float, y: float, colour: Colour) -> None:
        mask = mask_of(key)
        left, top = round(x), round(y)
        box = self._inside(left, top, mask.width, mask.height)
        if box is not None:
            self.marks.append(Stamp(box, left, top, key, colour))

    def _inside(self, left: int, top: int, width: int, height: int) -> Pixels | None:
        clip = self.clip
        x0, y0 = max(left, round(clip[0])), max(top, round(clip[1]))
        x1, y1 = min(left + width, round(clip[2])), min(top + height, round(clip[3]))
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
