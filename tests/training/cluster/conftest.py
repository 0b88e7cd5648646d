"""A Ray cluster of nodes in network namespaces of their own, on one host."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tapwise.emulators.processes import wait_until
from tests.emulators.virtual.emulator.conftest import free_ports

pytest.importorskip("ray")
RAY = str(Path(sys.executable).parent / "ray")
QUICK = {f"RAY_health_check_{name}": value for name, value in (
    ("initial_delay_ms", "5000"), ("period_ms", "1000"), ("timeout_ms", "2000"), ("failure_threshold", "3"),
)}  # fmt: skip


def ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, timeout=20, check=False)
    if done.returncode:
        raise OSError(f"ip {' '.join(words)}: {done.stderr.strip()}")


@dataclass
class Cluster:
    """A head without processors for work on a bridge, and nodes behind it."""

    folder: Path
    bridge: str
    subnet: str
    port: int
    environment: dict[str, str]
    nodes: list[str] = field(default_factory=list)
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def address(self) -> str:
        return f"{self.subnet}.1:{self.port}"

    def open(self, count: int) -> None:
        ip("link", "add", self.bridge, "type", "bridge")
        ip("addr", "add", f"{self.subnet}.1/24", "dev", self.bridge)
        ip("link", "set", self.bridge, "up")
        self._start([], "--head", f"--port={self.port}", f"--node-ip-address={self.subnet}.1", "--num-cpus=0",
                    f"--temp-dir={self.folder}", "--include-dashboard=false")  # fmt: skip
        assert wait_until(lambda: self._log(0).count("Ray runtime started"), 60), self._log(0)
        for number in range(count):
            node, outside, place = f"{self.bridge}{number}", f"{self.bridge}v{number}", f"{self.subnet}.{number + 2}"
            ip("netns", "add", node)
            self.nodes.append(node)
            ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", node)
            ip("link", "set", outside, "master", self.bridge, "up")
            ip("-n", node, "addr", "add", f"{place}/24", "dev", "eth0")
            ip("-n", node, "link", "set", "eth0", "up")
            ip("-n", node, "link", "set", "lo", "up")
            self._start(["ip", "netns", "exec", node], f"--address={self.address}", f"--node-ip-address={place}",
                        "--num-cpus=1")  # fmt: skip
            # One after the other: nodes on one host choose the names of their sockets by what is there already.
            assert wait_until(lambda n=number: self._log(n + 1).count("Ray runtime started"), 60), self._log(number + 1)  # type: ignore[misc]

    def _start(self, before: list[str], *words: str) -> None:
        with (self.folder / f"start-{len(self.processes)}.log").open("wb") as log:
            command = [*before, RAY, "start", "--block", "--object-store-memory=80000000", *words]
            self.processes.append(
                subprocess.Popen(command, env=self.environment, stdout=log, stderr=log, start_new_session=True)
            )

    def _log(self, number: int) -> str:
        return (self.folder / f"start-{number}.log").read_text(errors="replace")

    def pids(self, node: str, name: str) -> list[int]:
        """The processes in a node's namespace whose command line has a name."""
        found = subprocess.run(["ip", "netns", "pids", node], capture_output=True, text=True, timeout=20, check=False)
        return [pid for pid in map(int, found.stdout.split()) if name in command_line(pid)]

    def cut_off(self, number: int) -> None:
        """Pull a node's cable."""
        ip("link", "set", f"{self.bridge}v{number}", "down")

    def join(self, number: int) -> None:
        """Put it back."""
        ip("link", "set", f"{self.bridge}v{number}", "up")

    def close(self) -> None:
        for process in reversed(self.processes):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        for process in self.processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(20)
        for pid in [pid for pid in processes() if str(self.folder) in command_line(pid)]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for node in self.nodes:
            for pid in self.pids(node, ""):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(OSError):
                ip("netns", "del", node)
        with contextlib.suppress(OSError):
            ip("link", "del", self.bridge)
        shutil.rmtree(self.folder, ignore_errors=True)


def processes() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    number = os.getpid()
    environment = {
        **os.environ,
        **QUICK,
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": secrets.token_hex(32),
        "RAY_USAGE_STATS_ENABLED": "0",
    }
    (port,) = free_ports(1)
    made = Cluster(
        Path(tempfile.mkdtemp(prefix="tw")), f"tw{number % 100_000}", f"10.213.{number % 250}", port, environment
    )
    try:
        try:
            ip("link", "add", made.bridge, "type", "bridge")
            ip("link", "del", made.bridge)
        except OSError as error:
            pytest.skip(f"network namespaces cannot be made here: {error}")
        made.open(2)
        yield made
    finally:
        made.close()
