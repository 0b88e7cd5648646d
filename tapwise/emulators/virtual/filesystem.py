"""The phone's files: in memory, laid out as on Android, never on the host's disk.

Entries are immutable and shared between copies, so that a snapshot costs one shallow copy of a dictionary.
Paths are absolute POSIX paths. Symbolic links are followed as by the kernel, /sdcard and its like among them;
/data/media/0, from which Android mounts the shared storage, is the same directory as /storage/emulated/0.
"""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from stat import S_IFDIR, S_IFLNK, S_IFREG, S_ISLNK
from typing import Final

SHARED_STORAGE: Final = "/storage/emulated/0"
_MOUNTED: Final = "/data/media/0"
_LINKS: Final = {
    "/sdcard": "/storage/self/primary",
    "/storage/self/primary": SHARED_STORAGE,
    "/mnt/sdcard": "/storage/self/primary",
    "/bin": "/system/bin",
    "/etc": "/system/etc",
}
_LIVE: Final = "/proc/"
_MOST_LINKS: Final = 40
"""followed in one path, as in the kernel"""
_DIRECTORIES: Final = (
    *("/data/app", "/data/data", "/data/local/tmp", "/data/media", "/dev", "/proc", "/system/bin", "/system/etc"),
    *("/storage/self", "/mnt", "/vendor", f"{SHARED_STORAGE}/Android/data"),
    *(f"{SHARED_STORAGE}/{name}" for name in ("Alarms", "DCIM", "Documents", "Download", "Movies", "Music")),
    *(f"{SHARED_STORAGE}/{name}" for name in ("Notifications", "Pictures", "Podcasts", "Recordings", "Ringtones")),
)
_CREATED: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class FileStat:
    """What `stat` tells. `mode` holds the type bits too; `owner` is an Android user name."""

    size: int
    mode: int
    mtime: datetime
    is_dir: bool
    owner: str
    link: str | None = None
    """where a symbolic link points, as it was written; None for everything else"""


@dataclass(frozen=True, slots=True)
class _Entry:
    data: bytes | None
    """None: a directory; of a link, the path it points to"""
    mode: int
    mtime: datetime

    @property
    def link(self) -> str | None:
        if self.data is None or not S_ISLNK(self.mode):
            return None
        return self.data.decode("utf-8", "surrogateescape")


class VirtualFileSystem:
    """Files and directories as a value: `copy`, `copy.deepcopy` and `pickle` work and are cheap.

    Methods raise what their host counterparts raise: FileNotFoundError, NotADirectoryError, IsADirectoryError,
    FileExistsError, PermissionError, and OSError with ENOTEMPTY, with ELOOP for links in a circle, or, beyond `quota`
    bytes of content, with ENOSPC.
    """

    def __init__(self, *, quota: int = 4 << 30, created: datetime = _CREATED) -> None:
        self.quota = quota
        self.refuses: Callable[[str], bool] | None = None
        """asked before each write whether there is no space for it; no part of the value"""
        self.live: Callable[[], Mapping[str, bytes]] | None = None
        """gives the files below /proc, which are made when they are read; no part of the value"""
        self._used = 0
        self._entries: dict[str, _Entry] = {"/": _Entry(None, S_IFDIR | 0o755, created)}
        self._children: dict[str, dict[str, None]] = {"/": {}}
        for path in _DIRECTORIES:
            self.make_directory(path, parents=True, exist_ok=True, mtime=created)
        self._children[posixpath.dirname(_MOUNTED)][posixpath.basename(_MOUNTED)] = None
        for path, target in _LINKS.items():
            self.symlink(target, path, created)

    @property
    def used(self) -> int:
        """Bytes of content held."""
        return self._used

    def copy(self) -> VirtualFileSystem:
        """An independent file system that shares the contents."""
        twin = VirtualFileSystem.__new__(VirtualFileSystem)
        twin.quota, twin.refuses, twin.live = self.quota, None, None
        twin._used = self._used
        twin._entries = dict(self._entries)
        twin._children = {path: dict(names) for path, names in self._children.items()}
        return twin

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "refuses": None, "live": None}

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

    def exists(self, path: str, *, follow: bool = True) -> bool:
        """Whether there is anything; with `follow` a link counts for what it points to."""
        try:
            place = self.resolve(path, follow=follow)
            return place in self._entries or self._made(place) is not None
        except OSError:
            return False

    def is_dir(self, path: str) -> bool:
        """Whether there is a directory, or a link to one."""
        try:
            place = self.resolve(path)
            made = self._made(place)
            return place in self._children or (made is not None and made.data is None)
        except OSError:
            return False

    def stat(self, path: str, *, follow: bool = True) -> FileStat:
        """Size in bytes, mode, modification time, kind and owner; of a link itself without `follow`."""
        place, entry = self._find(path, follow=follow)
        size = 4096 if entry.data is None else len(entry.data)
        return FileStat(size, entry.mode, entry.mtime, entry.data is None, _owner(place), entry.link)

    def resolve(self, path: str, *, follow: bool = True) -> str:
        """The one name of a path: absolute, without dots and links; without `follow` the last name may be a link's.

        What does not exist is left as it is written. Raises ValueError for a NUL byte and OSError for links in a
        circle and for `..` below what is no directory.
        """
        if "\0" in path:
            raise ValueError(f"path {path!r} holds a NUL byte")
        if ".." not in path:  # a name among the entries has no links before its end
            place = posixpath.normpath("/" + path.lstrip("/"))
            entry = self._entries.get(place)
            if entry is not None and (entry.link is None or not (follow or path.endswith("/"))):
                return place
        return self._walk_links(path, follow or path.endswith("/"))

    def _walk_links(self, path: str, follow: bool) -> str:
        names = path.split("/")[::-1]
        place, followed = "/", 0
        while names:
            name = names.pop()
            if name in ("", "."):
                continue
            if name == "..":
                if place not in self._children:
                    raise _error(errno.ENOTDIR if place in self._entries else errno.ENOENT, path)
                place = posixpath.dirname(place)
                continue
            below = posixpath.join(place, name)
            entry = self._entries.get(below)
            if entry is None or entry.link is None or not (follow or any(name not in ("", ".") for name in names)):
                place = SHARED_STORAGE if below == _MOUNTED else below
                continue
            followed += 1
            if followed > _MOST_LINKS:
                raise _error(errno.ELOOP, path)
            names += entry.link.split("/")[::-1]
            if entry.link.startswith("/"):
                place = "/"
        return place

    def listdir(self, path: str) -> list[str]:
        """Names in a directory, sorted."""
        place, entry = self._find(path)
        if entry.data is not None:
            raise _error(errno.ENOTDIR, path)
        return sorted({*self._children.get(place, ()), *self._made_in(place)})

    def walk(self, path: str, *, follow: bool = False) -> Iterator[str]:
        """The path itself and all below it, a directory before its contents, in sorted order.

        Links are not gone into but for the path itself, with `follow` or a slash at its end.
        """
        stat = self.stat(path, follow=follow or path.endswith("/"))
        yield path
        if stat.is_dir:
            for name in self.listdir(path):
                yield from self.walk(posixpath.join(path, name))

    def read(self, path: str) -> bytes:
        """A file's content."""
        _, entry = self._find(path)
        if entry.data is None:
            raise _error(errno.EISDIR, path)
        return entry.data

    def read_link(self, path: str) -> str:
        """Where a link points, as it was written. Raises OSError with EINVAL for what is no link."""
        link = self._find(path, follow=False)[1].link
        if link is None:
            raise _error(errno.EINVAL, path)
        return link

    # --- changes -----------------------------------------------------------------------------------------

    def write(self, path: str, data: bytes, mtime: datetime, mode: int | None = None) -> None:
        """Create or replace a file, or the one that a link points to.

        `mode` holds permission bits; None keeps those of an existing file.
        """
        place = self._new_place(path)
        old = self._entries.get(place)
        if old is not None and old.data is None:
            raise _error(errno.EISDIR, path)
        grown = len(data) - (len(old.data) if old is not None and old.data is not None else 0)
        if self._used + grown > self.quota or (self.refuses is not None and self.refuses(path)):
            raise _error(errno.ENOSPC, path)
        permissions = (old.mode & 0o7777 if old is not None else 0o660) if mode is None else mode & 0o7777
        self._used += grown
        self._place(place, _Entry(bytes(data), S_IFREG | permissions, mtime))

    def append(self, path: str, data: bytes, mtime: datetime) -> None:
        """Add to the end of a file, which is created when absent."""
        self.write(path, (self.read(path) if self.exists(path) else b"") + data, mtime)

    def symlink(self, target: str, path: str, mtime: datetime) -> None:
        """Create a link to a path, which need not exist; a relative one counts from the link's own directory.

        The shared storage holds no links, as on Android: PermissionError.
        """
        if self.exists(path, follow=False):
            raise _error(errno.EEXIST, path)
        place = self._new_place(path, follow=False)
        if _is_shared(place):
            raise _error(errno.EPERM, path)
        self._place(place, _Entry(target.encode("utf-8", "surrogateescape"), S_IFLNK | 0o777, mtime))

    def set_times(self, path: str, mtime: datetime, *, follow: bool = True) -> None:
        """Set the modification time of a file or directory; of a link itself without `follow`."""
        place, entry = self._find_kept(path, follow=follow)
        self._entries[place] = replace(entry, mtime=mtime)

    def set_mode(self, path: str, mode: int) -> None:
        """Set the permission bits of a file or directory."""
        place, entry = self._find_kept(path)
        self._entries[place] = replace(entry, mode=entry.mode & ~0o7777 | mode & 0o7777)

    def make_directory(
        self, path: str, *, parents: bool = False, exist_ok: bool = False, mtime: datetime | None = None
    ) -> None:
        """Create a directory; its time is `mtime`, else its parent's."""
        path = path.rstrip("/") or "/"
        if self.exists(path, follow=False):
            if exist_ok and self.is_dir(path):
                return
            raise _error(errno.EEXIST, path)
        parent = posixpath.dirname(self.resolve(path))
        if parents and not self.exists(parent):
            self.make_directory(parent, parents=True, mtime=mtime)
        place = self._new_place(path)
        time = mtime if mtime is not None else self._entries[parent].mtime
        self._children[place] = {}
        self._place(place, _Entry(None, S_IFDIR | 0o771, time))

    def remove(self, path: str, recursive: bool = False) -> None:
        """Remove a file or a link; with `recursive` also a directory and all below it."""
        place, entry = self._find_kept(path, follow=False)
        if entry.data is None and not recursive:
            raise _error(errno.EISDIR, path)
        self._remove(place)

    def remove_directory(self, path: str) -> None:
        """Remove an empty directory."""
        place, entry = self._find_kept(path, follow=False)
        if entry.data is not None:
            raise _error(errno.ENOTDIR, path)
        if self._children[place]:
            raise _error(errno.ENOTEMPTY, path)
        self._remove(place)

    def rename(self, old: str, new: str) -> None:
        """Move a file, link or directory to exactly `new`, replacing a file, a link or an empty directory there."""
        source, moved = self._find_kept(old, follow=False)
        target = self._new_place(new, follow=False)
        if source == target:
            return
        self._guard_mount(source)
        if (target + "/").startswith(source + "/"):
            raise _error(errno.EINVAL, new)
        if target in self._entries:
            is_dir = target in self._children
            if is_dir != (moved.data is None):
                raise _error(errno.EISDIR if is_dir else errno.ENOTDIR, new)
            if is_dir:
                self.remove_directory(target)
            else:
                self.remove(target)
        moving = list(self._kept(source))
        if _is_shared(target) and any(self._entries[path].link is not None for path in moving):
            raise _error(errno.EPERM, new)
        for path in moving:
            place = target + path[len(source) :]
            self._entries[place] = self._entries.pop(path)
            if path in self._children:
                self._children[place] = self._children.pop(path)
        self._unlink(source)
        self._place(target, moved)

    # --- inside ------------------------------------------------------------------------------------------

    def _find(self, path: str, *, follow: bool = True) -> tuple[str, _Entry]:
        place = self.resolve(path, follow=follow)
        entry = self._entries.get(place) or self._made(place)
        if entry is None:
            self._check_parents(place, path)
            raise _error(errno.ENOENT, path)
        if path.endswith("/") and entry.data is not None:
            raise _error(errno.ENOTDIR, path)
        return place, entry

    def _find_kept(self, path: str, *, follow: bool = True) -> tuple[str, _Entry]:
        """Something that can be changed. Raises PermissionError for what is only made when it is read."""
        place, entry = self._find(path, follow=follow)
        if place not in self._entries:
            raise _error(errno.EACCES, path)
        return place, entry

    def _kept(self, place: str) -> Iterator[str]:
        """As `walk`, without what is only made when it is read."""
        yield place
        for name in sorted(self._children.get(place, ())):
            yield from self._kept(posixpath.join(place, name))

    def _made(self, place: str) -> _Entry | None:
        """A file or directory that is there only while it is looked at."""
        if self.live is None or not place.startswith(_LIVE):
            return None
        files = self.live()
        if place in files:
            return _Entry(files[place], S_IFREG | 0o444, _CREATED)
        return _Entry(None, S_IFDIR | 0o555, _CREATED) if any(f.startswith(f"{place}/") for f in files) else None

    def _made_in(self, place: str) -> set[str]:
        """The names of what is made in a directory."""
        if self.live is None or not f"{place}/".startswith(_LIVE):
            return set()
        return {path[len(place) + 1 :].partition("/")[0] for path in self.live() if path.startswith(f"{place}/")}

    def _check_parents(self, place: str, path: str) -> None:
        parent = posixpath.dirname(place)
        while parent not in self._entries:
            parent = posixpath.dirname(parent)
        if parent not in self._children:
            raise _error(errno.ENOTDIR, path)

    def _new_place(self, path: str, *, follow: bool = True) -> str:
        place = self.resolve(path, follow=follow)
        if self.live is not None and place.startswith(_LIVE):
            raise _error(errno.EACCES, path)
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

    def _remove(self, place: str) -> None:
        self._guard_mount(place)
        for below in list(self._kept(place)):
            entry = self._entries.pop(below)
            self._used -= 0 if entry.link is not None else len(entry.data or b"")
            self._children.pop(below, None)
        self._unlink(place)

    def _unlink(self, place: str) -> None:
        parent, name = posixpath.split(place)
        del self._children[parent][name]

    def _guard_mount(self, place: str) -> None:
        """Refuse to take away a directory that the phone's layout stands on."""
        mounts = (SHARED_STORAGE, _MOUNTED, _LIVE.rstrip("/"), *_LINKS)
        if any((mount + "/").startswith(place.rstrip("/") + "/") for mount in mounts):
            raise _error(errno.EBUSY, place)


def _is_shared(place: str) -> bool:
    return place.startswith("/storage/emulated")


def _owner(place: str) -> str:
    if _is_shared(place):
        return "media_rw"
    return "shell" if place.startswith("/data/local") else "root"


def _error(number: int, path: str) -> OSError:
    return OSError(number, os.strerror(number), path)
