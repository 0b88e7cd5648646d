from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tapwise.cli.phone import run
from tapwise.emulators.adb import protocol as adb
from tapwise.errors import ConfigError

PROGRAM = "import sys; from tapwise.cli.phone import run; sys.exit(run(sys.argv[1:]))"


class Program:
    """`tapwise phone` in a process group of its own."""

    def __init__(self, *options: str) -> None:
        command = [sys.executable, "-c", PROGRAM, "--json", "--port", "0", *options]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True, env=environment
        )

    def announced(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        ready, _, _ = select.select([self.process.stdout], [], [], 30)
        assert ready, "the phone said nothing"
        return dict(json.loads(self.process.stdout.readline()))

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()


@pytest.fixture
def program(request: pytest.FixtureRequest) -> Iterator[Program]:
    running = Program(*getattr(request, "param", ()))
    yield running
    running.end()


@pytest.mark.parametrize("program", [("--count", "2", "--seed", "5", "--size", "360x800")], indirect=True)
def test_phones_announce_themselves_and_end_on_sigterm(program: Program) -> None:
    announced = program.announced()
    phones = announced["phones"]
    assert announced["pid"] == program.process.pid
    assert [(phone["seed"], phone["size"]) for phone in phones] == [(5, "360x800"), (6, "360x800")]
    for phone in phones:
        assert phone["serial"] == f"127.0.0.1:{phone['port']}"
        with socket.create_connection(("127.0.0.1", phone["port"]), timeout=10) as host:
            host.sendall(adb.encode(adb.Message(adb.Command.CNXN, adb.VERSION, adb.MAX_PAYLOAD, b"host::")))
            assert host.recv(4) == b"CNXN"
    program.process.send_signal(signal.SIGTERM)
    assert program.process.wait(10) == 0


@pytest.mark.parametrize("program", [("--end-with-stdin",)], indirect=True)
def test_the_program_ends_with_its_standard_input(program: Program) -> None:
    program.announced()
    assert program.process.stdin is not None
    program.process.stdin.close()
    assert program.process.wait(10) == 0


def test_a_taken_port_is_named() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConfigError, match=rf"port {port} .* --port 0"):
            run(["--port", str(port)])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "big"], "WIDTHxHEIGHT"),
        (["--count", "0"], "--count"),
        (["--port", "70000"], "70000"),
        (["--noise", "x=1"], "x=1"),
    ],
)
def test_wrong_options_are_explained(options: list[str], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        run(options)
