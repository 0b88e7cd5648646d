"""Actions written as JSON are read back; anything else is refused with a reason."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.agent.json_codec import LONGEST_S, JsonCodec
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

CODEC = JsonCodec()
POINTS = st.builds(Point, x=st.floats(0, 1), y=st.floats(0, 1))
TEXTS = st.text(max_size=20)
OPTIONAL = st.none() | TEXTS
SECONDS = st.floats(0, LONGEST_S)
ACTIONS: st.SearchStrategy[Action] = st.one_of(
    st.builds(Tap, at=POINTS, target=OPTIONAL),
    st.builds(LongPress, at=POINTS, duration_s=SECONDS, target=OPTIONAL),
    st.builds(Swipe, start=POINTS, end=POINTS, duration_s=SECONDS),
    st.builds(TypeText, text=TEXTS),
    st.builds(Press, key=st.sampled_from(Key)),
    st.builds(OpenApp, name=TEXTS),
    st.builds(Wait, duration_s=SECONDS),
    st.builds(Finish, status=st.sampled_from(["success", "impossible"]), answer=OPTIONAL),
)


def snap(point: Point) -> Point:
    return Point(round(point.x * 1000) / 1000, round(point.y * 1000) / 1000)


def snapped(action: Action) -> Action:
    """The action at the resolution of the text."""
    match action:
        case Tap(at, target):
            return Tap(snap(at), target)
        case LongPress(at, duration_s, target):
            return LongPress(snap(at), duration_s, target)
        case Swipe(start, end, duration_s):
            return Swipe(snap(start), snap(end), duration_s)
        case _:
            return action


@given(ACTIONS)
def test_what_is_written_is_read_back(action: Action) -> None:
    text = CODEC.format(action)
    assert CODEC.parse(text) == snapped(action)
    assert CODEC.format(CODEC.parse(text)) == text
    assert "\n" not in text


@given(ACTIONS, st.sampled_from(["{}", "I will {} now", "```json\n{}\n```", 'Thought: {{x}} {{"a": 1}}\nAction: {}']))
def test_prose_around_is_passed_over(action: Action, frame: str) -> None:
    assert CODEC.parse(frame.format(CODEC.format(action))) == snapped(action)


@given(st.text(max_size=60) | st.text(alphabet='{}":, action_typeclikxy015', max_size=60))
def test_any_text_is_an_action_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        CODEC.parse(text)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (Tap(Point(0.5, 0.25)), '{"action_type":"click","x":500,"y":250}'),
        (Swipe(Point(0, 1), Point(1, 0)), '{"action_type":"swipe","x":0,"y":1000,"x2":1000,"y2":0}'),
        (LongPress(Point(0, 0), 2.5), '{"action_type":"long_press","x":0,"y":0,"duration_s":2.5}'),
        (TypeText("é, b: \n"), '{"action_type":"input_text","text":"é, b: \\n"}'),
        (Press(Key.ENTER), '{"action_type":"keyboard_enter"}'),
        (Finish(), '{"action_type":"status","goal_status":"complete"}'),
        (Finish("impossible"), '{"action_type":"status","goal_status":"infeasible"}'),
    ],
)
def test_the_canonical_form(action: Action, text: str) -> None:
    assert CODEC.format(action) == text


def test_the_other_forms() -> None:
    scroll = CODEC.parse('{"action_type": "scroll", "direction": "down"}')
    assert isinstance(scroll, Swipe)
    assert scroll.start.y > scroll.end.y  # content from below comes into view as the finger moves up
    assert CODEC.parse('{"action_type": "answer", "text": "7"}') == Finish("success", "7")
    two = '{"action_type": "navigate_home"} {"action_type": "navigate_back"}'
    assert CODEC.parse(two) == Press(Key.BACK)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no JSON object"),
        ('{"action": "click"}', "no JSON object with an action_type"),
        ('{"action_type": "double_tap"}', "'double_tap' is unknown; known are click"),
        ('{"action_type": ["click"]}', "is unknown"),
        ('{"action_type": "click", "x": 1}', "y is None, expected a number"),
        ('{"action_type": "click", "x": 1080, "y": 5}', "x is 1080, outside 0..1000: .* not pixels"),
        ('{"action_type": "click", "x": NaN, "y": 5}', "x is nan, outside"),
        ('{"action_type": "click", "x": true, "y": 5}', "x is True, expected a number"),
        ('{"action_type": "wait", "duration_s": 1e9}', "outside 0..60 seconds"),
        ('{"action_type": "wait", "duration_s": Infinity}', "outside 0..60 seconds"),
        ('{"action_type": "wait", "duration_s": "1"}', "expected seconds"),
        ('{"action_type": "wait", "duration_s": 1' + "0" * 5000 + "}", "no JSON object"),
        ('{"action_type": "wait", "duration_s": 1' + "0" * 500 + "}", "outside 0..60 seconds"),
        ('{"action_type": "input_text"}', "text is None, expected text"),
        ('{"action_type": "status", "goal_status": "successful"}', "expected complete or infeasible"),
        ('{"action_type": "scroll", "direction": "north"}', "expected one of down"),
    ],
)
def test_faults_are_named(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        CODEC.parse(text)


@given(st.sampled_from(["click", "status", "scroll"]))
def test_the_instructions_give_readable_examples(kind: str) -> None:
    lines = [line for line in JsonCodec.instructions.splitlines() if f'"{kind}"' in line]
    assert all(CODEC.parse(line) for line in lines)
