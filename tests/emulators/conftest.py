"""A tiny ADB responder: the device's end of the wire, scripted by the test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from tapwise.emulators.adb.protocol import (
    MAX_PAYLOAD,
    VERSION,
    Command,
    Decoder,
    Message,
    ShellId,
    encode,
    encode_banner,
    encode_shell,
)

Answer = list[bytes] | None


def shell_answer(stdout: bytes = b"", stderr: bytes = b"", exit_code: int = 0) -> bytes:
    return (
        encode_shell(ShellId.STDOUT, stdout)
        + encode_shell(ShellId.STDERR, stderr)
        + encode_shell(ShellId.EXIT, bytes([exit_code]))
    )


def incoming(connection: socket.socket) -> Iterator[Message]:
    """What arrives on a connection, until the other side closes it: EOFError."""
    decoder = Decoder()
    while data := connection.recv(1 << 16):
        yield from decoder.feed(data)
    raise EOFError


class Responder:
    """Serves one connection after the other. `answer(service, received)` gives the pieces to write, or None to
    refuse; `greeting` may replace the device's CNXN; `hung` makes it read on and never answer."""

    def __init__(self) -> None:
        self.answer: Callable[[str, bytes], Answer] = lambda service, received: [shell_answer(service.encode())]
        self.sync_done: Callable[[bytes], bool] = lambda received: True
        self.greeting: bytes | None = None
        self.hung = False
        self.services: list[str] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection, contextlib.suppress(ConnectionError, EOFError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        messages = incoming(connection)
        next(messages)
        features = encode_banner("device", {"ro.product.name": "fake"}, ("shell_v2", "cmd"))
        connection.sendall(self.greeting or encode(Message(Command.CNXN, VERSION, MAX_PAYLOAD, features)))
        for message in messages:
            if self.hung or message.command is not Command.OPEN:
                continue
            self._stream(connection, messages, message)

    def _stream(self, connection: socket.socket, messages: Iterator[Message], opening: Message) -> None:
        host, own = opening.arg0, 7
        service = opening.payload.rstrip(b"\0").decode()
        self.services.append(service)
        received = b""
        if service == "sync:":
            connection.sendall(encode(Message(Command.OKAY, own, host)))
            while not self.sync_done(received):
                message = next(messages)
                assert message.command is Command.WRTE
                received += message.payload
                connection.sendall(encode(Message(Command.OKAY, own, host)))
        pieces = self.answer(service, received)
        if pieces is None:
            connection.sendall(encode(Message(Command.CLSE, 0, host)))
            return
        if service != "sync:":
            connection.sendall(encode(Message(Command.OKAY, own, host)))
        for piece in pieces:
            connection.sendall(encode(Message(Command.WRTE, own, host, piece)))
            while (message := next(messages)).command is not Command.OKAY:
                assert message.command is Command.CLSE
        connection.sendall(encode(Message(Command.CLSE, own, host)))


@pytest.fixture
def responder() -> Iterator[Responder]:
    server = Responder()
    yield server
    server.close()
