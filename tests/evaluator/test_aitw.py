"""AitW's matching: the published examples, its laws, and the arrays' form against the single one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.evaluator.aitw import (
    MODES,
    ActionType,
    accuracy_by_subset,
    actions_match,
    enlarge_boxes,
    match_episode,
    mean_step_accuracy,
)
from tapwise.evaluator.aitw_batch import ActionBatch, actions_match_batch, stack_boxes

BOX = [[0.4, 0.4, 0.1, 0.1]]
HOME = {"action_type": "PRESS_HOME"}

Action = dict[str, Any]


def gesture(touch: tuple[float, float], lift: tuple[float, float] | None = None) -> Action:
    return {"action_type": 4, "yx_touch": touch, "yx_lift": lift or touch, "type_action": ""}


def typing(text: str | bytes) -> Action:
    return {"action_type": 3, "yx_touch": (-1.0, -1.0), "yx_lift": (-1.0, -1.0), "type_action": text}


UP, DOWN, LEFT = gesture((0.8, 0.5), (0.2, 0.5)), gesture((0.2, 0.5), (0.8, 0.5)), gesture((0.5, 0.8), (0.5, 0.2))


@pytest.mark.parametrize(
    ("a", "b", "official", "strict"),
    [
        (gesture((0.1, 0.1)), gesture((0.9, 0.9)), False, False),
        (gesture((0.34, 0.34)), gesture((0.56, 0.56)), True, True),  # both in the enlarged box
        (gesture((0.5, 0.5)), UP, False, False),
        (gesture((0.5, 0.5), (0.53, 0.5)), gesture((0.5, 0.52)), True, True),  # a tiny drag is a tap
        (gesture((0.7, 0.7)), gesture((0.7, 0.8)), True, False),  # 0.1 apart, in no box
        (gesture((0.7, 0.7)), gesture((0.7, 0.85)), False, False),
        (UP, DOWN, True, False),
        (UP, LEFT, False, False),
        (typing("a"), HOME, False, False),
        (typing("Cat "), typing(b"cat"), True, True),
        (typing("cat"), typing("dog"), True, False),
        (HOME, {"action_type": 6}, True, True),
        (gesture((0.5, 0.5)), HOME, False, False),
    ],
)
def test_matching(a: Action, b: Action, official: bool, strict: bool) -> None:
    for first, second in ((a, b), (b, a)):
        assert actions_match(first, second, BOX) is official
        assert actions_match(first, second, BOX, "strict") is strict


def test_boxes_are_enlarged_and_bounded() -> None:
    grown = enlarge_boxes([[0.4, 0.4, 0.1, 0.1], [0.02, 0.02, 0.5, 0.5]])
    np.testing.assert_allclose(grown, [[0.33, 0.33, 0.24, 0.24], [0, 0, 1, 1]], atol=1e-9)
    assert enlarge_boxes([]).shape == (0, 4)
    assert enlarge_boxes([0.4, 0.4, 0.1, 0.1] * 2).shape == (2, 4)


GRID = st.integers(0, 25).map(lambda n: n / 25)  # steps of 0.04: thresholds and edges are often met
POINTS = st.tuples(GRID, GRID) | st.tuples(st.floats(0, 1), st.floats(0, 1))
ACTIONS = (
    st.builds(gesture, POINTS, POINTS)
    | st.builds(gesture, POINTS)
    | st.builds(typing, st.sampled_from(["", "a", "A ", "a\0", "b"]))
    | st.sampled_from([{"action_type": kind.name} for kind in ActionType if kind not in (3, 4)])
)
BOXES = st.lists(st.tuples(GRID, GRID, GRID, GRID), max_size=3)
RULES = st.sampled_from(list(MODES))


@given(st.lists(st.tuples(ACTIONS, ACTIONS, BOXES), max_size=8), RULES)
def test_arrays_give_the_same_answers(cases: list[tuple[Action, Action, Any]], mode: Any) -> None:
    one, other, boxes = ([case[index] for case in cases] for index in range(3))
    batch = actions_match_batch(
        ActionBatch.from_actions(one), ActionBatch.from_actions(other), stack_boxes(boxes), mode
    )
    assert batch.tolist() == [actions_match(a, b, c, mode) for a, b, c in cases]


@given(ACTIONS, ACTIONS, BOXES, RULES)
def test_matching_is_reflexive_symmetric_and_strict_is_stricter(a: Action, b: Action, boxes: Any, mode: Any) -> None:
    assert actions_match(a, a, boxes, mode)
    assert actions_match(a, b, boxes, mode) == actions_match(b, a, boxes, mode)
    assert actions_match(a, b, boxes, "official") or not actions_match(a, b, boxes, "strict")


def test_denominators_are_the_experts() -> None:
    expert: list[Action] = [gesture((0.5, 0.5)), typing("a"), HOME, {"action_type": 10}]
    predicted: list[Action | None] = [gesture((0.5, 0.5)), typing("b"), None]
    matches = match_episode(predicted, expert, [BOX] * 4)
    assert matches == (True, True, False, False)  # an unparsable reply is no press of the home button
    found = accuracy_by_subset([("general", matches), ("general", (True,)), ("install", (True, False))])
    general = found["general"]
    assert (general.steps, general.matched_steps, general.episodes, general.complete_episodes) == (5, 3, 2, 1)
    assert general.step_accuracy == pytest.approx(0.6)
    assert general.partial_match == pytest.approx(0.75)
    assert general.complete_match == pytest.approx(0.5)
    assert general.step_interval[0] < 0.6 < general.step_interval[1]
    assert general.complete_interval[0] < 0.5 < general.complete_interval[1]
    assert mean_step_accuracy(found) == pytest.approx((0.6 + 0.5) / 2)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="mode 'loose' is unknown"):
        actions_match(HOME, HOME, [], "loose")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="action_type 9 is unknown"):
        actions_match({"action_type": 9}, HOME, [])
    with pytest.raises(ValueError, match="yx_lift None"):
        actions_match({"action_type": 4, "yx_touch": (0, 0)}, gesture((0, 0)), [])
    with pytest.raises(ValueError, match=r"shape \(1, 3\)"):
        actions_match(gesture((0, 0)), gesture((0.9, 0)), [[0, 0, 1]])
    with pytest.raises(ValueError, match="2 predictions"):
        match_episode([HOME, HOME], [HOME], [[]])
    with pytest.raises(ValueError, match="no steps"):
        accuracy_by_subset([("general", ())])
    with pytest.raises(ValueError, match="at least one subset"):
        mean_step_accuracy({})
    with pytest.raises(ValueError, match="lengths must be equal"):
        actions_match_batch(ActionBatch.from_actions([HOME]), ActionBatch.from_actions([]), stack_boxes([]))


def _action_match(example: dict[str, Any]) -> None:
    given, expected = example["inputs"], example["expected"]
    a, b = (
        {"action_type": given[f"type{i}"], "yx_touch": given[f"touch{i}_yx"], "yx_lift": given[f"lift{i}_yx"]}
        for i in (1, 2)
    )
    found = actions_match(a, b, given["boxes_yxhw"])
    assert found is expected["official"]
    assert (found != expected["vem_as_released"]) is example["peer_behaviour_is_a_defect"]


def _box_enlarge(example: dict[str, Any]) -> None:
    given = example["inputs"]
    found = enlarge_boxes(given["boxes_yxhw"], given["fraction"])
    np.testing.assert_allclose(found, example["expected"], atol=example["tolerance"])


def _unparsable(example: dict[str, Any]) -> None:
    assert match_episode([None], [HOME], [[]]) == (False,)


@pytest.mark.golden(
    {
        "aitw.action_match.": _action_match,
        "aitw.box_enlarge": _box_enlarge,
        "vem.unparsable_output": _unparsable,
    }
)
def test_an_example_of_the_golden_file(check: Callable[[dict[str, Any]], None], example: dict[str, Any]) -> None:
    check(example)
