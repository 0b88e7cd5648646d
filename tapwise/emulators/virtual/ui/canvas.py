"""Drawing with cached glyphs and shapes onto an RGB image. Coordinates are pixels."""

from __future__ import annotations

from functools import lru_cache
from typing import Protocol

from PIL import Image, ImageDraw, ImageFont

from tapwise.emulators.virtual.ui.icons import OVERSAMPLING, icon_mask
from tapwise.emulators.virtual.ui.theme import Colour

Box = tuple[float, float, float, float]
"""left, top, right, bottom in pixels"""


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


class Canvas:
    """An RGB picture with a clip rectangle."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.image = Image.new("RGB", (width, height), colour)
        self._draw = ImageDraw.Draw(self.image)
        self.clip: Box = (0, 0, width, height)

    def rectangle(self, box: Box, colour: Colour) -> None:
        """Fill a rectangle."""
        left, top = max(box[0], self.clip[0]), max(box[1], self.clip[1])
        right, bottom = min(box[2], self.clip[2]), min(box[3], self.clip[3])
        if right > left and bottom > top:
            self._draw.rectangle((round(left), round(top), round(right) - 1, round(bottom) - 1), fill=colour)

    def rounded(self, box: Box, colour: Colour, radius: float, outline: int = 0) -> None:
        """Fill (or outline, `outline` pixels wide) a rectangle with round corners."""
        width, height = round(box[2] - box[0]), round(box[3] - box[1])
        if width > 0 and height > 0:
            limit = min(width, height) // 2
            self._stamp(_round_mask(width, height, min(round(radius), limit), outline), box[0], box[1], colour)

    def text(self, x: float, y: float, text: str, size: int, colour: Colour) -> None:
        """Draw one line with its top left at (x, y)."""
        if text:
            self._stamp(_text_mask(text, size), x, y, colour)

    def line(self, line: Line, top: float, size: int, colour: Colour) -> None:
        """Draw a line of words that was set, its top at `top`."""
        for x, word in line.words:
            self.text(x, top, word, size, colour)

    def icon(self, x: float, y: float, name: str, size: int, colour: Colour) -> None:
        """Draw an icon with its top left at (x, y)."""
        self._stamp(icon_mask(name, size), x, y, colour)

    def picture(self, x: float, y: float, picture: Image.Image) -> None:
        """Paste a picture with its top left at (x, y), clipped."""
        left, top = round(x), round(y)
        box = self._inside(left, top, picture.width, picture.height)
        if box is not None:
            self.image.paste(picture.crop(box), (left + box[0], top + box[1]))

    def shade(self, amount: float) -> None:
        """Darken everything drawn so far."""
        self.image.paste((0, 0, 0), (0, 0), Image.new("L", self.image.size, round(255 * amount)))

    def _stamp(self, mask: Image.Image, x: float, y: float, colour: Colour) -> None:
        left, top = round(x), round(y)
        box = self._inside(left, top, mask.width, mask.height)
        if box is None:
            return
        if box != (0, 0, mask.width, mask.height):
            mask = mask.crop(box)
        self.image.paste(colour, (left + box[0], top + box[1]), mask)

    def _inside(self, left: int, top: int, width: int, height: int) -> tuple[int, int, int, int] | None:
        x0, y0 = max(0, round(self.clip[0]) - left), max(0, round(self.clip[1]) - top)
        x1, y1 = min(width, round(self.clip[2]) - left), min(height, round(self.clip[3]) - top)
        return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None
