"""The shell services: `shell:` and `exec:` with bare bytes, `shell,v2:` with split streams and an exit status."""

from __future__ import annotations

import logging
from collections.abc import Iterator

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.adb.protocol import Buffer, ShellId
from tapwise.emulators.virtual.shell.session import Chunks, PhoneShell, Result, ShellSession, wants_stdin
from tapwise.emulators.virtual.wire.stream import Stream
from tapwise.emulators.virtual.wire.terminal import Terminal

PROMPT = b"phone:/ # "
INTERNAL_ERROR = 255
_MOST_UNREAD = 1 << 20

_log = logging.getLogger(__name__)


def _run(session: ShellSession, source: str, stdin: bytes = b"", *, split: bool = True) -> Result:
    try:
        return session.run(source, stdin, split=split)
    except Exception as error:  # a fault in one of the phone's apps must not take the link down with it
        _log.exception("command %r failed inside the phone", source)
        message = f"tapwise phone: internal error in {source[:80]!r}: {type(error).__name__}: {error}\n".encode()
        return Result([], [message], INTERNAL_ERROR) if split else Result([message], [], INTERNAL_ERROR)


class RawShell:
    """Output and errors in one sequence of bytes, no status. An empty command is an interactive shell."""

    def __init__(self, shell: PhoneShell, source: str) -> None:
        self._session = shell.session(interactive=not source)
        self._source = source
        self._stdin = bytearray()
        self._terminal = Terminal(echoes=True)
        self._waiting = wants_stdin(source)

    def opened(self, stream: Stream) -> None:
        """Run the command, unless it reads what the host is yet to send."""
        if not self._source:
            stream.write(PROMPT)
        elif not self._waiting:
            result = _run(self._session, self._source, split=False)
            stream.write(*result.stdout)
            if result.goes_on:
                self._session.listen(lambda data: _add(stream, data))
            else:
                stream.close()

    def received(self, stream: Stream, data: bytes) -> None:
        """Take standard input."""
        if self._source:
            self._stdin += data
            return
        typed = self._terminal.feed(data)
        stream.write(typed.echo)
        for line in typed.lines:
            result = _run(self._session, line, split=False)
            stream.write(self._terminal.shown(b"".join(result.stdout)))
            if self._session.ended:
                break
            stream.write(PROMPT)
        if typed.ended or self._session.ended:
            stream.close()

    def closed(self, stream: Stream) -> None:
        """The host has sent all of standard input and wants no output."""
        if self._waiting:
            self._waiting = False
            _run(self._session, self._source, bytes(self._stdin), split=False)
        self._session.close()


class ShellV2:
    """Shell packets: standard output and error apart, then the exit status."""

    def __init__(self, shell: PhoneShell, source: str, *, terminal: bool = False) -> None:
        self._session = shell.session(interactive=not source)
        self._source = source
        self._stdin = bytearray()
        self._decoder = adb.ShellDecoder()
        self._terminal = Terminal(echoes=terminal)
        self._waiting = wants_stdin(source)
        self._finished = False

    def opened(self, stream: Stream) -> None:
        """Run the command, unless it reads what the host is yet to send."""
        if not self._source:
            stream.write(adb.encode_shell(ShellId.STDOUT, PROMPT))
        elif not self._waiting:
            self._finish(stream, _run(self._session, self._source))

    def received(self, stream: Stream, data: bytes) -> None:
        """Take shell packets."""
        for packet in self._decoder.feed(data):
            if self._finished:
                return
            if packet.id is ShellId.STDIN:
                if self._source:
                    self._stdin += packet.data
                else:
                    self._interact(stream, packet.data)
            elif packet.id is ShellId.CLOSE_STDIN:
                self._end_of_input(stream)

    def _interact(self, stream: Stream, data: bytes) -> None:
        typed = self._terminal.feed(data)
        self._show(stream, ShellId.STDOUT, typed.echo)
        for line in typed.lines:
            result = _run(self._session, line)
            self._show(stream, ShellId.STDOUT, self._terminal.shown(b"".join(result.stdout)))
            self._show(stream, ShellId.STDERR, self._terminal.shown(b"".join(result.stderr)))
            if self._session.ended:
                self._finish(stream, Result([], [], result.status))
                return
            self._show(stream, ShellId.STDOUT, PROMPT)
        if typed.ended:
            self._finish(stream, Result([], [], 0))

    def _show(self, stream: Stream, packet_id: ShellId, data: bytes) -> None:
        stream.write(*_packets(packet_id, [data] if data else []))

    def _end_of_input(self, stream: Stream) -> None:
        if not self._source:
            self._finish(stream, Result([], [], 0))
        elif self._waiting:
            self._waiting = False
            self._finish(stream, _run(self._session, self._source, bytes(self._stdin)))

    def _finish(self, stream: Stream, result: Result) -> None:
        self._finished = True
        stream.write(*_packets(ShellId.STDOUT, result.stdout), *_packets(ShellId.STDERR, result.stderr))
        if result.goes_on:
            self._session.listen(lambda data: _add(stream, *_packets(ShellId.STDOUT, [data])))
        else:
            stream.write(adb.encode_shell(ShellId.EXIT, bytes([result.status & 0xFF])))
            stream.close()

    def closed(self, stream: Stream) -> None:
        """End the programs that go on."""
        self._session.close()


def _add(stream: Stream, *chunks: Buffer) -> None:
    """Write what a program says later, unless the host does not read it."""
    if stream.queued < _MOST_UNREAD:
        stream.write(*chunks)


def _packets(packet_id: ShellId, chunks: Chunks) -> Iterator[Buffer]:
    """Headers and data of packets, the data uncopied."""
    for chunk in chunks:
        data = memoryview(chunk)
        for start in range(0, len(data), adb.MAX_SHELL_DATA):
            piece = data[start : start + adb.MAX_SHELL_DATA]
            yield adb.encode_shell_header(packet_id, len(piece))
            yield piece
