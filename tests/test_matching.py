from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.android_env import paper_step_reward
from tapwise.matching import Match, match_actions
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

points = st.builds(Point, st.floats(0, 1), st.floats(0, 1))
actions: st.SearchStrategy[Action] = st.one_of(
    st.builds(Tap, points),
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


def test_the_paper_s_reward() -> None:
    same, kind, other = Match(kind=True, same=True), Match(kind=True, same=False), Match(kind=False, same=False)
    earned = [paper_step_reward(True, match) for match in (same, kind, other)]
    assert earned == pytest.approx([1.0, 0.5, 0.1])
    assert paper_step_reward(False, same) == 0.0


def test_a_match_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="another kind"):
        Match(kind=False, same=True)
