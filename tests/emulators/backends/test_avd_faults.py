"""Emulators that misbehave as on real farms: each is recovered or given up with a reason, and leaves nothing behind."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapwise.emulators.backends import avd
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import DeviceStatus, State
from tapwise.emulators.port_owners import port_owners
from tapwise.emulators.processes import wait_until
from tapwise.errors import DeviceError, FarmError
from tests.emulators.backends.test_avd import FIRST_PORT, LIMITS, Host, is_free
from tests.emulators.virtual.wire.conftest import RunningPhones

HASTY = dataclasses.replace(LIMITS, boot_timeout_s=4.0, restarts=1)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.avd("small")
    yield found
    assert found.processes() == []
    assert strays(found) == []


def strays(host: Host) -> list[int]:
    """Processes that were started with the home of a test and still run."""
    wanted = f"HOME={host.home}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if wanted in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def arm(host: Host, faults: str) -> None:
    host.environment["TAPWISE_EMULATOR_FAULTS"] = faults


def port_of(serial: str) -> int:
    return int(serial.rpartition(":")[2])


def the_only(farm: Farm) -> DeviceStatus:
    (status,) = farm.status()
    return status


def given_up(host: Host) -> str:
    """The reason for which a farm of one device gives up."""
    with Farm(host.backend(), 1, HASTY) as farm:
        with pytest.raises(FarmError):
            farm.wait_ready(40)
        assert the_only(farm).state is State.DEAD
        return the_only(farm).last_error


def test_too_little_space_is_a_reason_and_passes(host: Host) -> None:
    arm(host, "launch:times=1")
    with Farm(host.backend(), 1, LIMITS) as farm:
        farm.wait_ready(30)
        assert the_only(farm).restarts == {"boot: DeviceError": 1}
    arm(host, "launch")
    assert "Not enough space to create userdata partition" in given_up(host)


def test_a_lock_that_a_killed_emulator_left_is_removed_and_nobody_elses(host: Host) -> None:
    arm(host, "launch:mode=lock")
    lock = host.home / ".android/avd/small.avd/hardware-qemu.ini.lock"
    with Farm(host.backend(read_only=False), 1, LIMITS) as farm:
        farm.wait_ready(30)
        with pytest.raises(DeviceError, match="same AVD") as refused:
            host.backend(read_only=False).boot(1, 10)
        assert "is removed" not in str(refused.value)
        (record,) = host.processes()
        os.killpg(int(record.stem), signal.SIGKILL)
        assert wait_until(lambda: sum(the_only(farm).restarts.values()) == 2, 20)
        farm.wait_ready(30)
        assert the_only(farm).restarts == {"process ended": 1, "boot: DeviceError": 1}
        assert lock.exists()
    assert not lock.exists()


def test_an_emulator_without_its_adb_port_is_given_up_and_booted_anew(host: Host) -> None:
    arm(host, "launch:mode=no_adb,times=1")
    with Farm(host.backend(), 1, dataclasses.replace(LIMITS, boot_timeout_s=4.0)) as farm:
        farm.wait_ready(30)
        assert the_only(farm).restarts == {"boot: DeviceTimeout": 1}


def test_a_phone_that_answers_in_the_place_of_ours_is_found_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    running = RunningPhones(8)
    try:
        taken = next(port for port in running.ports if port % 2 and is_free(port - 1))
        monkeypatch.setattr(avd, "_is_free", lambda _: True)  # it came after the look
        monkeypatch.setattr("tests.emulators.backends.test_avd.FIRST_PORT", taken - 1)
        arm(host, "launch:mode=no_adb")
        with pytest.raises(DeviceError, match=f"did not get port {taken} for ADB: process {os.getpid()}"):
            host.backend().boot(0, 15)
        assert is_free(taken - 1)
    finally:
        running.close()


def test_a_child_that_left_the_group_gives_its_ports_back(host: Host) -> None:
    arm(host, "launch:mode=stray")
    with Farm(host.backend(), 1, LIMITS) as farm:
        farm.wait_ready(30)
        port = port_of(the_only(farm).serial)
        assert len(port_owners(port)) == 2
        (record,) = host.processes()
        os.killpg(int(record.stem), signal.SIGKILL)
        assert wait_until(lambda: bool(the_only(farm).restarts), 20)
        farm.wait_ready(30)
        assert port_of(the_only(farm).serial) == FIRST_PORT + 1  # the stray does not keep it
    assert is_free(port)
    assert is_free(port - 1)


def test_one_that_is_deaf_to_signals_and_its_console_is_ended(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avd, "_KILL_S", 0.3)
    arm(host, "end")
    phone = host.backend().boot(0, 20)
    port = port_of(phone.device.serial)
    phone.shut_down()
    assert not phone.alive()
    assert is_free(port)
    assert is_free(port - 1)


def test_reboots_cost_a_lease_each_and_no_more(host: Host) -> None:
    arm(host, "reboot:delay=1,times=2")
    lost = 0
    with Farm(host.backend(), 1, LIMITS) as farm:
        farm.wait_ready(30)
        deadline = time.monotonic() + 3
        while time.monotonic() < deadline:
            try:
                with farm.lease(20) as device:
                    while time.monotonic() < deadline:
                        device.shell("echo here")
            except DeviceError:
                lost += 1
        farm.wait_ready(20)
        assert 1 <= lost <= 2
        assert the_only(farm).renewals + sum(the_only(farm).restarts.values()) >= 1


def test_a_phone_that_reboots_all_the_time_is_given_up(host: Host) -> None:
    arm(host, "boot;reboot:delay=0.1")
    assert "did not boot in time" in given_up(host)


def test_random_exits_cost_their_leases_alone(host: Host) -> None:
    arm(host, "crash:on=shell,after=5,probability=0.1,seed=4")
    asked, lost = 0, 0
    with Farm(host.backend(), 2, dataclasses.replace(LIMITS, restarts=30)) as farm:
        farm.wait_ready(40)
        while asked < 40:
            with contextlib.suppress(DeviceError), farm.lease(30) as device:
                for _ in range(5):
                    asked += 1
                    lost += 1
                    assert device.shell("echo here") == "here\n"
                    lost -= 1
        farm.wait_ready(40)
        assert 1 <= lost <= sum(sum(status.restarts.values()) for status in farm.status())


def test_snapshots_that_fail_or_take_their_time(host: Host) -> None:
    arm(host, "snapshot:on=load,times=1;snapshot:on=load,mode=slow,delay=0.5")
    phone = host.backend().boot(0, 20)
    try:
        device = phone.device
        device.save_snapshot("one")
        with pytest.raises(DeviceError, match="pending"):
            device.load_snapshot("one")
        device.shell("settings put global wifi_on 0")
        began = time.monotonic()
        device.load_snapshot("one")
        assert time.monotonic() - began >= 0.5
        assert device.shell("settings get global wifi_on") == "1\n"
    finally:
        phone.shut_down()


def test_a_snapshot_that_takes_too_long_costs_the_device(host: Host) -> None:
    arm(host, "snapshot:on=load,mode=slow,delay=60")
    with Farm(host.backend(), 1, LIMITS) as farm:
        farm.wait_ready(30)
        began = time.monotonic()
        with farm.lease(10) as device:
            device.save_snapshot("one")
        with pytest.raises(DeviceError), farm.lease(10) as device:
            device.load_snapshot("one")
        assert time.monotonic() - began < 30
        farm.wait_ready(30)
        assert the_only(farm).restarts == {"probe: DeviceTimeout": 1}
