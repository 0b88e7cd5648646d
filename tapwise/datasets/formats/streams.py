"""Files read front to back, plain or GZIP, whichever their first bytes say.

GZIP is unpacked with `zlib_ng` where it is installed, which takes two thirds of the time, else with `zlib`.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from types import ModuleType, TracebackType
from typing import BinaryIO, Self

from tapwise.errors import DataError, TruncatedShard

inflating: ModuleType
try:
    from zlib_ng import zlib_ng

    inflating = zlib_ng
except ImportError:
    inflating = zlib

GZIP_MAGIC = b"\x1f\x8b\x08"
_PIECE = 64 * 2**10
_UNPACKED_PIECE = 256 * 2**10
"""so small because pieces that fit a processor's cache unpack faster"""
_GZIP = zlib.MAX_WBITS | 16


class InputStream:
    """The bytes of a file in order, unpacked where it is GZIP (also of several members). A context manager.

    Raises DataError when the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0
        """bytes given so far, after unpacking"""
        try:
            self._file: BinaryIO = path.open("rb")
            self._waiting = self._file.read(_PIECE)
        except OSError as error:
            raise DataError(f"{path} cannot be read ({error.strerror}): check the path and its rights") from error
        self._inflater = inflating.decompressobj(_GZIP) if self._waiting.startswith(GZIP_MAGIC) else None

    def read(self, count: int, where: str) -> bytes:
        """The next `count` bytes, fewer only at the end. `where` names what is being read.

        Raises TruncatedShard when the compression is broken.
        """
        data = self._plain(count) if self._inflater is None else self._unpacked(count, where)
        self.position += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _plain(self, count: int) -> bytes:
        first, self._waiting = self._waiting[:count], self._waiting[count:]
        return first if len(first) == count else first + self._file.read(count - len(first))

    def _unpacked(self, count: int, where: str) -> bytes:
        pieces: list[bytes] = []
        missing = count
        while missing:
            if not self._waiting:
                self._waiting = self._file.read(_PIECE)
            piece = self._inflate(min(missing, _UNPACKED_PIECE), where)
            if piece:
                pieces.append(piece)
                missing -= len(piece)
            elif not self._waiting and not self._more(where):
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _inflate(self, limit: int, where: str) -> bytes:
        assert self._inflater is not None
        try:
            piece: bytes = self._inflater.decompress(self._waiting, limit)
        except inflating.error as error:
            raise TruncatedShard(
                f"{where}: the GZIP data is broken, {self.position} unpacked bytes into the file ({error}); this record"
                " and what followed is lost: fetch the file again"
            ) from error
        if self._inflater.eof:
            self._waiting = self._inflater.unused_data or self._file.read(_PIECE)
            # Padding behind the last member is allowed by the format.
            self._waiting = self._waiting.lstrip(b"\0")
            if self._waiting:
                self._inflater = inflating.decompressobj(_GZIP)
        else:
            self._waiting = self._inflater.unconsumed_tail
        return piece

    def _more(self, where: str) -> bool:
        assert self._inflater is not None
        self._waiting = self._file.read(_PIECE)
        if not self._waiting and not self._inflater.eof:
            raise TruncatedShard(
                f"{where}: the GZIP data ends early, {self.position} unpacked bytes into the file; this record and"
                " what followed is lost: fetch the file again"
            )
        return bool(self._waiting)
