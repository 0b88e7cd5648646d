"""The small services: fixed replies, and reboot."""

from __future__ import annotations

from collections.abc import Callable

from tapwise.emulators.adb.protocol import Buffer
from tapwise.emulators.virtual.wire.stream import Stream


class Reply:
    """Says something and closes."""

    def __init__(self, *chunks: Buffer) -> None:
        self._chunks = chunks

    def opened(self, stream: Stream) -> None:
        """Send the reply."""
        stream.write(*self._chunks)
        stream.close()

    def received(self, stream: Stream, data: bytes) -> None:
        """Input is ignored."""

    def closed(self, stream: Stream) -> None:
        """Nothing is held."""


class Reboot:
    """Closes the stream, then reboots."""

    def __init__(self, reboot: Callable[[], None]) -> None:
        self._reboot = reboot

    def opened(self, stream: Stream) -> None:
        """Reboot."""
        stream.end()
        self._reboot()

    def received(self, stream: Stream, data: bytes) -> None:
        """Input is ignored."""

    def closed(self, stream: Stream) -> None:
        """Nothing is held."""
