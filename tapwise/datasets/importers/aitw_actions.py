"""Actions as AitW and its descendants write them: a type, the finger's two places, a text.

Sources: google-research/android_in_the_wild, action_type.py and action_matching.py; SeeClick's names of AitW actions;
Auto-UI's answers as DigiRL and VEM use them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

from tapwise.datasets.importers.common import point, scroll
from tapwise.errors import WrongValue
from tapwise.records import Action, Finish, Key, Point, Press, Size, Swipe, Tap, TypeText

TAP_DISTANCE = 0.04
"""a gesture this short, in parts of the screen, is a tap (AitW's own rule)"""
DIGIRL_TAP_PIXELS_SQUARED = 10.0
"""DigiRL taps when dx^2 + dy^2 is below this, in pixels"""

TYPE, DUAL_POINT, PRESS_BACK, PRESS_HOME, PRESS_ENTER, COMPLETE, IMPOSSIBLE = 3, 4, 5, 6, 7, 10, 11
_SIMPLE: dict[int, Action] = {
    PRESS_BACK: Press(Key.BACK),
    PRESS_HOME: Press(Key.HOME),
    PRESS_ENTER: Press(Key.ENTER),
    COMPLETE: Finish("success"),
    IMPOSSIBLE: Finish("impossible"),
}
_SCROLL_TYPES = {0: "down", 1: "up", 8: "left", 9: "right"}  # SeeClick's
_NAMES = {
    "type": TYPE,
    "click": DUAL_POINT,
    "dual point": DUAL_POINT,
    "press back": PRESS_BACK,
    "press home": PRESS_HOME,
    "press enter": PRESS_ENTER,
    "status task complete": COMPLETE,
    "task complete": COMPLETE,
    "status task impossible": IMPOSSIBLE,
    "task impossible": IMPOSSIBLE,
    **{f"scroll {direction}": number for number, direction in _SCROLL_TYPES.items()},
}
_TYPE_FIELD = re.compile(r'"action_type":\s*"([^"]*)"')
_PLACE_FIELD = r'"{}":\s*"\[([^\]"]*)\]"'
_TOUCH_FIELD = re.compile(_PLACE_FIELD.format("touch_point"))
_LIFT_FIELD = re.compile(_PLACE_FIELD.format("lift_point"))
_TEXT_FIELD = re.compile(r'"typed_text":\s*"(.*)"', re.DOTALL)

Place = Sequence[float]


def type_number(kind: int | str, where: str) -> int:
    """The number of an action type from its number or its name in SeeClick or Auto-UI. Raises WrongValue."""
    if isinstance(kind, int):
        return kind
    name = kind.strip().lower().replace("_", " ")
    if name.isdecimal():
        return int(name)
    if name not in _NAMES:
        raise WrongValue(f"{where}: action type {kind!r} is unknown")
    return _NAMES[name]


def read_action(
    kind: int | str, touch_xy: Place, lift_xy: Place, text: str, where: str, *, pixels: Size | None = None
) -> Action:
    """The action of a type with the finger's places (x, y) in parts of the screen.

    A gesture is a tap by AitW's rule; with the screen's size in `pixels`, by DigiRL's. A scroll label names the
    content's direction and the places beside it do not count. Raises WrongValue for what is no action.
    """
    number = type_number(kind, where)
    if number in _SIMPLE:
        return _SIMPLE[number]
    if number == TYPE:
        return TypeText(text)
    if number in _SCROLL_TYPES:
        return scroll(_SCROLL_TYPES[number], where)
    if number != DUAL_POINT:
        raise WrongValue(f"{where}: action type {number} is unknown")
    return gesture(_place(touch_xy, where), _place(lift_xy, where), pixels)


def gesture(touch: Point, lift: Point, pixels: Size | None = None) -> Tap | Swipe:
    """A tap or a swipe, as far as the finger moved; see `read_action`."""
    dx, dy = lift.x - touch.x, lift.y - touch.y
    if pixels is None:
        is_tap = math.hypot(dx, dy) <= TAP_DISTANCE
    else:
        is_tap = (dx * pixels.width) ** 2 + (dy * pixels.height) ** 2 < DIGIRL_TAP_PIXELS_SQUARED
    return Tap(touch) if is_tap else Swipe(touch, lift)


def read_auto_ui(text: str, where: str, *, pixels: Size | None = None) -> Action:
    """The action in an answer of Auto-UI, whose places are [y, x]. Typed text may hold commas, colons and quotes.

    Raises WrongValue when the answer holds no action.
    """
    kind = _TYPE_FIELD.search(text)
    if kind is None:
        raise WrongValue(f"{where}: the answer {text!r:.120} has no action_type")
    typed = _TEXT_FIELD.search(text)
    touch, lift = _yx_field(_TOUCH_FIELD, text, where), _yx_field(_LIFT_FIELD, text, where)
    return read_action(kind[1], touch, lift, "" if typed is None else typed[1], where, pixels=pixels)


def _yx_field(pattern: re.Pattern[str], text: str, where: str) -> tuple[float, float]:
    found = pattern.search(text)
    if found is None:
        return (-1.0, -1.0)
    try:
        y, x = (float(part) for part in found[1].split(","))
    except ValueError:
        raise WrongValue(f"{where}: [{found[1]}] is no place: expected [y, x]") from None
    return (x, y)


def _place(xy: Place, where: str) -> Point:
    try:
        x, y = (float(one) for one in xy)
    except (TypeError, ValueError):
        raise WrongValue(f"{where}: {xy!r} is no place: expected two numbers") from None
    return point(x, y, where)
