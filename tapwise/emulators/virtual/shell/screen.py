"""The phone's picture in the formats that leave it, encoded once per frame."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise.emulators.virtual.faults.pictures import spoiled

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_RAW_HEADER: Final = struct.Struct("<4I")
_FORMAT_RGBA_8888: Final = 1
_DATASPACE_SRGB: Final = 1
_FRAMEBUFFER_HEADER: Final = struct.Struct("<13I")


class ScreenReader:
    """Reads a phone's frame; each encoding is kept until the picture changes. Results must not be written to."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._frame: NDArray[np.uint8] | None = None
        self._png: bytes | None = None
        self._raw: memoryview | None = None

    def _refresh(self) -> NDArray[np.uint8]:
        self._phone.poll()
        frame = self._phone.frame()
        if frame is not self._frame:
            self._frame, self._png, self._raw = frame, None, None
        return frame

    def screenshot(self, *, png: bool) -> bytes | memoryview:
        """What `screencap` gives, as PNG or raw, with what may go wrong with it."""
        before = self._png if png else self._raw
        data = self.png() if png else self.raw()
        fault = self._phone.faults.fires("screenshot", "png" if png else "raw")
        return data if fault is None else spoiled(data, fault.mode, before)

    def png(self) -> bytes:
        """An RGB PNG, compressed fast rather than small."""
        frame = self._refresh()
        if self._png is None:
            buffer = io.BytesIO()
            Image.fromarray(frame).save(buffer, "PNG", compress_level=1)
            self._png = buffer.getvalue()
        return self._png

    def raw(self) -> memoryview:
        """What `screencap` writes: width, height, format and data space as u32, then RGBA rows."""
        frame = self._refresh()
        if self._raw is None:
            height, width = frame.shape[:2]
            buffer = bytearray(_RAW_HEADER.size + height * width * 4)
            _RAW_HEADER.pack_into(buffer, 0, width, height, _FORMAT_RGBA_8888, _DATASPACE_SRGB)
            pixels = np.frombuffer(buffer, np.uint8, offset=_RAW_HEADER.size).reshape(height, width, 4)
            pixels[:] = np.asarray(Image.fromarray(frame).convert("RGBA"))
            self._raw = memoryview(buffer).toreadonly()
        return self._raw

    def framebuffer(self) -> tuple[bytes, memoryview]:
        """What the `framebuffer:` service sends: a version 1 header of 52 bytes, and RGBA rows."""
        raw = self.raw()
        width, height, _, _ = _RAW_HEADER.unpack_from(raw)
        pixels = raw[_RAW_HEADER.size :]
        channels = (0, 8, 16, 8, 8, 8, 24, 8)  # offset and length in bits of red, blue, green and alpha
        return _FRAMEBUFFER_HEADER.pack(1, 32, len(pixels), width, height, *channels), pixels
