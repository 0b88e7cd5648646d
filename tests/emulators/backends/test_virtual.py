"""Phones in processes of their own, for real: over our client, killed, stopped, left behind."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.emulators.backends.adb_phone import AdbPhone
from tapwise.emulators.backends.in_process import InProcessBackend
from tapwise.emulators.backends.remote import RemoteBackend
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits, State
from tapwise.emulators.processes import ProcessRegistry, identify, wait_until
from tapwise.errors import CommandFailed, ConfigError, DeviceError, DeviceLost, DeviceTimeout
from tapwise.protocols import Device
from tapwise.records import Size

SMALL = Size(640, 320)
QUICK = FarmLimits(watch_every_s=0.05, probe_every_s=0.2, probe_timeout_s=1.0)


def pids(folder: Path) -> list[int]:
    return sorted(int(path.stem) for path in (folder / "processes").glob("*.json"))


def test_over_adb_it_is_the_same_phone_as_in_process(phone: AdbPhone) -> None:
    over_adb, direct = phone.device, InProcessBackend(SMALL, seed=3).boot(0, 1).device
    for step in ("home", "settings", "back"):
        for device in (over_adb, direct):
            if step == "settings":
                device.open_app("Settings")
            else:
                device.press(f"KEYCODE_{step.upper()}")
        assert over_adb.size() == direct.size() == SMALL
        assert np.array_equal(over_adb.screenshot(), direct.screenshot()), step
        assert over_adb.foreground() == direct.foreground(), step
        assert [node.bounds for node in over_adb.ui_tree().walk()] == [node.bounds for node in direct.ui_tree().walk()]


def test_the_frame_counter_grows_with_the_picture(phone: AdbPhone) -> None:
    device = phone.device
    device.press("KEYCODE_HOME")
    before = device.frame_counter()
    assert before == device.frame_counter()
    device.open_app("Settings")
    after = device.frame_counter()
    assert before is not None
    assert after is not None
    assert after > before


@pytest.mark.parametrize(
    "text", ["100%s", "it's $HOME", '"x" \\ & <b> `id` $(id);', "%s %% %", "-n", "*", "Grüße, 日本 🙂"]
)
def test_it_types_what_was_asked_to_the_letter(phone: AdbPhone, text: str) -> None:
    def typed(device: Device) -> str:
        device.open_app("Browser")
        x, y = next(node for node in device.ui_tree().walk() if node.class_name.endswith("EditText")).centre
        device.tap(int(x), int(y))
        device.type_text(text)
        return next(node for node in device.ui_tree().walk() if node.focused).text

    in_process = InProcessBackend(SMALL, seed=3).boot(0, 1).device
    phone.device.save_snapshot("before typing")
    try:
        keyboard = phone.device.shell("settings get secure default_input_method")
        assert typed(phone.device) == typed(in_process) == text
        assert phone.device.shell("settings get secure default_input_method") == keyboard
    finally:
        phone.device.load_snapshot("before typing")


def test_files_go_there_and_back(phone: AdbPhone) -> None:
    data = bytes(range(256)) * 5000
    phone.device.transport.push(data, "/sdcard/Download/a b.bin")
    assert phone.device.transport.pull("/sdcard/Download/a b.bin") == data
    with pytest.raises(DeviceError, match="/sdcard/none"):
        phone.device.transport.pull("/sdcard/none")


def test_snapshots_and_apps(phone: AdbPhone) -> None:
    device = phone.device
    device.save_snapshot("clean state")
    device.shell("settings put system screen_brightness 7")
    device.load_snapshot("clean state")
    assert device.shell("settings get system screen_brightness") != "7\n"
    with pytest.raises(DeviceError, match="'none' cannot be loaded"):
        device.load_snapshot("none")
    with pytest.raises(CommandFailed):
        device.open_app("Nothing; reboot")


def test_a_remote_backend_borrows_the_phone_and_leaves_it_running(phone: AdbPhone) -> None:
    with Farm(RemoteBackend([phone.device.serial]), 1, QUICK) as farm, farm.lease(10) as device:
        assert device.serial == phone.device.serial
        assert device.shell("echo hello") == "hello\n"
    assert phone.alive()
    phone.probe(5)


def test_remote_addresses_are_checked() -> None:
    with pytest.raises(ConfigError, match="given twice"):
        RemoteBackend(["a:1", "a:1"])
    with pytest.raises(ConfigError, match="is not host:port"):
        RemoteBackend(["emulator-5554"]).boot(0, 1)
    with pytest.raises(ConfigError, match="wants 2 remote phones and 1 addresses"):
        RemoteBackend(["a:1"]).boot(1, 1)


def test_a_killed_phone_costs_its_lease_and_is_replaced(backend: VirtualBackend, tmp_path: Path) -> None:
    with Farm(backend, 2, QUICK) as farm:
        farm.wait_ready(60)
        with farm.lease(5) as kept:

            def lose_one() -> Device:
                with farm.lease(5) as device:
                    os.kill(_pid_of(device, tmp_path), signal.SIGKILL)
                    device.screenshot()
                return device

            with pytest.raises(DeviceLost):
                lose_one()
            assert kept.screenshot().shape == (640, 320, 3)
            farm.wait_ready(60)
            assert sorted(sum(status.restarts.values()) for status in farm.status()) == [0, 1]
            assert {"process ended"} == {cause for status in farm.status() for cause in status.restarts}
    assert pids(tmp_path) == []


def test_a_stopped_phone_is_a_timeout_and_is_replaced(backend: VirtualBackend, tmp_path: Path) -> None:
    with Farm(backend, 1, QUICK) as farm:
        farm.wait_ready(60)
        (before,) = pids(tmp_path)

        def hang() -> None:
            with farm.lease(5) as device:
                os.kill(before, signal.SIGSTOP)
                device.screenshot()

        with pytest.raises((DeviceLost, DeviceTimeout)):
            hang()
        farm.wait_ready(60)
        assert wait_until(lambda: identify(before) is None, 5)
        assert [status.state for status in farm.status()] == [State.READY]
        assert sum(farm.status()[0].restarts.values()) == 1


def test_a_stopped_phone_misses_the_deadline_of_a_command(backend: VirtualBackend, tmp_path: Path) -> None:
    booted = backend.boot(0, 60)
    try:
        os.kill(pids(tmp_path)[0], signal.SIGSTOP)
        with pytest.raises(DeviceTimeout):
            booted.device.transport.shell("ls", timeout_s=0.2)
        with pytest.raises(DeviceTimeout):
            booted.probe(0.2)
        os.kill(pids(tmp_path)[0], signal.SIGCONT)
        booted.renew(5)
        assert booted.device.shell("echo back") == "back\n"
    finally:
        booted.shut_down()


def test_phones_of_a_killed_run_end(tmp_path: Path, child_program: Any) -> None:
    source = (
        "import sys; from pathlib import Path; from tapwise.emulators.backends.virtual import VirtualBackend;"
        "from tapwise.emulators.processes import ProcessRegistry; from tapwise.records import Size;"
        f"registry = ProcessRegistry(Path({str(tmp_path / 'processes')!r}));"
        "VirtualBackend(Size(640, 320), registry=registry).boot(0, 60); print('up', flush=True); sys.stdin.read()"
    )
    with child_program([sys.executable, "-c", source]) as run:
        assert run.line() == "up", run.errors()
        (phone,) = pids(tmp_path)
    VirtualBackend(registry=ProcessRegistry(tmp_path / "processes"))
    assert wait_until(lambda: identify(phone) is None, 5)
    assert pids(tmp_path) == []


def test_a_phone_that_cannot_start_says_why(registry: ProcessRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(DeviceError, match="virtual phone ended while it started"):
        VirtualBackend(registry=registry).boot(0, 10)
    monkeypatch.setattr(sys, "executable", "/bin/echo")
    with pytest.raises(DeviceError, match="announced itself with"):
        VirtualBackend(registry=registry).boot(0, 10)


def _pid_of(device: Device, folder: Path) -> int:
    """The process that listens on the device's port."""
    port = f"{int(device.serial.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    inode = next(row[9] for row in rows if row[1].endswith(f":{port}") and row[3] == "0A")
    for pid in pids(folder):
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            if os.readlink(descriptor) == f"socket:[{inode}]":
                return pid
    raise AssertionError(f"nobody listens on {device.serial}")
