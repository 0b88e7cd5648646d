"""Installing an APK that the host streams: its bytes follow the command, the verdict follows them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Final

from tapwise.emulators.virtual.apk import ApkError, read_apk
from tapwise.emulators.virtual.wire.stream import Stream

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

LARGEST_APK: Final = 1 << 30


class Install:
    """Takes `size` bytes, installs them, and says how it went."""

    def __init__(self, phone: VirtualPhone, size: int) -> None:
        self._phone = phone
        self._size = size
        self._data = bytearray()

    def opened(self, stream: Stream) -> None:
        """Wait for the bytes; too many are refused before they come."""
        if self._size > LARGEST_APK:
            stream.write(b"Failure [INSTALL_FAILED_INSUFFICIENT_STORAGE: the APK is too large]\n")
            stream.close()
        elif self._size == 0:
            self._finish(stream)

    def received(self, stream: Stream, data: bytes) -> None:
        """Take bytes."""
        if len(self._data) < self._size:
            self._data += data
            if len(self._data) >= self._size:
                self._finish(stream)

    def _finish(self, stream: Stream) -> None:
        stream.write(install(self._phone, bytes(self._data)).encode())
        stream.close()

    def closed(self, stream: Stream) -> None:
        """A host that goes away half-way installs nothing."""
        self._data.clear()


def install(phone: VirtualPhone, data: bytes) -> str:
    """Install an APK; the verdict in the package manager's words."""
    try:
        return phone.install(read_apk(data)) + "\n"
    except ApkError as error:
        return f"Failure [INSTALL_PARSE_FAILED_NOT_APK: {error}]\n"


def streamed_size(words: list[str]) -> int | None:
    """How many bytes follow `package install ... -S SIZE`; None for another command."""
    if words[:2] != ["package", "install"] or "-S" not in words[:-1]:
        return None
    size = words[words.index("-S") + 1]
    return int(size) if size.isascii() and size.isdecimal() else None


def exec_words(command: str) -> list[str]:
    """The words behind `cmd` of a simple command; empty for anything else."""
    try:
        words = shlex.split(command)
    except ValueError:
        return []
    return words[1:] if words[:1] == ["cmd"] else []
