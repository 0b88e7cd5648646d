"""Metrics survive a killed run and go on in the same file."""

from __future__ import annotations

import json
from pathlib import Path

from tapwise.protocols import Tracker
from tapwise.tracking import JsonlTracker


def test_every_call_is_a_line_that_is_there_at_once(tmp_path: Path) -> None:
    path = tmp_path / "run" / "metrics.jsonl"
    tracker: Tracker = JsonlTracker(path)
    tracker.log({"loss": 0.5, "unit": "online/1"}, 3)
    first = json.loads(path.read_text(encoding="utf-8"))
    assert (first["step"], first["loss"], first["unit"]) == (3, 0.5, "online/1")
    assert first["time"] > 0
    tracker.close()

    again = JsonlTracker(path)
    again.log({"loss": 0.25}, 4)
    again.close()
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["loss"] for line in lines] == [0.5, 0.25]
