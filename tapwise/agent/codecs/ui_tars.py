"""UI-TARS's action calls: `Thought: ...\\nAction: click(start_box='(x,y)')`.

    click(start_box='(x,y)')              long_press(start_box='(x,y)', time='')
    drag(start_box='(x,y)', end_box='(x,y)')     the finger's way
    scroll(start_box='(x,y)', direction='down')  the content's direction; with an end_box it is the finger's way
    type(content='')                      with \\' \\" \\n escaped
    open_app(app_name='')    press_home()    press_back()    hotkey(key='enter')    wait()
    finished(content='')     call_user()

Boxes are also read as `<|box_start|>(x,y)<|box_end|>`, `<point>x y</point>` under the names point, start_point and
end_point, and as (x1,y1,x2,y2) or [x1, y1, x2, y2], whose middle counts. Coordinates are thousandths for UI-TARS 1.0
(built on Qwen2-VL) and pixels of the resized picture for UI-TARS-1.5 (built on Qwen2.5-VL). Sources: Qin et al.,
"UI-TARS" (arXiv 2501.12326); the prompts and the reader in bytedance/UI-TARS; that `scroll` names the content's
direction on phones too is said by the authors in issue 129 there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from tapwise.agent.codecs.arguments import excerpt, shown
from tapwise.agent.codecs.calls import Call, Value, quote, read_call
from tapwise.agent.codecs.frames import Frame
from tapwise.directions import CONTENT, is_direction
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

MIN_PIXELS = 100 * 28**2
MAX_PIXELS = 16384 * 28**2
"""Bounds of UI-TARS-1.5's resize, from the reader that is released with it."""
WAIT_S = 5.0
"""What `wait()` means, from the prompt."""

_ACTION = re.compile(r"^[ \t]*Action:", re.MULTILINE)
_NUMBER = r"\s*(-?\d{1,9}(?:\.\d{1,18})?)\s*"
_POINT = re.compile(rf"<point>{_NUMBER}\s{_NUMBER}</point>")
_BOX = re.compile(
    rf"(?:<\|box_start\|>)?[(\[]{_NUMBER},{_NUMBER}(?:,{_NUMBER},{_NUMBER})?[)\]](?:<\|box_end\|>)?",
)
_START_NAMES = ("start_box", "start_point", "point")
_END_NAMES = ("end_box", "end_point")
_KNOWN = "click, long_press, drag, scroll, type, open_app, press_home, press_back, hotkey, wait, finished, call_user"


class UiTarsText:
    """Writes and reads UI-TARS's calls in one frame.

    Said by the form: nothing of durations; a wait is always 5 s, and a press's time, whose unit is not published, is
    neither written nor read. `Press(ENTER)` is the hotkey and an impossible task is `call_user`, both from the desktop
    prompt. An empty answer reads as none. Not said: `RECENTS`, and an answer beside a task that cannot be done.
    """

    def __init__(self, frame: Frame) -> None:
        self.frame = frame

    @property
    def instructions(self) -> str:
        """The calls, for a model that was not trained on them."""
        extent = self.frame.extent
        x, y = extent.width // 2, extent.height // 4
        return (
            f"Reply in two lines:\nThought: why\nAction: click(start_box='({x},{y})')\nCoordinates are (x,y) in"
            f" {self.frame.unit}s; the bottom right corner is ({extent.width},{extent.height}). The actions are"
            " click(start_box=''), long_press(start_box=''), drag(start_box='', end_box=''), scroll(start_box='',"
            " direction='down or up or right or left'), type(content=''), open_app(app_name=''), press_home(),"
            " press_back(), wait(), finished(content=''), and call_user() when the task cannot be done. Escape quotes"
            " and line ends in texts with a backslash."
        )

    def format(self, action: Action, thought: str = "") -> str:
        """The reply that says an action. Raises ValueError for what the form cannot say."""
        if _ACTION.search(thought):
            raise ValueError(f"the thought {excerpt(thought)} holds a line that starts with Action:")
        return (f"Thought: {thought}\n" if thought else "") + f"Action: {self._call(action)}"

    def parse(self, text: str) -> Action:
        """The one action that a reply says: the call after its last line-leading `Action:`, or a call alone.

        Raises ValueError with the reason, also where several calls follow each other.
        """
        marks = list(_ACTION.finditer(text))
        call, end = read_call(text, marks[-1].end() if marks else 0)
        if text[end:].strip():
            raise ValueError(f"{excerpt(text[end:])} follows the action, expected one action alone")
        return self._read(call)

    def _call(self, action: Action) -> str:
        match action:
            case Tap(at=at):
                return f"click(start_box={self._box(at)})"
            case LongPress(at=at):
                return f"long_press(start_box={self._box(at)})"
            case Swipe(start=start, end=end):
                return f"drag(start_box={self._box(start)}, end_box={self._box(end)})"
            case TypeText(text=text):
                return f"type(content={quote(text, chr(39))})"
            case Press(key=Key.HOME):
                return "press_home()"
            case Press(key=Key.BACK):
                return "press_back()"
            case Press(key=Key.ENTER):
                return "hotkey(key='enter')"
            case OpenApp(name=name):
                return f"open_app(app_name={quote(name, chr(39))})"
            case Wait():
                return "wait()"
            case Finish(status="success", answer=answer):
                return f"finished(content={quote(answer or '', chr(39))})"
            case Finish(answer=None):
                return "call_user()"
            case _:
                raise ValueError(f"UI-TARS's calls cannot say {action}")

    def _read(self, call: Call) -> Action:
        given = call.arguments
        match call.name:
            case "click":
                return Tap(self._place(given, _START_NAMES))
            case "long_press":
                return LongPress(self._place(given, _START_NAMES))
            case "drag":
                return Swipe(self._place(given, _START_NAMES), self._place(given, _END_NAMES))
            case "scroll":
                return self._read_scroll(given)
            case "type":
                return TypeText(_text(given, "content"))
            case "open_app":
                return OpenApp(_text(given, "app_name"))
            case "press_home":
                return Press(Key.HOME)
            case "press_back":
                return Press(Key.BACK)
            case "hotkey":
                key = _text(given, "key")
                if key.lower() != "enter":
                    raise ValueError(f"hotkey {key!r} has no counterpart on the phone; only enter has")
                return Press(Key.ENTER)
            case "wait":
                return Wait(WAIT_S)
            case "finished":
                return Finish("success", _text(given, "content", "") or None)
            case "call_user":
                return Finish("impossible")
        raise ValueError(f"action {call.name!r} is unknown; known are {_KNOWN}")

    def _read_scroll(self, given: Mapping[str, Value]) -> Swipe:
        if any(name in given for name in _END_NAMES):
            return Swipe(self._place(given, _START_NAMES), self._place(given, _END_NAMES))
        direction = given.get("direction")
        if not is_direction(direction):
            raise ValueError(f"direction is {shown(direction)}, expected up, down, left or right")
        if not any(name in given for name in _START_NAMES):
            return CONTENT.swipe(direction)
        return CONTENT.swipe_from(self._place(given, _START_NAMES), direction)

    def _box(self, point: Point) -> str:
        x, y = self.frame.write(point)
        return f"'({x},{y})'"

    def _place(self, given: Mapping[str, Value], names: tuple[str, ...]) -> Point:
        name = next((name for name in names if name in given), names[0])
        value = given.get(name)
        text = str(value) if isinstance(value, list) else value
        found = (_BOX.fullmatch(text) or _POINT.fullmatch(text)) if isinstance(text, str) else None
        if found is None:
            raise ValueError(f"{name} is {shown(value)}, expected '(x,y)'")
        numbers = [float(number) for number in found.groups() if number is not None]
        if len(numbers) == 4:
            left, top, right, bottom = numbers
            numbers = [(left + right) / 2, (top + bottom) / 2]
        return self.frame.read(*numbers)


def _text(given: Mapping[str, Value], name: str, default: str | None = None) -> str:
    value = given.get(name, default)
    if not isinstance(value, str):
        raise ValueError(f"{name} is {shown(value)}, expected text in quotes")
    return value
