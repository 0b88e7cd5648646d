"""`tapwise farm`: a farm that other programs find, use and end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main
from tapwise.emulators.farm_board import BoardWriter, read_board, read_events
from tapwise.emulators.farm_status import DeviceStatus, State
from tapwise.emulators.processes import wait_until
from tapwise.errors import ConfigError


def device(state: State = State.READY, error: str = "") -> DeviceStatus:
    screens = {"chosen": "grpc", "ms": {"raw": 9.0, "grpc": 2.5}, "refused": {"png": "torn"}}
    return DeviceStatus(
        "127.0.0.1:5555", state, {"process ended": 2}, {"new connection": 1}, "notes.pin", 0.5, error, screens
    )


def farm(*words: str, timeout_s: float = 60) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tapwise", "farm", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A farm of two that is up."""
    folder = tmp_path_factory.mktemp("farm")
    done = farm("up", "--devices", "2", "--folder", str(folder), "--detach", "--json")
    assert done.returncode == 0, done.stderr
    yield folder
    done = farm("down", "--folder", str(folder))
    assert done.returncode == 0, done.stderr
    with pytest.raises(ConfigError, match="no farm is up"):
        read_board(folder)


def phone_of(owner: int) -> int:
    """The process of one of a farm's phones, from the records that farms keep of theirs."""
    for path in (Path(tempfile.gettempdir()) / f"tapwise-{os.getuid()}").glob("*.json"):
        record = json.loads(path.read_text())
        if record["owner"]["pid"] == owner:
            return int(record["process"]["pid"])
    raise AssertionError(f"process {owner} has no phone")


def test_the_state_file_gives_back_what_was_published(tmp_path: Path) -> None:
    writer = BoardWriter(tmp_path, "virtual", "direct")
    assert writer.publish([device()], now_s=10.0)
    assert not writer.publish([device()], now_s=10.5)
    assert writer.publish([device(State.SICK, "gone")], now_s=11.0)
    board = read_board(tmp_path)
    assert board.devices == (device(State.SICK, "gone"),)
    assert (board.owner.pid, board.written_s, board.is_up()) == (os.getpid(), 11.0, True)
    assert [event["state"] for _, event in read_events(tmp_path)] == ["ready", "sick"]


def test_the_journal_is_read_on_from_where_it_ended_and_no_torn_line_is_taken(tmp_path: Path) -> None:
    writer = BoardWriter(tmp_path, "virtual", "direct")
    writer.publish([device()])
    ((after, _),) = read_events(tmp_path)
    writer.publish([device(State.SICK)])
    with (tmp_path / "events.jsonl").open("a") as journal:
        journal.write('{"half')
    assert [event["state"] for _, event in read_events(tmp_path, after)] == ["sick"]


def test_two_farms_do_not_share_a_folder(tmp_path: Path) -> None:
    BoardWriter(tmp_path, "virtual", "direct").publish([device()])
    with pytest.raises(ConfigError, match=r"is up in .* already"):
        BoardWriter(tmp_path, "virtual", "direct")


def test_a_state_file_that_is_damaged_is_said(tmp_path: Path) -> None:
    (tmp_path / "farm.json").write_text('{"devices": 3}')
    with pytest.raises(ConfigError, match="cannot be read"):
        read_board(tmp_path)


def test_status_tells_every_device(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["farm", "status", "--folder", str(folder), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["up"]
    assert [one["state"] for one in told["devices"]] == ["ready", "ready"]
    assert main(["farm", "status", "--folder", str(folder)]) == 0
    assert "--farm.addresses" in capsys.readouterr().out


def test_exec_runs_on_all_or_on_some_and_gives_the_largest_status(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    serials = [one.serial for one in read_board(folder).devices]
    assert main(["farm", "exec", "--folder", str(folder), "--json", "--", "getprop", "ro.build.version.sdk"]) == 0
    rows: list[dict[str, Any]] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["serial"], row["stdout"]) for row in rows] == [(serial, "33\n") for serial in serials]
    assert main(["farm", "exec", "--folder", str(folder), "--serial", serials[0], "--", "exit 3"]) == 3
    assert main(["farm", "exec", "--folder", str(folder), "--serial", "nobody", "--", "true"]) == 2
    assert serials[0] in capsys.readouterr().err


def test_a_phone_that_is_killed_comes_back_and_the_log_tells(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = read_board(folder).devices
    with pytest.raises(ConfigError, match="is up in"):  # nobody else may take the folder meanwhile
        BoardWriter(folder, "virtual", "direct")
    os.kill(phone_of(read_board(folder).owner.pid), signal.SIGKILL)

    def back() -> bool:
        now = read_board(folder).devices
        return any(one.restarts for one in now) and all(one.state is State.READY for one in now)

    assert wait_until(back, 30)
    assert [one.serial for one in read_board(folder).devices] != [one.serial for one in before]
    assert main(["farm", "logs", "--folder", str(folder)]) == 0
    assert "booting" in capsys.readouterr().out


def test_a_farm_that_was_killed_is_told_and_put_away(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert farm("up", "--devices", "1", "--folder", str(tmp_path), "--detach").returncode == 0
    owner = read_board(tmp_path).owner
    os.kill(owner.pid, signal.SIGKILL)
    assert wait_until(owner.has_ended, 10)
    assert main(["farm", "status", "--folder", str(tmp_path)]) == 1
    assert "is gone" in capsys.readouterr().out
    assert main(["farm", "exec", "--folder", str(tmp_path), "--", "true"]) == 2
    assert main(["farm", "down", "--folder", str(tmp_path)]) == 0
    assert main(["farm", "down", "--folder", str(tmp_path)]) == 2


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--backend", "remote", "--devices", "2"], "as many addresses"),
        (["--backend", "avd"], "avd"),
        (["--devices", "0"], "--devices"),
    ],
)
def test_a_farm_that_cannot_be_is_refused(
    words: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["farm", "up", "--folder", str(tmp_path), *words]) == 2
    assert says in capsys.readouterr().err
