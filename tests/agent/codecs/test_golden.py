"""What the released code of DigiRL, VEM and UI-S1 makes of texts and gestures, beside what ours makes of them.

Each example is checked by the function that its name begins with. Where the released code's behaviour is a defect, ours
must differ from it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tapwise.agent.codecs.auto_ui import AutoUiText, digirl_tap_rule
from tapwise.agent.codecs.frames import Frame, Unit, smart_resize
from tapwise.agent.codecs.mobile_use import MobileUseText, thought
from tapwise.directions import CONTENT, FINGER, UI_S1_LABELS, Direction
from tapwise.records import Action, Finish, Key, Point, Press, Size, Swipe, Tap, TypeText, Wait

Example = dict[str, Any]


def _example(name: str, inputs: Example, expected: Any, *, defect: bool = False) -> Example:
    return {"name": name, "inputs": inputs, "expected": expected, "peer_behaviour_is_a_defect": defect}


def _typed(text: str) -> str:
    return (
        'Action Decision: "action_type": "TYPE", "touch_point": "[-1.0, -1.0]", "lift_point": "[-1.0, -1.0]",'
        f' "typed_text": "{text}"'
    )


TOUCH = (
    '"action_type": "DUAL_POINT", "touch_point": "[0.2463, 0.1245]", "lift_point": "[0.2463, 0.1245]", "typed_text": ""'
)
CLICK = {"action": "click", "coordinate": [540, 1200], "candidate_bbox": []}
SIZES = {"size": [1080, 2400], "resized": [1092, 2408]}

EXAMPLES = [
    _example(
        "digirl.parse_autoui.tap",
        {"text": f"Action Decision: {TOUCH}"},
        {"type": "DualPoint", "touch": [0.1245, 0.2463], "lift": [0.1245, 0.2463], "text": None},
    ),
    _example("digirl.parse_autoui.type_text_with_comma", {"text": _typed("paris, france")}, "raises", defect=True),
    _example(
        "digirl.parse_autoui.type_text_with_colon",
        {"text": _typed("time: now")},
        {"type": "Type", "touch": None, "lift": None, "text": "time"},
        defect=True,
    ),
    _example(
        "digirl.parse_autoui.impossible_trained_string",
        {"text": _typed("").replace("TYPE", "STATUS_TASK_IMPOSSIBLE")},
        {"type": "Idle", "touch": None, "lift": None, "text": None},
        defect=True,
    ),
    _example(
        "digirl.serialise_action",
        {"type": "DualPoint", "touch_xy": [0.1245, 0.2463], "lift_xy": [0.1245, 0.2463]},
        TOUCH,
    ),
    _example(
        "digirl.tap_vs_swipe",
        {"size": [1080, 2280], "cases": [[[0.5, 0.5], [0.502, 0.501]], [[0.5, 0.5], [0.503, 0.5]]]},
        [True, False],
    ),
    _example("uis1.smart_resize.1080x2400", {"height": 2400, "width": 1080}, [2408, 1092]),
    _example("uis1.smart_resize.1080x2280", {"height": 2280, "width": 1080}, [2268, 1092]),
    _example("uis1.smart_resize.30x30", {"height": 30, "width": 30}, [56, 56]),
    _example(
        "uis1.format_response.thought_free_patch",
        {"action": {"action": "click", "coordinate": [540, 1200]}, "thought": "", **SIZES},
        '<think>\n\n</think>\n<action>\n{"action": "click", "coordinate": [546, 1204]}\n</action>',
    ),
    _example(
        "uis1.reward.no_think",
        {
            "response": '<action>{"action": "click", "coordinate": [546, 1204]}</action>',
            "check_options": CLICK,
            **SIZES,
        },
        {"format_score": 0.0, "type_match": True, "extract_match": True},
    ),
    _example(
        "vem.scroll_label_to_gesture.scroll_up",
        {"seeclick_label": "scroll up"},
        {"seeclick_finger_xy": [[0.5, 0.2], [0.5, 0.8]], "vem_finger_xy": [[0.5, 0.5], [0.5, 0.2]]},
        defect=True,
    ),
    _example(
        "vem.scroll_direction.native_scroll_up",
        {"touch_yx": "0.8000, 0.5000", "lift_yx": "0.2000, 0.5000"},
        {"peer": '"action_type": "SCROLL_LEFT"', "intended": "SCROLL_UP"},
        defect=True,
    ),
    _example("vem.unparsable_output", {"text": "garbage"}, "GoHome", defect=True),
]


def _digirl_words(action: Action) -> Example:
    match action:
        case Tap(at):
            return {"type": "DualPoint", "touch": [at.x, at.y], "lift": [at.x, at.y], "text": None}
        case TypeText(text):
            return {"type": "Type", "touch": None, "lift": None, "text": text}
        case Finish("impossible"):
            return {"type": "TaskImpossible", "touch": None, "lift": None, "text": None}
    raise AssertionError(action)


def _check_parse(example: Example) -> None:
    text, expected = example["inputs"]["text"], example["expected"]
    if example["name"].endswith("bad_float"):
        with pytest.raises(ValueError, match=r"touch_point is .*0\.2\.4"):  # its caller idles, as DigiRL does
            AutoUiText().parse(text)
        return
    ours = _digirl_words(AutoUiText().parse(text))
    if not example["peer_behaviour_is_a_defect"]:
        assert ours == expected
        return
    assert ours != expected
    if ours["type"] == "Type":
        assert f'"typed_text": "{ours["text"]}"' in text


def _check_serialise(example: Example) -> None:
    given = example["inputs"]
    assert given["touch_xy"] == given["lift_xy"]
    assert AutoUiText().decision(Tap(Point(*given["touch_xy"]))) == example["expected"]


def _check_prompt(example: Example) -> None:
    given = example["inputs"]
    previous = TypeText(given["history"][-1].removeprefix("TYPE "))
    assert f"Previous Actions: {AutoUiText().decision(previous)} Goal: {given['task']}</s>" == example["expected"]


def _check_tap_rule(example: Example) -> None:
    width, height = example["inputs"]["size"]
    rule = digirl_tap_rule(Size(height, width))
    cases = [(Point(*touch), Point(*lift)) for touch, lift in example["inputs"]["cases"]]
    assert [rule(touch, lift) for touch, lift in cases] == example["expected"]
    for (touch, lift), tap in zip(cases, example["expected"], strict=True):
        text = AutoUiText(lambda *_: False).format(Swipe(touch, lift))
        assert isinstance(AutoUiText(rule).parse(text), Tap if tap else Swipe)
        assert isinstance(AutoUiText().parse(text), Tap)  # Android in the Wild's rule is wider


def _check_smart_resize(example: Example) -> None:
    assert list(smart_resize(**example["inputs"])) == example["expected"]


def _frame(given: Example) -> Frame:
    (width, height), (resized_width, resized_height) = given["size"], given["resized"]
    frame = Frame(Unit.RESIZED_PIXEL, Size(height, width), Size(resized_height, resized_width))
    assert frame == Frame.resized_pixels(Size(height, width))
    return frame


def _check_format_response(example: Example) -> None:
    given = example["inputs"]
    original = Frame.screen_pixels(Size(given["size"][1], given["size"][0]))
    action = Tap(original.read(*given["action"]["coordinate"]))
    assert MobileUseText(_frame(given)).format(action, given["thought"]) == example["expected"]


def _truth(options: Example, original: Frame) -> Action | Direction:
    match options["action"]:
        case "click":
            return Tap(original.read(*options["coordinate"]))
        case "type":
            return TypeText(options["text"])
        case "system_button":
            return Press(Key(options["button"].lower()))
        case "wait":
            return Wait(options["time"])
        case "swipe" if "direction" in options:
            return FINGER.name(UI_S1_LABELS.swipe(options["direction"]))
        case "swipe":
            return FINGER.name(Swipe(original.read(*options["coordinate"]), original.read(*options["coordinate2"])))
    raise AssertionError(options)


def _check_response(example: Example) -> None:
    """The reading of a response; its reward is computed elsewhere."""
    given, expected = example["inputs"], example["expected"]
    if "response" not in given:
        return
    codec, response = MobileUseText(_frame(given)), given["response"]
    if not expected["type_match"]:
        with pytest.raises(ValueError, match=r"no <action>|coordinate is None"):
            codec.parse(response)
        return
    ours = codec.parse(response)
    assert float(bool(thought(response))) == expected["format_score"]
    truth = _truth(given["check_options"], Frame.screen_pixels(Size(given["size"][1], given["size"][0])))
    if isinstance(ours, Swipe):
        assert (FINGER.name(ours) == truth) != example["peer_behaviour_is_a_defect"]
    else:
        assert type(ours) is type(truth)
    if isinstance(ours, TypeText) and example["peer_behaviour_is_a_defect"]:
        assert ours != truth


def _check_coordinate_order(example: Example) -> None:
    x, y = example["inputs"]["seeclick_touch_xy"]
    native = example["inputs"]["native_autoui_output_yx"]
    text = f'"action_type": "DUAL_POINT", "touch_point": "{native}", "lift_point": "{native}", "typed_text": ""'
    assert AutoUiText().parse(text) == Tap(Point(x, y))
    assert '"[0.2000, 0.7000]"' in AutoUiText().format(Tap(Point(x, y)))  # one order, wherever it is written


def _check_native_scroll(example: Example) -> None:
    given, expected = example["inputs"], example["expected"]
    text = f'"action_type": "DUAL_POINT", "touch_point": "[{given["touch_yx"]}]", "lift_point": "[{given["lift_yx"]}]"'
    swipe = AutoUiText().parse(text)
    assert isinstance(swipe, Swipe)
    ours = f"SCROLL_{FINGER.name(swipe).upper()}"
    assert ours == expected["intended"]
    assert ours not in expected["peer"]


def _check_scroll_label(example: Example) -> None:
    swipe = CONTENT.swipe(example["inputs"]["seeclick_label"].removeprefix("scroll "))
    ours = [[swipe.start.x, swipe.start.y], [swipe.end.x, swipe.end.y]]
    assert ours == example["expected"]["seeclick_finger_xy"]
    assert ours != example["expected"]["vem_finger_xy"]


def _check_unparsable(example: Example) -> None:
    with pytest.raises(ValueError, match="no "):
        AutoUiText().parse(example["inputs"]["text"])


def _check_trained_target(example: Example) -> None:
    action = AutoUiText().parse(example["inputs"]["model_output"])
    assert AutoUiText().format(action).endswith(example["inputs"]["model_output"])
    assert example["expected"] not in (AutoUiText().format(action), AutoUiText().decision(action))


CHECKS: dict[str, Callable[[Example], None]] = {
    "digirl.parse_autoui": _check_parse,
    "digirl.serialise_action": _check_serialise,
    "digirl.prompt": _check_prompt,
    "digirl.tap_vs_swipe": _check_tap_rule,
    "uis1.smart_resize": _check_smart_resize,
    "uis1.format_response": _check_format_response,
    "uis1.reward": _check_response,
    "vem.coordinate_order": _check_coordinate_order,
    "vem.scroll_direction": _check_native_scroll,
    "vem.scroll_label_to_gesture": _check_scroll_label,
    "vem.unparsable_output": _check_unparsable,
    "vem.trained_target_string": _check_trained_target,
}


@pytest.mark.golden(CHECKS, EXAMPLES)
def test_an_example(check: Callable[[Example], None], example: Example) -> None:
    check(example)
