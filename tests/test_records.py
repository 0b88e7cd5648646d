"""The values that travel: points and pixels, what may be learned from, whose word counts."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise import records
from tapwise.records import (
    Decision,
    End,
    Observation,
    Point,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    UiNode,
    Verdict,
    Wait,
)

SIZES = st.builds(Size, height=st.integers(1, 4000), width=st.integers(1, 4000))
TASK = Task("t", "open settings", "general", "settings", "open", (("label", "wifi"), ("state", "on")), 10, "test")
SEEN = Observation(Screenshot(b"", "png", Size(2, 1)), "app/.Main", True, 0.0)
STEP = Step(SEEN, Decision(Wait(), "wait"))


def trajectory(**changes: object) -> Trajectory:
    return dataclasses.replace(Trajectory("x", TASK, (STEP,), End.FINISHED, Provenance("p")), **changes)  # type: ignore[arg-type]


@given(SIZES, st.data())
def test_every_pixel_survives_the_way_through_a_point(size: Size, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, size.width - 1)), data.draw(st.integers(0, size.height - 1))
    assert Point.from_pixels(x + 0.5, y + 0.5, size).to_pixels(size) == (x, y)


@given(SIZES, st.floats(0, 1), st.floats(0, 1))
def test_a_point_is_always_on_the_screen(size: Size, x: float, y: float) -> None:
    column, row = Point(x, y).to_pixels(size)
    assert 0 <= column < size.width
    assert 0 <= row < size.height


@given(SIZES, st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
def test_pixels_beyond_the_screen_are_clamped(size: Size, x: float, y: float) -> None:
    point = Point.from_pixels(x, y, size)
    assert 0 <= point.x <= 1
    assert 0 <= point.y <= 1


@pytest.mark.parametrize(("x", "y"), [(-0.1, 0.5), (0.5, 1.1), (float("nan"), 0.5)])
def test_a_point_outside_the_unit_square_is_refused(x: float, y: float) -> None:
    with pytest.raises(ValueError, match="outside the unit square"):
        Point(x, y)


def test_params_of_a_task() -> None:
    assert TASK.param("state") == "on"
    with pytest.raises(KeyError):
        TASK.param("colour")


def test_a_node_walks_parents_first() -> None:
    leaf = UiNode(description="more", bounds=(0, 10, 20, 30))
    tree = UiNode(text="top", children=(UiNode(text="left", children=(leaf,)), UiNode(text="right")))
    assert [node.label for node in tree.walk()] == ["top", "left", "more", "right"]
    assert leaf.centre == (10, 20)


@pytest.mark.parametrize(
    ("changes", "trainable"),
    [({}, True), ({"end": End.TRUNCATED}, True), ({"end": End.ABORTED}, False), ({"steps": ()}, False)],
)
def test_what_may_be_learned_from(changes: dict[str, object], trainable: bool) -> None:
    assert trajectory(**changes).trainable is trainable


@pytest.mark.parametrize(
    ("outcome", "words", "success"),
    [
        (None, [], None),
        (True, [False], True),
        (False, [True], False),
        (None, [None, True, False], True),
        (None, [None], None),
    ],
)
def test_the_truth_counts_before_any_judge(
    outcome: bool | None, words: list[bool | None], success: bool | None
) -> None:
    verdicts = tuple(Verdict(word, "judge") for word in words)
    assert trajectory(outcome=outcome, verdicts=verdicts).success is success


def test_records_are_frozen_and_slotted() -> None:
    classes = [c for c in vars(records).values() if dataclasses.is_dataclass(c) and isinstance(c, type)]
    assert len(classes) > 15
    for record in classes:
        assert record.__dataclass_params__.frozen, record  # type: ignore[attr-defined]
        assert "__slots__" in vars(record), record


def test_long_fields_stay_out_of_messages() -> None:
    assert "data" not in repr(Screenshot(b"x" * 10_000, "png", Size(1, 1)))
