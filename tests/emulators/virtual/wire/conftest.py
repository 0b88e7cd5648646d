from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import adbutils
import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.serve import PhoneServer

ADB = Path(adbutils.__file__).parent / "binaries" / "adb"
DEBIAN_ADB = Path("/usr/bin/adb")


class RunningPhones:
    """Phones that are served from a thread with an event loop of its own."""

    def __init__(self, count: int) -> None:
        self.phones = [VirtualPhone(seed=seed) for seed in range(count)]
        self.server = PhoneServer()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        start = asyncio.run_coroutine_threadsafe(self.server.start(self.phones), self._loop)
        self.ports = list(start.result(10))

    def call(self, action: Callable[[], None]) -> None:
        """Run something in the server's thread."""

        async def act() -> None:
            action()

        asyncio.run_coroutine_threadsafe(act(), self._loop).result(10)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self.server.close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


@dataclass
class AdbProgram:
    """The real adb, with a server of its own."""

    program: Path
    port: int
    environment: dict[str, str]

    def run(self, *arguments: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [str(self.program), "-P", str(self.port), *arguments],
            input=stdin if stdin is not None else b"",
            capture_output=True,
            timeout=20,
            env=self.environment,
            check=False,
        )


@pytest.fixture(scope="module")
def phones() -> Iterator[RunningPhones]:
    running = RunningPhones(2)
    yield running
    running.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        select.select([], [], [], 0.01)
    raise AssertionError(f"adb server did not listen on {port}; status {server.poll()}")


@pytest.fixture(scope="module", params=[ADB, DEBIAN_ADB], ids=["adb-bundled", "adb-debian"])
def adb(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdbProgram]:
    program: Path = request.param
    if not program.exists():
        pytest.skip(f"{program} is not installed")
    home = tmp_path_factory.mktemp("home")
    environment = {**os.environ, "HOME": str(home), "ADB_MDNS": "0", "ADB_MDNS_AUTO_CONNECT": "0"}
    environment.pop("ANDROID_SERIAL", None)
    port = free_port()
    command = [str(program), "-P", str(port), "nodaemon", "server"]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for_port(port, server)
        yield AdbProgram(program, port, environment)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


@pytest.fixture(scope="module")
def serial(adb: AdbProgram, phones: RunningPhones) -> str:
    serial = f"127.0.0.1:{phones.ports[0]}"
    assert b"connected to" in adb.run("connect", serial).stdout
    return serial
