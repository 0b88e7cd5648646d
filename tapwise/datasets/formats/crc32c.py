"""CRC-32C (Castagnoli, RFC 3720 appendix B.4): with `google_crc32c` where it is installed, else with numpy.

The numpy way cuts the data into lanes, runs a 16-bit table over all lanes at once, and joins the lanes' remainders:
a CRC is linear over GF(2), so that the remainder of A followed by B is that of A moved past B's zeros, plus that of B.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

try:
    from google_crc32c import value as _google
except ImportError:
    _google = None

_POLYNOMIAL = 0x82F63B78
_ALL = 0xFFFFFFFF
_SHORT = 256
"""bytes below which a plain loop is quicker than numpy"""
_LANE = 256
"""bytes of a lane that make the joining cheap beside the reading"""
_MOST_LANES = 8192
_GOOGLE_PIECE = 2**30

Buffer = bytes | bytearray | memoryview


def crc32c(data: Buffer) -> int:
    """The CRC-32C of `data`, an unsigned 32-bit number."""
    return _fastest()(data)


def method() -> str:
    """What computes the checksums here: "google_crc32c" or "numpy"."""
    return "numpy" if _google is None else "google_crc32c"


def crc32c_numpy(data: Buffer) -> int:
    """`crc32c` without a compiled library: some hundred megabytes a second."""
    octets = np.frombuffer(data, np.uint8)
    if len(octets) < _SHORT:
        return _plain(octets.tolist())
    lanes = min(_MOST_LANES, 1 << max(0, (len(octets) // _LANE).bit_length() - 1))
    length = -(-len(octets) // (2 * lanes)) * 2
    # Zeros in front of a message change nothing while the register starts at zero; the start is added at the end.
    padded = np.zeros(lanes * length, np.uint8)
    padded[padded.size - octets.size :] = octets
    words = np.ascontiguousarray(padded.view("<u2").reshape(lanes, length // 2).T)
    return int(_join(_run(words), length)) ^ _start(len(octets)) ^ _ALL


def _fastest() -> Callable[[Buffer], int]:
    return crc32c_numpy if _google is None else _with_google


def _with_google(data: Buffer) -> int:
    assert _google is not None
    found: int = _google(bytes(data) if not isinstance(data, bytes) else data)
    return found


def _plain(octets: list[int]) -> int:
    table = _byte_table()
    register = _ALL
    for octet in octets:
        register = table[(register ^ octet) & 0xFF] ^ (register >> 8)
    return register ^ _ALL


@functools.cache
def _byte_table() -> list[int]:
    table = []
    for octet in range(256):
        register = octet
        for _ in range(8):
            register = (register >> 1) ^ (_POLYNOMIAL if register & 1 else 0)
        table.append(register)
    return table


@functools.cache
def _word_table() -> NDArray[np.uint32]:
    octets = np.array(_byte_table(), np.uint32)
    once = octets[np.arange(65536) & 0xFF] ^ (np.arange(65536, dtype=np.uint32) >> np.uint32(8))
    twice: NDArray[np.uint32] = octets[once & np.uint32(0xFF)] ^ (once >> np.uint32(8))
    return twice


def _run(words: NDArray[Any]) -> NDArray[np.uint32]:
    """Remainders of all lanes, started at zero; `words` is uint16 of shape (words of a lane, lanes)."""
    table = _word_table()
    registers = np.zeros(words.shape[1], np.uint32)
    looked_up = np.empty_like(registers)
    low = registers.view("<u2")[::2]
    places = np.empty(words.shape[1], np.intp)
    for row in words:
        np.bitwise_xor(low, row, out=places, casting="unsafe", dtype=np.uint16)
        np.take(table, places, out=looked_up, mode="clip")
        np.right_shift(registers, np.uint32(16), out=registers)
        np.bitwise_xor(registers, looked_up, out=registers)
    return registers


def _join(registers: NDArray[np.uint32], length: int) -> int:
    """The remainder of the lanes one after another, each `length` bytes long; their number is a power of two."""
    while len(registers) > 1:
        registers = _times(_zeros(length), registers[::2]) ^ registers[1::2]
        length *= 2
    return int(registers[0])


def _start(length: int) -> int:
    """What the register's start, all ones, has become after `length` bytes."""
    return int(_times(_zeros(length), np.array([_ALL], np.uint32))[0])


@functools.lru_cache(maxsize=256)
def _zeros(length: int) -> NDArray[np.uint32]:
    """The matrix that moves a remainder past `length` zero bytes; its columns as 32 numbers."""
    if length == 0:
        return np.uint32(1) << np.arange(32, dtype=np.uint32)
    if length == 1:
        table = _byte_table()
        return np.array([table[(1 << bit) & 0xFF] ^ ((1 << bit) >> 8) for bit in range(32)], np.uint32)
    half = _zeros(length // 2)
    whole = _times(half, half)
    return _times(_zeros(1), whole) if length % 2 else whole


def _times(matrix: NDArray[np.uint32], vectors: NDArray[np.uint32]) -> NDArray[np.uint32]:
    product = np.zeros_like(vectors)
    for bit in range(32):
        product ^= matrix[bit] * ((vectors >> np.uint32(bit)) & np.uint32(1))
    return product
