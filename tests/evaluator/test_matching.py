"""The matchers by name; what they rest on is tested with `tapwise.matching`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tapwise.evaluator.matching import MATCHERS, canonical, identical
from tapwise.matching import match_actions
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
SCREEN = Observation(
    Screenshot(b"", "png", Size(200, 100)), "a/A", True, 0.0, UiNode(bounds=(0, 0, 100, 200), children=(BAR,))
)

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
def test_every_matcher(first: Action, second: Action) -> None:
    for matcher in MATCHERS.values():
        assert matcher(first, first, SCREEN)
        if not isinstance(first, Finish):
            assert matcher(first, second, SCREEN) == matcher(second, first, SCREEN)
    assert canonical(first, second, SCREEN) == match_actions(first, second, SCREEN).same
    if identical(first, second, SCREEN):
        assert canonical(first, second, SCREEN)


def test_identical_is_to_the_last_digit() -> None:
    middle, further = Point(0.5, 0.5), Point(0.5, 0.81)
    assert identical(Tap(middle, "this"), Tap(middle, "that"), SCREEN)
    assert identical(LongPress(middle, target="this"), LongPress(middle), SCREEN)
    assert not identical(Swipe(middle, Point(0.5, 0.8)), Swipe(middle, further), SCREEN)
    assert not identical(Tap(middle), Tap(Point(0.5, 0.53)), SCREEN)
