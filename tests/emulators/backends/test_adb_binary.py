"""The adb program against a virtual phone, through a server of the test's own."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import numpy as np
import pytest

from tapwise.emulators.adb.binary import AdbBinary, find_adb
from tapwise.emulators.backends.adb_phone import AdbPhone
from tapwise.emulators.backends.remote import RemoteBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.processes import ProcessRegistry, wait_until
from tapwise.errors import DeviceError, DeviceLost


@pytest.fixture(scope="module")
def server_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("server")
    registry = ProcessRegistry(folder)
    environment = {**os.environ, "HOME": str(folder)}
    server = registry.start([str(find_adb()), "-P", str(port), "nodaemon", "server"], environment)

    def listens() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    assert wait_until(listens, 20), server.error_output()
    yield port
    server.end()


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
