from __future__ import annotations

import json

import pytest

from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import LEVELS
from tapwise.cli import main


def test_lint_proves_templates_and_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    command = ["tasks", "lint", "general", "--template", "clock.timer", "--workers", "1", "--seeds", "2", "--json"]
    assert main(command) == 0
    assert json.loads(capsys.readouterr().out) == {
        "suite": "general",
        "templates": 1,
        "seeds": 2,
        "proofs": 7,
        "failed": [],
    }


def test_stats_count_by_app_level_and_split(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "stats", "general", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    suite = load_suite("general")
    assert found["templates"] == len(suite.templates)
    assert sum(found["by_split"].values()) == found["tasks"] == len(suite.tasks())
    assert {int(level) for level in found["by_level"]} <= set(LEVELS)


def test_stats_play_the_expert(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "stats", "--template", "notes.pin", "--seeds", "2", "--workers", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["expert"] == {"seeds": 2, "played": 2, "succeeded": 2, "failing": {}}


def test_show_takes_templates_and_tasks(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", "show", "notes.pin"]) == 0
    assert "suite general, level 2, notes" in capsys.readouterr().out


@pytest.mark.parametrize("command", [["show", "nothing"], ["lint", "--template", "nothing"], ["lint", "--seeds", "1"]])
def test_what_is_not_there_is_named(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tasks", *command]) == 2
    assert "error:" in capsys.readouterr().err
