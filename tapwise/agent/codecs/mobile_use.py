"""The mobile-use action space of Qwen2.5-VL and Qwen3-VL, in its two envelopes.

UI-S1 puts the arguments into tags, after a think block that may be empty:

    <think>\\n...\\n</think>\\n<action>\\n{"action": "click", "coordinate": [546, 1204]}\\n</action>

and Qwen's own models write a tool call, after free text:

    <tool_call>\\n{"name": "mobile_use", "arguments": {"action": "click", "coordinate": [546, 1204]}}\\n</tool_call>

Actions: click(coordinate), long_press(coordinate, time), swipe(coordinate, coordinate2), type(text), answer(text),
system_button(Back, Home, Menu or Enter), key(text: a key of adb's keyevent), open(text), wait(time),
terminate(success or failure). Coordinates count pixels of the resized picture (Qwen2.5-VL, UI-S1) or thousandths
(Qwen3-VL): the codec's `Frame` says which. Some of Qwen3-VL's demonstrations divide by 999 and not by 1000; the two
differ by less than a thousandth of the screen, and ours divides by 1000. Sources: Qwen2.5-VL technical report
(arXiv 2502.13923), UI-S1 (arXiv 2509.11543).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal

from tapwise.agent.codecs.arguments import (
    excerpt,
    first_object,
    pair_of,
    plain_number,
    seconds,
    seconds_of,
    shown,
    text_of,
)
from tapwise.agent.codecs.frames import Frame
from tapwise.directions import FINGER, UI_S1_LABELS, Directions, is_direction
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

Envelope = Literal["action", "tool_call"]

TOOL = "mobile_use"
_BUTTONS = {"back": Key.BACK, "home": Key.HOME, "enter": Key.ENTER}
_BUTTON_NAMES = {Key.BACK: "Back", Key.HOME: "Home", Key.ENTER: "Enter"}
_KEYS = {"back": Key.BACK, "home": Key.HOME, "enter": Key.ENTER, "app_switch": Key.RECENTS}


class MobileUseText:
    """Writes and reads mobile-use actions in one envelope and one frame.

    pairs: what the order of a swipe's two coordinates means; Qwen's is the finger's, UI-S1's training file needs
    `UI_S1_TRAIN_PAIRS`. labels: what the direction of a swipe means where a file gives that in place of coordinates.
    Said by the form: press and wait durations from 0 to 60 s. Not said: a swipe's duration, and an answer beside a
    task that cannot be done. `RECENTS` is the key app_switch; the Menu button is no key of tapwise.
    """

    def __init__(
        self,
        frame: Frame,
        envelope: Envelope = "action",
        *,
        pairs: Directions = FINGER,
        labels: Directions = UI_S1_LABELS,
    ) -> None:
        self.frame = frame
        self.envelope: Envelope = envelope
        self.pairs = pairs
        self.labels = labels
        self._readers: dict[str, Callable[[Mapping[str, Any]], Action]] = {
            "click": lambda given: Tap(self._point(given, "coordinate")),
            "long_press": lambda given: LongPress(self._point(given, "coordinate"), seconds_of(given, "time", 1.0)),
            "swipe": self._read_swipe,
            "type": lambda given: TypeText(text_of(given, "text")),
            "answer": lambda given: Finish("success", text_of(given, "text")),
            "system_button": lambda given: Press(_button(text_of(given, "button"))),
            "key": lambda given: Press(_key(text_of(given, "text"))),
            "open": lambda given: OpenApp(text_of(given, "text")),
            "wait": lambda given: Wait(seconds_of(given, "time", 1.0)),
            "terminate": _read_terminate,
        }

    @property
    def instructions(self) -> str:
        """The envelope and the actions, for a model that was not trained on them."""
        extent = self.frame.extent
        example = self._wrap({"action": "click", "coordinate": [extent.width // 2, extent.height // 4]}, "why")
        return (
            f"Reply with your thought and one action, in this form:\n{example}\ncoordinate is [x, y] in"
            f" {self.frame.unit}s from the top left corner; the bottom right corner is"
            f" [{extent.width}, {extent.height}]. The actions with their arguments: click (coordinate), long_press"
            " (coordinate, time in seconds), swipe (coordinate, coordinate2: where the finger starts and ends), type"
            " (text), system_button (button: Back, Home or Enter), key (text), open (text: name of an app), wait (time"
            " in seconds), answer (text), terminate (status: success or failure)."
        )

    def format(self, action: Action, thought: str = "") -> str:
        """The reply that says an action. Raises ValueError for what the form cannot say."""
        return self._wrap(self._arguments(action), thought)

    def parse(self, text: str) -> Action:
        """The action that a reply says. Raises ValueError with the reason."""
        given = self.arguments(text)
        kind = given["action"]
        reader = self._readers.get(kind) if isinstance(kind, str) else None
        if reader is None:
            raise ValueError(f"action {shown(kind)} is unknown; known are {', '.join(self._readers)}")
        return reader(given)

    def arguments(self, text: str) -> dict[str, Any]:
        """The JSON object with the action and its arguments as the model wrote them, in the format's own units."""
        tag = f"<{self.envelope}>"
        start = text.find(tag, _end_of_thought(text, tag))
        if start < 0:
            raise ValueError(f"no {tag} in {excerpt(text)}")
        given, end = first_object(text, start + len(tag))
        rest = text[end:].strip()
        if rest and not rest.startswith(f"</{self.envelope}>"):
            raise ValueError(f"{excerpt(rest)} follows the JSON object, expected </{self.envelope}>")
        if self.envelope == "tool_call":
            if given.get("name") != TOOL or not isinstance(given.get("arguments"), dict):
                raise ValueError(f"the tool call is {shown(given)}, expected {TOOL} with arguments")
            given = given["arguments"]
        if "action" not in given:
            raise ValueError(f"{shown(given)} has no action")
        return given

    def _wrap(self, arguments: Mapping[str, Any], thought: str) -> str:
        if any(tag in thought for tag in ("<think>", "</think>", f"<{self.envelope}>")):
            raise ValueError(f"the thought {excerpt(thought)} holds a tag of the envelope")
        if self.envelope == "action":
            call = json.dumps(arguments, ensure_ascii=False, allow_nan=False)
            return f"<think>\n{thought}\n</think>\n<action>\n{call}\n</action>"
        call = json.dumps({"name": TOOL, "arguments": arguments}, ensure_ascii=False, allow_nan=False)
        return (f"Thought: {thought}\n" if thought else "") + f"<tool_call>\n{call}\n</tool_call>"

    def _arguments(self, action: Action) -> dict[str, Any]:
        match action:
            case Tap(at=at):
                return {"action": "click", "coordinate": list(self.frame.write(at))}
            case LongPress(at=at, duration_s=duration_s):
                return {"action": "long_press", "coordinate": list(self.frame.write(at)), "time": _time(duration_s)}
            case Swipe(start=start, end=end):
                first, second = self.pairs.orient(self.frame.snap(start), self.frame.snap(end))
                ends = [list(self.frame.write(point)) for point in (first, second)]
                return {"action": "swipe", "coordinate": ends[0], "coordinate2": ends[1]}
            case TypeText(text=text):
                return {"action": "type", "text": text}
            case Press(key=Key.RECENTS):
                return {"action": "key", "text": "app_switch"}
            case Press(key=key):
                return {"action": "system_button", "button": _BUTTON_NAMES[key]}
            case OpenApp(name=name):
                return {"action": "open", "text": name}
            case Wait(duration_s=duration_s):
                return {"action": "wait", "time": _time(duration_s)}
            case Finish(status="success", answer=str(answer)):
                return {"action": "answer", "text": answer}
            case Finish(status=status, answer=None):
                return {"action": "terminate", "status": "success" if status == "success" else "failure"}
            case Finish():
                raise ValueError(f"mobile-use cannot say an answer beside a task that cannot be done: {action}")

    def _point(self, given: Mapping[str, Any], name: str) -> Point:
        return pair_of(given, name, self.frame)

    def _read_swipe(self, given: Mapping[str, Any]) -> Swipe:
        if "coordinate2" in given or "direction" not in given:
            return Swipe(*self.pairs.orient(self._point(given, "coordinate"), self._point(given, "coordinate2")))
        direction = given["direction"]
        if not is_direction(direction):
            raise ValueError(f"direction is {shown(direction)}, expected up, down, left or right")
        if given.get("coordinate") is None:
            return self.labels.swipe(direction)
        return self.labels.swipe_from(self._point(given, "coordinate"), direction)


def thought(text: str) -> str:
    """What the first think block of a reply holds, without the white space around it; "" without such a block."""
    start, end = text.find("<think>"), text.find("</think>")
    return text[start + len("<think>") : end].strip() if 0 <= start < end else ""


def _end_of_thought(text: str, tag: str) -> int:
    """Where a think block that precedes the first `tag` ends, since a thought may name the tag; 0 without one."""
    start, first = text.find("<think>"), text.find(tag)
    return max(text.find("</think>", start), 0) if 0 <= start < first else 0


def _time(duration_s: float) -> int | float:
    return plain_number(seconds(duration_s, "duration_s"))


def _button(name: str) -> Key:
    if name.lower() not in _BUTTONS:
        known = ", ".join(_BUTTON_NAMES.values())
        raise ValueError(f"button is {name!r}, expected one of {known}; tapwise presses no other")
    return _BUTTONS[name.lower()]


def _key(name: str) -> Key:
    plain = name.lower().removeprefix("keycode_")
    if plain not in _KEYS:
        raise ValueError(f"key is {name!r}, expected one of {', '.join(_KEYS)}; tapwise presses no other")
    return _KEYS[plain]


def _read_terminate(given: Mapping[str, Any]) -> Finish:
    status = given.get("status")
    if status not in ("success", "failure"):
        raise ValueError(f"status is {shown(status)}, expected success or failure")
    return Finish("success" if status == "success" else "impossible")
