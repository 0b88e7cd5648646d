from __future__ import annotations

import contextlib
import gc
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import adbutils
import pytest

BUNDLED = Path(adbutils.__file__).parent / "binaries" / "adb"
DEBIAN = Path("/usr/bin/adb")
PROGRAM = "import sys; from tapwise.emulators.virtual.emulator.program import main; sys.exit(main())"


def free_ports(count: int) -> list[int]:
    """Different ports that are free now."""
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [int(probe.getsockname()[1]) for probe in probes]


def console_port() -> int:
    """An even port, free together with the next one, outside the range that every adb server scans."""
    for port in free_ports(40):
        with contextlib.suppress(OSError), socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", port // 2 * 2))
            second.bind(("127.0.0.1", port // 2 * 2 + 1))
            return port // 2 * 2
    raise AssertionError("no free pair of ports")


@dataclass
class Emulator:
    """A running program, and what it said."""

    process: subprocess.Popen[str]
    port: int

    @property
    def serial(self) -> str:
        return f"emulator-{self.port}"

    def end(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            os.killpg(self.process.pid, number)
        return self.process.wait(20)


@dataclass
class Host:
    """A home folder, an adb server of its own, and emulators that belong to it."""

    home: Path
    adb: Path
    server_port: int
    environment: dict[str, str]

    def call(self, *arguments: str, timeout: float = 20) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.adb), "-P", str(self.server_port), *arguments],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            env=self.environment,
            check=False,
        )

    def emulate(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
            start_new_session=True,
        )


def wait_for(condition: Callable[[], bool], what: str, timeout_s: float = 20) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, f"not in {timeout_s} s: {what}"
        select.select([], [], [], 0.02)


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module", params=[BUNDLED, DEBIAN], ids=["adb-bundled", "adb-debian"])
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    if not shutil.which(str(request.param)):
        pytest.skip(f"{request.param} is not installed")
    home = tmp_path_factory.mktemp("home")
    (port,) = free_ports(1)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANDROID_", "ADB_"))},
        "HOME": str(home),
        "ADB_MDNS": "0",
        "ADB_MDNS_AUTO_CONNECT": "0",
        "ANDROID_ADB_SERVER_PORT": str(port),
    }
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [str(request.param), "-P", str(port), "nodaemon", "server"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_for(lambda: listens(port), "the adb server listens")
        yield Host(home, request.param, port, environment)
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait(10)


@pytest.fixture
def collected() -> Iterator[None]:
    """For tests of android-env, which leaves the programs of its log readers, and their pipes, to the collector: it is
    called before other tests, which take warnings for errors, can meet them."""
    yield
    gc.collect()

    def all_reaped() -> bool:
        subprocess._cleanup()  # type: ignore[attr-defined]
        return not subprocess._active  # type: ignore[attr-defined]

    wait_for(all_reaped, "the log readers end")
    gc.collect()


@pytest.fixture
def start(host: Host) -> Iterator[Callable[..., Emulator]]:
    """Starts emulators, which are ended with the test."""
    running: list[Emulator] = []

    def begin(*arguments: str, port: int | None = None, name: str = "tapwise") -> Emulator:
        chosen = port or console_port()
        process = host.emulate("-avd", name, "-port", str(chosen), "-no-window", "-no-audio", *arguments)
        emulator = Emulator(process, chosen)
        running.append(emulator)
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if "Boot completed" in line:
                break
        else:
            raise AssertionError(f"the emulator ended: {''.join(said)}")
        wait_for(lambda: f"{emulator.serial}\tdevice" in host.call("devices").stdout, "adb lists it")
        return emulator

    yield begin
    for emulator in running:
        emulator.end(signal.SIGKILL)
        assert emulator.process.stdout is not None
        emulator.process.stdout.close()
