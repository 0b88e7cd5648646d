"""UI-S1's step reward: the published examples, both forms, annotations, and replies that cannot be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.evaluator.ui_s1_matching import match_action
from tapwise.evaluator.ui_s1_reward import MATCHING, StepReward, parse_response, rescaled, step_reward

SIZE, RESIZED = (1080, 2400), (1092, 2408)
THERE = {"action": "click", "coordinate": [540, 1200], "candidate_bbox": []}


def reply(action: dict[str, Any] | str, thought: str | None = "because") -> str:
    text = action if isinstance(action, str) else json.dumps(action)
    think = "" if thought is None else f"<think>\n{thought}\n</think>\n"
    return f"{think}<action>\n{text}\n</action>"


def reward(action: dict[str, Any] | str, check: dict[str, Any] = THERE, **options: Any) -> StepReward:
    thought = options.pop("thought", "because")
    return step_reward(reply(action, thought), check, SIZE, RESIZED, 4, **options)


def click(x: float, y: float) -> dict[str, Any]:
    return {"action": "click", "coordinate": [x, y]}


@pytest.mark.parametrize(
    ("action", "check", "thought", "code", "paper"),
    [
        (click(546, 1204), THERE, "because", 1.0, 1.0),
        (click(576, 1254), THERE, "because", 1.0, 1.0),  # within 0.04
        (click(647, 1204), THERE, "because", 0.55, 0.5),
        (click(728, 1204), {**THERE, "candidate_bbox": [400, 1100, 700, 1300]}, "because", 1.0, 1.0),
        (click(728, 1204), {**THERE, "candidate_bbox": [[9, 9, 20, 20], [400, 1100, 700, 1300]]}, "x", 1.0, 1.0),
        (click(546, 1204), THERE, None, 0.9, 0.0),
        (click(546, 1204), THERE, " ", 0.9, 0.0),
        ({"action": "wait"}, THERE, "because", 0.19, 0.1),
        ({"action": "click"}, THERE, "because", 0.1, 0.1),
        ("garbage", THERE, "because", 0.0, 0.0),
        ({"action": "answer", "text": "4"}, {"action": "answer", "text": "4"}, "because", 1.0, 1.0),
        ({"action": "type", "text": "4"}, {"action": "answer", "text": "4"}, "because", 0.19, 0.1),
    ],
)
def test_scores(action: Any, check: dict[str, Any], thought: str | None, code: float, paper: float) -> None:
    assert reward(action, check, thought=thought).score == pytest.approx(code)
    assert reward(action, check, thought=thought, form="paper").score == pytest.approx(paper)


@pytest.mark.parametrize(
    ("action", "annotation", "code", "paper"),
    [
        (click(546, 1204), "HARMFUL", 0.1, 0.1),
        (click(546, 1204), "NEUTRAL", 0.55, 0.55),
        (click(647, 1204), "HARMFUL", 0.55, 0.6),
        ({"action": "wait"}, "HARMFUL", 0.91, 1.0),
        ({"action": "wait"}, "GOOD", 0.19, 0.1),
        ({"action": "click"}, "HARMFUL", 0.1, 0.1),  # avoiding the harm takes an action
        ("garbage", "HARMFUL", 0.0, 0.0),
        ("garbage", "NEUTRAL", 0.0, 0.0),
    ],
)
def test_annotations(action: Any, annotation: str, code: float, paper: float) -> None:
    check = {**THERE, "annotation": annotation}
    assert reward(action, check).score == pytest.approx(code)
    assert reward(action, check, form="paper").score == pytest.approx(paper)


def test_the_progress_of_a_match_is_its_share_of_the_task() -> None:
    assert reward(click(546, 1204), {**THERE, "annotation": "HARMFUL"}).step_reward == 0.25
    assert reward(click(647, 1204)).step_reward == 0.0


def swipe(*points: float) -> dict[str, Any]:
    return {"action": "swipe", "coordinate": list(points[:2]), "coordinate2": list(points[2:])}


@pytest.mark.parametrize(
    ("action", "check", "fixed", "released"),
    [
        (swipe(546, 602, 546, 1806), swipe(540, 1800, 540, 600), False, True),
        (swipe(546, 1806, 546, 602), swipe(540, 1800, 540, 600), True, False),
        (swipe(910, 1204, 202, 1204), swipe(900, 1200, 200, 1200), True, True),
        (swipe(546, 1806, 546, 602), {"action": "swipe", "direction": "down"}, True, True),
        ({"action": "type", "text": ""}, {"action": "type", "text": "anything"}, False, True),
        ({"action": "type", "text": "Sculpture"}, {"action": "type", "text": "sculpture art "}, True, True),
        ({"action": "type", "text": "4"}, {"action": "answer", "text": "4"}, False, True),
    ],
)
def test_defects_only_when_asked_for(action: Any, check: dict[str, Any], fixed: bool, released: bool) -> None:
    assert reward(action, check).match is fixed
    assert reward(action, check, matching="released").match is released


def equation_8(format_right: float, type_right: bool, match: bool) -> float:
    return format_right * (0.1 + 0.4 * type_right + 0.5 * (type_right and match))


def test_equation_8() -> None:
    cases = [(1, True, True), (1, True, False), (1, False, False), (0, True, True)]
    assert [equation_8(*case) for case in cases] == pytest.approx([1.0, 0.5, 0.1, 0.0])


@given(st.sampled_from([click(546, 1204), click(9, 9), {"action": "wait"}]), st.sampled_from(["x", " ", None]))
def test_the_paper_form_is_equation_8(action: dict[str, Any], thought: str | None) -> None:
    found = reward(action, thought=thought, form="paper")
    assert found.score == pytest.approx(equation_8(found.format_score, found.type_match, found.match))


def test_the_first_blocks_count() -> None:
    found = parse_response('<think>a</think><action>{"action": "wait"}</action><think>b</think><action>{}</action>')
    assert (found.thought, found.action, found.well_formed) == ("a", {"action": "wait"}, True)
    for text in ("", "<action>{}</action>", "<action>[1]</action>", '<action>{"action": 1}</action>'):
        assert parse_response(text).action is None
    assert parse_response(f"<think>x</think><action>{'[' * 100_000}</action>").action is None


@settings(max_examples=40)
@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(lambda x: reply(json.dumps(x))))
def test_no_reply_breaks_it(text: str) -> None:
    assert step_reward(text, THERE, SIZE, RESIZED, 4).score == 0.0


@given(st.floats(0, 1080), st.floats(0, 2400))
def test_rescaling_there_and_back(x: float, y: float) -> None:
    back = rescaled(rescaled(click(x, y), SIZE, RESIZED), RESIZED, SIZE)
    assert back["coordinate"] == pytest.approx([x, y])
    assert rescaled({"action": "click"}, SIZE, RESIZED) == {"action": "click"}
    assert rescaled({"action": "wait", "coordinate": "no"}, SIZE, RESIZED) == {"action": "wait", "coordinate": "no"}


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="annotation 'BAD'"):
        reward(click(1, 1), {**THERE, "annotation": "BAD"})
    with pytest.raises(ValueError, match="form 'none' is unknown"):
        reward(click(1, 1), form="none")
    with pytest.raises(ValueError, match="matching 'none' is unknown"):
        reward(click(1, 1), matching="none")
    with pytest.raises(ValueError, match="must be positive"):
        step_reward("", THERE, SIZE, (0, 1), 4)
    with pytest.raises(ValueError, match="must be positive"):
        step_reward("", THERE, SIZE, RESIZED, 0)


def _paper_score(example: dict[str, Any]) -> None:
    actions = {(1, 1): click(546, 1204), (1, 0): click(647, 1204), (0, 0): {"action": "wait"}}
    for (form, kind, match), expected in zip(example["inputs"]["cases"], example["expected"], strict=True):
        found = reward(actions[kind, match], thought="because" if form else None, form="paper")
        assert (found.format_score, found.type_match, found.match) == (form, kind, match)
        assert found.score == pytest.approx(expected)


def _reward(example: dict[str, Any]) -> None:
    given, expected = example["inputs"], example["expected"]
    arguments = (given["response"], given["check_options"], given["size"], given["resized"], given["num_steps"])
    agree = {}
    for matching in ("fixed", "released"):
        found = step_reward(*arguments, matching=matching)
        agree[matching] = (found.type_match, found.match) == (expected["type_match"], expected["extract_match"])
        numbers = (found.score, found.format_score, found.step_reward)
        wanted = (expected["score"], expected["format_score"], expected["step_reward"])
        assert agree[matching] is (numbers == pytest.approx(wanted, abs=example["tolerance"]))
    assert agree["released"]
    assert agree["fixed"] is not example["peer_behaviour_is_a_defect"]


@pytest.mark.golden({"uis1.reward.paper_eq8": _paper_score, "uis1.reward.": _reward})
def test_an_example_of_the_golden_file(check: Callable[[dict[str, Any]], None], example: dict[str, Any]) -> None:
    check(example)


def test_the_experts_own_swipes(shared_file: Callable[[str], Path]) -> None:
    rows = [json.loads(line) for line in shared_file("data/ui_s1_train_example.jsonl").read_text().splitlines()]
    steps = [step["action_content"] for row in rows for step in row["steps"]]
    swipes = [step for step in steps if step["action"] == "swipe"]
    assert (len(steps), len(swipes)) == (206, 19)
    found = {
        name: sum(match_action(action, action, SIZE, rules).match for action in swipes)
        for name, rules in MATCHING.items()
    }
    assert found == {"fixed": 19, "released": 0}
    assert all(match_action(action, action, SIZE, MATCHING["fixed"]).match for action in steps)
