"""Pictures as faults leave them."""

from __future__ import annotations

import io

from PIL import Image

WARNING = (
    b"[Warning] Multiple displays were found, but no display id was specified! Defaulting to the first display found,"
    b" however this default is not guaranteed to be consistent across captures.\n"
)


def spoiled(data: bytes | memoryview, mode: str, previous: bytes | memoryview | None) -> bytes | memoryview:
    """A screenshot, PNG or raw with its header of 16 bytes, as a fault's mode leaves it."""
    match mode:
        case "empty":
            return b""
        case "truncated":
            return bytes(data[: max(1, len(data) * 2 // 3)])
        case "prefixed":
            return WARNING + bytes(data)
        case "stale":
            return data if previous is None else previous
    return _plain(data, 255 if mode == "white" else 0)


def _plain(data: bytes | memoryview, level: int) -> bytes:
    head = bytes(data[:16])
    if not head.startswith(b"\x89PNG"):
        return head + (bytes([level] * 3) + b"\xff") * ((len(data) - 16) // 4)
    with Image.open(io.BytesIO(bytes(data))) as picture:
        size = picture.size
    buffer = io.BytesIO()
    Image.new("RGB", size, (level,) * 3).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
