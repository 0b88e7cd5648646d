"""`tapwise view`."""

from __future__ import annotations

import json
import signal
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main


def test_a_page_of_the_newest_episodes(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.html"
    assert main(["view", str(finished_run), "--out", str(page), "--limit", "3", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"page": str(page), "episodes": 3, "bytes": page.stat().st_size}


def test_what_cannot_be_shown(tmp_path: Path, finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["view", str(tmp_path)]) == 1
    assert "holds no trajectories" in capsys.readouterr().err
    assert main(["view", str(finished_run), "--out", str(tmp_path / "x"), "--limit", "0"]) == 2
    assert main(["view", str(finished_run), "--out", str(tmp_path / "x"), "--episode", "none"]) == 1


def test_a_server_until_it_is_interrupted(finished_run: Path, child_program: Any) -> None:
    with child_program([sys.executable, "-m", "tapwise", "view", str(finished_run), "--json"]) as program:
        address = json.loads(program.line())["address"]
        assert b"tapwise" in urllib.request.urlopen(address, timeout=10).read()
        program.process.send_signal(signal.SIGINT)
        assert program.process.wait(20) == 0
