from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main

TASK = {
    "goal": "Go home",
    "is_successful": True,
    "steps": [
        {"action_content": {"action": "click", "coordinate": [540, 1200]}},
        {"action_content": {"action": "terminate", "status": "success"}},
    ],
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "tasks.jsonl"
    path.write_text("\n".join(json.dumps({**TASK, "episode_id": index}) for index in range(3)), encoding="utf-8")
    return path


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_import_goes_on_where_it_was(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["data", "import", "ui_s1", str(source), "--out", str(tmp_path / "store"), "--json"]
    assert main([*arguments, "--limit", "1"]) == 0
    assert told(capsys)["episodes"] == 1
    assert main(arguments) == 0
    found = told(capsys)
    assert (found["already_there"], found["episodes"], found["steps"], found["in_store"]) == (1, 2, 4, 3)
    assert found["episodes_without_images"] == 2
    assert main(arguments) == 0
    assert told(capsys)["episodes"] == 0


def test_losses_are_told(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source.write_text(source.read_text(encoding="utf-8") + "\n{broken", encoding="utf-8")
    assert main(["data", "import", "ui_s1", str(source), "--out", str(tmp_path / "store")]) == 1
    output = capsys.readouterr()
    assert "3 episodes with 6 steps imported" in output.out
    assert "problem: WrongValue" in output.err
    assert "line 4 is not JSON" in output.err


def test_check_stats_and_export(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "store")
    assert main(["data", "import", "ui_s1", str(source), "--out", store]) == 0
    capsys.readouterr()
    assert main(["data", "check", store, "--json"]) == 0
    assert told(capsys) | {"store": ""} == {"store": "", "episodes": 3, "steps": 6, "interrupted": 0, "problems": []}
    assert main(["data", "stats", store, "--json"]) == 0
    found = told(capsys)
    assert found["groups"][0]["success"] == 3
    assert found["official"] == [
        {"suite": "ui_s1", "part": "AndroidControl test, as SOP", "episodes": 1543, "steps": 8444}
    ]
    assert main(["data", "stats", store]) == 0
    assert "1,543" in capsys.readouterr().out
    out = str(tmp_path / "out")
    assert main(["data", "export", "chat", store, "--out", out, "--successful", "--json"]) == 0
    assert told(capsys)["steps"] == 6
    assert main(["data", "export", "chat", store, "--out", out]) == 2
    assert "is not empty" in capsys.readouterr().err


def test_check_finds_a_picture_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.records import Decision, End, Observation, Provenance, Screenshot, Size, Step, Task, Trajectory, Wait

    screen = Observation(Screenshot(b"no picture", "png", Size(2, 2)), "", True, 0.0)
    task = Task("t", "Go", "s", "", "", (), 1, "train")
    one = Trajectory("a", task, (Step(screen, Decision(Wait(), "")),), End.TRUNCATED, Provenance("p"))
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(one)
    assert main(["data", "check", str(tmp_path / "store")]) == 1
    assert "a, step 0: screenshot of 10 bytes" in capsys.readouterr().err


def test_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = str(tmp_path / "store")
    assert main(["data", "import", "atari", str(tmp_path), "--out", store]) == 2
    assert main(["data", "import", "aitw", str(tmp_path / "absent"), "--out", store]) == 1
    assert main(["data", "import", "hub", "x", "--out", store, "--column", "image"]) == 2
    assert main(["data", "import", "aitw", str(tmp_path), "--out", store, "--workers", "0"]) == 2
    assert "take one of" in capsys.readouterr().err
