"""`sync:`: files between the host and the phone's virtual file system."""

from __future__ import annotations

import posixpath
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.virtual.databases import is_near
from tapwise.emulators.virtual.filesystem import FileStat
from tapwise.emulators.virtual.wire.stream import Stream

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_LONGEST_PATH = 4096


class Sync:
    """Answers requests until QUIT; a request that fails is answered with FAIL and the session goes on."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._buffer = bytearray()
        self._upload: _Upload | None = None

    def opened(self, stream: Stream) -> None:
        """Wait for requests."""

    def closed(self, stream: Stream) -> None:
        """An unfinished upload is dropped."""

    def received(self, stream: Stream, data: bytes) -> None:
        """Take requests and upload data, cut anywhere."""
        self._buffer += data
        while len(self._buffer) >= adb.SYNC_RECORD.size:
            record_id, number = adb.SYNC_RECORD.unpack_from(self._buffer)
            length = 0 if record_id == adb.DONE else number
            if length > (adb.MAX_PAYLOAD if record_id == adb.DATA else _LONGEST_PATH):
                stream.write(adb.encode_sync(adb.FAIL, b"record too long"))
                stream.close()
                return
            end = adb.SYNC_RECORD.size + length
            if len(self._buffer) < end:
                return
            body = bytes(self._buffer[adb.SYNC_RECORD.size : end])
            del self._buffer[:end]
            if record_id == adb.QUIT:
                stream.close()
                return
            self._record(stream, record_id, body, number)

    def _record(self, stream: Stream, record_id: bytes, body: bytes, number: int) -> None:
        if self._upload is not None:
            self._continue_upload(stream, self._upload, record_id, body, number)
            return
        path = body.decode("utf-8", "surrogateescape")
        if is_near(path + "/"):
            self._phone.databases.reconcile(self._phone)
        try:
            if record_id == adb.STAT:
                stream.write(self._stat_v1(path))
            elif record_id in (adb.STAT_V2, adb.LSTAT_V2):
                stream.write(self._stat_v2(record_id, path))
            elif record_id in (adb.LIST, adb.LIST_V2):
                stream.write(*self._list(path, record_id == adb.LIST_V2))
            elif record_id == adb.RECV:
                self._download(stream, path)
            elif record_id == adb.SEND:
                self._upload = _Upload(path)
            else:
                _fail(stream, f"unknown command {record_id.decode('ascii', 'replace')}")
        except (OSError, ValueError) as error:
            _fail(stream, _reason(error))

    def _stat_v1(self, path: str) -> bytes:
        files = self._phone.files
        if not files.exists(path, follow=False):
            return adb.SYNC_STAT.pack(adb.STAT, 0, 0, 0)
        found = files.stat(path, follow=False)  # the first version knows no other stat than lstat
        return adb.SYNC_STAT.pack(adb.STAT, found.mode, found.size & 0xFFFFFFFF, _seconds(found))

    def _stat_v2(self, record_id: bytes, path: str) -> bytes:
        try:
            found = self._phone.files.stat(path, follow=record_id == adb.STAT_V2)
        except OSError as error:
            return adb.SYNC_STAT_V2.pack(record_id, error.errno or 0, *(0,) * 10)
        return adb.SYNC_STAT_V2.pack(record_id, 0, *_fields(found))

    def _list(self, path: str, version_2: bool) -> list[bytes]:
        files = self._phone.files
        records: list[bytes] = []
        names = [".", "..", *files.listdir(path)] if files.is_dir(path) else []
        for name in names:
            found = files.stat(posixpath.join(path, name), follow=False)
            encoded = name.encode("utf-8", "surrogateescape")
            if version_2:
                records.append(adb.SYNC_DENT_V2.pack(adb.DENT_V2, 0, *_fields(found), len(encoded)) + encoded)
            else:
                values = found.mode, found.size & 0xFFFFFFFF, _seconds(found), len(encoded)
                records.append(adb.SYNC_DENT.pack(adb.DENT, *values) + encoded)
        if version_2:
            records.append(adb.SYNC_DENT_V2.pack(adb.DONE, *(0,) * 12))
        else:
            records.append(adb.SYNC_DENT.pack(adb.DONE, 0, 0, 0, 0))
        return records

    def _download(self, stream: Stream, path: str) -> None:
        data = memoryview(self._phone.files.read(path))
        for start in range(0, len(data), adb.SYNC_MAX_DATA):
            piece = data[start : start + adb.SYNC_MAX_DATA]
            stream.write(adb.SYNC_RECORD.pack(adb.DATA, len(piece)), piece)
        stream.write(adb.SYNC_RECORD.pack(adb.DONE, 0))

    def _continue_upload(self, stream: Stream, upload: _Upload, record_id: bytes, body: bytes, number: int) -> None:
        if record_id == adb.DATA:
            upload.data += body
            return
        self._upload = None
        if record_id != adb.DONE:
            _fail(stream, "expected DATA or DONE")
            return
        try:
            self._store(upload, datetime.fromtimestamp(number, UTC) if number else self._phone.clock.now())
        except (OSError, ValueError) as error:
            _fail(stream, _reason(error))
        else:
            stream.write(adb.encode_sync(adb.SYNC_OKAY))

    def _store(self, upload: _Upload, mtime: datetime) -> None:
        files = self._phone.files
        parent = posixpath.dirname(upload.path)
        files.make_directory(parent, parents=True, exist_ok=True, mtime=self._phone.clock.now())
        replaced = files.exists(upload.path, follow=False) and not files.is_dir(upload.path)
        if replaced and stat.S_ISLNK(upload.mode | files.stat(upload.path, follow=False).mode):
            files.remove(upload.path)
        if stat.S_ISLNK(upload.mode):
            target = bytes(upload.data).rstrip(b"\0").decode("utf-8", "surrogateescape")
            files.symlink(target, upload.path, mtime)
        else:
            files.write(upload.path, bytes(upload.data), mtime, upload.mode & 0o777)
        if is_near(upload.path):
            self._phone.databases.reconcile(self._phone)


class _Upload:
    """A SEND in progress: `path,mode` with the mode in decimal."""

    def __init__(self, request: str) -> None:
        self.path, _, mode = request.rpartition(",")
        if not self.path or not mode.isdecimal():
            raise ValueError(f"SEND needs a path and a mode, not {request!r}")
        self.mode = int(mode)
        self.data = bytearray()


def _fields(found: FileStat) -> tuple[int, ...]:
    """Device, inode, mode, links, user, group, size and three times."""
    time = _seconds(found)
    return 1, 1, found.mode, 1, 0, 0, found.size, time, time, time


def _seconds(found: FileStat) -> int:
    return int(found.mtime.timestamp())


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _fail(stream: Stream, reason: str) -> None:
    stream.write(adb.encode_sync(adb.FAIL, reason.encode("utf-8", "replace")))
