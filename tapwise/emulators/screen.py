"""Reading what `screencap` prints: raw frames and PNG pictures."""

from __future__ import annotations

import io
import struct

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.errors import DeviceError
from tapwise.records import Size

RAW_HEADER_LENGTH = 16
_PNG_START = b"\x89PNG\r\n\x1a\n"
_WORDS = struct.Struct("<III")
_FORMATS = {1: "RGBA_8888", 2: "RGBX_8888"}
_LONGEST_SIDE = 16384


def raw_length(size: Size) -> int:
    """How many bytes a raw frame of that size has, header of Android 9 and later included."""
    return RAW_HEADER_LENGTH + 4 * size.height * size.width


def read_raw(data: bytes | bytearray) -> NDArray[np.uint8]:
    """Pixels (height, width, 3), RGB, of a raw frame: u32 width, height, format [, data space], then RGBA.

    Raises DeviceError when the frame is torn, or is no frame at all.
    """
    if len(data) < _WORDS.size:
        raise DeviceError(f"screencap gave only {len(data)} bytes, which is no frame")
    width, height, pixel_format = _WORDS.unpack_from(data)
    if pixel_format not in _FORMATS or not (0 < width <= _LONGEST_SIDE and 0 < height <= _LONGEST_SIDE):
        raise DeviceError(f"screencap gave no raw RGBA frame: it starts with {bytes(data[:16])!r}")
    header = len(data) - 4 * width * height
    if header not in (12, RAW_HEADER_LENGTH):  # 12 bytes before Android 9
        raise DeviceError(f"screencap gave a torn frame: {len(data)} bytes for {width}x{height} pixels")
    channels = np.frombuffer(data, np.uint8, offset=header).reshape(height * width, 4)
    pixels = np.empty((height * width, 3), np.uint8)
    for channel in range(3):  # six times as fast as slicing all three at once
        pixels[:, channel] = channels[:, channel]
    return pixels.reshape(height, width, 3)


def read_png(data: bytes | bytearray) -> NDArray[np.uint8]:
    """Pixels (height, width, 3), RGB, of a PNG, also behind a warning that some phones print before it.

    Raises DeviceError when there is no whole picture.
    """
    start = data.find(_PNG_START)
    if start < 0:
        raise DeviceError(f"screencap -p gave no PNG: {len(data)} bytes that start with {bytes(data[:16])!r}")
    try:
        return np.asarray(Image.open(io.BytesIO(data[start:])).convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DeviceError(f"screencap -p gave a torn PNG of {len(data) - start} bytes: {error}") from error
