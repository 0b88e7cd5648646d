"""Every codec reads back what it writes, within its resolution; other texts are an action or a ValueError."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.agent.action_text import ActionText
from tapwise.agent.codecs.android_world import AndroidWorldText
from tapwise.agent.codecs.auto_ui import AutoUiText, digirl_tap_rule, is_tap
from tapwise.agent.codecs.autoglm import AutoGlmText
from tapwise.agent.codecs.frames import Frame
from tapwise.agent.codecs.mobile_use import MobileUseText
from tapwise.agent.codecs.ui_tars import UiTarsText
from tapwise.directions import CONTENT, UI_S1_TRAIN_PAIRS
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Size, Swipe, Tap, Wait

SCREEN = Size(2400, 1080)
Place = Callable[[Point], Point]


@dataclass(frozen=True)
class Form:
    """A codec; how its text rounds a point; what is left of an action; what it has no words for."""

    codec: ActionText
    place: Place
    rest: Callable[[Action], Action]
    unsaid: Callable[[Action], bool]


def four_decimals(point: Point) -> Point:
    return Point(round(point.x, 4), round(point.y, 4))


def auto_ui(tap_rule: Callable[[Point, Point], bool]) -> Form:
    def unsaid(action: Action) -> bool:
        match action:
            case Swipe(start, end):
                return tap_rule(four_decimals(start), four_decimals(end))
            case Finish(answer=answer):
                return answer is not None
            case LongPress() | OpenApp() | Wait() | Press(key=Key.RECENTS):
                return True
        return False

    return Form(AutoUiText(tap_rule), four_decimals, lambda action: action, unsaid)


def mobile_use(codec: MobileUseText) -> Form:
    return Form(
        codec, codec.frame.snap, lambda action: action, lambda a: isinstance(a, Finish) and a == impossible(a.answer)
    )


def impossible(answer: str | None) -> Finish | None:
    return None if answer is None else Finish("impossible", answer)


def android_world() -> Form:
    codec = AndroidWorldText(SCREEN)

    def rest(action: Action) -> Action:
        match action:
            case Swipe():
                middle, size = Point(0.5, 0.5), 0.5
                way = CONTENT.swipe(CONTENT.name(action))
                dx, dy = ((end > start) - (end < start) for start, end in _axes(way))
                return Swipe(middle, Point(0.5 + size * dx, 0.5 + size * dy))
            case LongPress():
                return replace(action, duration_s=1.0)
            case Wait():
                return Wait(1.0)
        return action

    def unsaid(action: Action) -> bool:
        match action:
            case Swipe(start, end):
                return start == end
            case Finish("impossible", answer):
                return answer is not None
        return action == Press(Key.RECENTS)

    return Form(codec, codec.frame.snap, rest, unsaid)


def _axes(swipe: Swipe) -> tuple[tuple[float, float], tuple[float, float]]:
    return (swipe.start.x, swipe.end.x), (swipe.start.y, swipe.end.y)


def ui_tars(frame: Frame) -> Form:
    def rest(action: Action) -> Action:
        match action:
            case LongPress():
                return replace(action, duration_s=1.0)
            case Wait():
                return Wait(5.0)
            case Finish("success", answer):
                return Finish("success", answer or None)
        return action

    return Form(
        UiTarsText(frame),
        frame.snap,
        rest,
        lambda a: (isinstance(a, Finish) and a == impossible(a.answer)) or a == Press(Key.RECENTS),
    )


def autoglm() -> Form:
    codec = AutoGlmText()

    def rest(action: Action) -> Action:
        match action:
            case LongPress():
                return replace(action, duration_s=1.0)
            case Finish("success", answer):
                return Finish("success", answer or None)
        return action

    return Form(
        codec,
        codec.frame.snap,
        rest,
        lambda a: a in (Press(Key.RECENTS), Press(Key.ENTER)) or (isinstance(a, Finish) and a.status == "impossible"),
    )


FORMS = {
    "auto_ui": auto_ui(is_tap),
    "auto_ui with DigiRL's taps": auto_ui(digirl_tap_rule(SCREEN)),
    "mobile_use": mobile_use(MobileUseText(Frame.resized_pixels(SCREEN))),
    "mobile_use of UI-S1's training file": mobile_use(
        MobileUseText(Frame.screen_pixels(SCREEN), pairs=UI_S1_TRAIN_PAIRS)
    ),
    "qwen3_vl": mobile_use(MobileUseText(Frame.thousandths(), "tool_call")),
    "android_world": android_world(),
    "ui_tars": ui_tars(Frame.thousandths()),
    "ui_tars_1_5": ui_tars(Frame.resized_pixels(SCREEN)),
    "autoglm": autoglm(),
}


def left_of(action: Action, form: Form) -> Action:
    """What the form's resolution leaves of an action: no target, rounded places, a swipe's usual duration."""
    match action:
        case Tap(at):
            action = Tap(form.place(at))
        case LongPress(at, duration_s):
            action = LongPress(form.place(at), duration_s)
        case Swipe(start, end) if not isinstance(form.codec, AndroidWorldText):
            action = Swipe(form.place(start), form.place(end))
    return form.rest(action)


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_back(name: str, any_action: st.SearchStrategy[Action], data: st.DataObject) -> None:
    form, action = FORMS[name], data.draw(any_action)
    if form.unsaid(action):
        with pytest.raises(ValueError, match=r"cannot say|no words|as a tap|no direction"):
            form.codec.format(action)
        return
    text = form.codec.format(action)
    assert form.codec.parse(text) == left_of(action, form)
    assert form.codec.format(form.codec.parse(text)) == text


@pytest.mark.parametrize("name", FORMS)
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_text_is_an_action_or_a_value_error(
    name: str, any_action: st.SearchStrategy[Action], data: st.DataObject
) -> None:
    codec = FORMS[name].codec
    alphabet = "{}[](),:=<>/\"'\\ \n-.0159aceinotx"
    text = data.draw(st.text(max_size=60) | st.text(alphabet=alphabet, max_size=60))
    with contextlib.suppress(ValueError):
        codec.parse(text)
    with contextlib.suppress(ValueError):  # a damaged text of the form goes deeper into the reader
        whole = codec.format(data.draw(any_action))
        cut, skip = data.draw(st.integers(0, len(whole))), data.draw(st.integers(0, 5))
        codec.parse(whole[:cut] + text[:5] + whole[cut + skip :])


@pytest.mark.parametrize("name", FORMS)
def test_hostile_texts_are_value_errors(name: str) -> None:
    codec = FORMS[name].codec
    for inner in ["[" * 5000, '{"action":' * 5000, '{"action": ' + "[" * 900 + "]" * 900 + "}", "9" * 5000, "1e999"]:
        for frame in [
            "{}",
            "<action>{}",
            "<tool_call>{}",
            "Action: {}",
            'do(action="Tap", element={})',
            '<action>{{"action": "click", "coordinate": [{}, 1]}}',
            '<tool_call>{{"name": "mobile_use", "arguments": {{"action": "click", "coordinate": {}}}}}',
            '{{"action_type": "click", "x": {}, "y": 1}}',
            '{{"action_type": {}}}',
            '"action_type": "DUAL_POINT", "touch_point": "[{}, 0]", "lift_point": "[0, 0]"',
            "Action: click(start_box='({},1)')",
        ]:
            with pytest.raises(ValueError, match=r"."):
                codec.parse(frame.format(inner))
