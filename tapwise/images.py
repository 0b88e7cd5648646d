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
    image = Image.fromarray(pixels)
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
