"""Auto-UI's action strings, which DigiRL's policies and VEM's data use.

    Action Plan: [DUAL_POINT] ; Action Decision: "action_type": "DUAL_POINT", "touch_point": "[y, x]",
    "lift_point": "[y, x]", "typed_text": ""

on one line. Coordinates are [y, x] in [0, 1] with four decimals, -1.0 where nothing is touched. Typed text is the last
field and is not escaped: it reaches to the last quotation mark, whatever it holds. A gesture whose ends lie close
together is a tap. Source: Zhang and Zhang, "You Only Look at Screens" (arXiv 2309.11436); the gesture rule is Android
in the Wild's (arXiv 2307.10088).
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable

from tapwise.agent.codecs.arguments import excerpt, shown
from tapwise.records import Action, Finish, Key, Point, Press, Size, Swipe, Tap, TypeText

TAP_RADIUS = 0.04
"""Android in the Wild: ends this close, as a Euclidean distance in fractions of the screen, are one tap."""
DIGIRL_TAP_PIXELS_SQUARED = 10
"""DigiRL: a tap if the squared distance in pixels is below this."""

TapRule = Callable[[Point, Point], bool]

_DECISION = re.compile(
    r'"action_type":\s*"(?P<kind>[^"]*)"'
    r'(?:\s*,\s*"touch_point":\s*"(?P<touch>[^"]*)"\s*,\s*"lift_point":\s*"(?P<lift>[^"]*)")?'
    r'(?:\s*,\s*"typed_text":\s*"(?P<text>.*)")?\s*(?:</s>\s*)?',
    re.DOTALL,
)
_PAIR = re.compile(r"\[\s*(-?\d{1,9}(?:\.\d{1,30})?)\s*,\s*(-?\d{1,9}(?:\.\d{1,30})?)\s*\]")
_PLAIN: dict[str, Action] = {
    "PRESS_BACK": Press(Key.BACK),
    "PRESS_HOME": Press(Key.HOME),
    "PRESS_ENTER": Press(Key.ENTER),
    "STATUS_TASK_COMPLETE": Finish("success"),
    "STATUS_TASK_IMPOSSIBLE": Finish("impossible"),
}
_PLAIN_NAMES = {action: name for name, action in _PLAIN.items()}
_ALSO_READ = {"TASK_COMPLETE": "STATUS_TASK_COMPLETE", "TASK_IMPOSSIBLE": "STATUS_TASK_IMPOSSIBLE"}
_NOWHERE = "[-1.0, -1.0]"


def is_tap(touch: Point, lift: Point) -> bool:
    """Android in the Wild's rule, which knows no pixels: see `TAP_RADIUS`."""
    return math.hypot(touch.x - lift.x, touch.y - lift.y) <= TAP_RADIUS


def digirl_tap_rule(size: Size) -> TapRule:
    """DigiRL's rule on a screen of `size` pixels: a tap only within about three pixels."""

    def rule(touch: Point, lift: Point) -> bool:
        dx, dy = (touch.x - lift.x) * size.width, (touch.y - lift.y) * size.height
        return dx * dx + dy * dy < DIGIRL_TAP_PIXELS_SQUARED

    return rule


class AutoUiText:
    """Writes and reads Auto-UI's strings; `tap_rule` says which gestures are taps.

    The form has no words for `LongPress`, `OpenApp`, `Wait`, `RECENTS` or an answer, and none for a swipe that its
    own rule would read as a tap. A swipe's duration is not said.
    """

    instructions = ""

    def __init__(self, tap_rule: TapRule = is_tap) -> None:
        self.tap_rule = tap_rule

    def format(self, action: Action) -> str:
        """The whole answer, with a plan of this one action. Raises ValueError for what the form cannot say."""
        decision = self.decision(action)
        kind = decision.split('"')[3]
        return f"Action Plan: [{kind}] ; Action Decision: {decision}"

    def decision(self, action: Action) -> str:
        """The fields alone, from `"action_type"` on, as the prompt's history has them."""
        match action:
            case Tap(at=at):
                return _fields("DUAL_POINT", _pair(at), _pair(at))
            case Swipe(start=start, end=end):
                if self.tap_rule(_rounded(start), _rounded(end)):
                    raise ValueError(f"{action} is so short that Auto-UI's form would read it as a tap")
                return _fields("DUAL_POINT", _pair(start), _pair(end))
            case TypeText(text=text):
                return _fields("TYPE", text=text)
            case Press() | Finish() if action in _PLAIN_NAMES:
                return _fields(_PLAIN_NAMES[action])
            case _:
                raise ValueError(f"Auto-UI's form has no words for {action}")

    def parse(self, text: str) -> Action:
        """The action that a whole answer or its fields alone say. Raises ValueError with the reason."""
        start = text.find('"action_type":')
        if start < 0:
            raise ValueError(f'no "action_type" in {excerpt(text)}')
        found = _DECISION.fullmatch(text, start)
        if found is None:
            raise ValueError(f"the fields {excerpt(text[start:])} are not those of an Auto-UI action")
        kind = found["kind"]
        kind = _ALSO_READ.get(kind, kind)
        if kind in _PLAIN:
            return _PLAIN[kind]
        if kind == "TYPE":
            if found["text"] is None:
                raise ValueError(f"TYPE without typed_text in {excerpt(text[start:])}")
            return TypeText(found["text"])
        if kind != "DUAL_POINT":
            raise ValueError(f"action_type {shown(kind)} is unknown; known are DUAL_POINT, TYPE, {', '.join(_PLAIN)}")
        touch, lift = _read_pair(found["touch"], "touch_point"), _read_pair(found["lift"], "lift_point")
        return Tap(touch) if self.tap_rule(touch, lift) else Swipe(touch, lift)


def _fields(kind: str, touch: str = _NOWHERE, lift: str = _NOWHERE, text: str = "") -> str:
    return f'"action_type": "{kind}", "touch_point": "{touch}", "lift_point": "{lift}", "typed_text": "{text}"'


def _rounded(point: Point) -> Point:
    return Point(round(point.x, 4) + 0.0, round(point.y, 4) + 0.0)


def _pair(point: Point) -> str:
    point = _rounded(point)
    return f"[{point.y:.4f}, {point.x:.4f}]"


def _read_pair(text: str | None, name: str) -> Point:
    found = _PAIR.fullmatch((text or "").strip())
    if found is None:
        raise ValueError(f"{name} is {shown(text)}, expected [y, x]")
    y, x = (float(number) for number in found.groups())
    if not (0 <= x <= 1 and 0 <= y <= 1):
        raise ValueError(f"{name} is {shown(text)}, outside 0..1: a gesture's points are fractions of the screen")
    return Point(x, y)
