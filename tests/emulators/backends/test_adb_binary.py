"""The adb program against a virtual phone, through a server of the test's own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tapwise.emulators.adb.binary import AdbBinary, find_adb
from tapwise.emulators.backends.adb_phone import AdbPhone, TransportKind
from tapwise.emulators.backends.remote import RemoteBackend
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits, State
from tapwise.emulators.processes import ProcessRegistry, wait_until
from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout
from tapwise.records import Size


class Server:
    """An adb server of the test's own, on a port of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port: int = probe.getsockname()[1]
        self._registry = ProcessRegistry(folder)
        self._environment = {**os.environ, "HOME": str(folder)}
        self.start()

    def start(self) -> None:
        command = [str(find_adb()), "-P", str(self.port), "nodaemon", "server"]
        self.process = self._registry.start(command, self._environment)
        assert wait_until(self.listens, 20), self.process.error_output()

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(self, *words: str) -> str:
        command = [str(find_adb()), "-P", str(self.port), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.fixture(scope="module")
def server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    server = Server(tmp_path_factory.mktemp("server"))
    yield server.port
    server.process.end()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path / "ours")
    yield server
    server.process.end()


@pytest.fixture
def adb(phone: AdbPhone, server_port: int) -> Iterator[AdbBinary]:
    transport = AdbBinary(phone.device.serial, server_port=server_port)
    transport.connect(20)
    yield transport
    transport.close()


def test_a_phone_is_the_same_through_either_transport(phone: AdbPhone, adb: AdbBinary) -> None:
    direct = phone.device.transport
    command = "echo out; echo err >&2; exit 7"
    assert adb.shell(command) == direct.shell(command) == (b"out\n", b"err\n", 7)
    assert adb.exec_out("screencap") == direct.exec_out("screencap")
    data = bytes(range(256)) * 1000
    adb.push(data, "/sdcard/Download/from adb.bin")
    assert adb.pull("/sdcard/Download/from adb.bin") == direct.pull("/sdcard/Download/from adb.bin") == data
    with pytest.raises(DeviceError, match="/sdcard/none"):
        adb.pull("/sdcard/none")


def test_a_farm_over_the_adb_program(phone: AdbPhone, server_port: int) -> None:
    backend = RemoteBackend([phone.device.serial], transport="binary", server_port=server_port)
    with Farm(backend, 1) as farm, farm.lease(30) as device:
        assert np.array_equal(device.screenshot(), phone.device.screenshot())
        assert device.foreground() == phone.device.foreground()


def test_a_phone_that_the_server_does_not_know_is_lost(server_port: int) -> None:
    with pytest.raises(DeviceLost, match="not found"):
        AdbBinary("nowhere-1", server_port=server_port).shell("ls")


def test_the_server_is_left_alone(server_port: int, adb: AdbBinary) -> None:
    adb.close()
    with socket.create_connection(("127.0.0.1", server_port), timeout=5) as connection:
        connection.sendall(b"000chost:version")
        assert connection.recv(4) == b"OKAY"


def test_a_server_that_somebody_restarts_is_survived(phone: AdbPhone, server: Server) -> None:
    backend = RemoteBackend([phone.device.serial], transport="binary", server_port=server.port)
    with Farm(backend, 1, FarmLimits(watch_every_s=0.05, probe_every_s=0.2, first_retry_s=0.05)) as farm:
        with farm.lease(30) as device:
            assert device.shell("echo before").strip() == "before"
        server.ask("kill-server")
        assert wait_until(lambda: not server.process.alive(), 10)
        server.process.end()
        server.start()  # somebody else's: it knows nothing of our phones
        assert wait_until(lambda: sum(farm.status()[0].restarts.values()) + farm.status()[0].renewals > 0, 30)
        with farm.lease(30) as device:
            assert device.shell("echo after").strip() == "after"


@pytest.mark.parametrize("transport", ["direct", "binary"])
def test_a_remote_phone_that_keeps_failing_is_rebooted(
    phone: AdbPhone, server: Server, transport: TransportKind
) -> None:
    backend = RemoteBackend([phone.device.serial], transport, server_port=server.port)
    with Farm(backend, 1, FarmLimits(watch_every_s=0.05, first_retry_s=0.05)) as farm:
        with farm.lease(30) as device:
            device.open_app("com.android.settings")
        for _ in range(2):
            with pytest.raises(DeviceTimeout), farm.lease(30):
                raise DeviceTimeout("it does not answer")
            assert wait_until(lambda: farm.status()[0].state is State.READY, 30)
        assert farm.status()[0].mended == {"new connection": 1, "reboot": 1}
        with farm.lease(30) as device:
            assert "launcher" in device.foreground().lower()


def test_another_server_and_its_phone_are_untouched(phone: AdbPhone, server: Server, tmp_path: Path) -> None:
    theirs = Server(tmp_path / "theirs")
    try:
        theirs.ask("connect", phone.device.serial)
        before = theirs.ask("devices", "-l")
        assert "transport_id" in before
        registry = ProcessRegistry(tmp_path / "phones")
        backend = VirtualBackend(Size(640, 320), 3, transport="binary", server_port=server.port, registry=registry)
        with Farm(backend, 2, FarmLimits(watch_every_s=0.05, first_retry_s=0.05)) as farm:
            farm.wait_ready(60)
            victim = int(next((tmp_path / "phones").glob("*.json")).stem)
            os.kill(victim, signal.SIGKILL)
            assert wait_until(lambda: sum(sum(s.restarts.values()) for s in farm.status()) == 1, 30)
            farm.wait_ready(60)
            assert theirs.ask("devices", "-l") == before
        assert theirs.ask("devices", "-l") == before  # the same entry, by its transport_id, never reconnected
        assert theirs.process.alive()
        assert server.process.alive()
        assert server.ask("devices").split() == ["List", "of", "devices", "attached"]  # ours are taken off
        assert theirs.ask("-s", phone.device.serial, "shell", "echo here").strip() == "here"
    finally:
        theirs.process.end()
