"""Faults of the launcher: where they are read from, and what is kept of them from start to start."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from tapwise.emulators.virtual.emulator.avd import Avd
from tapwise.emulators.virtual.emulator.launch import VARIABLE, armed_faults, launch_faults
from tapwise.emulators.virtual.faults import FaultSpec, Switchboard
from tapwise.errors import ConfigError
from tests.emulators.virtual.emulator.conftest import BUNDLED, Emulator, Host, free_ports


def start_of(folder: Path, *texts: str) -> frozenset[str]:
    """What goes wrong at one start of an AVD in a folder."""
    avd = Avd("small", folder, {})
    return launch_faults(Switchboard(), armed_faults(avd, {}, texts), avd)


def test_faults_come_from_the_avd_the_environment_and_the_command_line(tmp_path: Path) -> None:
    avd = Avd("small", tmp_path, {"tapwise.faults": "hang;anr:probability=0.1"})
    found = armed_faults(avd, {VARIABLE: "launch:mode=stray;"}, ["end"])
    assert [(spec.kind, spec.mode) for spec in found] == [
        ("hang", "silent"), ("anr", "dialog"), ("launch", "stray"), ("end", "deaf"),
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="no fault 'ends'"):
        armed_faults(avd, {}, ["ends"])


def test_starts_are_counted_from_run_to_run(tmp_path: Path) -> None:
    assert [start_of(tmp_path, "launch:after=1,times=2") for _ in range(5)] == [
        frozenset(), {"disk"}, {"disk"}, frozenset(), frozenset(),
    ]  # fmt: skip
    assert start_of(tmp_path, "launch:mode=lock", "launch:mode=no_adb,on=other") == {"lock"}


def test_draws_go_on_from_run_to_run_as_within_one(tmp_path: Path) -> None:
    text = "launch:probability=0.5,seed=3"
    switchboard = Switchboard()
    switchboard.add(FaultSpec.parse(text))
    within = [switchboard.fires("launch", "small") is not None for _ in range(12)]
    assert [bool(start_of(tmp_path, text)) for _ in range(12)] == within
    assert 0 < sum(within) < 12


def test_other_faults_leave_nothing_in_the_folder_and_a_spoilt_file_is_begun_anew(tmp_path: Path) -> None:
    folder = tmp_path / "small.avd"
    assert start_of(folder, "hang") == frozenset()
    assert not folder.exists()
    folder.mkdir()
    (folder / "tapwise.launches").write_text('{"launch": 3')
    assert start_of(folder, "launch") == {"disk"}
    assert "launch:" in (folder / "tapwise.launches").read_text()


def test_faults_are_armed_at_the_start_and_over_http(host: Host, start: Callable[..., Emulator]) -> None:
    if host.adb != BUNDLED:
        pytest.skip("the launcher does not care which adb it is")
    (port,) = free_ports(1)
    emulator = start("-no-snapshot", "-fault", "closed:on=broken", "-fault-control", str(port))
    shell = ("-s", emulator.serial, "shell")
    assert host.call(*shell, "echo broken").returncode != 0
    assert host.call(*shell, "echo here").stdout == "here\n"
    fault = json.dumps({"kind": "end", "times": 1}).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/fault", fault, timeout=5) as reply:
        assert json.load(reply) == {"added": {"0": 2}}
    assert "OK: killing emulator" in host.call("-s", emulator.serial, "emu", "kill").stdout
    assert host.call(*shell, "echo here").stdout == "here\n"
    assert emulator.end() == 0
