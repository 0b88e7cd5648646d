"""The adb program as a transport, over a stand-in program whose answers the test writes."""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path

import pytest

from tapwise.emulators.adb.binary import AdbBinary, find_adb
from tapwise.errors import ConfigError, DeviceError, DeviceLost, DeviceTimeout


class Program:
    """An `adb` that notes its arguments and runs a line of shell."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "adb"
        self._notes = folder / "notes"
        self.does("true")

    def does(self, line: str) -> None:
        self.path.write_text(f'#!/bin/sh\nprintf "%s\\n" "$*" >> {shlex.quote(str(self._notes))}\n{line}\n')
        self.path.chmod(0o755)

    @property
    def calls(self) -> list[str]:
        return self._notes.read_text().splitlines() if self._notes.exists() else []


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)


def test_the_wheels_adb_is_found_first() -> None:
    assert find_adb().parts[-3:] == ("adbutils", "binaries", "adb")


def test_a_missing_adb_names_the_fix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match=r"pip install adbutils.*direct transport"):
        AdbBinary("phone-1")
    with pytest.raises(ConfigError, match="/nowhere/adb is missing"):
        AdbBinary("phone-1", adb_path=Path("/nowhere/adb"))


def test_adb_on_the_path_is_used_without_the_wheel(monkeypatch: pytest.MonkeyPatch, program: Program) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(program.path.parent) + os.pathsep + os.environ["PATH"])
    assert find_adb() == program.path


def test_shell_gives_streams_and_status_apart(program: Program) -> None:
    program.does("echo out; echo err >&2; exit 7")
    adb = AdbBinary("phone-1", program.path, server_port=5999)
    assert adb.shell("ls -l 'a b'") == (b"out\n", b"err\n", 7)
    assert program.calls == ["-P 5999 -s phone-1 shell ls -l 'a b'"]


@pytest.mark.parametrize(
    ("complaint", "kind"),
    [
        ("error: device 'phone-1' not found", DeviceLost),
        ("error: device offline", DeviceLost),
        ("error: closed", DeviceLost),
        ("error: device unauthorized.", DeviceError),
    ],
)
def test_adbs_own_complaints_are_device_errors(program: Program, complaint: str, kind: type[DeviceError]) -> None:
    program.does(f"echo {shlex.quote(complaint)} >&2; exit 1")
    adb = AdbBinary("phone-1", program.path)
    for ask in (adb.shell, adb.exec_out):
        with pytest.raises(DeviceError, match=complaint) as caught:
            ask("ls")
        assert type(caught.value) is kind


def test_a_command_that_fails_on_the_phone_is_no_adb_failure(program: Program) -> None:
    program.does("echo 'ls: x: No such file or directory' >&2; exit 1")
    assert AdbBinary("phone-1", program.path).shell("ls x").exit_code == 1


def test_a_hung_adb_is_ended_with_its_children(program: Program, tmp_path: Path) -> None:
    program.does(f"sleep 60 & echo $! > {tmp_path}/child; wait")
    started = time.monotonic()
    with pytest.raises(DeviceTimeout, match=r"phone-1 did not answer `adb -s phone-1 shell ls` within 0.3 s"):
        AdbBinary("phone-1", program.path).shell("ls", timeout_s=0.3)
    assert time.monotonic() - started < 5
    child = int((tmp_path / "child").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{child}").exists() and "Z" not in Path(f"/proc/{child}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline


def test_push_and_pull_move_bytes(program: Program, tmp_path: Path) -> None:
    program.does(f'if [ "$3" = push ]; then cp "$4" {tmp_path}/there; else cp {tmp_path}/there "$5"; fi')
    adb = AdbBinary("phone-1", program.path)
    adb.push(b"\x00\xff", "/sdcard/x")
    assert adb.pull("/sdcard/x") == b"\x00\xff"
    assert [call.split()[2] for call in program.calls] == ["push", "pull"]


def test_a_failed_transfer_names_the_path(program: Program) -> None:
    program.does("echo \"adb: error: failed to stat remote object '/x': No such file\" >&2; exit 1")
    with pytest.raises(DeviceError, match="pull of /x failed") as caught:
        AdbBinary("phone-1", program.path).pull("/x")
    assert type(caught.value) is DeviceError


def test_connecting_takes_an_old_entry_off_first(program: Program) -> None:
    program.does("echo connected to 127.0.0.1:5")
    AdbBinary("127.0.0.1:5", program.path).connect()
    assert program.calls == ["disconnect 127.0.0.1:5", "connect 127.0.0.1:5", "-s 127.0.0.1:5 wait-for-device"]


def test_a_refused_connection_is_lost(program: Program) -> None:
    program.does("echo \"failed to connect to '127.0.0.1:5': Connection refused\"")
    with pytest.raises(DeviceLost, match="Connection refused"):
        AdbBinary("127.0.0.1:5", program.path).connect()


def test_closing_takes_a_network_phone_off_the_server_and_never_ends_the_server(program: Program) -> None:
    adb = AdbBinary("127.0.0.1:5", program.path)
    adb.close()
    adb.close()
    assert program.calls == ["disconnect 127.0.0.1:5"]
    assert not adb.is_alive()
    with pytest.raises(DeviceLost, match=r"call connect\(\)"):
        adb.shell("ls")
    AdbBinary("emulator-5554", program.path).close()
    assert not any("kill-server" in call for call in program.calls)
