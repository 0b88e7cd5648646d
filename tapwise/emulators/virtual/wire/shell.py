"""The shell services: `shell:` and `exec:` with bare bytes, `shell,v2:` with split streams and an exit status."""

from __future__ import annotations

from collections.abc import Iterator

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.adb.protocol import Buffer, ShellId
from tapwise.emulators.virtual.shell.session import Chunks, PhoneShell, Result, ShellSession, wants_stdin
from tapwise.emulators.virtual.wire.stream import Stream

PROMPT = b"phone:/ # "


class _Lines:
    """Input of an interactive shell, cut into lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """The lines that `data` completes."""
        *lines, self._rest = (self._rest + data.replace(b"\r", b"\n")).split(b"\n")
        return [line.decode("utf-8", "surrogateescape") for line in lines]


class RawShell:
    """Output and errors in one sequence of bytes, no status. An empty command is an interactive shell."""

    def __init__(self, shell: PhoneShell, source: str) -> None:
        self._shell = shell
        self._source = source
        self._stdin = bytearray()
        self._lines = _Lines()
        self._session: ShellSession | None = None
        self._waiting = wants_stdin(source)

    def opened(self, stream: Stream) -> None:
        """Run the command, unless it reads what the host is yet to send."""
        if not self._source:
            self._session = self._shell.session()
            stream.write(PROMPT)
        elif not self._waiting:
            stream.write(*self._shell.run(self._source, split=False).stdout)
            stream.close()

    def received(self, stream: Stream, data: bytes) -> None:
        """Take standard input."""
        if self._session is None:
            self._stdin += data
            return
        for line in self._lines.feed(data):
            stream.write(*self._session.run(line, split=False).stdout)
            if self._session.ended:
                stream.close()
                return
            stream.write(PROMPT)

    def closed(self, stream: Stream) -> None:
        """The host has sent all of standard input and wants no output."""
        if self._waiting:
            self._waiting = False
            self._shell.run(self._source, bytes(self._stdin), split=False)


class ShellV2:
    """Shell packets: standard output and error apart, then the exit status."""

    def __init__(self, shell: PhoneShell, source: str) -> None:
        self._shell = shell
        self._source = source
        self._stdin = bytearray()
        self._decoder = adb.ShellDecoder()
        self._lines = _Lines()
        self._session: ShellSession | None = None
        self._waiting = wants_stdin(source)
        self._finished = False

    def opened(self, stream: Stream) -> None:
        """Run the command, unless it reads what the host is yet to send."""
        if not self._source:
            self._session = self._shell.session()
            stream.write(adb.encode_shell(ShellId.STDOUT, PROMPT))
        elif not self._waiting:
            self._finish(stream, self._shell.run(self._source))

    def received(self, stream: Stream, data: bytes) -> None:
        """Take shell packets."""
        for packet in self._decoder.feed(data):
            if self._finished:
                return
            if packet.id is ShellId.STDIN:
                if self._session is None:
                    self._stdin += packet.data
                else:
                    self._interact(stream, self._session, packet.data)
            elif packet.id is ShellId.CLOSE_STDIN:
                self._end_of_input(stream)

    def _interact(self, stream: Stream, session: ShellSession, data: bytes) -> None:
        for line in self._lines.feed(data):
            result = session.run(line)
            if session.ended:
                self._finish(stream, result)
                return
            stream.write(*_packets(ShellId.STDOUT, result.stdout), *_packets(ShellId.STDERR, result.stderr))
            stream.write(adb.encode_shell(ShellId.STDOUT, PROMPT))

    def _end_of_input(self, stream: Stream) -> None:
        if self._session is not None:
            self._finish(stream, Result([], [], 0))
        elif self._waiting:
            self._waiting = False
            self._finish(stream, self._shell.run(self._source, bytes(self._stdin)))

    def _finish(self, stream: Stream, result: Result) -> None:
        self._finished = True
        stream.write(
            *_packets(ShellId.STDOUT, result.stdout),
            *_packets(ShellId.STDERR, result.stderr),
            adb.encode_shell(ShellId.EXIT, bytes([result.status & 0xFF])),
        )
        stream.close()

    def closed(self, stream: Stream) -> None:
        """Nothing is held."""


def _packets(packet_id: ShellId, chunks: Chunks) -> Iterator[Buffer]:
    """Headers and data of packets, the data uncopied."""
    for chunk in chunks:
        data = memoryview(chunk)
        for start in range(0, len(data), adb.MAX_SHELL_DATA):
            piece = data[start : start + adb.MAX_SHELL_DATA]
            yield adb.encode_shell_header(packet_id, len(piece))
            yield piece
