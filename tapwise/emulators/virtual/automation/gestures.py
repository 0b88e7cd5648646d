"""WebDriver's actions: what pointers and keys do in turns becomes touches and typing."""

from __future__ import annotations

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
}


@dataclass(slots=True)
class _Finger:
    x: float = 0.0
    y: float = 0.0
    down: tuple[float, float] | None = None
    held_s: float = 0.0


def perform(
    phone: VirtualPhone, sources: Sequence[Mapping[str, Any]], centre: Callable[[str], tuple[float, float]]
) -> None:
    """Do what the sources ask for, one source after the other; a phone with one finger has no use for more at once.

    `centre` gives the middle of an element in pixels. Raises ValueError for actions that make no sense.
    """
    for source in sources:
        steps = source.get("actions") or []
        if source.get("type") == "pointer":
            _move_finger(phone, steps, centre)
        elif source.get("type") == "key":
            for step in steps:
                if step.get("type") == "keyDown":
                    _press(phone, str(step.get("value", "")))


def _press(phone: VirtualPhone, value: str) -> None:
    if value in _KEYS:
        phone.key_event(_KEYS[value])
    elif value.isprintable() and value:
        phone.type_text(value)


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
    if origin == "pointer":
        return finger.x + x, finger.y + y
    if isinstance(origin, Mapping):
        middle = centre(str(origin.get(W3C_KEY) or origin.get("ELEMENT")))
        return middle[0] + x, middle[1] + y
    return x, y
