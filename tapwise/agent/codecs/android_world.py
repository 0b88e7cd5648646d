"""AndroidWorld's JSON actions: `{"action_type":"click","x":540,"y":1200}`.

    click, double_tap, long_press   at "index", or at "x" and "y" in pixels of the screen
    input_text                      "text", at a place: touches it, types, presses enter
    keyboard_enter, navigate_home, navigate_back
    scroll                          "direction" of the content, in the element at "index" or the whole screen
    swipe                           "direction" across the whole screen, see `ANDROID_WORLD_SWIPE`
    open_app                        "app_name"
    status                          "goal_status": "complete" or "infeasible"
    answer                          "text"
    wait                            one second

A reply may put prose around the object. Source: Rawles et al., "AndroidWorld" (arXiv 2405.14573), appendix C, and the
action and actuation modules of google-research/android_world.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tapwise.agent.codecs.arguments import excerpt, number_of, shown, text_of
from tapwise.agent.codecs.frames import Frame
from tapwise.chat import json_objects
from tapwise.directions import ANDROID_WORLD_SWIPE, CONTENT, Direction, is_direction
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Size, Swipe, Tap, TypeText, Wait

Bounds = tuple[float, float, float, float]
"""(left, top, right, bottom) in pixels of the screen, as `UiNode.bounds`."""

_PRESSES = {"keyboard_enter": Key.ENTER, "navigate_back": Key.BACK, "navigate_home": Key.HOME}
_PRESS_NAMES = {key: name for name, key in _PRESSES.items()}
_TOUCHES = ("click", "double_tap", "long_press")
_PLACES = ("index", "x", "y")


class AndroidWorldText:
    """Writes and reads AndroidWorld's actions on a screen of `original` pixels.

    elements: bounds of the elements in the numbering that the model was shown, for replies with an index; places are
    always written as x and y. A scroll is read as AndroidWorld performs it: from the middle to the edge.

    Said by the form: of a swipe only its direction, as a scroll; no durations. Typed text alone is written without
    a place, as AndroidControl has it, which AndroidWorld's own executor refuses. Not said: `RECENTS`, and an answer
    beside a task that cannot be done. Two of its actions are several of ours: see `actions`.
    """

    def __init__(self, original: Size, elements: Sequence[Bounds] | None = None) -> None:
        self.frame = Frame.screen_pixels(original)
        self.elements = elements

    @property
    def instructions(self) -> str:
        """The actions, for a model that was not trained on them."""
        extent = self.frame.extent
        place = f'"x": {extent.width // 2}, "y": {extent.height // 4}'
        return (
            "Reply with your reason and one JSON object. x and y are pixels of the screen, which is"
            f" {extent.width} wide and {extent.height} high. The actions:\n"
            f'{{"action_type": "click", {place}}}, {{"action_type": "long_press", {place}}}\n'
            '{"action_type": "input_text", "text": "..."} types into the focused field\n'
            '{"action_type": "keyboard_enter"}, {"action_type": "navigate_home"}, {"action_type": "navigate_back"}\n'
            '{"action_type": "scroll", "direction": "down"} shows what lies below; also up, left, right\n'
            '{"action_type": "open_app", "app_name": "..."}\n{"action_type": "wait"}\n'
            '{"action_type": "answer", "text": "..."}\n'
            '{"action_type": "status", "goal_status": "complete"} or "infeasible"'
        )

    def format(self, action: Action) -> str:
        """The JSON text of an action, without spaces. Raises ValueError for what the form cannot say."""
        return json.dumps(self._to_json(action), separators=(",", ":"), ensure_ascii=False)

    def parse(self, text: str) -> Action:
        """The one action that a reply says. Raises ValueError with the reason, also where it says several."""
        found = self.actions(text)
        if len(found) > 1:
            raise ValueError(f"{excerpt(text)} says {len(found)} actions at once: read it with `actions`")
        return found[0]

    def actions(self, text: str) -> tuple[Action, ...]:
        """The actions that the last action object of a reply says, in order.

        double_tap is two taps, and input_text at a place is a tap, the text and enter. Raises ValueError.
        """
        found = [item for item in json_objects(text) if "action_type" in item]
        if not found:
            raise ValueError(f"no JSON object with an action_type in {excerpt(text)}")
        given = found[-1]
        kind = given["action_type"]
        if kind == "double_tap":
            return Tap(self._place(given)), Tap(self._place(given))
        if kind == "input_text" and any(given.get(name) is not None for name in _PLACES):
            return Tap(self._place(given)), TypeText(text_of(given, "text")), Press(Key.ENTER)
        return (self._read(kind, given),)

    def _to_json(self, action: Action) -> dict[str, Any]:
        match action:
            case Tap(at=at):
                return {"action_type": "click", **self._written(at)}
            case LongPress(at=at):
                return {"action_type": "long_press", **self._written(at)}
            case Swipe():
                return {"action_type": "scroll", "direction": CONTENT.name(action)}
            case TypeText(text=text):
                return {"action_type": "input_text", "text": text}
            case Press(key=key) if key in _PRESS_NAMES:
                return {"action_type": _PRESS_NAMES[key]}
            case OpenApp(name=name):
                return {"action_type": "open_app", "app_name": name}
            case Wait():
                return {"action_type": "wait"}
            case Finish(status="success", answer=str(answer)):
                return {"action_type": "answer", "text": answer}
            case Finish(status=status, answer=None):
                return {"action_type": "status", "goal_status": "complete" if status == "success" else "infeasible"}
            case _:
                raise ValueError(f"AndroidWorld's actions cannot say {action}")

    def _read(self, kind: object, given: Mapping[str, Any]) -> Action:
        match kind:
            case "click":
                return Tap(self._place(given))
            case "long_press":
                return LongPress(self._place(given))
            case "scroll":
                bounds = self._element(given) if given.get("index") is not None else None
                return self._scroll(CONTENT.translate(_direction(given)), bounds)
            case "swipe":
                return _across(ANDROID_WORLD_SWIPE.translate(_direction(given)))
            case "input_text":
                return TypeText(text_of(given, "text"))
            case "keyboard_enter" | "navigate_back" | "navigate_home":
                return Press(_PRESSES[kind])
            case "open_app":
                return OpenApp(text_of(given, "app_name"))
            case "wait":
                return Wait()
            case "answer":
                return Finish("success", text_of(given, "text"))
            case "status":
                return _read_status(given)
        known = ", ".join((*_TOUCHES, "scroll, swipe, input_text", *_PRESSES, "open_app, wait, answer, status"))
        raise ValueError(f"action_type {shown(kind)} is unknown; known are {known}")

    def _written(self, point: Point) -> dict[str, int]:
        x, y = self.frame.write(point)
        return {"x": x, "y": y}

    def _place(self, given: Mapping[str, Any]) -> Point:
        if given.get("index") is None:
            return self.frame.read(number_of(given, "x"), number_of(given, "y"))
        if given.get("x") is not None or given.get("y") is not None:
            raise ValueError(f"{shown(given)} has an index and coordinates, expected one of the two")
        left, top, right, bottom = self._element(given)
        return self._clamped((left + right) / 2, (top + bottom) / 2)

    def _element(self, given: Mapping[str, Any]) -> Bounds:
        index = given["index"]
        if isinstance(index, str) and index.isascii() and index.isdigit() and len(index) < 10:
            index = int(index)
        if isinstance(index, bool) or not isinstance(index, int):
            raise ValueError(f"index is {shown(index)}, expected a whole number")
        if self.elements is None:
            raise ValueError("the reply names an element by index, but this codec was given no elements")
        if not 0 <= index < len(self.elements):
            raise ValueError(f"index is out of range: {len(self.elements)} elements are on the screen")
        return self.elements[index]

    def _scroll(self, finger: Direction, bounds: Bounds | None) -> Swipe:
        extent = self.frame.extent
        left, top, right, bottom = bounds or (0.0, 0.0, float(extent.width), float(extent.height))
        x, y = (left + right) / 2, (top + bottom) / 2
        ends = {"up": (x, top), "down": (x, bottom), "left": (left, y), "right": (right, y)}
        swipe = Swipe(self._clamped(x, y), self._clamped(*ends[finger]))
        if swipe.start == swipe.end:
            raise ValueError(f"the element at {bounds} has no extent on the screen in which it could be scrolled")
        return swipe

    def _clamped(self, x: float, y: float) -> Point:
        return Point.from_pixels(x, y, self.frame.extent)


def _direction(given: Mapping[str, Any]) -> Direction:
    direction = given.get("direction")
    if not is_direction(direction):
        raise ValueError(f"direction is {shown(direction)}, expected up, down, left or right")
    return direction


def _across(finger: Direction) -> Swipe:
    low, high = {"up": (1.0, 0.0), "down": (0.0, 1.0), "left": (1.0, 0.0), "right": (0.0, 1.0)}[finger]
    if finger in ("up", "down"):
        return Swipe(Point(0.5, low), Point(0.5, high), 0.5)
    return Swipe(Point(low, 0.5), Point(high, 0.5), 0.5)


def _read_status(given: Mapping[str, Any]) -> Finish:
    goal = given.get("goal_status")
    if goal not in ("complete", "infeasible"):
        raise ValueError(f"goal_status is {shown(goal)}, expected complete or infeasible")
    return Finish("success" if goal == "complete" else "impossible")
