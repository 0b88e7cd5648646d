"""An append-only file of framed entries that survives the death of its writer.

File: 8 bytes of signature, then frames of magic (4 bytes), payload length and CRC-32 (little-endian uint32 each; the
CRC covers length and payload), payload. A payload is the length of its JSON head (uint32), the head, then the blobs;
the head lists their sizes under "blobs".

A frame that ends early, or is wrong with no good frame behind it, is the torn tail of a killed writer and is cut off.
A wrong frame with good ones behind it is damage.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import struct
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapwise.datasets.schema import dump
from tapwise.errors import StoreError

SIGNATURE = b"tapwjnl1"
_MAGIC = b"\xf0TWF"
_FRAME = struct.Struct("<4sII")
_LENGTH = struct.Struct("<I")
_LIMIT = 2**32 - 1

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Entry:
    """One frame: where it begins in the file, its JSON head and its blobs."""

    offset: int
    head: dict[str, Any]
    blobs: tuple[bytes, ...]


class Journal:
    """One journal file, opened for reading alone or for appending too. Not safe to share between threads.

    Opening creates the file when `writable`, and cuts a torn tail. `damage` holds what `replay` found wrong.
    """

    def __init__(self, path: Path, *, writable: bool) -> None:
        self.path = path
        self.damage: list[StoreError] = []
        flags = os.O_RDWR | os.O_CREAT if writable else os.O_RDONLY
        try:
            self._file = os.open(path, flags | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"journal {path} cannot be opened ({error.strerror}): check the folder's rights"
            ) from error
        self._writable = writable
        self._end = os.fstat(self._file).st_size
        signature = os.pread(self._file, len(SIGNATURE), 0)
        if len(signature) < len(SIGNATURE) and SIGNATURE.startswith(signature):
            if writable:
                os.pwrite(self._file, SIGNATURE, 0)
            self._end = len(SIGNATURE)
        elif signature != SIGNATURE:
            os.close(self._file)
            raise StoreError(f"{path} is not a trajectory journal of this version: move it away, or upgrade tapwise")

    @property
    def size(self) -> int:
        """Bytes in the file up to the end of the last good frame."""
        return self._end

    def replay(self) -> list[Entry]:
        """All good entries in order, heads only (`blobs` empty); cuts a torn tail and notes damage."""
        entries: list[Entry] = []
        position, end = len(SIGNATURE), os.fstat(self._file).st_size
        while position < end:
            try:
                entry, following = self._parse(position, end)
            except ValueError as error:
                resume = self._next_good(position + 1, end)
                if resume is None:
                    self._cut(position, end)
                    break
                self.damage.append(
                    StoreError(
                        f"journal {self.path} is damaged at byte {position} ({error}): {resume - position} bytes are"
                        ' lost; open the store with on_corrupt="skip" to use all else'
                    )
                )
                position = resume
            else:
                entries.append(Entry(entry.offset, entry.head, ()))
                position = following
        self._end = position
        return entries

    def append(self, head: Mapping[str, Any], blobs: Sequence[bytes] = (), *, sync: bool) -> int:
        """Add a frame and return its offset.

        On return the frame is with the operating system: it survives the death of this process. With `sync` it is
        on the disk: it survives the death of the machine. Raises StoreError, and leaves the file as it was, when
        the disk is full or fails.
        """
        text = dump({**head, "blobs": [len(blob) for blob in blobs]}).encode("ascii")
        payload = b"".join((_LENGTH.pack(len(text)), text, *blobs))
        if len(payload) > _LIMIT:
            raise StoreError(
                f"an entry of {len(payload)} bytes does not fit journal {self.path}: store fewer screenshots"
            )
        length = _LENGTH.pack(len(payload))
        frame = _FRAME.pack(_MAGIC, len(payload), zlib.crc32(payload, zlib.crc32(length))) + payload
        offset = self._end
        try:
            self._write(frame, offset)
            if sync:
                os.fdatasync(self._file)
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, offset)
            raise StoreError(
                f"journal {self.path} cannot be written ({error.strerror}): free space on its disk and go on"
            ) from error
        self._end = offset + len(frame)
        return offset

    def read(self, offset: int) -> Entry:
        """The entry at an offset that `append` or `replay` gave. Raises StoreError when it is damaged."""
        try:
            return self._parse(offset, self._end)[0]
        except ValueError as error:
            raise StoreError(
                f'journal {self.path} is damaged at byte {offset} ({error}): open the store with on_corrupt="skip"'
                " to use all else"
            ) from error

    def keep(self, offsets: Iterable[int]) -> dict[int, int]:
        """Drop every frame but those at `offsets`, atomically; returns where each of them now begins."""
        temporary = self.path.with_name(f".{self.path.name}.tmp")
        moved: dict[int, int] = {}
        target = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        try:
            position = os.write(target, SIGNATURE)
            for offset in offsets:
                _, length, _ = _FRAME.unpack(os.pread(self._file, _FRAME.size, offset))
                frame = os.pread(self._file, _FRAME.size + length, offset)
                _write_all(target, frame, position)
                moved[offset] = position
                position += len(frame)
            os.fsync(target)
            temporary.rename(self.path)
        except OSError as error:
            os.close(target)
            raise StoreError(
                f"journal {self.path} cannot be shortened ({error.strerror}): free space on its disk"
            ) from error
        sync_folder(self.path.parent)
        os.close(self._file)
        self._file, self._end = target, position
        return moved

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _write(self, data: bytes, offset: int) -> None:
        _write_all(self._file, data, offset)

    def _parse(self, offset: int, end: int) -> tuple[Entry, int]:
        header = os.pread(self._file, _FRAME.size, offset)
        if len(header) < _FRAME.size:
            raise ValueError("the frame ends early")
        magic, length, checksum = _FRAME.unpack(header)
        if magic != _MAGIC:
            raise ValueError("no frame begins here")
        following = offset + _FRAME.size + length
        if following > end:
            raise ValueError("the frame ends early")
        payload = os.pread(self._file, length, offset + _FRAME.size)
        if (
            len(payload) < max(length, _LENGTH.size)
            or zlib.crc32(payload, zlib.crc32(_LENGTH.pack(length))) != checksum
        ):
            raise ValueError("the checksum is wrong")
        return _read_payload(payload, offset), following

    def _next_good(self, start: int, end: int) -> int | None:
        """Where the next whole frame begins, or None."""
        step, position = 2**20, start
        while position < end:
            window = os.pread(self._file, step + len(_MAGIC) - 1, position)
            found = window.find(_MAGIC)
            while found >= 0:
                with contextlib.suppress(ValueError):
                    self._parse(position + found, end)
                    return position + found
                found = window.find(_MAGIC, found + 1)
            position += step
        return None

    def _cut(self, position: int, end: int) -> None:
        if self._writable:
            os.ftruncate(self._file, position)
            _log.warning(
                "journal %s: cut %d bytes of an unfinished write at byte %d", self.path, end - position, position
            )


def sync_folder(folder: Path) -> None:
    """Put the folder's entries (new names, renames) on the disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_all(file: int, data: bytes, offset: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _read_payload(payload: bytes, offset: int) -> Entry:
    (size,) = _LENGTH.unpack_from(payload)
    position = _LENGTH.size + size
    head = json.loads(payload[_LENGTH.size : position])
    if not isinstance(head, dict):
        raise ValueError("the head is not an object")
    blobs: list[bytes] = []
    for length in head.pop("blobs", ()):
        blobs.append(payload[position : position + length])
        position += length
    return Entry(offset, head, tuple(blobs))
