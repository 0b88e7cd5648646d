"""Pictures of products: the kind of thing on a coloured ground, where the quality gives the colour."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from PIL import Image

from tapwise.emulators.virtual.ui.goods import GOODS
from tapwise.emulators.virtual.ui.icons import icon_mask
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.things import THINGS
from tapwise.emulators.virtual.ui.views import Picture

PALETTE: tuple[Colour, ...] = (
    (26, 115, 232),
    (0, 121, 107),
    (123, 31, 162),
    (194, 24, 91),
    (216, 67, 21),
    (56, 106, 32),
    (69, 90, 100),
    (2, 136, 190),
    (245, 124, 0),
    (121, 85, 72),
    (63, 81, 181),
)
COLOUR_OF_QUALITY: dict[str, Colour] = {
    "red": (198, 40, 40),
    "blue": (30, 96, 200),
    "green": (46, 125, 50),
    "white": (150, 155, 160),
    "black": (40, 42, 46),
    "oak": (141, 100, 60),
    "gold": (200, 140, 0),
}


def kind_icon(name: str) -> str:
    """The icon for a product's kind, its last word."""
    icon = f"thing_{name.split()[-1]}"
    return icon if icon in THINGS or icon in GOODS else "tag"


def plate_colour(name: str) -> Colour:
    """The colour for a product's quality, its first word."""
    quality = name.split()[0]
    return COLOUR_OF_QUALITY.get(quality) or PALETTE[zlib.crc32(quality.encode()) % len(PALETTE)]


def product_picture(name: str, height: float = 210.0) -> Picture:
    """A large picture of a product, `height` dp high."""
    icon, colour = kind_icon(name), plate_colour(name)
    return Picture(draw=lambda width, pixels: _draw(icon, colour, width, pixels), picture_height=height)


@lru_cache(maxsize=64)
def _draw(icon: str, colour: Colour, width: int, height: int) -> Image.Image:
    ramp = np.linspace(0.9, 0.65, height, dtype=np.float32)[:, None, None]
    ground = np.array(colour, np.float32) * (1 - ramp) + 255.0 * ramp
    picture = Image.fromarray(np.repeat(ground, width, axis=1).astype(np.uint8))
    size = round(height * 0.62)
    picture.paste(colour, ((width - size) // 2, (height - size) // 2), icon_mask(icon, size))
    return picture
