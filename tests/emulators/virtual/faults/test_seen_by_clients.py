"""Every fault is an error of the device to our own client, in time, and never something that an episode learns from."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, load_suite, run_episode
from tapwise.emulators.adb.client import DirectAdb
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.device import AdbDevice
from tapwise.emulators.snapshots import ShellSnapshots
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import CommandFailed, DeviceError, DeviceLost, DeviceTimeout
from tapwise.records import End
from tests.emulators.virtual.wire.conftest import RunningPhones

Arm = Callable[..., None]


@pytest.fixture
def phones() -> Iterator[RunningPhones]:
    running = RunningPhones(1)
    yield running
    running.close()


@pytest.fixture
def phone(phones: RunningPhones) -> VirtualPhone:
    return phones.phones[0]


@pytest.fixture
def adb(phones: RunningPhones) -> Iterator[DirectAdb]:
    client = DirectAdb("127.0.0.1", phones.ports[0])
    yield client
    client.close()


@pytest.fixture
def device(adb: DirectAdb) -> AdbDevice:
    return AdbDevice(adb, adb.address, ShellSnapshots(adb.shell), timeout_s=1.0)


@pytest.fixture
def arm(phones: RunningPhones) -> Arm:
    def add(text: str) -> None:
        phones.call(lambda: phones.phones[0].faults.add(FaultSpec.parse(text)) and None)

    return add


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("offline", DeviceTimeout),
        ("offline:mode=drop", DeviceLost),
        ("unauthorized", DeviceError),
        ("hang", DeviceTimeout),
        ("hang:mode=deaf", DeviceTimeout),
        ("hang:mode=stall,bytes=2", DeviceTimeout),
        ("closed", DeviceError),
        ("crash", DeviceLost),
    ],
)
def test_faults_of_the_wire_are_errors_within_the_deadline(adb: DirectAdb, arm: Arm, text: str, error: type) -> None:
    arm(text)
    began = time.monotonic()
    with pytest.raises(error):
        adb.shell("echo hello", 1.0)
    assert time.monotonic() - began < 3


def test_a_slow_phone_answers_late_and_in_order(adb: DirectAdb, arm: Arm) -> None:
    adb.connect(5)
    arm("slow:delay=0.05,times=6")
    began = time.monotonic()
    assert [adb.shell(f"echo {n}", 5).stdout for n in range(3)] == [b"0\n", b"1\n", b"2\n"]
    assert 0.2 < time.monotonic() - began < 4


@pytest.mark.parametrize("mode", ["empty", "truncated"])
def test_a_torn_picture_is_asked_for_again_and_then_an_error(device: AdbDevice, arm: Arm, mode: str) -> None:
    assert device.screenshot().shape == (1200, 540, 3)
    arm(f"screenshot:mode={mode},times=1")
    assert device.screenshot().shape == (1200, 540, 3)
    arm(f"screenshot:mode={mode}")
    with pytest.raises(DeviceError):
        device.screenshot()


def test_words_before_a_picture_are_no_picture_or_are_skipped(device: AdbDevice, phone: VirtualPhone, arm: Arm) -> None:
    arm("screenshot:mode=prefixed")
    try:
        assert np.array_equal(device.screenshot(), phone.frame())
    except DeviceError:
        return


@pytest.mark.parametrize(("mode", "level"), [("white", 255), ("black", 0)])
def test_plain_pictures_are_what_they_are(device: AdbDevice, arm: Arm, mode: str, level: int) -> None:
    arm(f"screenshot:mode={mode},times=1")
    assert device.screenshot().std() > 0  # a plain one is asked for once more
    arm(f"screenshot:mode={mode}")
    assert (device.screenshot() == level).all()  # what stays plain is, as where an app forbids screenshots


def test_a_stale_picture_is_the_one_before(device: AdbDevice, phone: VirtualPhone, arm: Arm) -> None:
    before = device.screenshot()
    arm("screenshot:mode=stale,times=1")
    device.shell("am start -n com.android.settings/.Settings")
    assert np.array_equal(device.screenshot(), before)
    assert np.array_equal(device.screenshot(), phone.frame())


@pytest.mark.parametrize("mode", ["busy", "null", "empty", "stale"])
def test_a_tree_that_does_not_come_is_an_error_and_never_an_old_one(device: AdbDevice, arm: Arm, mode: str) -> None:
    device.ui_tree()
    arm(f"tree:mode={mode}")
    with pytest.raises(DeviceError):
        device.ui_tree()


def test_a_dialog_of_an_app_that_does_not_respond(device: AdbDevice, phone: VirtualPhone, arm: Arm) -> None:
    device.shell("am start -n com.android.settings/.Settings")
    arm("anr:times=1")
    device.tap(10, 10)
    assert "Application Not Responding: com.android.settings" in device.shell("dumpsys window | grep mCurrentFocus")
    labels = {node.text: node for node in device.ui_tree().walk() if node.text}
    assert {"Wait", "Close app"} <= labels.keys()
    x, y = labels["Close app"].centre
    device.tap(int(x), int(y))
    assert "nexuslauncher" in device.foreground()
    device.shell("settings put global hide_error_dialogs 1")
    arm("anr:times=1")
    device.tap(10, 10)
    assert phone.state.popup is None


def test_lost_input_does_nothing(device: AdbDevice, phone: VirtualPhone, arm: Arm) -> None:
    device.shell("am start -n com.android.settings/.Settings")
    arm("lost_input:times=1")
    device.press("KEYCODE_HOME")
    assert "settings" in device.foreground()
    device.press("KEYCODE_HOME")
    assert "settings" not in device.foreground()


def test_snapshots_fail_or_are_others(device: AdbDevice, phone: VirtualPhone, arm: Arm) -> None:
    device.shell("echo here > /sdcard/here")
    device.save_snapshot("one")
    arm("snapshot:on=load,times=1")
    with pytest.raises(DeviceError, match="pending"):
        device.load_snapshot("one")
    device.load_snapshot("one")
    assert phone.files.exists("/sdcard/here")
    arm("snapshot:on=load,mode=wrong,times=1")
    device.load_snapshot("one")
    assert not phone.files.exists("/sdcard/here")


def test_a_full_disk(device: AdbDevice, adb: DirectAdb, phone: VirtualPhone, arm: Arm) -> None:
    arm("full_disk")
    with pytest.raises(CommandFailed, match="No space left"):
        device.shell("echo x > /sdcard/x")
    with pytest.raises(DeviceError, match="No space left"):
        adb.push(b"x", "/sdcard/x")
    phone.restore(phone.snapshot())
    with pytest.raises(CommandFailed, match="No space left"):
        device.shell("echo x > /sdcard/x")


def test_a_boot_without_end(device: AdbDevice, arm: Arm) -> None:
    assert device.shell("getprop sys.boot_completed") == "1\n"
    arm("boot:times=2")
    assert [device.shell("getprop sys.boot_completed") for _ in range(3)] == ["\n", "\n", "1\n"]


def test_a_fault_aborts_the_episode_and_gives_no_outcome(device: AdbDevice, arm: Arm) -> None:
    suite = load_suite("general")
    env = AndroidEnv(device, suite, EnvSettings(with_tree=True))
    arm("hang:on=input,after=2,times=1")
    played = run_episode(env, ScriptedExpert(suite), suite.tasks()[0], 1)
    assert (played.end, played.outcome) == (End.ABORTED, None)
    assert played.fault is not None
    assert played.fault.boundary == "device"


def test_without_faults_nothing_is_logged() -> None:
    phone = VirtualPhone()
    InProcessDevice(phone).tap(5, 5)
    assert not phone.faults.log


def ask(port: int, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, method=method)
    try:
        with urllib.request.urlopen(request, timeout=5) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_control_port_arms_tells_and_disarms(phones: RunningPhones, adb: DirectAdb) -> None:
    import asyncio

    from tapwise.emulators.virtual.control import serve_control

    loop = phones._loop
    server = asyncio.run_coroutine_threadsafe(serve_control(phones.phones, 0), loop).result(5)
    port = server.sockets[0].getsockname()[1]
    try:
        assert ask(port, "POST", "/fault", {"kind": "closed", "on": "echo", "times": 1}) == (200, {"added": {"0": 1}})
        with pytest.raises(DeviceError):
            adb.shell("echo hello", 2)
        _, told = ask(port, "GET", "/faults")
        assert (told["phones"][0]["armed"][0]["fired"], told["phones"][0]["log"][0]["kind"]) == (1, "closed")
        assert ask(port, "POST", "/fault", {"kind": "nothing"})[0] == 400
        assert ask(port, "POST", "/fault", {"kind": "closed", "phone": 5})[0] == 400
        assert ask(port, "POST", "/fault", [])[0] == 400
        assert ask(port, "DELETE", "/faults/0/7")[0] == 404
        assert ask(port, "GET", "/nowhere")[0] == 404
        assert ask(port, "DELETE", "/faults")[1]["phones"][0]["armed"] == []
        assert adb.shell("echo hello", 2).stdout == b"hello\n"
    finally:
        loop.call_soon_threadsafe(server.close)
