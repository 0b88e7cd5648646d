"""Which actions count as the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.evaluator.matching import MATCHERS, canonical, identical
from tapwise.matching import finger_direction, normalise_text, touched_node
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Screenshot,
    Size,
    Swipe,
    Tap,
    TypeText,
    UiNode,
    Wait,
)

BAR = UiNode(text="search", bounds=(0, 0, 100, 20), clickable=True)
ICON = UiNode(text="mic", bounds=(80, 0, 100, 20), clickable=True)
OFF = UiNode(text="off", bounds=(0, 60, 100, 80), clickable=True, enabled=False)
PLAIN = Observation(Screenshot(b"", "png", Size(200, 100)), "a/A", True, 0.0)
SCREEN = Observation(
    Screenshot(b"", "png", Size(200, 100)), "a/A", True, 0.0, UiNode(bounds=(0, 0, 100, 200), children=(BAR, ICON, OFF))
)


def tap(x: float, y: float) -> Tap:
    return Tap(Point(x, y))


def swipe(x: float, y: float) -> Swipe:
    """From the middle towards (x, y)."""
    return Swipe(Point(0.5, 0.5), Point(0.5 + x, 0.5 + y))


SAME: list[tuple[Action, Action]] = [
    (tap(0.5, 0.5), tap(0.5, 0.53)),
    (Tap(Point(0.5, 0.5), "this"), Tap(Point(0.5, 0.5), "that")),
    (LongPress(Point(0.1, 0.1)), LongPress(Point(0.1, 0.13), 3.0)),
    (swipe(0.1, -0.3), swipe(-0.2, -0.4)),
    (TypeText("Sculpture  art "), TypeText("sculpture art")),
    (Press(Key.BACK), Press(Key.BACK)),
    (OpenApp("gmail"), OpenApp("Gmail")),
    (Wait(1.0), Wait(5.0)),
    (Finish("success", "Forty two"), Finish("success", "forty two")),
    (Finish("success", "anything"), Finish("success")),
]
DIFFERENT: list[tuple[Action, Action]] = [
    (tap(0.1, 0.1), tap(0.9, 0.9)),
    (tap(0.5, 0.5), tap(0.5, 0.65)),
    (tap(0.5, 0.5), LongPress(Point(0.5, 0.5))),
    (tap(0.5, 0.5), swipe(0.0, -0.3)),
    (swipe(0.0, 0.3), swipe(0.0, -0.3)),
    (swipe(0.3, 0.0), swipe(0.0, 0.3)),
    (TypeText(""), TypeText("anything")),
    (TypeText("Sculpture"), TypeText("sculpture art")),
    (TypeText("a"), Press(Key.HOME)),
    (Press(Key.BACK), Press(Key.HOME)),
    (OpenApp("mail"), OpenApp("Gmail")),
    (Finish("impossible"), Finish("success")),
    (Finish("success"), Finish("success", "42")),
    (Wait(), Finish()),
]


@pytest.mark.parametrize(("predicted", "expected"), SAME)
def test_the_same(predicted: Action, expected: Action) -> None:
    assert canonical(predicted, expected, PLAIN)


@pytest.mark.parametrize(("predicted", "expected"), DIFFERENT)
def test_different(predicted: Action, expected: Action) -> None:
    assert not canonical(predicted, expected, PLAIN)
    assert not canonical(predicted, expected, SCREEN)


def test_two_ends_of_one_node_are_the_same_touch() -> None:
    assert not canonical(tap(0.05, 0.05), tap(0.7, 0.05), PLAIN)
    assert canonical(tap(0.05, 0.05), tap(0.7, 0.05), SCREEN)
    assert not canonical(tap(0.05, 0.05), tap(0.85, 0.05), SCREEN)  # the smaller node on top
    assert not canonical(tap(0.05, 0.35), tap(0.7, 0.35), SCREEN)  # not enabled
    assert touched_node(Point(0.85, 0.05), SCREEN) is ICON
    assert touched_node(Point(0.85, 0.9), SCREEN) is None


UNIT = st.floats(0, 1)
POINTS = st.builds(Point, x=UNIT, y=UNIT)
ACTIONS = st.one_of(
    st.builds(Tap, at=POINTS, target=st.none() | st.text(max_size=3)),
    st.builds(LongPress, at=POINTS),
    st.builds(Swipe, start=POINTS, end=POINTS),
    st.builds(TypeText, text=st.text(max_size=5)),
    st.builds(Press, key=st.sampled_from(Key)),
    st.builds(OpenApp, name=st.text(max_size=5)),
    st.builds(Wait),
    st.builds(Finish, status=st.sampled_from(["success", "impossible"]), answer=st.none() | st.text(max_size=5)),
)


@given(first=ACTIONS, second=ACTIONS)
def test_an_action_is_itself_and_order_counts_only_for_answers(first: Action, second: Action) -> None:
    for matcher in MATCHERS.values():
        assert matcher(first, first, SCREEN)
        if not isinstance(first, Finish):
            assert matcher(first, second, SCREEN) == matcher(second, first, SCREEN)
    if identical(first, second, SCREEN):
        assert canonical(first, second, SCREEN)


def test_directions_are_the_fingers() -> None:
    size = PLAIN.screenshot.size
    ways = ((0, -0.2), (0, 0.2), (-0.2, 0), (0.2, 0), (0, 0), (0.2, 0.2), (0.2, 0.1))
    found = [finger_direction(swipe(*to), size) for to in ways]
    assert found == ["up", "down", "left", "right", None, "down", None]
    assert normalise_text(" \uff21b\tC ") == "ab c"
    assert not identical(swipe(0.0, 0.3), swipe(0.0, 0.31), PLAIN)


def test_a_node_that_fills_the_screen_makes_no_touch_right() -> None:
    everything = UiNode(bounds=(0, 0, 100, 200), clickable=True)
    screen = Observation(Screenshot(b"", "png", Size(200, 100)), "a/A", True, 0.0, everything)
    assert not canonical(tap(0.1, 0.1), tap(0.9, 0.9), screen)


def test_against_the_released_matchers() -> None:
    """Cases of shared golden examples: AitW's official matching calls opposite swipes the same and compares no text;
    VEM's release calls far taps, and a tap and a swipe, the same; UI-S1's reward takes an empty text and the opposite
    of the expert's swipe. None of these is the same action here."""
    official = [(swipe(0.0, -0.3), swipe(0.0, 0.3)), (TypeText("a"), TypeText("b"))]
    released = [(tap(0.1, 0.1), tap(0.9, 0.9)), (tap(0.5, 0.5), swipe(0.0, -0.3)), (swipe(0.3, 0), swipe(0, 0.3))]
    rewards = [(TypeText(""), TypeText("anything")), (swipe(0.0, 0.3), swipe(0.0, -0.3))]
    assert not any(canonical(*pair, PLAIN) for pair in (*official, *released, *rewards))
