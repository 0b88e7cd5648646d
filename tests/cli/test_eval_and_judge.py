from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tapwise.cli import main
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.evaluator.ocr import Line, Page
from tapwise.records import Screenshot

FAST = ["--farm.backend=in_process", "--farm.devices=2", "--farm.size=540x1200", "--episodes=2", "--json"]


def _outcome(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    found: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return found


def test_expert_succeeds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    arguments = ["eval", "--policy", "expert", "--suite", "general", "--farm.noise=", *FAST]
    assert main([*arguments, "--out", str(out)]) == 0
    found = _outcome(capsys)
    assert found["success"] == 1.0
    assert found["episodes"] == 2
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["protocol"]["observation"] == "screenshot and accessibility tree"
    assert len(json.loads((out / "results.json").read_text(encoding="utf-8"))["results"]) == 2
    assert main([*arguments, "--out", str(out)]) == 2
    assert "choose a new folder" in capsys.readouterr().err


def test_random_agent_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = [option for option in FAST if option != "--json"]
    assert main(["eval", "--policy", "random", "--suite", "general", *options, "--out", str(tmp_path / "out")]) == 0
    told = capsys.readouterr().out
    assert "95 % interval" in told
    assert "general" in told


@pytest.mark.parametrize("blank", [[], ["--blank"]])
def test_run_is_measured_by_its_checkpoint(
    blank: list[str], finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["eval", "--policy", str(finished_run), *FAST, *blank, "--out", str(out)]) == 0
    found = _outcome(capsys)
    assert found["suite"] == "general"  # the run's own
    assert found["blank"] is bool(blank)
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["policy"]["version"] == 3
    assert manifest["recipe"]["evaluation"]["episodes"] == 2


def test_folder_of_a_model(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "--policy", str(tiny_model), *FAST, "--out", str(tmp_path / "out")]) == 0
    assert _outcome(capsys)["policy_name"] == f"vlm:{tiny_model}"


@pytest.mark.parametrize(
    ("policy", "more", "hint"),
    [
        ("runs/nowhere/deep", [], "no folder here"),
        ("./nowhere", [], "no folder here"),
        ("random", ["--blank"], "no screenshot"),
        ("expert", ["--suite=games"], "general"),
        ("expert", ["--episodes=0"], "evaluation.episodes"),
        ("expert", ["--farm.backend=remote"], "addresses"),
    ],
)
def test_what_cannot_be_measured(
    policy: str, more: list[str], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "--policy", policy, *more, "--out", str(tmp_path / "out")]) == 2
    assert hint in capsys.readouterr().err


def _copy(run: Path, folder: Path) -> Path:
    shutil.copytree(run / "trajectories", folder)
    return folder


def test_judge_keeps_its_verdicts_and_goes_on(
    finished_run: Path, tmp_path: Path, chat_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    store = _copy(finished_run, tmp_path / "store")
    chat_server.script = ['{"success": false, "reason": "nothing happened"}']  # type: ignore[attr-defined]
    endpoint = ["--url", chat_server.url, "--model", "m"]  # type: ignore[attr-defined]
    assert main(["judge", str(store), *endpoint, "--limit", "2", "--json"]) == 0
    told = _outcome(capsys)
    assert told["judged_now"] == 2
    assert isinstance(told["disagreements"], list)
    assert isinstance(told["by_app"], dict)
    assert sum(row["decided"] for row in told["by_app"].values()) == told["decided"]
    assert main(["judge", str(store), *endpoint, "--limit", "1"]) == 0
    assert "agrees with the outcome" in capsys.readouterr().out
    with ParquetTrajectoryStore(store, mode="read") as opened:
        judged = [summary for summary in opened.scan() if summary.verdicts]
    assert len(judged) == 3
    assert {summary.verdicts[0].judge for summary in judged} == {"vlm:m"}


def test_judge_that_is_down(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = _copy(finished_run, tmp_path / "store")
    endpoint = ["--url", "http://127.0.0.1:1/v1", "--model", "m", "--retries", "0", "--limit", "1"]
    assert main(["judge", str(store), *endpoint]) == 1
    assert "check that the server runs" in capsys.readouterr().err


def test_judge_of_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(tmp_path), "--url", "http://127.0.0.1:1/v1", "--model", "m"]) == 1
    assert "holds no trajectories" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_judge_at_no_url(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["judge", str(finished_run), "--url", "nowhere", "--model", "m"]) == 2
    assert "http://HOST:PORT" in capsys.readouterr().err


def test_an_endpoint_that_is_down_leaves_episodes_pending_and_they_are_asked_about_later(
    finished_run: Path, tmp_path: Path, chat_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    store = _copy(finished_run, tmp_path / "store")
    endpoint = ["--url", chat_server.url, "--model", "m", "--retries", "0", "--json"]  # type: ignore[attr-defined]
    chat_server.script = ['{"success": true}']  # type: ignore[attr-defined]
    assert main(["judge", str(store), *endpoint, "--limit", "2"]) == 0
    chat_server.script = [{"status": 401}]  # type: ignore[attr-defined]
    assert main(["judge", str(store), *endpoint]) == 1
    assert "--pending asks again" in _outcome(capsys)["message"]  # type: ignore[operator]
    with ParquetTrajectoryStore(store, mode="read") as opened:
        summaries = list(opened.scan(lambda one: one.trainable))
        pending = [one for one in summaries if one.verdicts[0].pending]
    assert len(pending) == len(summaries) - 2
    chat_server.script = ['{"success": false}']  # type: ignore[attr-defined]
    assert main(["judge", str(store), *endpoint, "--pending"]) == 0
    told = _outcome(capsys)
    assert (told["judged_now"], told["pending"], told["judged"]) == (len(pending), 0, len(summaries))


def test_a_budget_and_recorded_replies(
    finished_run: Path, tmp_path: Path, chat_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    store = _copy(finished_run, tmp_path / "store")
    asking = ["--url", chat_server.url, "--model", "m", "--json"]  # type: ignore[attr-defined]
    asking += ["--cassette", str(tmp_path / "replies.jsonl"), "--prices", "2,10"]
    chat_server.script = ['{"success": false}']  # type: ignore[attr-defined]
    assert main(["judge", str(store), *asking, "--budget-calls", "3"]) == 1
    told = _outcome(capsys)
    assert told["judged"] == 3
    assert told["pending"] > 0  # type: ignore[operator]
    assert told["cost"] == pytest.approx(3 * (1000 * 2 + 10 * 10) / 1e6)
    assert main(["judge", str(store), *asking, "--pending"]) == 0
    again = _copy(finished_run, tmp_path / "again")
    asked = len(chat_server.requests)  # type: ignore[attr-defined]
    assert main(["judge", str(again), *asking]) == 0
    assert len(chat_server.requests) == asked  # type: ignore[attr-defined]


def test_a_cascade_asks_the_dear_judge_only_what_is_open(
    finished_run: Path, tmp_path: Path, chat_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    store = _copy(finished_run, tmp_path / "store")
    endpoint = ["--url", chat_server.url, "--model", "m"]  # type: ignore[attr-defined]
    assert main(["judge", str(store), "--outcome", *endpoint, "--json"]) == 0
    told = _outcome(capsys)
    assert told["accuracy"] == 1.0
    assert told["stages"]["outcome"]["decided"] == told["judged"]  # type: ignore[index]
    assert "vlm:m" not in told["stages"]  # type: ignore[operator]
    assert chat_server.requests == []  # type: ignore[attr-defined]


def test_text_rules_decide_what_they_can_before_a_model_is_asked(
    finished_run: Path,
    tmp_path: Path,
    chat_server: object,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Asking:
        """Reads that a question is open on every other screen."""

        name = "asking"

        def read(self, screenshot: Screenshot) -> Page:
            text = "Cancel" if sum(screenshot.data) % 2 else "Settings"
            return Page((Line(text, 0.99, (0.1, 0.5, 0.2, 0.6)),), 0.25)

    monkeypatch.setattr("tapwise.evaluator.ocr.RapidReader", Asking)
    store = _copy(finished_run, tmp_path / "store")
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\ntemplates = ["*"]\nverdict = "failure"\nwhen = ["seen Cancel"]\n', encoding="utf-8")
    asking = ["judge", str(store), "--text-rules", str(rules)]
    assert main([*asking, "--json"]) == 0
    told = _outcome(capsys)
    name, decided, texts = str(told["judge"]), told["decided"], told["texts"]
    assert name.startswith("text:")
    assert 0 < texts["read_now"] <= texts["screens"] == told["judged"]  # type: ignore[index, operator]
    assert texts["seconds"] == pytest.approx(0.25 * texts["read_now"])  # type: ignore[index]
    chat_server.script = ['{"success": false}']  # type: ignore[attr-defined]
    assert main([*asking, "--url", chat_server.url, "--model", "m", "--frames", "key:2", "--json"]) == 0  # type: ignore[attr-defined]
    told = _outcome(capsys)
    shares: dict[str, dict[str, int]] = told["stages"]  # type: ignore[assignment]
    assert (shares[name]["asked"], shares[name]["decided"]) == (told["judged"], decided)
    assert shares[name]["decided"] + shares["vlm:m frames=key:2"]["decided"] == told["judged"]
    assert told["texts"]["read_now"] == 0  # type: ignore[index]
    assert told["prompt"]["frames"] == "key:2"  # type: ignore[index]


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        ([], "name a judge"),
        (["--url", "http://127.0.0.1:1/v1"], "belong together"),
        (["--outcome", "--doubt=1"], "0.5"),
        (["--text-rules", "none.toml"], "none.toml cannot be read"),
        (["--url", "http://127.0.0.1:1/v1", "--model", "m", "--frames", "key"], "key:4"),
        (["--url", "http://127.0.0.1:1/v1", "--model", "m", "--examples", "nowhere"], "nowhere"),
    ],
)
def test_no_judge_is_named(
    options: list[str], hint: str, finished_run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["judge", str(finished_run), *options]) == 2
    assert hint in capsys.readouterr().err


def test_whole_apps_are_held_out_where_the_suite_is_asked_for_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["eval", "--policy", "random", "--suite", "general:app", *FAST, "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    assert _outcome(capsys)["suite"] == "general:app"


@pytest.fixture
def lists(tmp_path: Path) -> list[str]:
    """Options that give both lists of instructions."""
    (tmp_path / "train.txt").write_text("Open the clock\nGo to ebay.com\n", encoding="utf-8")
    (tmp_path / "test.txt").write_text("Go to ebay.com\nShow me the news\nPlay a song\n", encoding="utf-8")
    return [f"--aitw.{split}={tmp_path / split}.txt" for split in ("train", "test")]


def test_lists_of_instructions_are_judged_and_their_leak_is_told(
    lists: list[str], tmp_path: Path, chat_server: object, capsys: pytest.CaptureFixture[str]
) -> None:
    chat_server.script = ['{"success": true}', '{"success": false}', "I cannot say."]  # type: ignore[attr-defined]
    farm = [option for option in FAST if not option.startswith("--episodes")]
    arguments = ["eval", "--policy", "random", "--suite", "aitw_general", *lists, *farm, "--episodes=3"]
    assert main([*arguments, "--out", str(tmp_path / "no")]) == 2
    assert "--judge-url" in str(_outcome(capsys)["message"])
    judge = ["--judge-url", chat_server.url, "--judge-model", "m"]  # type: ignore[attr-defined]
    assert main([*arguments, *judge, "--out", str(tmp_path / "out")]) == 0
    found = _outcome(capsys)
    assert (found["episodes"], found["not_told"], found["success"]) == (2, 1, 0.5)
    assert found["leak"] == "1 of 3 test instructions are training instructions too"
    manifest = json.loads((tmp_path / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["protocol"]["success"] == "the judge's verdict on the episode"
    assert manifest["protocol"]["judge"]["model"] == "m"
    assert manifest["protocol"]["step_limits"] == {"aitw_general": [10, 10]}


def test_tasks_that_are_played_several_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "--policy", "expert", "--suite", "general", *FAST, "--runs", "2", "--out", str(tmp_path / "o")]
    assert main(arguments) == 0
    found = _outcome(capsys)
    assert (found["runs"], found["tasks"], found["episodes"], found["not_played"]) == (2, 2, 4, 0)
    assert found["pass@k"] == {"1": 1.0, "2": 1.0}
    plain = [argument for argument in arguments if argument != "--json"]
    assert main([*plain[:-1], str(tmp_path / "again")]) == 0
    assert "pass@2 100.0%" in capsys.readouterr().out
