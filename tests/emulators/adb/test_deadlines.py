"""A peer that goes silent, whatever the client is doing: the deadline holds, nothing stays behind, and a new connection
works."""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from tapwise.emulators.adb.client import DirectAdb
from tapwise.emulators.adb.protocol import (
    MAX_PAYLOAD,
    VERSION,
    AuthKind,
    Command,
    Message,
    ShellId,
    encode,
    encode_banner,
    encode_shell,
    encode_sync,
)
from tapwise.errors import DeviceLost, DeviceTimeout
from tests.emulators.conftest import incoming

TIMEOUT_S = 0.15
SLACK_S = 1.0
HOST, OWN = 1, 7  # the client's first stream of a connection, and the peer's

Step = Command | bytes | Iterator[bytes]
"""wait for such a message; send; send on and on, a little at a time"""


def message(command: Command, payload: bytes = b"", own: int = OWN, host: int = HOST) -> bytes:
    return encode(Message(command, own, host, payload))


BANNER = encode_banner("device", {"ro.product.name": "silent"}, ("shell_v2", "cmd"))
GREETING = encode(Message(Command.CNXN, VERSION, MAX_PAYLOAD, BANNER))
AUTH = encode(Message(Command.AUTH, AuthKind.TOKEN, 0, bytes(20)))
OKAY = message(Command.OKAY)
CLSE = message(Command.CLSE)
GREETED: tuple[Step, ...] = (Command.CNXN, GREETING)
OPENED: tuple[Step, ...] = (*GREETED, Command.OPEN, OKAY)


def wrote(payload: bytes) -> bytes:
    return message(Command.WRTE, payload)


class Peer:
    """Each connection follows a script, and is silent from its end on until the client has closed it."""

    def __init__(self, receive_buffer: int = 0) -> None:
        self.scripts: list[Sequence[Step]] = []
        self.drains = threading.Event()
        self.ended = threading.Semaphore(0)
        self._listener = socket.socket()
        if receive_buffer:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen()
        self.port: int = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        self.drains.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listener.close()
        assert not self._thread.is_alive()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.settimeout(10)
            with connection:
                with contextlib.suppress(ConnectionError, EOFError):
                    self._follow(connection, self.scripts.pop(0))
                self.drains.wait(10)
                with contextlib.suppress(ConnectionError):
                    while connection.recv(1 << 16):
                        pass
            self.ended.release()

    def _follow(self, connection: socket.socket, script: Sequence[Step]) -> None:
        arriving = incoming(connection)
        for step in script:
            if isinstance(step, Command):
                while next(arriving).command is not step:
                    pass
            elif isinstance(step, bytes):
                connection.sendall(step)
            else:
                for piece in step:
                    connection.sendall(piece)
                    if self.drains.wait(0.01):
                        break


@pytest.fixture
def peer() -> Iterator[Peer]:
    found = Peer(receive_buffer=4096)
    yield found
    found.close()


def shell(adb: DirectAdb) -> None:
    adb.shell("ls", TIMEOUT_S)


def exec_out(adb: DirectAdb) -> None:
    adb.exec_out("screencap", TIMEOUT_S, 100_000)


def push(adb: DirectAdb) -> None:
    adb.push(b"few", "/sdcard/f", TIMEOUT_S)


def push_much(adb: DirectAdb) -> None:
    adb.push(bytes(30 << 20), "/sdcard/f", TIMEOUT_S)


def pull(adb: DirectAdb) -> None:
    adb.pull("/sdcard/f", TIMEOUT_S)


def reboot(adb: DirectAdb) -> None:
    adb.reboot(TIMEOUT_S)


def connect(adb: DirectAdb) -> None:
    adb.connect(TIMEOUT_S)


@dataclass(frozen=True)
class Stage:
    name: str
    call: Callable[[DirectAdb], None]
    script: Sequence[Step]


OUT = wrote(encode_shell(ShellId.STDOUT, b"some text"))
LONG = wrote(bytes(100_000))
DATA = encode_sync(b"DATA", b"contents")
ACKNOWLEDGED: tuple[Step, ...] = (*OPENED, Command.WRTE, OKAY)
STAGES = [
    *(
        Stage(f"{call.__name__}: {name}", call, script)
        for call in (connect, shell)
        for name, script in (
            ("accepted", ()),
            ("greeted by nobody", (Command.CNXN,)),
            ("half a header of CNXN", (Command.CNXN, GREETING[:11])),
            ("CNXN without its banner", (Command.CNXN, GREETING[:24])),
            ("half a banner", (Command.CNXN, GREETING[:-5])),
            ("AUTH without its token", (Command.CNXN, AUTH[:24])),
            ("half a token", (Command.CNXN, AUTH[:-5])),
            ("drips of a banner", (Command.CNXN, GREETING[:24], itertools.repeat(b"x", len(BANNER) - 1))),
        )
    ),
    *(
        Stage(f"{call.__name__}: {name}", call, script)
        for call in (shell, exec_out, push, pull, reboot)
        for name, script in (
            ("not opened", (*GREETED, Command.OPEN)),
            ("half an OKAY", (*GREETED, Command.OPEN, OKAY[:10])),
            ("a WRTE of another stream without payload", (*GREETED, message(Command.WRTE, b"abc", host=99)[:24])),
            ("a reverse OPEN without its name", (*GREETED, message(Command.OPEN, b"tcp:1\0")[:24])),
            ("other streams' noise", (*GREETED, itertools.repeat(message(Command.WRTE, b"abc", host=99)))),
            ("opened", OPENED),
        )
    ),
    *(
        Stage(f"{call.__name__}: {name}", call, script)
        for call in (shell, exec_out)
        for name, script in (
            ("half a header of WRTE", (*OPENED, OUT[:13])),
            ("WRTE without payload", (*OPENED, OUT[:24])),
            ("half a payload", (*OPENED, OUT[:-3])),
            ("half a long payload", (*OPENED, LONG[:70_000])),
            ("drips of a long payload", (*OPENED, LONG[:24], itertools.repeat(b"x"))),
            ("WRTE and no more", (*OPENED, OUT, Command.OKAY)),
            ("half a CLSE", (*OPENED, OUT, Command.OKAY, CLSE[:7])),
        )
    ),
    Stage(
        "shell: half a shell packet", shell, (*OPENED, wrote(encode_shell(ShellId.STDOUT, b"text")[:-2]), Command.OKAY)
    ),
    Stage(
        "shell: an exit status and no CLSE", shell, (*OPENED, wrote(encode_shell(ShellId.EXIT, b"\0")), Command.OKAY)
    ),
    Stage("exec_out: output without end", exec_out, (*OPENED, itertools.repeat(OUT))),
    Stage("push: half an OKAY for WRTE", push, (*OPENED, Command.WRTE, OKAY[:20])),
    Stage("push: no word on the file", push, ACKNOWLEDGED),
    Stage("push: half a word on it", push, (*ACKNOWLEDGED, wrote(encode_sync(b"OKAY")[:5]), Command.OKAY)),
    Stage("push: half a reason", push, (*ACKNOWLEDGED, wrote(encode_sync(b"FAIL", b"disk full")[:-3]), Command.OKAY)),
    Stage("push_much: nobody reads", push_much, OPENED),
    Stage("push_much: read once", push_much, ACKNOWLEDGED),
    Stage("push_much: nobody reads the OPEN", push_much, GREETED),
    Stage("pull: no word on the file", pull, ACKNOWLEDGED),
    Stage("pull: half a header of DATA", pull, (*ACKNOWLEDGED, wrote(DATA[:6]), Command.OKAY)),
    Stage("pull: half of DATA", pull, (*ACKNOWLEDGED, wrote(DATA[:-3]), Command.OKAY)),
    Stage("pull: DATA and no more", pull, (*ACKNOWLEDGED, wrote(DATA), Command.OKAY)),
    Stage("pull: half of DONE", pull, (*ACKNOWLEDGED, wrote(DATA + encode_sync(b"DONE")[:4]), Command.OKAY)),
    Stage(
        "pull: half a reason", pull, (*ACKNOWLEDGED, wrote(encode_sync(b"FAIL", b"no such file")[:-3]), Command.OKAY)
    ),
    Stage("pull: DATA without end", pull, (*ACKNOWLEDGED, itertools.repeat(wrote(DATA)))),
]


@pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
def test_silence_is_a_timeout_in_time_and_leaves_nothing(peer: Peer, stage: Stage) -> None:
    answer = wrote(encode_shell(ShellId.STDOUT, b"fine") + encode_shell(ShellId.EXIT, b"\0"))
    peer.scripts = [stage.script, (*OPENED, answer, Command.OKAY, CLSE)]
    adb = DirectAdb("127.0.0.1", peer.port)
    threads = set(threading.enumerate())
    started = time.monotonic()
    with pytest.raises(DeviceTimeout):
        stage.call(adb)
    took_s = time.monotonic() - started
    assert 0.9 * TIMEOUT_S < took_s < TIMEOUT_S + SLACK_S
    assert set(threading.enumerate()) == threads
    peer.drains.set()
    assert peer.ended.acquire(timeout=5)  # the client's socket is closed, or the peer would have read on
    adb.connect(5)
    assert adb.is_alive()
    assert adb.shell("ls", 5).stdout == b"fine"
    adb.close()
    assert peer.ended.acquire(timeout=5)


def test_a_port_that_accepts_nobody_is_a_timeout_in_time() -> None:
    with socket.socket() as listener, contextlib.ExitStack() as stack:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        for _ in range(4):  # the queue of those who wait to be accepted is full then
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        adb = DirectAdb("127.0.0.1", port)
        started = time.monotonic()
        with pytest.raises(DeviceTimeout, match="did not accept a connection"):
            adb.connect(TIMEOUT_S)
        assert time.monotonic() - started < TIMEOUT_S + SLACK_S


def test_a_silent_peer_does_not_hold_up_the_end(peer: Peer) -> None:
    peer.scripts = [OPENED]
    adb = DirectAdb("127.0.0.1", peer.port)
    caught: list[BaseException] = []

    def wait() -> None:
        try:
            adb.pull("/sdcard/f", 30)
        except DeviceLost as error:
            caught.append(error)

    reading = threading.Thread(target=wait)
    reading.start()
    deadline = time.monotonic() + 5
    while adb._link is None and time.monotonic() < deadline:
        time.sleep(0.001)
    started = time.monotonic()
    adb.close()
    assert time.monotonic() - started < SLACK_S
    reading.join(5)
    assert len(caught) == 1
    peer.drains.set()
    assert peer.ended.acquire(timeout=5)


def test_a_file_that_is_there_is_not_lost_to_a_peer_that_is_silent_at_the_end(peer: Peer) -> None:
    done = wrote(DATA + encode_sync(b"DONE"))
    peer.scripts = [(*ACKNOWLEDGED, done, Command.OKAY)]
    adb = DirectAdb("127.0.0.1", peer.port)
    assert adb.pull("/sdcard/f", TIMEOUT_S) == b"contents"
    with pytest.raises(DeviceTimeout):
        adb.pull("/sdcard/f", TIMEOUT_S)  # now its silence is noticed
    adb.close()
    peer.drains.set()
    assert peer.ended.acquire(timeout=5)
