"""`tapwise replay` from the command line, on a small store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main
from tapwise.cli.replay import _parser
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.evaluator.matching import MATCHERS
from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Key,
    Observation,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    Verdict,
    Wait,
)


def trajectory(name: str, task: str, *actions: Action, **fields: Any) -> Trajectory:
    steps = tuple(
        Step(
            Observation(Screenshot(b"%s %d" % (name.encode(), n), "png", Size(2, 2)), "a/A", True, 0.0), Decision(a, "")
        )
        for n, a in enumerate(actions)
    )
    about = Task(task, f"do {task}", "s", "a", "t", (), 9, "test")
    given: dict[str, Any] = {"end": End.FINISHED, "outcome": True, **fields}
    return Trajectory(name, about, steps, provenance=Provenance("p"), **given)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    with ParquetTrajectoryStore(tmp_path / "store") as made:
        made.append(trajectory("good", "x", Press(Key.BACK), Wait(), Finish()))
        made.append(trajectory("bad", "x", Press(Key.BACK), Press(Key.BACK), outcome=False))
        made.append(trajectory("unknown", "y", Wait(), outcome=None, verdicts=(Verdict(True, "first"),)))
        made.append(trajectory("aborted", "y", Wait(), end=End.ABORTED, outcome=None))
    return tmp_path / "store"


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> dict[str, Any]:
    assert main(["replay", *map(str, arguments), "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_judge_is_asked_once(store: Path, chat_server: Any, capsys: pytest.CaptureFixture[str]) -> None:
    chat_server.script = ['{"success": true}', '{"success": true}', "hm"]
    arguments = (store, "--judge", "vlm", "--url", chat_server.url, "--model", "m")
    before = (store / "journal.log").read_bytes()
    found = told(capsys, *arguments, "--limit", "2")
    assert (found["trajectories"], found["judged_now"], found["judged"]) == (2, 2, 2)
    asked = len(chat_server.requests)
    found = told(capsys, *arguments)
    assert (found["judged_now"], found["decided"], found["accuracy"]) == (1, 2, 0.5)
    assert found["differs_from_stored"] == ["bad"]
    found = told(capsys, *arguments)
    assert found["judged_now"] == 1  # an abstention is asked again
    assert len(chat_server.requests) == asked + 2
    found = told(capsys, *arguments, "--frames", "key:2")
    assert found["judged_now"] == 3  # shown more, it may say something else
    assert (store / "journal.log").read_bytes() == before


def test_the_truth_as_judge(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, store, "--judge", "outcome")
    assert (found["judge"], found["accuracy"], found["differs_from_stored"]) == ("outcome", 1.0, [])
    assert told(capsys, store, "--judge", "outcome")["judged_now"] == 1
    assert main(["replay", str(store), "--judge", "outcome", "--scores", str(store / "other.jsonl")]) == 0
    assert "agrees with the outcome on 100.0% of 2 decided episodes" in capsys.readouterr().out


def test_a_policy_is_replayed_once(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, store, "--policy", "random", "--history", "own")
    assert (found["compared"], found["replayed_now"], found["history"]) == (3, 3, "own")
    assert set(found["first_divergence"]) == {"good", "bad", "unknown"}
    assert sum(found["first_divergence_histogram"].values()) + found["complete"]["same"] == 3
    assert {kind: row["steps"] for kind, row in found["agreement_by_action"].items()} == {
        "Press": 3,
        "Wait": 2,
        "Finish": 1,
    }
    again = told(capsys, store, "--policy", "random", "--history", "own", "--matcher", "identical")
    assert again["replayed_now"] == 0
    assert told(capsys, store, "--policy", "random", "--successful")["replayed_now"] == 2  # another history


def test_against_a_reference(store: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, store, "--reference", store)
    assert found["first_divergence"] == {"good": None, "bad": 1, "unknown": None}
    assert found["progress"] == pytest.approx((1 + 1 / 3 + 1) / 3)
    with ParquetTrajectoryStore(tmp_path / "experts") as made:
        made.append(trajectory("shown", "x", Press(Key.BACK), Wait(9.0), Finish()))
    assert main(["replay", str(store), "--reference", str(tmp_path / "experts")]) == 0
    said = capsys.readouterr().out
    assert "1 tasks have none" in said
    assert "     1      1  ####" in said
    assert " never      1" in said


def test_wrong_usage(store: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in (
        ([store, "--judge", "vlm"], "--judge vlm needs --url and --model"),
        ([store, "--judge", "outcome", "--policy.device", "cpu"], "only --policy has a use for"),
        ([store, "--judge", "outcome", "--limit", "0"], "--limit must be at least 1"),
    ):
        assert main(["replay", *map(str, arguments)]) == 2
        assert words in capsys.readouterr().err
    assert main(["replay", str(store / "nothing"), "--judge", "outcome"]) == 1
    choices = next(action.choices for action in _parser()._actions if action.dest == "matcher")
    assert set(choices or ()) == set(MATCHERS)
