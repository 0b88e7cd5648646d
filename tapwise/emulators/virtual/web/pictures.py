"""Pictures of products: the kind of thing on a coloured ground, where the quality gives the colour."""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
from PIL import Image

from tapwise.emulators.virtual.ui import theme as themes
from tapwise.emulators.virtual.ui.icons import icon_mask
from tapwise.emulators.virtual.ui.theme import Colour
from tapwise.emulators.virtual.ui.views import Picture

ICON_OF_KIND: dict[str, str] = {
    "phone": "phone",
    "tablet": "image",
    "watch": "clock",
    "laptop": "display",
    "monitor": "display",
    "mouse": "system",
    "speaker": "sound",
    "headset": "music",
    "radio": "music",
    "camera": "camera",
    "drone": "plane",
    "printer": "file",
    "charger": "battery",
    "router": "wifi",
    "sofa": "home",
    "lamp": "display",
    "rug": "menu",
    "pan": "search",
    "kettle": "timer",
    "mug": "storage",
    "pillow": "moon",
    "blanket": "note",
    "clock": "alarm",
    "towel": "note",
    "mirror": "image",
    "basket": "basket",
    "chair": "home",
    "table": "storage",
    "bench": "minus",
}
COLOUR_OF_QUALITY: dict[str, Colour] = {
    "red": (198, 40, 40),
    "blue": (30, 96, 200),
    "green": (46, 125, 50),
    "white": (150, 155, 160),
    "black": (40, 42, 46),
    "oak": (141, 100, 60),
}


def kind_icon(name: str) -> str:
    """The icon for a product's kind, its last word."""
    return ICON_OF_KIND.get(name.split()[-1], "tag")


def plate_colour(name: str) -> Colour:
    """The colour for a product's quality, its first word."""
    quality = name.split()[0]
    return COLOUR_OF_QUALITY.get(quality) or themes.ACCENTS[zlib.crc32(quality.encode()) % len(themes.ACCENTS)]


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
