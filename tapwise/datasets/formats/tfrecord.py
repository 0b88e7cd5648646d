"""TFRecord files: framed records with masked CRC-32C, as a whole plain or GZIP.

A record is its length (uint64), the masked checksum of the length (uint32), the data, the masked checksum of the data
(uint32), all little-endian. Source: the TFRecord section of TensorFlow's guide "TFRecord and tf.train.Example".
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal, cast

from tapwise.datasets.formats.crc32c import Buffer, crc32c
from tapwise.datasets.formats.streams import InputStream
from tapwise.errors import DataError, TruncatedShard, WrongChecksum, WrongLength

MAX_RECORD = 2**31
"""bytes; protocol buffers, which the records hold, end here"""
_MASK_DELTA = 0xA282EAD8
_HEAD = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its number in the file, counted from 0 over damaged ones too, and its data."""

    number: int
    data: bytes


def masked_crc(data: Buffer) -> int:
    """The CRC-32C of `data`, rotated right by 15 bits and moved by a constant, as TFRecord files hold it."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + _MASK_DELTA) & 0xFFFFFFFF


def frame(data: Buffer) -> bytes:
    """The bytes of one record."""
    length = struct.pack("<Q", len(data))
    return b"".join((length, _CHECKSUM.pack(masked_crc(length)), data, _CHECKSUM.pack(masked_crc(data))))


def read_records(path: Path) -> Iterator[Record | DataError]:
    """The records of a file in order, one in memory at a time.

    Damage comes in their place: WrongChecksum for data that does not fit, after which reading goes on; WrongLength or
    TruncatedShard where the frames cannot be followed any further, which ends the file. Raises DataError when the file
    cannot be opened.
    """
    number = 0
    with InputStream(path) as stream:
        while True:
            try:
                data = _read_one(stream, number)
            except WrongChecksum as error:
                yield error
            except DataError as error:
                yield error
                return
            else:
                if data is None:
                    return
                yield Record(number, data)
            number += 1


def write_records(
    path: Path, records: Iterable[Buffer], compression: Literal["gzip", "none"] = "gzip", level: int = 6
) -> int:
    """Write a file of records; returns how many they were."""
    count = 0
    with path.open("wb") as file:
        # No time and no name in the head: the same records give the same file.
        target = cast(BinaryIO, gzip.GzipFile("", "wb", level, file, mtime=0)) if compression == "gzip" else file
        try:
            for record in records:
                target.write(frame(record))
                count += 1
        finally:
            if target is not file:
                target.close()
    return count


def _read_one(stream: InputStream, number: int) -> bytes | None:
    where = f"{stream.path}, record {number}"
    head = stream.read(_HEAD.size, where)
    if not head:
        return None
    if len(head) < _HEAD.size:
        raise _ends_early(where)
    length, checksum = _HEAD.unpack(head)
    if masked_crc(head[:8]) != checksum:
        raise WrongLength(
            f"{where}: its length does not fit its checksum, so where the next record begins is unknown and the rest of"
            " the file is lost: fetch it again; if this is record 0, the file is no TFRecord"
        )
    if length > MAX_RECORD:
        raise WrongLength(
            f"{where}: its length is {length} bytes, more than any tf.Example has ({MAX_RECORD}); the rest of the file"
            " is lost: fetch it again"
        )
    data = stream.read(length, where)
    tail = stream.read(_CHECKSUM.size, where) if len(data) == length else b""
    if len(tail) < _CHECKSUM.size:
        raise _ends_early(where)
    if masked_crc(data) != _CHECKSUM.unpack(tail)[0]:
        raise WrongChecksum(f"{where}: its data does not fit its checksum; this record is lost: fetch the file again")
    return data


def _ends_early(where: str) -> TruncatedShard:
    return TruncatedShard(
        f"{where}: the file ends within it; this record and what followed is lost: fetch the file again"
    )
