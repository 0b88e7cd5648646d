"""WebDriver's actions: what pointers and keys do in turns becomes touches and typing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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


@dataclass(slots=True)
class _Finger:
    x: float = 0.0
    y: float = 0.0
    down: tuple[float, float] | None = None
    held_s: float = 0.0


def perform(
    phone: VirtualPhone, sources: Sequence[Mapping[str, Any]], centre: Callable[[str], tuple[float, float]]
) -> None:
    """Do what the sources ask for, one source after the other.

    `centre` gives the middle of an element in pixels. Raises ValueError for actions that make no sense, and for more
    than one finger.
    """
    turns = [_steps(source) for source in sources]
    if sum(any(step.get("type") == "pointerDown" for step in steps) for steps in turns) > 1:
        raise ValueError("this phone feels one finger at a time")
    for source, steps in zip(sources, turns, strict=True):
        if source.get("type") == "pointer":
            _move_finger(phone, steps, centre)
        elif source.get("type") == "key":
            type_keys(phone, "".join(str(step.get("value", "")) for step in steps if step.get("type") == "keyDown"))


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


def _move_finger(
    phone: VirtualPhone, steps: Sequence[Mapping[str, Any]], centre: Callable[[str], tuple[float, float]]
) -> None:
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
                phone.swipe(*finger.down, finger.x, finger.y, finger.held_s)
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
