"""The phone's files: in memory, laid out as on Android, never on the host's disk.

Entries are immutable and shared between copies, so that a snapshot costs one shallow copy of a dictionary.
Paths are absolute POSIX paths; `.`, `..` and repeated slashes are resolved, and the names of the shared storage
(/sdcard, /storage/emulated/0, /data/media/0, ...) are the same directory.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

SHARED_STORAGE: Final = "/storage/emulated/0"
_ALIASES: Final = ("/sdcard", "/data/media/0", "/storage/self/primary", "/mnt/sdcard")
_DIRECTORIES: Final = (
    *("/data/app", "/data/data", "/data/local/tmp", "/data/media", "/dev", "/proc", "/system/bin", "/system/etc"),
    *("/storage/self", "/mnt", "/vendor", f"{SHARED_STORAGE}/Android/data"),
    *(f"{SHARED_STORAGE}/{name}" for name in ("Alarms", "DCIM", "Documents", "Download", "Movies", "Music")),
    *(f"{SHARED_STORAGE}/{name}" for name in ("Notifications", "Pictures", "Podcasts", "Recordings", "Ringtones")),
)
_CREATED: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
_S_IFDIR: Final = 0o040000
_S_IFREG: Final = 0o100000


@dataclass(frozen=True, slots=True)
class FileStat:
    """What `stat` tells. `mode` holds the type bits too; `owner` is an Android user name."""

    size: int
    mode: int
    mtime: datetime
    is_dir: bool
    owner: str


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes | None  # None: a directory
    mode: int
    mtime: datetime


class VirtualFileSystem:
    """Files and directories as a value: `copy`, `copy.deepcopy` and `pickle` work and are cheap.

    Methods raise what their host counterparts raise: FileNotFoundError, NotADirectoryError, IsADirectoryError,
    FileExistsError, PermissionError, and OSError with ENOTEMPTY or, beyond `quota` bytes of content, ENOSPC.
    """

    def __init__(self, *, quota: int = 4 << 30, created: datetime = _CREATED) -> None:
        self.quota = quota
        self.refuses: Callable[[str], bool] | None = None
        """asked before each write whether there is no space for it; no part of the value"""
        self._used = 0
        self._entries: dict[str, _Entry] = {"/": _Entry(None, _S_IFDIR | 0o755, created)}
        self._children: dict[str, dict[str, None]] = {"/": {}}
        for path in _DIRECTORIES:
            self.make_directory(path, parents=True, exist_ok=True, mtime=created)
        for alias in _ALIASES:
            parent, name = posixpath.split(alias)
            self._children[parent][name] = None

    @property
    def used(self) -> int:
        """Bytes of content held."""
        return self._used

    def copy(self) -> VirtualFileSystem:
        """An independent file system that shares the contents."""
        twin = VirtualFileSystem.__new__(VirtualFileSystem)
        twin.quota, twin.refuses = self.quota, None
        twin._used = self._used
        twin._entries = dict(self._entries)
        twin._children = {path: dict(names) for path, names in self._children.items()}
        return twin

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "refuses": None}

    def __deepcopy__(self, memo: dict[int, object]) -> VirtualFileSystem:
        return self.copy()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VirtualFileSystem) and self._entries == other._entries

    __hash__ = None  # type: ignore[assignment]  # mutable

    def fingerprint(self) -> str:
        """Hash of all paths, modes, times and contents."""
        digest = hashlib.sha256()
        for path, entry in sorted(self._entries.items()):
            digest.update(f"{path}\0{entry.mode}\0{entry.mtime.isoformat()}\0".encode())
            digest.update(b"d" if entry.data is None else hashlib.sha256(entry.data).digest())
        return digest.hexdigest()

    def contents(self) -> dict[str, bytes | None]:
        """Every path with the content of the file there, None for a directory."""
        return {path: entry.data for path, entry in self._entries.items()}

    # --- questions ---------------------------------------------------------------------------------------

    def exists(self, path: str) -> bool:
        """Whether there is a file or directory."""
        return resolve(path) in self._entries

    def is_dir(self, path: str) -> bool:
        """Whether there is a directory."""
        return resolve(path) in self._children

    def stat(self, path: str) -> FileStat:
        """Size in bytes, mode, modification time, kind and owner."""
        entry = self._entry(path)
        size = 4096 if entry.data is None else len(entry.data)
        return FileStat(size, entry.mode, entry.mtime, entry.data is None, _owner(resolve(path)))

    def listdir(self, path: str) -> list[str]:
        """Names in a directory, sorted."""
        if self._entry(path).data is not None:
            raise _error(errno.ENOTDIR, path)
        return sorted(self._children[resolve(path)])

    def walk(self, path: str) -> Iterator[str]:
        """The path itself and all below it, a directory before its contents, in sorted order."""
        self._entry(path)
        yield path
        if self.is_dir(path):
            for name in self.listdir(path):
                yield from self.walk(posixpath.join(path, name))

    def read(self, path: str) -> bytes:
        """A file's content."""
        data = self._entry(path).data
        if data is None:
            raise _error(errno.EISDIR, path)
        return data

    # --- changes -----------------------------------------------------------------------------------------

    def write(self, path: str, data: bytes, mtime: datetime, mode: int | None = None) -> None:
        """Create or replace a file. `mode` holds permission bits; None keeps those of an existing file."""
        place = self._new_place(path)
        old = self._entries.get(place)
        if old is not None and old.data is None:
            raise _error(errno.EISDIR, path)
        grown = len(data) - (len(old.data) if old is not None and old.data is not None else 0)
        if self._used + grown > self.quota or (self.refuses is not None and self.refuses(path)):
            raise _error(errno.ENOSPC, path)
        permissions = (old.mode & 0o7777 if old is not None else 0o660) if mode is None else mode & 0o7777
        self._used += grown
        self._place(place, _Entry(bytes(data), _S_IFREG | permissions, mtime))

    def append(self, path: str, data: bytes, mtime: datetime) -> None:
        """Add to the end of a file, which is created when absent."""
        self.write(path, (self.read(path) if self.exists(path) else b"") + data, mtime)

    def set_times(self, path: str, mtime: datetime) -> None:
        """Set the modification time of a file or directory."""
        self._entries[resolve(path)] = replace(self._entry(path), mtime=mtime)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permission bits of a file or directory."""
        entry = self._entry(path)
        self._entries[resolve(path)] = replace(entry, mode=entry.mode & ~0o7777 | mode & 0o7777)

    def make_directory(
        self, path: str, *, parents: bool = False, exist_ok: bool = False, mtime: datetime | None = None
    ) -> None:
        """Create a directory; its time is `mtime`, else its parent's."""
        if self.exists(path):
            if exist_ok and self.is_dir(path):
                return
            raise _error(errno.EEXIST, path)
        parent = posixpath.dirname(resolve(path))
        if parents and not self.exists(parent):
            self.make_directory(parent, parents=True, mtime=mtime)
        place = self._new_place(path)
        time = mtime if mtime is not None else self._entries[parent].mtime
        self._children[place] = {}
        self._place(place, _Entry(None, _S_IFDIR | 0o771, time))

    def remove(self, path: str, recursive: bool = False) -> None:
        """Remove a file; with `recursive` also a directory and all below it."""
        if self._entry(path).data is None and not recursive:
            raise _error(errno.EISDIR, path)
        self._remove(path)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        if self.listdir(path):
            raise _error(errno.ENOTEMPTY, path)
        self._remove(path)

    def rename(self, old: str, new: str) -> None:
        """Move a file or directory to exactly `new`, replacing a file or an empty directory there."""
        moved = self._entry(old)
        source, target = resolve(old), self._new_place(new)
        if source == target:
            return
        self._guard_mount(source)
        if (target + "/").startswith(source + "/"):
            raise _error(errno.EINVAL, new)
        if target in self._entries:
            if self.is_dir(target) != (moved.data is None):
                raise _error(errno.EISDIR if self.is_dir(target) else errno.ENOTDIR, new)
            if self.is_dir(target):
                self.remove_directory(target)
            else:
                self.remove(target)
        for path in list(self.walk(source)):
            place = target + path[len(source) :]
            self._entries[place] = self._entries.pop(path)
            if path in self._children:
                self._children[place] = self._children.pop(path)
        self._unlink(source)
        self._place(target, moved)

    # --- inside ------------------------------------------------------------------------------------------

    def _entry(self, path: str) -> _Entry:
        place = resolve(path)
        entry = self._entries.get(place)
        if entry is None:
            self._check_parents(place, path)
            raise _error(errno.ENOENT, path)
        if path.endswith("/") and entry.data is not None:
            raise _error(errno.ENOTDIR, path)
        return entry

    def _check_parents(self, place: str, path: str) -> None:
        parent = posixpath.dirname(place)
        while parent not in self._entries:
            parent = posixpath.dirname(parent)
        if parent not in self._children:
            raise _error(errno.ENOTDIR, path)

    def _new_place(self, path: str) -> str:
        place = resolve(path)
        if posixpath.dirname(place) not in self._children:
            self._check_parents(place, path)
            raise _error(errno.ENOENT, path)
        if path.endswith("/") and place not in self._children:
            raise _error(errno.EISDIR, path)
        return place

    def _place(self, place: str, entry: _Entry) -> None:
        self._entries[place] = entry
        parent, name = posixpath.split(place)
        if name not in self._children[parent]:
            self._children[parent][name] = None
            self._entries[parent] = replace(self._entries[parent], mtime=entry.mtime)

    def _remove(self, path: str) -> None:
        place = resolve(path)
        self._guard_mount(place)
        for below in list(self.walk(place)):
            entry = self._entries.pop(below)
            self._used -= len(entry.data or b"")
            self._children.pop(below, None)
        self._unlink(place)

    def _unlink(self, place: str) -> None:
        parent, name = posixpath.split(place)
        del self._children[parent][name]

    def _guard_mount(self, place: str) -> None:
        """Refuse to take away a directory that the phone's layout stands on."""
        if any((mount + "/").startswith(place.rstrip("/") + "/") for mount in (SHARED_STORAGE, *_ALIASES)):
            raise _error(errno.EBUSY, place)


def resolve(path: str) -> str:
    """The one name of a path: absolute, without dots, aliases of the shared storage replaced."""
    if "\0" in path:
        raise ValueError(f"path {path!r} holds a NUL byte")
    place = posixpath.normpath("/" + path.lstrip("/"))
    for alias in _ALIASES:
        if place == alias or place.startswith(alias + "/"):
            return SHARED_STORAGE + place[len(alias) :]
    return place


def _owner(place: str) -> str:
    if place.startswith("/storage/emulated"):
        return "media_rw"
    return "shell" if place.startswith("/data/local") else "root"


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
