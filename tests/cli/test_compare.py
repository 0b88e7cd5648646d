"""`tapwise compare`, and an evaluation that was killed and goes on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.processes import wait_until

RANDOM = ["eval", "--policy", "random", "--suite", "general", "--farm.backend=in_process", "--farm.devices=2"]


def results(folder: Path) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads((folder / "results.json").read_text(encoding="utf-8"))["results"]
    return rows


def test_a_changed_field_is_named_and_not_ranked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, more in (
        ("a", []),
        ("b", ["--farm.noise=popups=0.05,ads=0.05,slow_loads=0.05,layout_shifts=1.0,drift=0.3"]),
        ("c", []),
    ):
        assert main([*RANDOM, "--episodes=2", "--json", *more, "--out", str(tmp_path / name)]) == 0
    capsys.readouterr()
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b")]) == 1
    told = capsys.readouterr().out
    assert "protocol.noise" in told
    assert "not comparable, since these differ: protocol.noise.drift\n" in told
    assert "is better" not in told
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--accept", "protocol.noise", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["comparable"]
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "c")]) == 0
    told = capsys.readouterr().out
    assert told.startswith("the protocol is the same")
    assert "the two are not told apart" in told


def test_what_cannot_be_compared_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(tmp_path / "none"), str(tmp_path)]) == 2
    assert main(["compare", str(tmp_path), str(tmp_path)]) == 2
    (tmp_path / "file.json").write_text("[]")
    assert main(["compare", str(tmp_path / "file.json"), str(tmp_path / "file.json")]) == 2
    assert "holds no object" in capsys.readouterr().err


def test_an_evaluation_that_was_killed_goes_on_to_the_same_results(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    command = [*RANDOM, "--episodes=16", "--seed=5"]
    assert main([*command, "--json", "--out", str(whole)]) == 0
    capsys.readouterr()
    run = subprocess.Popen([sys.executable, "-m", "tapwise", *command, "--out", str(killed)], start_new_session=True)

    def written() -> int:
        return sum(path.stat().st_size for path in (killed / "trajectories").rglob("*") if path.is_file())

    expected = sum(path.stat().st_size for path in (whole / "trajectories").rglob("*") if path.is_file())
    try:
        assert wait_until(lambda: written() > expected / 3, 60)
    finally:
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert not (killed / "results.json").exists()
    with ParquetTrajectoryStore(killed / "trajectories") as store:
        before = len(store)
    assert 0 < before < 16
    assert main([*command, "--seed=6", "--json", "--out", str(killed)]) == 2  # another evaluation may not go on here
    assert "differs in" in capsys.readouterr().err
    assert main([*command, "--json", "--out", str(killed)]) == 0

    def without_attempt(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [{**row, "trajectory": row["trajectory"].partition("+")[0]} for row in rows]

    assert without_attempt(results(killed)) == without_attempt(results(whole))
    capsys.readouterr()
    assert main(["compare", str(killed), str(whole), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["paired"], told["unpaired"], told["protocol"], told["subject"]) == (16, 0, [], [])
