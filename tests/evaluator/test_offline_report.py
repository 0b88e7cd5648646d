"""Offline reports: counts by hand, agreement with the metrics they are made of, and AndroidControl's test split."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.evaluator.offline_benchmarks import AITW, UI_S1_SOP, AitwStep, SopStep
from tapwise.evaluator.offline_report import Benchmark, OfflineEpisode, OfflineReport, offline_report
from tapwise.evaluator.sop import MODES, matched_steps, score
from tapwise.evaluator.statistics import wilson_interval

SIZE = (1080, 2400)
LARGE = [0, 473, 1080, 2337]
BACK = {"action": "system_button", "button": "Back"}

Action = dict[str, Any]


def click(x: float, y: float, **more: Any) -> Action:
    return {"action": "click", "coordinate": [x, y], **more}


def episode(*pairs: tuple[Action | None, Action]) -> OfflineEpisode[SopStep]:
    return OfflineEpisode(tuple(said for said, _ in pairs), tuple(SopStep(check, SIZE) for _, check in pairs))


UP = {"action": "swipe", "coordinate": [540, 1800], "coordinate2": [540, 600]}
SAMPLE = [
    episode((UP, {"action": "swipe", "direction": "up"}), (BACK, BACK)),  # the wrong way
    episode((click(9, 500), click(540, 2000, candidate_bbox=[LARGE])), (None, BACK)),
    episode((BACK, BACK), (BACK, click(540, 1200, candidate_bbox=[[500, 1150, 600, 1250]])), (BACK, BACK)),
]


def by_name(report: OfflineReport) -> dict[str, Any]:
    return {row.matcher: row for row in report.matchers}


def test_counts_by_hand() -> None:
    report = offline_report(UI_S1_SOP, SAMPLE)
    rows = by_name(report)
    code, strict = rows["code"].policy, rows["strict"].policy
    assert (code.steps, code.matched_steps, code.episodes, code.complete_episodes) == (7, 5, 3, 1)
    assert code.progress == pytest.approx((1 + 0 + 1 / 3) / 3)  # the unparsable reply forfeits the second episode
    assert (strict.matched_steps, strict.complete_episodes) == (3, 0)
    assert strict.progress == pytest.approx((0 + 0 + 1 / 3) / 3)
    assert strict.step_interval == wilson_interval(3, 7)
    assert code.episode_interval == wilson_interval(1, 3)
    worth = {name: round(7 * row.worth) for name, row in rows.items() if row.worth}
    assert worth == {"code": 2, "paper": 1, "strict, but any swipe": 1, "strict, but boxes of any size": 1}
    assert (rows["code"].centre.matched_steps, rows["strict"].centre.matched_steps) == (2, 1)


def test_types_by_hand() -> None:
    types = {row.action_type: row for row in offline_report(UI_S1_SOP, SAMPLE).types}
    assert list(types) == ["system_button", "click", "swipe"]
    counts = {kind: (row.steps, row.type_matches, row.matches) for kind, row in types.items()}
    assert counts == {"system_button": (4, 3, 3), "click": (2, 1, 1), "swipe": (1, 1, 1)}
    assert types["click"].interval == types["click"].type_interval == wilson_interval(1, 2)


def test_steps_that_were_not_asked_stay_in_the_denominator() -> None:
    short = OfflineEpisode((BACK,), (SopStep(BACK, SIZE), SopStep(BACK, SIZE)))
    report = offline_report(UI_S1_SOP, [short])
    assert report.types[0].steps == 1
    assert report.matchers[0].policy.step_rate == report.matchers[0].policy.progress == 0.5


def test_android_in_the_wild() -> None:
    def swipe(start: float, end: float) -> Action:
        return {"action_type": 4, "yx_touch": (start, 0.5), "yx_lift": (end, 0.5)}

    said = (swipe(0.8, 0.2), {"action_type": 3, "type_action": "cat"}, swipe(0.42, 0.42), None, swipe(0.5, 0.5))
    did = (swipe(0.2, 0.8), {"action_type": 3, "type_action": "dog"}, swipe(0.5, 0.5), swipe(0.5, 0.5), swipe(0.5, 0.5))
    steps = tuple(AitwStep(action, np.empty((0, 4))) for action in did)
    report = offline_report(AITW, [OfflineEpisode(said, steps)])
    rows = by_name(report)
    assert {name: row.policy.matched_steps for name, row in rows.items()} == {
        "official": 4,
        "strict": 1,
        "strict, but any way of a swipe": 2,
        "strict, but any text": 2,
        "strict, but taps within 0.14": 2,
    }
    assert rows["strict"].centre.matched_steps == 3
    assert [(row.action_type, row.steps, row.matches) for row in report.types] == [
        ("tap", 3, 2),
        ("TYPE", 1, 1),
        ("swipe", 1, 1),
    ]


def test_markdown_holds_every_row() -> None:
    report = offline_report(UI_S1_SOP, SAMPLE)
    text = report.to_markdown()
    assert "### UI-S1 SOP: 3 episodes, 7 steps" in text
    assert "| code | 71.4 (35.9 to 91.8) | 33.3 (6.1 to 79.2) | 44.4 | +28.6 | 28.6 | 0.0 |" in text
    assert "| click | 2 | 50.0 (9.5 to 90.5) | 50.0 (9.5 to 90.5) |" in text
    assert sum(line.startswith("| strict, but") for line in text.splitlines()) == 8


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="at least one episode"):
        offline_report(UI_S1_SOP, [])
    with pytest.raises(ValueError, match="2 predictions for an episode of 1"):
        OfflineEpisode((BACK, BACK), (BACK,))
    with pytest.raises(ValueError, match="no matcher 'strict'"):
        Benchmark("empty", (), "strict", UI_S1_SOP.action_type, UI_S1_SOP.centre)


def test_the_expert_and_the_centre_on_androidcontrol(shared_file: Callable[[str], Path]) -> None:
    lines = shared_file("data/android_control_std.jsonl").read_text().splitlines()
    rows = [json.loads(line)["steps"] for line in lines[:100]]
    episodes = [episode(*((step["action_content"], step["check_options"]) for step in steps)) for steps in rows]
    report = offline_report(UI_S1_SOP, episodes)
    centre = click(540, 1200)
    for row in report.matchers:
        assert row.policy.step_rate == row.policy.progress == row.policy.episode_rate == 1, row.matcher
        if row.matcher in MODES:
            checks = [[step["check_options"] for step in steps] for steps in rows]
            rules = MODES[row.matcher]
            sop = score((matched_steps([centre] * len(each), each, SIZE, rules), len(each)) for each in checks)
            assert (row.centre.progress, row.centre.episode_rate) == pytest.approx((sop.pg, sop.tsr))
