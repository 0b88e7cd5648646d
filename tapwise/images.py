"""Pixels to encoded screenshots and back. Arrays are uint8 of shape (height, width, 3), RGB."""

from __future__ import annotations

import io
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.records import Screenshot, Size


def encode(pixels: NDArray[np.uint8], image_format: Literal["png", "jpeg"] = "jpeg") -> Screenshot:
    """Encode pixels; JPEG at quality 90 without chroma subsampling, which keeps the edges of small text."""
    height, width = pixels.shape[:2]
    buffer = io.BytesIO()
    image = Image.new("RGB", (width, height), None)  # every pixel is set next: painting it first takes a fifth longer
    image.frombytes(np.ascontiguousarray(pixels))
    if image_format == "png":
        image.save(buffer, "PNG", compress_level=1)
    else:
        image.save(buffer, "JPEG", quality=90, subsampling=0)
    return Screenshot(buffer.getvalue(), image_format, Size(height, width))


def decode_image(screenshot: Screenshot) -> Image.Image:
    """The screenshot as an RGB Pillow image. Raises ValueError when the bytes are no picture."""
    try:
        return Image.open(io.BytesIO(screenshot.data)).convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"screenshot of {len(screenshot.data)} bytes is not a readable picture: {error}") from error


def decode(screenshot: Screenshot) -> NDArray[np.uint8]:
    """The screenshot's pixels, uint8 of shape (height, width, 3). Raises ValueError like `decode_image`."""
    return np.asarray(decode_image(screenshot))


def decode_at_least(screenshot: Screenshot, pixels: int) -> Image.Image:
    """Like `decode_image`, but a JPEG is decoded at the smallest of its 1/2, 1/4, 1/8 scales that keeps `pixels`
    pixels: much cheaper when a model looks at a small version anyway."""
    if screenshot.format != "jpeg":
        return decode_image(screenshot)
    try:
        image = Image.open(io.BytesIO(screenshot.data))
        size, scale = screenshot.size, 1
        while scale < 8 and size.height * size.width // (4 * scale * scale) >= pixels:
            scale *= 2
        image.draft("RGB", (size.width // scale, size.height // scale))
        return image.convert("RGB")
    except (OSError, SyntaxError) as error:
        raise ValueError(f"screenshot of {len(screenshot.data)} bytes is not a readable picture: {error}") from error
