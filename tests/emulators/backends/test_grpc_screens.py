"""Screenshots over gRPC of running emulators, ours in the place of Google's."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tapwise.android_env.env import AndroidEnv
from tapwise.android_env.suites import load_suite
from tapwise.cli.farm import table
from tapwise.emulators.backends.adb_phone import AdbPhone
from tapwise.emulators.backends.avd import GRPC_ABOVE_CONSOLE
from tapwise.emulators.backends.remote import RemoteBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_board import BoardWriter, read_board, read_events
from tapwise.emulators.screen_ways import Grab
from tapwise.errors import ConfigError
from tapwise.records import Press, Size
from tests.emulators.backends.test_avd import LIMITS, Host

pytest.importorskip("grpc")
pytest.importorskip("google.protobuf")


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    found = Host(tmp_path_factory.mktemp("host"))
    found.avd("small")
    found.avd("other", **{"tapwise.seed": "5"})
    yield found
    assert found.processes() == []


@pytest.fixture(scope="module")
def emulator(host: Host) -> Iterator[AdbPhone]:
    phone = host.backend(grpc=True).boot(0, 30)
    yield phone
    phone.shut_down()


def grpc_address(phone: AdbPhone) -> str:
    adb_port = int(phone.device.serial.rpartition(":")[2])
    return f"127.0.0.1:{adb_port - 1 + GRPC_ABOVE_CONSOLE}"


@contextlib.contextmanager
def remote(emulator: AdbPhone, grpc: str) -> Iterator[AdbPhone]:
    """The emulator as a stranger's: all that is known of it are its addresses."""
    phone = RemoteBackend([emulator.device.serial], grpc_addresses=[grpc]).boot(0, 20)
    try:
        yield phone
    finally:
        phone.close()


class Gate:
    """Passes bytes on to a port until it is shut."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._sockets = [self._listener]
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def shut(self) -> None:
        for one in list(self._sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        for thread in list(self._threads):
            thread.join(10)
        for one in self._sockets:
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._target))
                self._sockets += [near, far]
                for source, sink in ((near, far), (far, near)):
                    self._threads.append(threading.Thread(target=self._pump, args=(source, sink)))
                    self._threads[-1].start()

    @staticmethod
    def _pump(source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)


def test_an_emulators_ways_are_measured_and_the_fastest_is_told(host: Host, tmp_path: Path) -> None:
    board = BoardWriter(tmp_path / "farm", "avd", "direct")
    with Farm(host.backend(grpc=True), 1, LIMITS) as farm:
        farm.wait_ready(60)
        board.publish(farm.status())
        with farm.lease(10) as device:
            pixels = device.screenshot()
            assert pixels.shape == (600, 270, 3)
        (status,) = farm.status()
        assert board.publish([status])
    assert status.screenshots is not None
    assert status.screenshots["ms"].keys() == {"raw", "png", "grpc"}
    assert status.screenshots["refused"] == {}
    ms = status.screenshots["ms"]
    assert status.screenshots["chosen"] == min(ms, key=ms.__getitem__)
    assert read_board(tmp_path / "farm").devices[0].screenshots == status.screenshots
    events = [event for _, event in read_events(tmp_path / "farm")]
    assert [event["screenshots"] for event in events] == [None, status.screenshots]
    assert f"screenshots: {status.screenshots['chosen']} " in str(status)
    assert table([status]).columns[4].header == "screenshots"
    board.close()


def test_without_grpc_it_is_not_among_them(host: Host) -> None:
    phone = host.backend().boot(0, 30)
    try:
        phone.device.screenshot()
        assert phone.screen_choice is not None
        assert phone.screen_choice.ms.keys() == {"raw", "png"}
    finally:
        phone.shut_down()


def test_a_remote_emulators_picture_is_the_same_over_grpc(emulator: AdbPhone) -> None:
    with remote(emulator, grpc_address(emulator)) as phone:
        phone.device.screenshot()
        choice = phone.screen_choice
        assert choice is not None
        assert "grpc" in choice.ms
        assert choice.refused == {}
        grpc = phone._grpc
        assert grpc is not None
        assert np.array_equal(grpc.screenshot(), phone.device._raw())


def prefer_grpc(phone: AdbPhone) -> None:
    """Which way is fastest depends on the host: for what follows, the phone's own ways are measured as slow."""
    ways = phone.device._ways
    assert ways is not None

    def slowed(grab: Grab) -> Grab:
        def slow() -> np.ndarray:
            until = time.monotonic() + 0.3
            while phone.screen_choice is None and time.monotonic() < until:
                grab()
            return grab()

        return slow

    for name in ("raw", "png"):
        ways._own[name] = slowed(ways._own[name])


def test_grpc_that_breaks_within_an_episode_costs_no_step(emulator: AdbPhone) -> None:
    gate = Gate(int(grpc_address(emulator).rpartition(":")[2]))
    suite = load_suite("general")
    task = suite.sample(np.random.default_rng(3), "train", 1)[0]
    try:
        with remote(emulator, gate.address) as phone:
            prefer_grpc(phone)
            env = AndroidEnv(phone.device, suite)
            env.reset(task, 0)
            assert phone.screen_choice is not None
            assert phone.screen_choice.chosen == "grpc"
            gate.shut()
            found = env.step(Press("home"))
            assert found.observation.screenshot.size == Size(600, 270)
            assert phone.screen_choice.chosen in ("raw", "png")
            assert "gRPC at 127.0.0.1:" in phone.screen_choice.refused["grpc"]
            phone.renew(10)
            phone.device.screenshot()
            assert "UNAVAILABLE" in phone.screen_choice.refused["grpc"]  # asked anew, and still shut
    finally:
        gate.shut()


def test_another_phones_grpc_is_refused(host: Host, emulator: AdbPhone) -> None:
    stranger = host.backend("other", grpc=True).boot(1, 30)
    try:
        stranger.device.open_app("Settings")
        with remote(emulator, grpc_address(stranger)) as phone:
            shown = phone.device.screenshot()
            assert phone.screen_choice is not None
            assert phone.screen_choice.refused == {"grpc": "it shows another picture than screencap"}
            assert np.array_equal(shown, emulator.device._raw())
    finally:
        stranger.shut_down()


@pytest.mark.parametrize("peer", ["nothing", "silent", "something else"])
def test_a_port_without_grpc_is_refused_in_time(emulator: AdbPhone, peer: str) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{listener.getsockname()[1]}"
        if peer == "silent":
            listener.listen()
        elif peer == "something else":
            address = emulator.device.serial
        with remote(emulator, address) as phone:
            assert phone.device.screenshot().shape == (600, 270, 3)
            assert phone.screen_choice is not None
            assert phone.screen_choice.chosen in ("raw", "png")
            assert f"gRPC at {address} gave no screenshot" in phone.screen_choice.refused["grpc"]


def test_the_missing_package_is_named(emulator: AdbPhone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "grpc", None)
    with remote(emulator, grpc_address(emulator)) as phone:
        phone.device.screenshot()
        assert phone.screen_choice is not None
        assert "pip install 'tapwise[grpc]'" in phone.screen_choice.refused["grpc"]


def test_addresses_are_checked() -> None:
    with pytest.raises(ConfigError, match="a gRPC address for each"):
        RemoteBackend(["127.0.0.1:1"], grpc_addresses=["a:1", "b:2"])
    with pytest.raises(ConfigError, match="'nowhere' is not host:port"):
        RemoteBackend(["127.0.0.1:1"], grpc_addresses=["nowhere"]).boot(0, 1)
