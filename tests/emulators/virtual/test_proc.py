"""/proc is the phone's, made when it is read, and nobody can write there."""

from __future__ import annotations

import pytest

from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import CommandFailed


@pytest.fixture
def device() -> InProcessDevice:
    return InProcessDevice(VirtualPhone())


def test_what_the_kernel_tells_agrees_with_the_commands(device: InProcessDevice) -> None:
    total = int(device.shell("grep MemTotal /proc/meminfo").split()[1])
    assert str(total * 1024) in device.shell("free")
    assert len(device.shell("cat /proc/mounts").splitlines()) == len(device.shell("mount").splitlines())
    assert device.shell("cat /proc/version").startswith("Linux version 5.")
    assert device.shell("grep -c processor /proc/cpuinfo").strip() == "4"


def test_processes_are_those_of_ps(device: InProcessDevice) -> None:
    device.open_app("com.android.settings")
    pid = device.shell("pidof com.android.settings").strip()
    assert device.shell(f"tr '\\0' ' ' < /proc/{pid}/cmdline").strip() == "com.android.settings"
    assert f"Pid:\t{pid}" in device.shell(f"cat /proc/{pid}/status")
    assert pid in device.shell("ls /proc").split()
    device.shell("am force-stop com.android.settings")
    with pytest.raises(CommandFailed, match="No such file"):
        device.shell(f"cat /proc/{pid}/comm")


def test_time_is_the_phones_own(device: InProcessDevice) -> None:
    before = float(device.shell("cat /proc/uptime").split()[0])
    device.shell("sleep 300")
    assert float(device.shell("cat /proc/uptime").split()[0]) - before >= 240
    assert InProcessDevice(VirtualPhone()).shell("cat /proc/stat") == InProcessDevice(VirtualPhone()).shell(
        "cat /proc/stat"
    )


def test_it_is_read_only_and_no_part_of_the_state(device: InProcessDevice) -> None:
    phone = device.phone
    before = phone.state_hash()
    assert device.shell("test -d /proc/self && test -f /proc/self/status && echo yes").strip() == "yes"
    for command in ("echo x > /proc/x", "echo x > /proc/uptime", "mkdir /proc/y", "touch /proc/z"):
        with pytest.raises(CommandFailed, match="Permission denied"):
            device.shell(command)
    assert phone.state_hash() == before
    twin = phone.fork()
    assert InProcessDevice(twin).shell("cat /proc/loadavg") == device.shell("cat /proc/loadavg")
