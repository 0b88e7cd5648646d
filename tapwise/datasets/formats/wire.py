"""The protocol buffers wire format, as much of it as foreign data needs; payloads are never copied.

Source: "Encoding" of the Protocol Buffers documentation.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
_FIXED = {FIXED64: 8, FIXED32: 4}
_SIGN = 1 << 63

Value = int | memoryview
"""int for VARINT fields (unsigned 64 bits), memoryview for all others"""


def fields(message: memoryview) -> Iterator[tuple[int, int, Value]]:
    """The fields of a message in order: (number, wire type, value). Raises ValueError when it is malformed."""
    position, end = 0, len(message)
    while position < end:
        tag, position = varint(message, position)
        number, kind = tag >> 3, tag & 7
        if kind == VARINT:
            value, position = varint(message, position)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, position = varint(message, position)
        elif kind in _FIXED:
            size = _FIXED[kind]
        else:
            raise ValueError(f"wire type {kind} at byte {position} is unknown")
        if size > end - position:
            raise ValueError(f"field {number} at byte {position} needs {size} bytes, {end - position} are left")
        yield number, kind, message[position : position + size]
        position += size


def varint(message: memoryview, position: int) -> tuple[int, int]:
    """The unsigned number at `position`, and the position behind it. Raises ValueError when it has no end."""
    value = shift = 0
    for octet in message[position : position + 10]:
        position += 1
        value |= (octet & 0x7F) << shift
        if octet < 0x80:
            return value & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise ValueError(f"the number before byte {position} has no end")


def varints(message: memoryview) -> list[int]:
    """Packed unsigned numbers."""
    found, position = [], 0
    while position < len(message):
        value, position = varint(message, position)
        found.append(value)
    return found


def signed(value: int) -> int:
    """An unsigned 64-bit number as two's complement."""
    return value - (1 << 64) if value & _SIGN else value


def write_varint(value: int) -> bytes:
    """A number as a varint; a negative one takes ten bytes."""
    value &= 0xFFFFFFFFFFFFFFFF
    octets = bytearray()
    while value > 0x7F:
        octets.append(value & 0x7F | 0x80)
        value >>= 7
    octets.append(value)
    return bytes(octets)


def write_number(field: int, value: int) -> bytes:
    """A VARINT field."""
    return write_varint(field << 3 | VARINT) + write_varint(value)


def write_float(field: int, value: float) -> bytes:
    """A FIXED32 field."""
    return write_varint(field << 3 | FIXED32) + struct.pack("<f", value)


def write_bytes(field: int, parts: Iterable[bytes | memoryview]) -> list[bytes | memoryview]:
    """A BYTES field made of parts, which are not joined here: what holds a picture is copied once, at the end."""
    inner = list(parts)
    return [write_varint(field << 3 | BYTES), write_varint(sum(map(len, inner))), *inner]
