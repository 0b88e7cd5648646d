"""Which actions count as the same: on a tall screen, and on a small one with a bar, an icon and a dead button."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.matching import Match, finger_direction, match_actions, normalise_text, touched_node
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

BARE = Observation(Screenshot(b"", "png", Size(2400, 1080)), "app/.Main", True, 0.0)
WAYS = {
    "up": Swipe(Point(0.5, 0.7), Point(0.5, 0.3)),
    "down": Swipe(Point(0.5, 0.3), Point(0.5, 0.7)),
    "left": Swipe(Point(0.8, 0.5), Point(0.2, 0.5)),
    "right": Swipe(Point(0.2, 0.5), Point(0.8, 0.5)),
}

BAR = UiNode(text="search", bounds=(0, 0, 100, 20), clickable=True)
ICON = UiNode(text="mic", bounds=(80, 0, 100, 20), clickable=True)
OFF = UiNode(text="off", bounds=(0, 60, 100, 80), clickable=True, enabled=False)
PLAIN = Observation(Screenshot(b"", "png", Size(200, 100)), "a/A", True, 0.0)
SCREEN = replace(PLAIN, ui=UiNode(bounds=(0, 0, 100, 200), children=(BAR, ICON, OFF)))


def tap(x: float, y: float) -> Tap:
    return Tap(Point(x, y))


def swipe(x: float, y: float) -> Swipe:
    """From the middle towards (x, y)."""
    return Swipe(Point(0.5, 0.5), Point(0.5 + x, 0.5 + y))


def same(action: Action, expert: Action, observation: Observation = PLAIN) -> bool:
    return match_actions(action, expert, observation).same


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

points = st.builds(Point, st.floats(0, 1), st.floats(0, 1))
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Tap, points, st.none() | st.text(max_size=3)),
    st.builds(LongPress, points),
    st.builds(Swipe, points, points),
    st.builds(TypeText, st.text(max_size=8)),
    st.builds(Press, st.sampled_from(Key)),
    st.builds(OpenApp, st.text(max_size=8)),
    st.builds(Wait, st.floats(0, 10)),
    st.builds(Finish, st.sampled_from(["success", "impossible"]), st.none() | st.text(max_size=8)),
)


def with_nodes(*nodes: UiNode) -> Observation:
    return replace(BARE, ui=UiNode(bounds=(0, 0, 1080, 2400), children=nodes))


@given(actions)
def test_an_expert_matches_itself(action: Action) -> None:
    assert match_actions(action, action, BARE) == Match(kind=True, same=True)
    assert match_actions(action, action, SCREEN) == Match(kind=True, same=True)


@given(actions, actions)
def test_other_kinds_never_match(action: Action, expert: Action) -> None:
    match = match_actions(action, expert, BARE)
    assert match.kind == (type(action) is type(expert))
    assert match.kind or not match.same


def test_touches_match_within_reach() -> None:
    expert = Tap(Point(0.5, 0.5))
    assert match_actions(Tap(Point(0.53, 0.52)), expert, BARE).same
    assert match_actions(Tap(Point(0.53, 0.53)), expert, BARE) == Match(kind=True, same=False)
    assert match_actions(LongPress(Point(0.53, 0.52)), LongPress(Point(0.5, 0.5), 2.0), BARE).same
    assert not match_actions(LongPress(Point(0.5, 0.5)), expert, BARE).kind


def test_touches_on_one_thing_match() -> None:
    row = UiNode(bounds=(0, 400, 1080, 600), clickable=True)
    button = UiNode(bounds=(900, 400, 1080, 600), clickable=True)
    screen = with_nodes(row, button)
    assert match_actions(Tap(Point(0.1, 0.2)), Tap(Point(0.5, 0.2)), screen).same
    assert not match_actions(Tap(Point(0.1, 0.2)), Tap(Point(0.9, 0.2)), screen).same, "the expert meant the button"
    assert not match_actions(Tap(Point(0.1, 0.3)), Tap(Point(0.5, 0.2)), screen).same
    assert not match_actions(Tap(Point(0.1, 0.2)), Tap(Point(0.5, 0.2)), BARE).same


def test_a_touchable_background_is_no_target() -> None:
    screen = with_nodes(UiNode(bounds=(0, 0, 1080, 2000), clickable=True))
    assert not match_actions(Tap(Point(0.5, 0.5)), Tap(Point(0.5, 0.7)), screen).same


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("other", WAYS)
def test_swipes_match_by_the_finger_s_way(way: str, other: str) -> None:
    assert match_actions(WAYS[way], WAYS[other], BARE).same == (way == other)


def test_the_longer_way_is_measured_in_pixels() -> None:
    aslant = Swipe(Point(0.2, 0.4), Point(0.5, 0.6))  # 324 pixels to the right, 480 down
    assert match_actions(aslant, WAYS["down"], BARE).same
    assert not match_actions(Swipe(Point(0.5, 0.5), Point(0.5, 0.5)), WAYS["down"], BARE).same


def test_texts_differ_in_more_than_case() -> None:
    assert match_actions(TypeText("Nova Lamp "), TypeText("nova lamp"), BARE).same
    assert not match_actions(TypeText(""), TypeText("nova lamp"), BARE).same
    assert not match_actions(TypeText("nova"), TypeText("nova lamp"), BARE).same
    assert match_actions(OpenApp("settings"), OpenApp("Settings"), BARE).same
    assert not match_actions(Press(Key.HOME), Press(Key.BACK), BARE).same


def test_endings_differ_in_status_and_answer() -> None:
    assert match_actions(Finish(), Finish(), BARE).same
    assert match_actions(Finish(answer="7"), Finish(), BARE).same, "the expert gave none to compare with"
    assert not match_actions(Finish("impossible"), Finish(), BARE).same
    assert not match_actions(Finish(answer="7"), Finish(answer="8"), BARE).same
    assert match_actions(Finish(answer=" Paris"), Finish(answer="paris"), BARE).same
    assert match_actions(Wait(1), Wait(9), BARE).same


def test_a_match_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="another kind"):
        Match(kind=False, same=True)


@pytest.mark.parametrize(("predicted", "expected"), SAME)
def test_the_same(predicted: Action, expected: Action) -> None:
    assert same(predicted, expected)


@pytest.mark.parametrize(("predicted", "expected"), DIFFERENT)
def test_different(predicted: Action, expected: Action) -> None:
    assert not same(predicted, expected)
    assert not same(predicted, expected, SCREEN)


def test_two_ends_of_one_node_are_the_same_touch() -> None:
    assert not same(tap(0.05, 0.05), tap(0.7, 0.05))
    assert same(tap(0.05, 0.05), tap(0.7, 0.05), SCREEN)
    assert not same(tap(0.05, 0.05), tap(0.85, 0.05), SCREEN)  # the smaller node on top
    assert not same(tap(0.05, 0.35), tap(0.7, 0.35), SCREEN)  # not enabled
    assert touched_node(Point(0.85, 0.05), SCREEN) is ICON
    assert touched_node(Point(0.85, 0.9), SCREEN) is None


def test_a_node_that_fills_the_screen_makes_no_touch_right() -> None:
    everything = UiNode(bounds=(0, 0, 100, 200), clickable=True)
    assert not same(tap(0.1, 0.1), tap(0.9, 0.9), replace(PLAIN, ui=everything))


@given(actions, actions)
def test_order_counts_only_for_answers(first: Action, second: Action) -> None:
    if not isinstance(first, Finish):
        assert same(first, second, SCREEN) == same(second, first, SCREEN)


def test_directions_are_the_fingers() -> None:
    size = PLAIN.screenshot.size
    ways = ((0, -0.2), (0, 0.2), (-0.2, 0), (0.2, 0), (0, 0), (0.2, 0.2), (0.2, 0.1))
    found = [finger_direction(swipe(*to), size) for to in ways]
    assert found == ["up", "down", "left", "right", None, "down", None]
    assert normalise_text(" \uff21b\tC ") == "ab c"


def test_against_the_released_matchers() -> None:
    """Cases of shared golden examples: AitW's official matching calls opposite swipes the same and compares no text;
    VEM's release calls far taps, and a tap and a swipe, the same; UI-S1's reward takes an empty text and the opposite
    of the expert's swipe. None of these is the same action here."""
    official = [(swipe(0.0, -0.3), swipe(0.0, 0.3)), (TypeText("a"), TypeText("b"))]
    released = [(tap(0.1, 0.1), tap(0.9, 0.9)), (tap(0.5, 0.5), swipe(0.0, -0.3)), (swipe(0.3, 0), swipe(0, 0.3))]
    rewards = [(TypeText(""), TypeText("anything")), (swipe(0.0, 0.3), swipe(0.0, -0.3))]
    assert not any(same(*pair) for pair in (*official, *released, *rewards))
