"""`tapwise farm chaos` in short: nothing is lost, nothing stays behind."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


@pytest.mark.slow
def test_a_farm_under_many_faults_keeps_its_promises() -> None:
    command = [
        sys.executable,
        "-m",
        "tapwise",
        "farm",
        "chaos",
        "--devices",
        "3",
        "--episodes",
        "30",
        "--rate",
        "0.5",
        "--json",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-2000:]
    result = json.loads(done.stdout)
    assert result["broken"] == []
    assert result["episodes"] == 30
    assert len(result["faults_happened"]) > 5
    assert result["aborted"] > 3
    assert sum(result["restarts"].values()) + result["renewals"] > 0
