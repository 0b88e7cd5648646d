"""`tapwise judge testbed`, `train` and `calibrate`."""

from __future__ import annotations

import json
import shutil
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main
from tapwise.cli.agreement import Word
from tapwise.cli.judge_drift import drift
from tapwise.datasets.labels import read_labels
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.records import Verdict

SMALL = ["--episodes", "10", "--measured", "10", "--updates", "1", "--suite", "general"]


def told(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def judge(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("judges") / "small"
    assert main(["judge", "train", "--out", str(folder), "--model", str(tiny_model), *SMALL, "--json"]) == 0
    return folder


def test_a_testbed_is_made_and_judged_by_its_outcomes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "bed")
    arguments = ["judge", "testbed", "--out", out, "--episodes", "5", "--suite", "general", "--json"]
    assert main(arguments) == 0
    assert told(capsys)["made_now"] == 5
    assert main(arguments) == 0
    assert told(capsys)["made_now"] == 0
    assert main(["judge", out, "--outcome", "--json"]) == 0
    found = told(capsys)
    assert found["accuracy"] == 1.0
    assert set(found["by_kind"]) == {"success", "failure", "near miss"}
    assert all(name.startswith("level") for name in found["by_level"])


def test_a_judge_has_a_card_and_judges_other_stores(
    judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = json.loads((judge / "card.json").read_text(encoding="utf-8"))
    assert card["decided"] == 10
    assert card["training"]["split"] != card["testbed"]["split"]
    assert main(["judge", str(judge / "training"), "--critic", str(judge), "--json"]) == 0
    assert told(capsys)["judge"] == card["judge"]
    assert main(["judge", str(judge / "training"), "--critic", str(judge), "--doubt", "0.5", "--json"]) == 0
    assert told(capsys)["decided"] == 0  # nothing is that sure, and there is no other stage


def test_a_local_model_judges_as_an_endpoint_would(
    judge: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(judge / "testbed", tmp_path / "bed")
    asking = ["judge", str(tmp_path / "bed"), "--local", str(tiny_model), "--frames", "key:2", "--examples", "2"]
    assert main([*asking, "--json"]) == 0
    found = told(capsys)
    assert (found["judged"], found["decided"]) == (10, 10)
    assert found["judge"].startswith(f"local:{tiny_model.name}@")
    assert found["prompt"]["examples"] == "2"
    assert main([*asking, "--doubt", "0.5", "--json"]) == 0
    assert told(capsys)["decided"] == 0


def test_calibration_by_outcome_and_by_people(judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed, page = str(judge / "testbed"), tmp_path / "page.html"
    assert main(["judge", "calibrate", bed, "--page", str(page), "--json"]) == 0
    found = told(capsys)
    assert found["decided"] == 10
    assert len(found["disagreements"]) == round(10 * (1 - found["accuracy"]))
    assert "<!doctype html>" in page.read_text(encoding="utf-8")
    labels = tmp_path / "labels.csv"
    labels.write_text("trajectory,success\nsuccess-0000,true\nfailure-0001,no\n", encoding="utf-8")
    assert main(["judge", "calibrate", bed, "--labels", str(labels), "--json"]) == 0
    assert told(capsys)["decided"] == 2


def test_which_judge_has_to_be_said_where_several_spoke(judge: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bed = str(judge / "testbed")
    assert main(["judge", bed, "--outcome", "--json"]) == 0
    name = json.loads((judge / "card.json").read_text(encoding="utf-8"))["judge"]
    assert main(["judge", "calibrate", bed]) == 2
    assert name in capsys.readouterr().err
    assert main(["judge", "calibrate", bed, "--judge", "outcome", "--against", name, "--json"]) == 0
    found = told(capsys)["drift"]
    assert found["both"] == 10
    assert found["now_right"] == 10 - found["same"]


def test_drift_counts_what_changed_and_which_was_right() -> None:
    def word(name: str, said: bool | None, true: bool | None) -> Word:
        return Word(name, "app", "", "", said, true, "")

    now = [word("a", True, True), word("b", True, False), word("c", False, None), word("d", None, True)]
    then = [word("a", False, True), word("b", False, False), word("c", False, None), word("d", True, True)]
    found = drift(now, then)
    assert (found["both"], found["same"], found["changed"]) == (3, 1, {"to success": 2})
    assert (found["now_right"], found["now_wrong"], found["trajectories"]) == (1, 1, ["a", "b"])
    assert found["agreement"] == pytest.approx(1 / 3)
    assert found["kappa"] == pytest.approx(0.0)  # 1/3 by chance, too: two of three against none of three
    low, high = found["kappa_ci95"]
    assert low < found["kappa"] < high
    assert drift(now, [])["agreement"] is None


def test_two_versions_of_a_judge_are_compared_across_stores(
    judge: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now, page = tmp_path / "now", tmp_path / "changed.html"
    shutil.copytree(judge / "testbed", now)
    with ParquetTrajectoryStore(now) as store:
        old = next(one for one in next(iter(store.scan())).verdicts if one.judge.startswith("critic:"))
        changed = store.ids()[:4]
        for name in store.ids():
            (said,) = [one.success for one in store.summary(name).verdicts if one.judge == old.judge]
            store.annotate(name, verdicts=[Verdict(said is (name not in changed), "new", reason="seen anew")])
        same = dict.fromkeys(store.ids(), True)
    stores = ["judge", "calibrate", str(now), str(judge / "testbed"), "--against", old.judge]
    assert main([*stores, "--page", str(page), "--json"]) == 0
    found = told(capsys)
    assert found["judge"] == "new"
    assert found["drift"]["both"] == len(same)
    assert set(found["drift"]["trajectories"]) == set(changed)
    text = page.read_text(encoding="utf-8")
    assert all(name in text for name in changed)
    assert not any(name in text for name in same if name not in changed)
    assert f"{old.judge}, then" in text
    assert "data:image/" in text
    assert main(stores) == 0
    assert "kappa of the two" in capsys.readouterr().out
    other = tmp_path / "others"
    assert main(["judge", "testbed", "--out", str(other), "--episodes", "10", "--suite", "general", "--seed", "9"]) == 0
    assert main(["judge", str(other), "--outcome"]) == 0
    capsys.readouterr()
    assert main(["judge", "calibrate", str(now), str(other), "--json"]) == 0
    assert told(capsys)["drift"]["both"] == 0  # the same names, and other episodes


def test_people_label_until_they_are_interrupted_and_judges_are_compared_with_them(
    judge: Path, tmp_path: Path, child_program: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    bed, labels = str(judge / "testbed"), tmp_path / "labels.csv"
    command = [sys.executable, "-m", "tapwise", "judge", "label", bed, "--out", str(labels), "--limit", "3", "--json"]
    with child_program(command) as program:
        found = json.loads(program.line())
        assert found["episodes"] == 3
        for number, word in enumerate(("success", "failure", "unknown")):
            sent = json.dumps({"number": number, "label": word}).encode()
            request = urllib.request.Request(found["address"] + "label", sent, {"Content-Type": "application/json"})
            urllib.request.urlopen(request, timeout=10).read()
        program.process.kill()  # nothing that was answered for may be lost
        program.process.wait(20)
    said = read_labels(labels)
    assert sorted(said.values(), key=str) == [False, None, True]
    assert main(["judge", bed, "--outcome"]) == 0
    capsys.readouterr()
    assert main(["judge", "calibrate", bed, "--judge", "outcome", "--labels", str(labels), "--json"]) == 0
    assert told(capsys)["decided"] == 2
    assert main(["judge", "label", bed, "--limit", "0"]) == 2
