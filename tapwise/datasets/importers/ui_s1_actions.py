"""Actions as UI-S1 writes them: {"action": name, ...} with places [x, y] in pixels of the original screen.

Source: X-PLUG/MobileAgent, UI-S1, x/data/agent/space/std_space.py (names) and its released files (conventions).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tapwise.datasets.importers.common import need, pixel_point, scroll
from tapwise.directions import UI_S1_LABELS
from tapwise.errors import MissingFeature, WrongValue
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    TypeText,
    Wait,
)

BUTTONS = {"Back": Key.BACK, "Home": Key.HOME, "Enter": Key.ENTER}
KEYS = {"back": Key.BACK, "home": Key.HOME, "enter": Key.ENTER, "app_switch": Key.RECENTS}
"""of adb's keyevent, those that tapwise has; "KEYCODE_" may stand before them"""


def read_action(content: Mapping[str, Any], size: Size, where: str, *, reverse_vertical: bool = False) -> Action:
    """The canonical action. `reverse_vertical` turns vertical swipes round, for files that hold the content's vector.

    Of directions, the vertical ones name the content's and the horizontal ones the finger's, as UI-S1 counts them.
    Raises DataError for what is no action or one that tapwise does not have.
    """
    kind = need(content, "action", str, where)
    match kind:
        case "click":
            return Tap(_place(content, "coordinate", size, where))
        case "long_press":
            return LongPress(_place(content, "coordinate", size, where), _seconds(content, 1.0, where))
        case "swipe":
            return _swipe(content, size, where, reverse_vertical)
        case "type":
            return TypeText(need(content, "text", str, where))
        case "open":
            return OpenApp(need(content, "text", str, where))
        case "wait":
            return Wait(_seconds(content, 1.0, where))
        case "answer":
            return Finish("success", need(content, "text", str, where))
        case "terminate":
            return Finish("success" if content.get("status", "success") == "success" else "impossible")
        case "system_button":
            button = need(content, "button", str, where).capitalize()
            if button in BUTTONS:
                return Press(BUTTONS[button])
            raise WrongValue(f"{where}: button {button!r} has no counterpart: tapwise has {', '.join(BUTTONS)}")
        case "key":
            name = need(content, "text", str, where)
            key = KEYS.get(name.lower().removeprefix("keycode_"))
            if key is not None:
                return Press(key)
            raise WrongValue(f"{where}: key {name!r} has no counterpart: tapwise has {', '.join(KEYS)}")
        case _:
            raise WrongValue(f"{where}: action {kind!r} has no counterpart")


def write_action(action: Action, size: Size, *, reverse_vertical: bool = False) -> dict[str, Any]:
    """The inverse of `read_action`."""
    match action:
        case Tap(at=at):
            return {"action": "click", "coordinate": _pixels(at, size)}
        case LongPress(at=at, duration_s=duration_s):
            return {"action": "long_press", "coordinate": _pixels(at, size), "time": duration_s}
        case Swipe(start=start, end=end):
            if reverse_vertical and is_vertical(action, size):
                start, end = end, start
            return {"action": "swipe", "coordinate": _pixels(start, size), "coordinate2": _pixels(end, size)}
        case TypeText(text=text):
            return {"action": "type", "text": text}
        case OpenApp(name=name):
            return {"action": "open", "text": name}
        case Press(key=Key.RECENTS):  # no button: Menu is another key
            return {"action": "key", "text": "app_switch"}
        case Press(key=key):
            names = {value: button for button, value in BUTTONS.items()}
            return {"action": "system_button", "button": names[key]}
        case Wait(duration_s=duration_s):
            return {"action": "wait", "time": duration_s}
        case Finish(status="success", answer=str() as answer):
            return {"action": "answer", "text": answer}
        case Finish(status=status):
            return {"action": "terminate", "status": "success" if status == "success" else "failure"}


def is_vertical(swipe: Swipe, size: Size) -> bool:
    """Whether the finger moves further down or up than sideways, in pixels."""
    dx, dy = (swipe.end.x - swipe.start.x) * size.width, (swipe.end.y - swipe.start.y) * size.height
    return abs(dy) > abs(dx)


def _swipe(content: Mapping[str, Any], size: Size, where: str, reverse_vertical: bool) -> Swipe:
    if "coordinate2" not in content and "direction" in content:
        return scroll(need(content, "direction", str, where), where, UI_S1_LABELS)
    swipe = Swipe(_place(content, "coordinate", size, where), _place(content, "coordinate2", size, where))
    return Swipe(swipe.end, swipe.start) if reverse_vertical and is_vertical(swipe, size) else swipe


def _place(content: Mapping[str, Any], name: str, size: Size, where: str) -> Point:
    if name not in content:
        raise MissingFeature(f"{where}: {content.get('action')!r} has no {name!r}: give it as [x, y] in pixels")
    return pixel_point(content[name], size, where)


def _seconds(content: Mapping[str, Any], default: float, where: str) -> float:
    try:
        return float(content.get("time", default))
    except (TypeError, ValueError):
        raise WrongValue(f"{where}: time {content.get('time')!r} is no number of seconds") from None


def _pixels(at: Point, size: Size) -> list[float]:
    return [round(at.x * size.width, 4), round(at.y * size.height, 4)]
