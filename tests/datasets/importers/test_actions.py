from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise import records as r
from tapwise.datasets.importers import ui_s1_actions
from tapwise.datasets.importers.aitw_actions import gesture, read_action, read_auto_ui
from tapwise.datasets.importers.common import scroll
from tapwise.errors import DataError, WrongValue

AUTO_UI = '"action_type": "{}", "touch_point": "{}", "lift_point": "{}", "typed_text": "{}"'
NOWHERE = "[-1.0, -1.0]"


def test_auto_ui_tap_is_y_before_x() -> None:
    text = "Action Decision: " + AUTO_UI.format("DUAL_POINT", "[0.2463, 0.1245]", "[0.2463, 0.1245]", "")
    assert read_auto_ui(text, "") == r.Tap(r.Point(0.1245, 0.2463))


@pytest.mark.parametrize("typed", ["macbook air", "paris, france", "time: now", 'say "hi"', ""])
def test_auto_ui_text_is_whole(typed: str) -> None:
    """DigiRL's parser raises on a comma and cuts at a colon."""
    assert read_auto_ui(AUTO_UI.format("TYPE", NOWHERE, NOWHERE, typed), "") == r.TypeText(typed)


@pytest.mark.parametrize("name", ["STATUS_TASK_IMPOSSIBLE", "TASK_IMPOSSIBLE"])
def test_auto_ui_impossible_is_no_idling(name: str) -> None:
    assert read_auto_ui(AUTO_UI.format(name, NOWHERE, NOWHERE, ""), "") == r.Finish("impossible")


@pytest.mark.parametrize("text", ["", "hello", AUTO_UI.format("DUAL_POINT", "[0.2.4, 0.1]", "[0.2, 0.1]", "")])
def test_auto_ui_errors(text: str) -> None:
    with pytest.raises(WrongValue, match="step 3"):
        read_auto_ui(text, "step 3")


def test_digirl_taps_within_three_pixels() -> None:
    size, start = r.Size(2280, 1080), r.Point(0.5, 0.5)
    lifts = [r.Point(0.5, 0.5), r.Point(0.502, 0.501), r.Point(0.503, 0.5)]
    assert [isinstance(gesture(start, lift, size), r.Tap) for lift in lifts] == [True, True, False]
    assert isinstance(gesture(start, lifts[2]), r.Tap)  # by AitW's own rule


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [
        ("down", (0.5, 0.8), (0.5, 0.2)),
        ("up", (0.5, 0.2), (0.5, 0.8)),
        ("left", (0.2, 0.5), (0.8, 0.5)),
        ("right", (0.8, 0.5), (0.2, 0.5)),
    ],
)
def test_scroll_labels_name_the_content(label: str, start: tuple[float, float], end: tuple[float, float]) -> None:
    """VEM turns each of them into the opposite motion of the finger."""
    expected = r.Swipe(r.Point(*start), r.Point(*end))
    assert scroll(label, "") == expected
    assert read_action(f"scroll {label}", (0.1, 0.1), (0.9, 0.9), "", "") == expected
    assert read_action(f"SCROLL_{label.upper()}", (-1, -1), (-1, -1), "", "") == expected


def test_golden_examples(golden: dict[str, Any]) -> None:
    for direction in ("up", "left", "right"):
        one = golden[f"vem.scroll_label_to_gesture.scroll_{direction}"]
        ours = scroll(direction, "")
        vector = [[ours.start.x, ours.start.y], [ours.end.x, ours.end.y]]
        assert vector == one["expected"]["seeclick_finger_xy"]
        assert vector != one["expected"]["vem_finger_xy"]
    tap = read_auto_ui(golden["digirl.parse_autoui.tap"]["inputs"]["text"], "")
    assert tap == r.Tap(r.Point(*golden["digirl.parse_autoui.tap"]["expected"]["touch"]))
    for name in ("type", "type_text_with_comma", "type_text_with_colon"):
        one = golden[f"digirl.parse_autoui.{name}"]
        ours_text = read_auto_ui(one["inputs"]["text"], "")
        theirs = one["expected"]["text"] if isinstance(one["expected"], dict) else None
        assert isinstance(ours_text, r.TypeText)
        assert (ours_text.text == theirs) is not one["peer_behaviour_is_a_defect"]
    impossible = golden["digirl.parse_autoui.impossible_trained_string"]["inputs"]["text"]
    assert read_auto_ui(impossible, "") == r.Finish("impossible")
    with pytest.raises(WrongValue):
        read_auto_ui(golden["digirl.parse_autoui.bad_float"]["inputs"]["text"], "")
    rule = golden["digirl.tap_vs_swipe"]
    size = r.Size(rule["inputs"]["size"][1], rule["inputs"]["size"][0])
    gestures = [gesture(r.Point(*touch), r.Point(*lift), size) for touch, lift in rule["inputs"]["cases"]]
    assert [isinstance(one, r.Tap) for one in gestures] == rule["expected"]
    order = golden["vem.coordinate_order"]["inputs"]
    answer = AUTO_UI.format("DUAL_POINT", *[order["native_autoui_output_yx"]] * 2, "")
    assert read_auto_ui(answer, "") == read_action(4, *[order["seeclick_touch_xy"]] * 2, "", "")


@pytest.mark.parametrize("place", [(-1, -1), (1.5, 0.5), (float("nan"), 0.5), ("a", "b"), (0.5,), None])
def test_wrong_places(place: object) -> None:
    with pytest.raises(WrongValue):
        read_action(4, place, (0.5, 0.5), "", "here")  # type: ignore[arg-type]


# --- UI-S1 -----------------------------------------------------------------------------------------------

SIZE = r.Size(2400, 1080)
UNIT = st.integers(0, 100).map(lambda one: one / 100)
POINTS = st.builds(r.Point, UNIT, UNIT)
ACTIONS = st.one_of(
    st.builds(r.Tap, POINTS),
    st.builds(r.LongPress, POINTS, st.sampled_from([0.5, 2.0])),
    st.builds(r.Swipe, POINTS, POINTS),
    st.builds(r.TypeText, st.text(max_size=5)),
    st.builds(r.OpenApp, st.text(max_size=5)),
    st.builds(r.Press, st.sampled_from(r.Key)),
    st.builds(r.Wait, st.sampled_from([1.0, 2.0])),
    st.builds(r.Finish, st.sampled_from(["success", "impossible"])),
    st.builds(r.Finish, st.just("success"), st.text(max_size=5)),
)


def _near(one: r.Point, other: r.Point) -> bool:
    return abs(one.x - other.x) < 1e-6 and abs(one.y - other.y) < 1e-6


@given(action=ACTIONS, reverse=st.booleans())
def test_ui_s1_round_trip(action: r.Action, reverse: bool) -> None:
    written = ui_s1_actions.write_action(action, SIZE, reverse_vertical=reverse)
    again = ui_s1_actions.read_action(json.loads(json.dumps(written)), SIZE, "", reverse_vertical=reverse)
    match action, again:
        case (r.Tap(at=a), r.Tap(at=b)) | (r.LongPress(at=a), r.LongPress(at=b)):
            assert _near(a, b)
        case r.Swipe(start=a, end=b), r.Swipe(start=c, end=d):
            assert _near(a, c)
            assert _near(b, d)
        case _:
            assert action == again


def test_ui_s1_directions() -> None:
    def read(direction: str) -> r.Action:
        return ui_s1_actions.read_action({"action": "swipe", "direction": direction}, SIZE, "")

    down, left = read("down"), read("left")
    assert isinstance(down, r.Swipe)
    assert isinstance(left, r.Swipe)
    assert down.end.y < down.start.y  # the content's direction
    assert left.end.x < left.start.x  # the finger's


def test_ui_s1_keys() -> None:
    def read(key: str) -> r.Action:
        return ui_s1_actions.read_action({"action": "key", "text": key}, SIZE, "line 3")

    assert [read(key) for key in ("back", "KEYCODE_HOME", "Enter", "app_switch")] == [
        r.Press(key) for key in (r.Key.BACK, r.Key.HOME, r.Key.ENTER, r.Key.RECENTS)
    ]
    with pytest.raises(WrongValue, match="line 3: key 'volume_up' has no counterpart: tapwise has back, home"):
        read("volume_up")


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"action": "fly"},
        {"action": "click"},
        {"action": "click", "coordinate": [5000, 10]},
        {"action": "click", "coordinate": "10,10"},
        {"action": "system_button", "button": "Menu"},
        {"action": "wait", "time": "long"},
        {"action": "type", "text": 3},
    ],
)
def test_ui_s1_errors_name_the_place(content: dict[str, object]) -> None:
    with pytest.raises(DataError, match="line 4"):
        ui_s1_actions.read_action(content, SIZE, "line 4")
