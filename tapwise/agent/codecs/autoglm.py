"""AutoGLM-Phone's calls: `<think>...</think><answer>do(action="Tap", element=[x,y])</answer>`.

    do(action="Tap", element=[x,y])                     also with a message, which marks a delicate step
    do(action="Long Press", element=[x,y])
    do(action="Swipe", start=[x1,y1], end=[x2,y2])      the finger's way
    do(action="Type", text="...")                       also Type_Name; clears the field first
    do(action="Launch", app="...")
    do(action="Back")    do(action="Home")
    do(action="Wait", duration="2 seconds")
    finish(message="...")

Known, from the prompts and the reader of zai-org/Open-AutoGLM: the actions above; that coordinates go from (0,0) to
(999,999) by the prompt while the reader divides by 1000 (so does ours); that Type's text and finish's message are taken
as they stand, without escapes, up to the closing quotation mark, while other strings are Python's; that tags are
optional in what the reader accepts. Not known to us: whether the model escapes quotation marks in typed text; and the
format has no word for a task that cannot be done, which finish's message may say in words.
"""

from __future__ import annotations

import re

from tapwise.agent.codecs.arguments import excerpt, plain_number, seconds, seconds_of, shown, text_of
from tapwise.agent.codecs.calls import Value, quote, read_call
from tapwise.agent.codecs.frames import Frame
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

_START = re.compile(r"\b(?:do\(\s*action\s*=|finish\()")
_RAW = re.compile(
    r"(?:do\(\s*action\s*=\s*\"(?:Type|Type_Name)\"\s*,\s*text|(?P<finish>finish\(\s*message))\s*=\s*\"(?P<text>.*)\"\s*\)",
    re.DOTALL,
)
_PERSON = ("Interact", "Take_over")
_ELSEWHERE = ("Note", "Call_API")
_KNOWN = "Tap, Long Press, Swipe, Type, Type_Name, Launch, Back, Home, Wait"


class AutoGlmText:
    """Writes and reads AutoGLM-Phone's calls; coordinates are thousandths.

    Said by the form: a wait's duration, from 0 to 60 s, but not a press's or a swipe's. An empty answer reads as none.
    Not said: enter, `RECENTS`, and a task that cannot be done. Not read, as tapwise has no such action: Double Tap,
    what asks a person (Interact, Take_over) and what happens outside the phone (Note, Call_API).
    """

    instructions = (
        "Reply with your thought and one call, in this form:\n"
        '<think>why</think><answer>do(action="Tap", element=[500,250])</answer>\n'
        "Coordinates are [x,y] from [0,0] at the top left to [999,999] at the bottom right. The calls are"
        ' do(action="Tap", element=[x,y]), do(action="Long Press", element=[x,y]), do(action="Swipe", start=[x1,y1],'
        ' end=[x2,y2]), do(action="Type", text="..."), do(action="Launch", app="..."), do(action="Back"),'
        ' do(action="Home"), do(action="Wait", duration="2 seconds") and, at the end, finish(message="...").'
    )

    def __init__(self) -> None:
        self.frame = Frame.thousandths()

    def format(self, action: Action, thought: str = "") -> str:
        """The reply that says an action. Raises ValueError for what the form cannot say."""
        if "</think>" in thought or "<answer>" in thought:
            raise ValueError(f"the thought {excerpt(thought)} holds a tag of the envelope")
        return f"<think>{thought}</think><answer>{self._call(action)}</answer>"

    def parse(self, text: str) -> Action:
        """The action that a reply says, with or without tags. Raises ValueError with the reason."""
        body = _answer(text)
        start = _START.search(body)
        if start is None:
            raise ValueError(f"no do(action=...) and no finish(...) in {excerpt(body)}")
        raw = _RAW.fullmatch(body, start.start())
        if raw is not None:
            return Finish("success", raw["text"] or None) if raw["finish"] else TypeText(raw["text"])
        call, end = read_call(body, start.start())
        if body[end:].strip():
            raise ValueError(f"{excerpt(body[end:])} follows the call, expected one call alone")
        given = dict(call.arguments)
        if call.name == "finish":
            return Finish("success", text_of({"message": "", **given}, "message") or None)
        return self._read(text_of(given, "action"), given)

    def _call(self, action: Action) -> str:
        match action:
            case Tap(at=at):
                return f'do(action="Tap", element={self._pair(at)})'
            case LongPress(at=at):
                return f'do(action="Long Press", element={self._pair(at)})'
            case Swipe(start=start, end=end):
                return f'do(action="Swipe", start={self._pair(start)}, end={self._pair(end)})'
            case TypeText(text=text):
                return f'do(action="Type", text="{text}")'
            case OpenApp(name=name):
                return f'do(action="Launch", app={quote(name, chr(34))})'
            case Press(key=Key.BACK):
                return 'do(action="Back")'
            case Press(key=Key.HOME):
                return 'do(action="Home")'
            case Wait(duration_s=duration_s):
                return f'do(action="Wait", duration="{plain_number(seconds(duration_s, "duration_s"))} seconds")'
            case Finish(status="success", answer=answer):
                return f'finish(message="{answer or ""}")'
            case _:
                raise ValueError(f"AutoGLM's calls cannot say {action}")

    def _read(self, name: str, given: dict[str, Value]) -> Action:
        match name:
            case "Tap":
                return Tap(self._point(given, "element"))
            case "Long Press":
                return LongPress(self._point(given, "element"))
            case "Swipe":
                return Swipe(self._point(given, "start"), self._point(given, "end"))
            case "Type" | "Type_Name":
                return TypeText(text_of(given, "text"))
            case "Launch":
                return OpenApp(text_of(given, "app"))
            case "Back":
                return Press(Key.BACK)
            case "Home":
                return Press(Key.HOME)
            case "Wait":
                return Wait(seconds_of(given, "duration", 1.0))
        if name == "Double Tap":
            raise ValueError("Double Tap is no single action of tapwise")
        if name in _PERSON:
            raise ValueError(f"{name} asks a person, and none is there")
        if name in _ELSEWHERE:
            raise ValueError(f"{name} does nothing on the phone")
        raise ValueError(f"action {name!r} is unknown; known are {_KNOWN}")

    def _pair(self, point: Point) -> str:
        x, y = self.frame.write(point)
        return f"[{x},{y}]"

    def _point(self, given: dict[str, Value], name: str) -> Point:
        value = given.get(name)
        if not isinstance(value, list) or len(value) != 2:
            raise ValueError(f"{name} is {shown(value)}, expected [x,y]")
        return self.frame.read(*value)


def _answer(text: str) -> str:
    """What stands between the first answer tag after the thought and the last closing one, or all of it."""
    thought = text.find("</think>")
    body = text[thought + len("</think>") :] if thought >= 0 else text
    opening = body.find("<answer>")
    first = _START.search(body)
    if opening >= 0 and (first is None or opening < first.start()):
        body = body[opening + len("<answer>") :]
    return body.strip().removesuffix("</answer>").rstrip()
