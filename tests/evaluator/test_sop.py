"""UI-S1's metric: the published examples, what each mode forgives, three policies on AndroidControl's test split."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tapwise.evaluator.sop import MODES, Mode, match_step, matched_steps, score
from tapwise.evaluator.ui_s1_matching import boxes_of
from tapwise.evaluator.ui_s1_reward import rescaled

SIZE = (1080, 2400)
CENTRE = {"action": "click", "coordinate": [540, 1200]}
ALL: tuple[Mode, ...] = ("code", "paper", "strict")

Action = dict[str, Any]


def click(x: float, y: float, **more: Any) -> Action:
    return {"action": "click", "coordinate": [x, y], **more}


def swipe(*points: float) -> Action:
    return {"action": "swipe", "coordinate": list(points[:2]), "coordinate2": list(points[2:])}


UP, DOWN, LEFT = swipe(540, 1800, 540, 600), swipe(540, 600, 540, 1800), swipe(900, 1200, 200, 1200)
SMALL, LARGE = [500, 1100, 600, 1300], [0, 473, 1080, 2337]


@pytest.mark.parametrize(
    ("predicted", "check", "code", "paper", "strict"),
    [
        (UP, {"action": "swipe", "direction": "down"}, True, True, True),  # the label is the content's way
        (DOWN, {"action": "swipe", "direction": "down"}, True, False, False),
        (LEFT, {"action": "swipe", "direction": "left"}, True, True, True),  # but the finger's way sideways
        (LEFT, {"action": "swipe", "direction": "right"}, True, False, False),
        (UP, UP, True, True, True),
        (DOWN, UP, True, False, False),
        (swipe(5, 5, 5, 5), UP, True, False, False),
        (click(550, 1200), click(540, 1200, candidate_bbox=[SMALL]), True, True, True),
        (click(605, 1200), click(600, 1200, candidate_bbox=[SMALL]), True, True, False),  # beside it, within 1.2
        (click(615, 1200), click(600, 1200, candidate_bbox=[SMALL]), True, True, False),  # further, within 0.04
        (click(615, 1200), click(600, 1200, candidate_bbox=[]), True, True, True),
        (click(615, 1200), click(600, 1200, bbox=LARGE), True, True, True),
        (click(100, 500), click(540, 2200, candidate_bbox=[LARGE]), True, True, False),
        (click(100, 400), click(540, 2200, candidate_bbox=[SMALL]), False, False, False),
        (click(150, 150), {"action": "open", "text": "Mail", "candidate_bbox": [[1, 1, 200, 200]]}, True, False, True),
        (click(150, 150), {"action": "open", "text": "Mail"}, False, False, False),
        ({"action": "open", "text": "gmail "}, {"action": "open", "text": "Gmail"}, True, True, True),
        ({"action": "open", "text": "mail"}, {"action": "open", "text": "Gmail"}, True, True, False),
        ({"action": "type", "text": ""}, {"action": "type", "text": "cat"}, True, False, False),
        ({"action": "type", "text": " cat"}, {"action": "type", "text": "Cat"}, True, True, True),
        ({"action": "type", "text": "ca"}, {"action": "type", "text": "cat"}, True, True, False),
        ({"action": "wait", "time": 9}, {"action": "wait", "time": 2}, True, True, True),
        ({"action": "system_button", "button": "back"}, {"action": "system_button", "button": "Back"}, *[True] * 3),
        ({"action": "system_button", "button": "home"}, {"action": "system_button", "button": "Back"}, *[False] * 3),
        ({"action": "terminate", "status": "success"}, {"action": "terminate", "status": "success"}, False, True, True),
        (
            {"action": "terminate", "status": "failure"},
            {"action": "terminate", "status": "success"},
            False,
            True,
            False,
        ),
        ({"action": "answer", "text": "4"}, {"action": "answer", "text": "4"}, False, True, True),
        ({"action": "long_press", "coordinate": [1, 1]}, click(1, 1), False, False, False),
    ],
)
def test_what_each_mode_forgives(predicted: Action, check: Action, code: bool, paper: bool, strict: bool) -> None:
    found = [match_step(predicted, check, SIZE, mode).match for mode in ALL]
    assert found == [code, paper, strict]


@pytest.mark.parametrize(
    "predicted",
    [
        None,
        {},
        {"action": "fly"},
        {"action": ["click"]},
        {"action": "click"},
        {"action": "click", "coordinate": "12"},
        {"action": "click", "coordinate": [1]},
        {"action": "click", "coordinate": [True, 1]},
        {"action": "click", "coordinate": [float("nan"), 1]},
        {"action": "click", "coordinate": [10**400, 1]},
    ],
)
def test_unusable_predictions_match_nothing(predicted: Action | None) -> None:
    for mode in ALL:
        found = match_step(predicted, click(1, 1, candidate_bbox=[LARGE]), SIZE, mode)
        assert (found.type_match, found.match) == (False, False)


def test_the_kind_counts_apart() -> None:
    assert match_step(click(0, 0), click(1000, 1000), SIZE) == (True, False, False)
    assert match_step(UP, click(1000, 1000), SIZE) == (False, False, False)
    assert match_step(click(1, 1), {"action": "terminate", "status": "success"}, SIZE) == (False, False, True)


def test_an_error_forfeits_the_episode_only_as_released() -> None:
    checks: list[Action] = [{"action": "wait"}] * 3
    wait = {"action": "wait"}
    assert matched_steps([wait, wait, None], checks, SIZE) == 0
    assert matched_steps([wait, wait, None], checks, SIZE, "strict") == 2
    assert matched_steps([wait, UP, None], checks, SIZE) == 1
    assert matched_steps([wait, UP, wait], checks, SIZE) == 1
    assert matched_steps([wait] * 3, checks, SIZE) == 3
    assert matched_steps([], checks, SIZE) == 0


def test_score_of_the_example() -> None:
    found = score([(3, 3), (0, 4), (2, 5), (1, 1), (6, 8)])
    assert (found.pg, found.tsr, found.score) == pytest.approx((0.63, 0.4, 0.515))
    low, high = found.tsr_interval
    assert 0.1 < low < 0.4 < high < 0.8


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="mode 'loose' is unknown"):
        match_step(UP, UP, SIZE, "loose")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="must be positive"):
        match_step(UP, UP, (0, 10))
    with pytest.raises(ValueError, match="'action' must be one of click"):
        match_step(UP, {"action": "fly"}, SIZE)
    with pytest.raises(ValueError, match="'direction' must be"):
        match_step(UP, {"action": "swipe", "direction": "north"}, SIZE, "strict")
    with pytest.raises(ValueError, match="starts where it ends"):
        match_step(UP, swipe(5, 5, 5, 5), SIZE, "strict")
    with pytest.raises(ValueError, match=r"'coordinate' must be \[x, y\]"):
        match_step(click(1, 1), {"action": "click"}, SIZE)
    with pytest.raises(ValueError, match="'text' must be a string"):
        match_step({"action": "type", "text": "a"}, {"action": "type"}, SIZE)
    for boxes in ([[1, 2, 3]], [1, 2, 3], 7, [[1, 2, 3, "4"]]):
        with pytest.raises(ValueError, match="x1, y1, x2, y2"):
            boxes_of({"candidate_bbox": boxes})
    with pytest.raises(ValueError, match="2 predictions for an episode of 1"):
        matched_steps([UP, UP], [UP], SIZE)
    with pytest.raises(ValueError, match="episode 1: 3 matched steps out of 2"):
        score([(1, 1), (3, 2)])
    with pytest.raises(ValueError, match="at least one episode"):
        score([])


def _score(example: dict[str, Any]) -> None:
    found = score(example["inputs"]["matched_steps_and_total"])
    assert (found.pg, found.tsr, found.score) == pytest.approx((0.63, 0.4, 0.515))


def _terminate(example: dict[str, Any]) -> None:
    """The released code raises, which costs the task its progress."""
    given = example["inputs"]
    predicted = rescaled(given["pred"], given["resized"], given["size"])
    assert match_step(predicted, given["gt"], given["size"], "code").error
    assert matched_steps([predicted], [given["gt"]], given["size"], "code") == 0
    assert match_step(predicted, given["gt"], given["size"], "strict") == (True, True, False)


def _matcher(example: dict[str, Any]) -> None:
    given, expected = example["inputs"], example["expected"]
    predicted = rescaled(given["pred"], given["resized"], given["size"])
    as_released = match_step(predicted, given["gt"], given["size"], "code")
    strict = match_step(predicted, given["gt"], given["size"], "strict")
    assert list(as_released[:2]) == expected
    assert (list(strict[:2]) == expected) is not example["peer_behaviour_is_a_defect"]


@pytest.mark.golden({"uis1.sop_matcher.terminate": _terminate, "uis1.sop_matcher.": _matcher, "uis1.sop": _score})
def test_an_example_of_the_golden_file(check: Callable[[dict[str, Any]], None], example: dict[str, Any]) -> None:
    check(example)


# --- three policies on AndroidControl's test split -------------------------------------------------------


@pytest.fixture(scope="module")
def episodes(shared_file: Callable[[str], Path]) -> list[list[Action]]:
    lines = shared_file("data/android_control_std.jsonl").read_text().splitlines()
    return [json.loads(line)["steps"] for line in lines]


def _random_action(generator: random.Random) -> Action:
    x, y, u, v = (generator.random() * side for side in (*SIZE, *SIZE))
    kind = generator.choice(["click", "swipe", "wait", "back"])
    if kind == "back":
        return {"action": "system_button", "button": "Back"}
    return {"click": click(x, y), "swipe": swipe(x, y, u, v), "wait": {"action": "wait"}}[kind]


def _percent(episodes: list[list[Action]], policy: str, mode: Mode) -> tuple[float, float]:
    generator = random.Random(0)
    pairs = []
    for steps in episodes:
        predictions = [
            {"expert": step["action_content"], "centre": CENTRE, "random": _random_action(generator)}[policy]
            for step in steps
        ]
        checks = [step["check_options"] for step in steps]
        pairs.append((matched_steps(predictions, checks, SIZE, mode), len(steps)))
    found = score(pairs)
    return round(100 * found.pg, 1), round(100 * found.tsr, 1)


def test_the_split_is_the_published_one(episodes: list[list[Action]]) -> None:
    assert (len(episodes), sum(map(len, episodes))) == (1543, 8444)


@pytest.mark.parametrize("mode", list(MODES))
def test_the_expert_is_right_in_every_mode(episodes: list[list[Action]], mode: Mode) -> None:
    assert _percent(episodes, "expert", mode) == (100.0, 100.0)


@pytest.mark.parametrize(("mode", "pg", "tsr"), [("code", 5.1, 2.4), ("paper", 5.0, 2.4), ("strict", 1.0, 0.6)])
def test_always_the_centre(episodes: list[list[Action]], mode: Mode, pg: float, tsr: float) -> None:
    assert _percent(episodes, "centre", mode) == (pg, tsr)


@pytest.mark.parametrize(("mode", "pg", "tsr"), [("code", 1.6, 0.5), ("paper", 1.3, 0.3), ("strict", 0.7, 0.1)])
def test_a_random_policy(episodes: list[list[Action]], mode: Mode, pg: float, tsr: float) -> None:
    assert _percent(episodes, "random", mode) == (pg, tsr)
