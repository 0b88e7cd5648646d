"""What each form looks like, the variants that it reads, and the faults that it names."""

from __future__ import annotations

import pytest

from tapwise.agent.codecs import NAMES, Frame, Unit, codec, smart_resize
from tapwise.agent.codecs.android_world import AndroidWorldText
from tapwise.agent.codecs.auto_ui import AutoUiText
from tapwise.agent.codecs.autoglm import AutoGlmText
from tapwise.agent.codecs.mobile_use import MobileUseText, thought
from tapwise.agent.codecs.ui_tars import UiTarsText
from tapwise.directions import (
    ANDROID_WORLD_SWIPE,
    CONTENT,
    FINGER,
    UI_S1_LABELS,
    UI_S1_TRAIN_PAIRS,
)
from tapwise.directions import (
    NAMES as DIRECTIONS,
)
from tapwise.errors import ConfigError
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Size, Swipe, Tap, TypeText, Wait

SCREEN = Size(2400, 1080)
UP = Swipe(Point(0.5, 0.75), Point(0.5, 0.25))
FRAME = Frame.resized_pixels(SCREEN)
TAP = Tap(Point(0.5, 0.25))


@pytest.mark.parametrize(
    ("name", "action", "text"),
    [
        (
            "auto_ui",
            Tap(Point(0.1245, 0.2463)),
            'Action Plan: [DUAL_POINT] ; Action Decision: "action_type": "DUAL_POINT",'
            ' "touch_point": "[0.2463, 0.1245]", "lift_point": "[0.2463, 0.1245]", "typed_text": ""',
        ),
        (
            "auto_ui",
            TypeText('paris, "france"'),
            'Action Plan: [TYPE] ; Action Decision: "action_type": "TYPE", "touch_point": "[-1.0, -1.0]",'
            ' "lift_point": "[-1.0, -1.0]", "typed_text": "paris, "france""',
        ),
        ("mobile_use", TAP, '<think>\n\n</think>\n<action>\n{"action": "click", "coordinate": [546, 602]}\n</action>'),
        (
            "mobile_use_thousandths",
            UP,
            '<think>\n\n</think>\n<action>\n{"action": "swipe", "coordinate": [500, 750], "coordinate2": [500, 250]}'
            "\n</action>",
        ),
        (
            "qwen3_vl",
            LongPress(Point(1, 0), 2),
            '<tool_call>\n{"name": "mobile_use", "arguments": {"action": "long_press", "coordinate": [999, 0],'
            ' "time": 2}}\n</tool_call>',
        ),
        (
            "qwen2_5_vl",
            Press(Key.RECENTS),
            '<tool_call>\n{"name": "mobile_use", "arguments": {"action": "key", "text": "app_switch"}}\n</tool_call>',
        ),
        ("android_world", TAP, '{"action_type":"click","x":540,"y":600}'),
        ("android_world", UP, '{"action_type":"scroll","direction":"down"}'),
        ("ui_tars", TAP, "Action: click(start_box='(500,250)')"),
        ("ui_tars_1_5", UP, "Action: drag(start_box='(546,1806)', end_box='(546,602)')"),
        ("ui_tars", TypeText("it's\n"), "Action: type(content='it\\'s\\n')"),
        ("autoglm", UP, '<think></think><answer>do(action="Swipe", start=[500,750], end=[500,250])</answer>'),
        ("autoglm", Finish("success", "7"), '<think></think><answer>finish(message="7")</answer>'),
    ],
)
def test_the_canonical_form(name: str, action: Action, text: str) -> None:
    assert codec(name, SCREEN).format(action) == text


@pytest.mark.parametrize(
    ("form", "text", "action"),
    [
        (AutoUiText(), '"action_type": "TASK_IMPOSSIBLE"', Finish("impossible")),
        (AutoUiText(), 'Action Decision: "action_type": "PRESS_HOME", "typed_text": ""</s>', Press(Key.HOME)),
        (
            AutoUiText(),
            '"action_type": "DUAL_POINT", "touch_point": "[0.5, 0.5]", "lift_point": "[0.53, 0.5]"',
            Tap(Point(0.5, 0.5)),
        ),
        (MobileUseText(FRAME), '<action>{"action": "click", "coordinate": [546.0, 602]}</action>', TAP),
        (MobileUseText(FRAME), '<think><action>{}</think><action>{"action": "wait", "time": "2 s"}', Wait(2)),
        (
            MobileUseText(FRAME),
            '<action>{"action": "system_button", "button": "back"}</action> and so on',
            Press(Key.BACK),
        ),
        (MobileUseText(FRAME), '<action>{"action": "key", "text": "KEYCODE_APP_SWITCH"}</action>', Press(Key.RECENTS)),
        (
            MobileUseText(FRAME),
            '<action>{"action": "swipe", "direction": "down"}</action>',
            Swipe(Point(0.5, 0.8), Point(0.5, 0.2)),
        ),
        (
            MobileUseText(FRAME),
            '<action>{"action": "swipe", "direction": "left", "coordinate": [546, 602]}</action>',
            Swipe(Point(0.5, 0.25), Point(0.0, 0.25)),
        ),
        (AndroidWorldText(SCREEN), 'Reason: x. Action: {"action_type": "click", "x": 540, "y": 600}', TAP),
        (AndroidWorldText(SCREEN, [(0, 0, 9, 9), (440, 500, 640, 700)]), '{"action_type":"click","index":"1"}', TAP),
        (
            AndroidWorldText(SCREEN, [(0, 600, 1080, 1800)]),
            '{"action_type":"scroll","direction":"up","index":0}',
            Swipe(Point(0.5, 0.5), Point(0.5, 0.75)),
        ),
        (
            AndroidWorldText(SCREEN),
            '{"action_type":"scroll","direction":"right"}',
            Swipe(Point(0.5, 0.5), Point(0.0, 0.5)),
        ),
        (
            AndroidWorldText(SCREEN),
            '{"action_type":"swipe","direction":"up"}',
            Swipe(Point(0.5, 1.0), Point(0.5, 0.0), 0.5),
        ),
        (
            AndroidWorldText(SCREEN),
            '{"action_type":"swipe","direction":"left"}',
            Swipe(Point(0.0, 0.5), Point(1.0, 0.5), 0.5),
        ),
        (UiTarsText(Frame.thousandths()), "Thought: Action: now\nAction: click(start_box='(500, 250)')\n", TAP),
        (
            UiTarsText(Frame.thousandths()),
            "Action: click(start_box='<|box_start|>(500,250)<|box_end|>')",
            TAP,
        ),
        (UiTarsText(Frame.thousandths()), "Action: click(point='<point>500 250</point>')", TAP),
        (UiTarsText(Frame.thousandths()), "click(start_box='[400, 200, 600, 300]')", TAP),
        (
            UiTarsText(Frame.thousandths()),
            "Action: scroll(start_box='(500,900)', direction='down')",
            Swipe(Point(0.5, 0.9), Point(0.5, 0.9 - 0.6)),
        ),
        (
            UiTarsText(Frame.thousandths()),
            "Action: scroll(start_box='(500,750)', end_box='(500,250)')",
            UP,
        ),
        (UiTarsText(Frame.thousandths()), "Action: type(content='it's, (really)')", TypeText("it's, (really)")),
        (UiTarsText(Frame.thousandths()), 'Action: open_app(app_name="Clock",)', OpenApp("Clock")),
        (AutoGlmText(), 'I tap. do(action="Tap", element=[500, 250], message="pay")', TAP),
        (AutoGlmText(), '<answer>\ndo(action="Type_Name", text="a "b", c")\n</answer>', TypeText('a "b", c')),
        (AutoGlmText(), '<think>do(action="Back")</think>\n<answer>finish(message="")</answer>', Finish()),
        (AutoGlmText(), "do(action='Wait', duration=3)", Wait(3)),
    ],
)
def test_the_variants_that_models_write(
    form: AutoUiText | MobileUseText | AndroidWorldText | UiTarsText | AutoGlmText, text: str, action: Action
) -> None:
    assert form.parse(text) == action


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("auto_ui", "garbage", 'no "action_type"'),
        ("auto_ui", '"action_type": "SWIPE"', "'SWIPE' is unknown; known are DUAL_POINT"),
        ("auto_ui", '"action_type": "TYPE"', "without typed_text"),
        ("auto_ui", '"action_type": "DUAL_POINT"', "touch_point is None"),
        ("mobile_use", '<think>x</think>{"action": "wait"}', "no <action>"),
        ("mobile_use", "<action>click</action>", "no JSON object"),
        ("mobile_use", '<action>{"action": "click"}</action>', "coordinate is None, expected"),
        ("mobile_use", '<action>{"action": "click", "coordinate": [1093, 5]}</action>', r"ends at \(1092, 2408\)"),
        ("mobile_use", '<action>{"action": "wait", "time": 61}</action>', "outside 0..60"),
        (
            "mobile_use",
            '<action>{"action": "system_button", "button": "Menu"}</action>',
            "'Menu', expected one of Back",
        ),
        ("mobile_use", '<action>{"action": "key", "text": "power"}</action>', "'power', expected one of back"),
        ("mobile_use", '<action>{"action": "wait"} {"action": "wait"}</action>', "follows the JSON object"),
        ("qwen3_vl", '<tool_call>{"name": "computer_use", "arguments": {}}</tool_call>', "expected mobile_use"),
        ("qwen3_vl", '<tool_call>{"name": "mobile_use", "arguments": {}}</tool_call>', "has no action"),
        ("android_world", '{"action_type": "click", "index": 3}', "was given no elements"),
        ("android_world", '{"action_type": "click", "index": 3, "x": 1}', "expected one of the two"),
        ("android_world", '{"action_type": "click", "x": 3}', "y is None, expected a number"),
        ("android_world", '{"action_type": "double_tap", "x": 3, "y": 4}', "says 2 actions at once"),
        ("android_world", '{"action_type": "unknown"}', "'unknown' is unknown; known are click"),
        ("ui_tars", "Action: click(start_box='(500,1001)')", "outside the frame of thousandths"),
        ("ui_tars", "Action: click(start_box='here')", "'here', expected"),
        ("ui_tars", "Action: wait()\n\nwait()", "one action alone"),
        ("ui_tars", "Action: left_double(start_box='(1,1)')", "'left_double' is unknown; known are click"),
        ("ui_tars", "Action: type(content='a", "has no end"),
        ("ui_tars", "Action: hotkey(key='ctrl c')", "only enter"),
        ("ui_tars", "Action: __import__('os').system('x')", "expected key=value"),
        ("autoglm", 'do(action="Take_over", message="log in")', "asks a person"),
        ("autoglm", 'do(action="Double Tap", element=[1,2])', "no single action"),
        ("autoglm", 'do(action="Tap", element=[1,2,3])', "expected"),
        ("autoglm", 'do(action="Back") do(action="Back")', "one call alone"),
        ("autoglm", "tap the button", "no do"),
    ],
)
def test_faults_are_named(name: str, text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        codec(name, SCREEN).parse(text)


def test_android_world_actions_that_are_several_of_ours() -> None:
    form = AndroidWorldText(SCREEN, [(440, 500, 640, 700)])
    assert form.actions('{"action_type":"input_text","text":"a","index":0}') == (TAP, TypeText("a"), Press(Key.ENTER))
    assert form.actions('{"action_type":"double_tap","x":540,"y":600}') == (TAP, TAP)
    with pytest.raises(ValueError, match="1 elements are on the screen"):
        form.parse('{"action_type":"click","index":1}')
    with pytest.raises(ValueError, match="no extent"):
        AndroidWorldText(SCREEN, [(5, 5, 5, 5)]).parse('{"action_type":"scroll","direction":"up","index":0}')


def test_thoughts_stand_before_the_action() -> None:
    form = MobileUseText(FRAME)
    text = form.format(TAP, "it is below")
    assert text.startswith("<think>\nit is below\n</think>\n<action>")
    assert thought(text) == "it is below"
    assert thought(form.format(TAP)) == thought("<action>{}</action>") == ""
    assert MobileUseText(FRAME, "tool_call").format(TAP, "why").startswith("Thought: why\n<tool_call>\n")
    tars, glm = UiTarsText(FRAME), AutoGlmText()
    assert tars.format(TAP, "why") == "Thought: why\nAction: click(start_box='(546,602)')"
    assert glm.format(TAP, "why").startswith("<think>why</think><answer>do(")
    assert form.parse(text) == tars.parse(tars.format(TAP, "why")) == glm.parse(glm.format(TAP, "why")) == TAP
    for writer, tag in [(form, "</think>"), (form, "<action>"), (tars, "x\nAction: y"), (glm, "<answer>")]:
        with pytest.raises(ValueError, match=r"the thought .* holds"):
            writer.format(TAP, tag)


def test_directions_of_the_published_formats() -> None:
    down, left = FINGER.swipe("down"), FINGER.swipe("left")
    assert down == Swipe(Point(0.5, 0.2), Point(0.5, 0.8))
    assert [c.name(down) for c in (FINGER, CONTENT, UI_S1_LABELS, ANDROID_WORLD_SWIPE)] == ["down", "up", "up", "down"]
    assert [c.name(left) for c in (FINGER, CONTENT, UI_S1_LABELS, ANDROID_WORLD_SWIPE)] == [
        "left",
        "right",
        "left",
        "right",
    ]
    for convention in (FINGER, CONTENT, UI_S1_LABELS, ANDROID_WORLD_SWIPE):
        assert [convention.name(convention.swipe(name)) for name in DIRECTIONS] == list(DIRECTIONS)
    with pytest.raises(ValueError, match="has no direction"):
        FINGER.name(Swipe(Point(0.5, 0.5), Point(0.5, 0.5)))


def test_swipes_of_ui_s1s_training_file_are_turned_on_the_vertical_axis_only() -> None:
    form = MobileUseText(Frame.screen_pixels(SCREEN), pairs=UI_S1_TRAIN_PAIRS)
    expert = '<action>{"action": "swipe", "coordinate": [540, 600], "coordinate2": [540, 1800]}</action>'
    assert form.parse(expert) == UP
    assert MobileUseText(Frame.screen_pixels(SCREEN)).parse(expert) == Swipe(UP.end, UP.start)
    sideways = '<action>{"action": "swipe", "coordinate": [900, 1200], "coordinate2": [200, 1200]}</action>'
    swipe = form.parse(sideways)
    assert isinstance(swipe, Swipe)
    assert FINGER.name(swipe) == "left"


def test_frames_keep_the_transform_that_made_them() -> None:
    assert smart_resize(2400, 1080) == (2408, 1092)
    assert Frame(Unit.RESIZED_PIXEL, SCREEN, Size(2408, 1092)) == FRAME
    assert FRAME.write(Point(0.5, 0.5)) == (546, 1204)
    assert FRAME.write(Point(1, 1)) == (1091, 2407)
    assert FRAME.read(1092, 0) == Point(1, 0)
    assert Frame.thousandths().read(1000, 999) == Point(1, 0.999)
    assert Frame.screen_pixels(SCREEN).write(Point(1, 0)) == (1079, 0)
    with pytest.raises(ValueError, match="needs the size"):
        Frame(Unit.RESIZED_PIXEL, SCREEN)
    with pytest.raises(ValueError, match="is empty"):
        Frame.screen_pixels(Size(0, 5))


def test_smart_resize_at_its_bounds() -> None:
    for sides in [(2400, 1080), (30, 30), (1, 150), (9000, 4000), (28, 5000)]:
        rows, columns = smart_resize(*sides)
        assert rows % 28 == columns % 28 == 0
        assert 3136 <= rows * columns <= 12800 * 28 * 28
    assert smart_resize(2400, 1080, max_pixels=100_000) == (448, 196)
    assert smart_resize(2400, 1080, factor=32, max_pixels=2400 * 1088) == (2400, 1088)
    with pytest.raises(ValueError, match="times as long as wide"):
        smart_resize(2010, 10)
    with pytest.raises(ValueError, match="all must be positive"):
        smart_resize(0, 10)


def test_codecs_by_name() -> None:
    for name in NAMES:
        form = codec(name, SCREEN)
        assert form.format(Press(Key.HOME))
        assert isinstance(form.instructions, str)
    with pytest.raises(ConfigError, match=r"'cogagent' is unknown; known are grid, json, auto_ui"):
        codec("cogagent")
    with pytest.raises(ConfigError, match="give the size of the screen"):
        codec("mobile_use")
    assert codec("autoglm").format(Press(Key.HOME)) == '<think></think><answer>do(action="Home")</answer>'


def test_the_instructions_open_with_an_example_that_is_read() -> None:
    for name in ("mobile_use", "qwen3_vl", "ui_tars", "autoglm"):
        form = codec(name, SCREEN)
        lines = form.instructions.splitlines()
        end = next(i for i, line in enumerate(lines) if ("oordinate" in line and "rom" in line) or "are (x,y)" in line)
        assert isinstance(form.parse("\n".join(lines[1:end])), Tap), name
