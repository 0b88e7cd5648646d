"""Actions as JSON text, for models without a format of their own.

Coordinates are whole thousandths of the screen: x and y from 0 to 1000, origin top left. The canonical form has the
keys in this order, without spaces; keys in brackets are left out where they say the default:

    {"action_type":"click","x":X,"y":Y,["target":TEXT]}
    {"action_type":"long_press","x":X,"y":Y,["duration_s":SECONDS],["target":TEXT]}
    {"action_type":"swipe","x":X,"y":Y,"x2":X,"y2":Y,["duration_s":SECONDS]}     the finger's way
    {"action_type":"input_text","text":TEXT}
    {"action_type":"navigate_back"}   also navigate_home, navigate_recents, keyboard_enter
    {"action_type":"open_app","app_name":TEXT}
    {"action_type":"wait",["duration_s":SECONDS]}
    {"action_type":"status","goal_status":"complete" or "infeasible",["answer":TEXT]}

Also read: {"action_type":"scroll","direction":"down"}, where the direction is the content's that comes into view
("down" moves the finger up), and {"action_type":"answer","text":TEXT}, which ends the episode with an answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, assert_never

from tapwise.chat import json_objects
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

RESOLUTION = 1000
LONGEST_S = 60.0

_KEYS = {
    "navigate_back": Key.BACK,
    "navigate_home": Key.HOME,
    "navigate_recents": Key.RECENTS,
    "keyboard_enter": Key.ENTER,
}
_KEY_NAMES = {key: name for name, key in _KEYS.items()}
_SCROLLS = {
    "down": Swipe(Point(0.5, 0.7), Point(0.5, 0.3)),
    "up": Swipe(Point(0.5, 0.3), Point(0.5, 0.7)),
    "right": Swipe(Point(0.8, 0.5), Point(0.2, 0.5)),
    "left": Swipe(Point(0.2, 0.5), Point(0.8, 0.5)),
}


class JsonCodec:
    """Writes and reads actions in the JSON form that this module's docstring gives."""

    instructions = (
        "Reply with one JSON object, one action per reply. x and y are whole numbers from 0 to 1000: thousandths of"
        " the screen's width and height, from the top left corner. The actions:\n"
        '{"action_type": "click", "x": 500, "y": 250}\n'
        '{"action_type": "long_press", "x": 500, "y": 250}\n'
        '{"action_type": "swipe", "x": 500, "y": 700, "x2": 500, "y2": 300} moves the finger from (x, y) to (x2, y2)\n'
        '{"action_type": "input_text", "text": "..."} types into the focused field\n'
        '{"action_type": "keyboard_enter"}, {"action_type": "navigate_back"}, {"action_type": "navigate_home"},'
        ' {"action_type": "navigate_recents"}\n'
        '{"action_type": "open_app", "app_name": "..."}\n'
        '{"action_type": "wait"}\n'
        '{"action_type": "status", "goal_status": "complete", "answer": "..."} when the task is done; the answer only'
        " where the task asks for one\n"
        '{"action_type": "status", "goal_status": "infeasible"} when it cannot be done'
    )

    def format(self, action: Action) -> str:
        """The canonical text of an action."""
        return json.dumps(_to_json(action), separators=(",", ":"), ensure_ascii=False)

    def parse(self, text: str) -> Action:
        """The action in a reply; prose and code fences around it are passed over, and of several the last counts.

        Raises ValueError that says what is wrong.
        """
        found = [item for item in json_objects(text) if "action_type" in item]
        if not found:
            raise ValueError(f"no JSON object with an action_type in {' '.join(text.split())[:120]!r}")
        given = found[-1]
        kind = given["action_type"]
        reader = _READERS.get(kind) if isinstance(kind, str) else None
        if reader is None:
            raise ValueError(f"action_type {kind!r} is unknown; known are {', '.join(_READERS)}")
        return reader(given)


def _to_json(action: Action) -> dict[str, Any]:
    match action:
        case Tap(at, target):
            return {"action_type": "click", **_place(at), **_unless(None, target=target)}
        case LongPress(at, duration_s, target):
            extras = {**_unless(1.0, duration_s=duration_s), **_unless(None, target=target)}
            return {"action_type": "long_press", **_place(at), **extras}
        case Swipe(start, end, duration_s):
            return {"action_type": "swipe", **_place(start), **_place(end, "2"), **_unless(0.3, duration_s=duration_s)}
        case TypeText(text):
            return {"action_type": "input_text", "text": text}
        case Press(key):
            return {"action_type": _KEY_NAMES[key]}
        case OpenApp(name):
            return {"action_type": "open_app", "app_name": name}
        case Wait(duration_s):
            return {"action_type": "wait", **_unless(1.0, duration_s=duration_s)}
        case Finish(status, answer):
            goal = "complete" if status == "success" else "infeasible"
            return {"action_type": "status", "goal_status": goal, **_unless(None, answer=answer)}
        case _:
            assert_never(action)


def _place(point: Point, suffix: str = "") -> dict[str, int]:
    return {f"x{suffix}": round(point.x * RESOLUTION), f"y{suffix}": round(point.y * RESOLUTION)}


def _unless(default: object, **value: object) -> dict[str, object]:
    return {name: item for name, item in value.items() if item != default}


def _point(given: Mapping[str, Any], suffix: str = "") -> Point:
    return Point(_coordinate(given, f"x{suffix}"), _coordinate(given, f"y{suffix}"))


def _coordinate(given: Mapping[str, Any], name: str) -> float:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name} is {value!r}, expected a number from 0 to {RESOLUTION}")
    if not 0 <= value <= RESOLUTION:
        raise ValueError(
            f"{name} is {value!r}, outside 0..{RESOLUTION}: coordinates are thousandths of the screen, not pixels"
        )
    return value / RESOLUTION


def _duration(given: Mapping[str, Any], default: float) -> float:
    value = given.get("duration_s", default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"duration_s is {value!r}, expected seconds")
    if not 0 <= value <= LONGEST_S:
        raise ValueError(f"duration_s is {value!r}, outside 0..{LONGEST_S:g} seconds")
    return float(value)


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} is {value!r}, expected text")
    return value


def _optional_text(given: Mapping[str, Any], name: str) -> str | None:
    return None if given.get(name) is None else _text(given, name)


def _read_scroll(given: Mapping[str, Any]) -> Action:
    direction = _text(given, "direction")
    if direction not in _SCROLLS:
        raise ValueError(f"direction is {direction!r}, expected one of {', '.join(_SCROLLS)}")
    return _SCROLLS[direction]


def _read_status(given: Mapping[str, Any]) -> Action:
    goal = _text(given, "goal_status")
    if goal not in ("complete", "infeasible"):
        raise ValueError(f"goal_status is {goal!r}, expected complete or infeasible")
    return Finish("success" if goal == "complete" else "impossible", _optional_text(given, "answer"))


def _key_reader(key: Key) -> Callable[[Mapping[str, Any]], Action]:
    return lambda _: Press(key)


_READERS: dict[str, Callable[[Mapping[str, Any]], Action]] = {
    "click": lambda given: Tap(_point(given), _optional_text(given, "target")),
    "long_press": lambda given: LongPress(_point(given), _duration(given, 1.0), _optional_text(given, "target")),
    "swipe": lambda given: Swipe(_point(given), _point(given, "2"), _duration(given, 0.3)),
    "scroll": _read_scroll,
    "input_text": lambda given: TypeText(_text(given, "text")),
    **{name: _key_reader(key) for name, key in _KEYS.items()},
    "open_app": lambda given: OpenApp(_text(given, "app_name")),
    "wait": lambda given: Wait(_duration(given, 1.0)),
    "status": _read_status,
    "answer": lambda given: Finish("success", _text(given, "text")),
}
