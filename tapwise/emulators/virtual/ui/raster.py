"""Marks become pixels: the whole picture, or the part of it that differs from the last one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.emulators.virtual.ui.canvas import Fill, Mark, Paste, Pixels, Stamp, mask_of


def draw(marks: Sequence[Mark], image: Image.Image, within: Pixels) -> None:
    """Draw the part of the marks that lies within a rectangle of the image."""
    for mark in marks:
        box = _common(mark.box, within)
        if box is None:
            continue
        if isinstance(mark, Stamp):
            mask, corner = mask_of(mark.mask), (mark.left, mark.top)
            image.paste(mark.colour, box, _part(mask, box, corner))
        elif isinstance(mark, Fill):
            image.paste(mark.colour, box)
        elif isinstance(mark, Paste):
            image.paste(_part(mark.picture, box, (mark.left, mark.top)), box)
        else:
            image.paste((0, 0, 0), box, Image.new("L", (box[2] - box[0], box[3] - box[1]), round(255 * mark.amount)))


def picture(marks: Sequence[Mark], width: int, height: int) -> NDArray[np.uint8]:
    """All marks on a new picture, uint8 of shape (height, width, 3), RGB."""
    image = Image.new("RGB", (width, height))
    draw(marks, image, (0, 0, width, height))
    return np.array(image)


class Painter:
    """Draws one picture after the other, each time only what differs."""

    def __init__(self) -> None:
        self.counter = 0
        """grows by one whenever the pixels have changed"""
        self._resize(0, 0)

    def _resize(self, width: int, height: int) -> None:
        self._image = Image.new("RGB", (width, height))
        self._marks: Sequence[Mark] = ()
        self._pixels = np.zeros((height, width, 3), np.uint8)
        self._pixels.flags.writeable = False
        self._blank = True

    def show(self, marks: Sequence[Mark], width: int, height: int) -> NDArray[np.uint8]:
        """The picture of these marks, read-only; an array of its own unless no pixel has changed."""
        if self._image.size != (width, height):
            self._resize(width, height)
        dirty = _difference(self._marks, marks)
        if dirty is not None:
            draw(marks, self._image, dirty)
            left, top, right, bottom = dirty
            fresh = np.asarray(self._image.crop(dirty))
            if not np.array_equal(fresh, self._pixels[top:bottom, left:right]) or self._blank:
                pixels = self._pixels.copy()
                pixels[top:bottom, left:right] = fresh
                pixels.flags.writeable = False
                self._pixels = pixels
                self.counter += 1
                self._blank = False
        self._marks = marks
        return self._pixels


def _difference(before: Sequence[Mark], after: Sequence[Mark]) -> Pixels | None:
    """What may look different: around all marks but those that both lists begin and end with."""
    shorter = min(len(before), len(after))
    first = next((index for index in range(shorter) if before[index] != after[index]), shorter)
    last = next((n for n in range(shorter - first) if before[-1 - n] != after[-1 - n]), shorter - first)
    changed = [*before[first : len(before) - last], *after[first : len(after) - last]]
    if not changed:
        return None
    lefts, tops, rights, bottoms = zip(*(mark.box for mark in changed), strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _common(first: Pixels, second: Pixels) -> Pixels | None:
    left, top = max(first[0], second[0]), max(first[1], second[1])
    right, bottom = min(first[2], second[2]), min(first[3], second[3])
    return (left, top, right, bottom) if right > left and bottom > top else None


def _part(image: Image.Image, box: Pixels, corner: tuple[int, int]) -> Image.Image:
    left, top = corner
    if box == (left, top, left + image.width, top + image.height):
        return image
    return image.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top))
