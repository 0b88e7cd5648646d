"""WebDriver's actions: what pointers and keys do in turns becomes touches and typing."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tapwise.emulators.virtual.automation.elements import W3C_KEY

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_KEYS: Final = {
    "\ue003": "KEYCODE_DEL",
    "\ue006": "KEYCODE_ENTER",
    "\ue007": "KEYCODE_ENTER",
    "\ue00c": "KEYCODE_BACK",
    "\n": "KEYCODE_ENTER",
}
_BY_KEY: Final = re.compile(f"([{''.join(_KEYS)}])")
_FARTHEST: Final = 1e9


TOUCH_SLOP_DP: Final = 10.0
LEAST_GAP: Final = 0.1
"""fingers never come closer than this share of the way"""


@dataclass(frozen=True, slots=True)
class Touch:
    """A finger from down to up: from where to where, in pixels, and for how long."""

    start: tuple[float, float]
    end: tuple[float, float]
    held_s: float = 0.0


@dataclass(slots=True)
class _Finger:
    x: float = 0.0
    y: float = 0.0
    down: tuple[float, float] | None = None
    held_s: float = 0.0


def perform(
    phone: VirtualPhone, sources: Sequence[Mapping[str, Any]], centre: Callable[[str], tuple[float, float]]
) -> None:
    """Do what the sources ask for, one source after the other; two fingers that are down once each pinch.

    `centre` gives the middle of an element in pixels. Raises ValueError for actions that make no sense, and for more
    than two fingers.
    """
    turns = [(_steps(source), source.get("type")) for source in sources]
    fingers = [steps for steps, kind in turns if kind == "pointer" and _downs(steps)]
    pinches = len(fingers) == 2 and all(_downs(steps) == 1 for steps in fingers)
    if len(fingers) > 1 and not pinches:
        raise ValueError("this phone feels one finger at a time, or two that come down once each")
    if pinches:
        touches = [touch for steps in fingers for touch in _touches(steps, centre)]
        if len(touches) < 2:
            raise ValueError("each of two fingers must come down and be lifted")
        two_fingers(phone, *touches)
    for steps, kind in turns:
        if kind == "pointer" and not pinches:
            for touch in _touches(steps, centre):
                phone.swipe(*touch.start, *touch.end, touch.held_s)
        elif kind == "key":
            type_keys(phone, "".join(str(step.get("value", "")) for step in steps if step.get("type") == "keyDown"))


def two_fingers(phone: VirtualPhone, first: Touch, second: Touch) -> None:
    """Two fingers at a time: apart or together they pinch, side by side they are as one."""
    before, after = math.dist(first.start, second.start), math.dist(first.end, second.end)
    if abs(after - before) < TOUCH_SLOP_DP * phone.density / 160:
        phone.swipe(*first.start, *first.end, first.held_s)
    else:
        (x1, y1), (x2, y2) = first.start, second.start
        phone.pinch((x1 + x2) / 2, (y1 + y2) / 2, max(after, 1.0) / max(before, 1.0))


def pinch_factor(share: float) -> float:
    """By how much fingers come apart that move over a share, from 0 to 1, of the way between edge and middle."""
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"a pinch cannot move by {share:.0%} of the way")
    return 1.0 / max(1.0 - share, LEAST_GAP)


def _downs(steps: Sequence[Mapping[str, Any]]) -> int:
    return sum(step.get("type") == "pointerDown" for step in steps)


def _steps(source: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    steps = source.get("actions") or [] if isinstance(source, Mapping) else None
    if not isinstance(steps, list) or not all(isinstance(step, Mapping) for step in steps):
        raise ValueError("actions must be a list of sources, each with a list of actions")
    return steps


def type_keys(phone: VirtualPhone, text: str) -> None:
    """Type characters; those that WebDriver has for keys are pressed."""
    for piece in _BY_KEY.split(text):
        if piece in _KEYS:
            phone.key_event(_KEYS[piece])
        elif piece:
            phone.type_text(piece)


def _touches(steps: Sequence[Mapping[str, Any]], centre: Callable[[str], tuple[float, float]]) -> Iterator[Touch]:
    """What one finger does from each time that it comes down until it is lifted."""
    finger = _Finger()
    for step in steps:
        kind, seconds = step.get("type"), float(step.get("duration") or 0) / 1000
        if kind == "pointerMove":
            finger.x, finger.y = _target(step, finger, centre)
        elif kind == "pointerDown":
            finger.down, finger.held_s = (finger.x, finger.y), 0.0
            continue
        elif kind == "pointerUp":
            if finger.down is not None:
                yield Touch(finger.down, (finger.x, finger.y), finger.held_s)
            finger.down = None
            continue
        elif kind != "pause":
            raise ValueError(f"there is no action {kind!r}")
        finger.held_s += seconds


def _target(
    step: Mapping[str, Any], finger: _Finger, centre: Callable[[str], tuple[float, float]]
) -> tuple[float, float]:
    x, y, origin = float(step.get("x") or 0), float(step.get("y") or 0), step.get("origin", "viewport")
    if not (abs(x) < _FARTHEST and abs(y) < _FARTHEST):
        raise ValueError(f"({x}, {y}) is no place")
    if origin == "pointer":
        return finger.x + x, finger.y + y
    if isinstance(origin, Mapping):
        middle = centre(str(origin.get(W3C_KEY) or origin.get("ELEMENT")))
        return middle[0] + x, middle[1] + y
    if origin != "viewport":
        raise ValueError(f"a move cannot begin at {origin!r}")
    return x, y
