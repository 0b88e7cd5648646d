"""Android's index of pictures, sounds and films on the shared storage, behind `content://media/...`.

As since Android 11, where the index sees every file operation there, it is a function of the files: a scan finds
nothing that it did not know.
"""

from __future__ import annotations

import posixpath
import zlib
from collections.abc import Callable, Iterator, Mapping

from tapwise.emulators.virtual.app import ContentRow, Table
from tapwise.emulators.virtual.filesystem import SHARED_STORAGE, VirtualFileSystem

VOLUMES = ("external", "external_primary")
_TYPES = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp3": "audio/mpeg",
    "wav": "audio/x-wav",
    "m4a": "audio/mp4",
    "ogg": "audio/ogg",
    "flac": "audio/flac",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "mkv": "video/x-matroska",
    "3gp": "video/3gpp",
    "txt": "text/plain",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "html": "text/html",
}
_KINDS = {"images": ("image", 1), "audio": ("audio", 2), "video": ("video", 3)}
"""the collections: how their types begin, and MediaStore's number of them"""
_FIRST_ID = 1_000_000_000
_IDS = 1 << 20
_PRIVATE = f"{SHARED_STORAGE}/Android/"
_PNG_HEADER = b"\x89PNG\r\n\x1a\n"


class MediaStore:
    """The collections of the shared storage; `files` gives the present file system."""

    def __init__(self, files: Callable[[], VirtualFileSystem]) -> None:
        self._files = files

    def tables(self) -> Mapping[str, Table]:
        """Every collection by its URI."""
        found: dict[str, Table] = {}
        for volume in VOLUMES:
            found |= {f"content://media/{volume}/{kind}/media": MediaTable(self._files, kind) for kind in _KINDS}
            found[f"content://media/{volume}/file"] = MediaTable(self._files, None)
        return found


class MediaTable:
    """One collection; that of all files when `kind` is None. A row that is deleted takes its file along, and one with
    another name renames it."""

    def __init__(self, files: Callable[[], VirtualFileSystem], kind: str | None) -> None:
        self._files, self._kind = files, kind

    def query(self) -> list[ContentRow]:
        """A row for each file of the kind, in the order of their paths."""
        used: set[int] = set()
        rows = [self._row(path, used) for path in self._paths()]
        return [row for row in rows if self._kind is None or row["media_type"] == _KINDS[self._kind][1]]

    def insert(self, values: ContentRow) -> None:
        """An empty file at `_data`, or of `_display_name` in `relative_path`. Raises KeyError without either."""
        folder = str(values.get("relative_path") or "Download").strip("/")
        path = values.get("_data") or f"{SHARED_STORAGE}/{folder}/{values['_display_name']}"
        files = self._files()
        if not files.exists(str(path)):
            files.write(str(path), b"", files.stat(SHARED_STORAGE).mtime)

    def update(self, values: ContentRow, matches: Callable[[ContentRow], bool]) -> int:
        """Rename; other columns come from the files themselves."""
        rows = [row for row in self.query() if matches(row)]
        for row in rows:
            path = str(row["_data"])
            target = values.get("_data") or posixpath.join(
                posixpath.dirname(path), str(values.get("_display_name") or row["_display_name"])
            )
            if target != path:
                self._files().rename(path, str(target))
        return len(rows)

    def delete(self, matches: Callable[[ContentRow], bool]) -> int:
        """Remove the rows' files."""
        paths = [str(row["_data"]) for row in self.query() if matches(row)]
        for path in paths:
            self._files().remove(path)
        return len(paths)

    def _paths(self) -> Iterator[str]:
        files = self._files()
        hidden: list[str] = []
        for path in files.walk(SHARED_STORAGE):
            if any(path.startswith(f"{folder}/") for folder in hidden) or f"{path}/".startswith(_PRIVATE):
                continue
            stat = files.stat(path, follow=False)
            if stat.is_dir:
                if files.exists(f"{path}/.nomedia") or posixpath.basename(path).startswith("."):
                    hidden.append(path)
            elif stat.link is None and not posixpath.basename(path).startswith("."):
                yield path

    def _row(self, path: str, used: set[int]) -> ContentRow:
        files, (folder, name) = self._files(), posixpath.split(path)
        stat, (stem, extension) = files.stat(path), posixpath.splitext(name)
        mime = _TYPES.get(extension[1:].lower())
        number = next((n for start, n in _KINDS.values() if mime is not None and mime.startswith(start)), 0)
        identity = _FIRST_ID + zlib.crc32(path.encode("utf-8", "surrogateescape")) % _IDS
        while identity in used:
            identity += 1
        used.add(identity)
        seconds = int(stat.mtime.timestamp())
        row: ContentRow = {
            "_id": identity,
            "_display_name": name,
            "_data": path,
            "mime_type": mime,
            "_size": stat.size,
            "date_added": seconds,
            "date_modified": seconds,
            "title": stem,
            "relative_path": f"{posixpath.relpath(folder, SHARED_STORAGE)}/" if folder != SHARED_STORAGE else "/",
            "bucket_display_name": posixpath.basename(folder) if folder != SHARED_STORAGE else None,
            "media_type": number,
            "is_pending": 0,
        }
        if self._kind == "images":
            row |= dict(zip(("width", "height"), _size_of(files.read(path)), strict=True))
        if self._kind == "audio":
            row |= {"artist": "<unknown>", "album": posixpath.basename(folder), "duration": None}
        return row


def _size_of(picture: bytes) -> tuple[int | None, int | None]:
    """Width and height in pixels of a PNG; unknown for other forms."""
    if not picture.startswith(_PNG_HEADER) or len(picture) < 24:
        return None, None
    return int.from_bytes(picture[16:20], "big"), int.from_bytes(picture[20:24], "big")
