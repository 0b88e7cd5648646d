"""Actions become gestures, keys and text on a device."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import assert_never

from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout, EnvError
from tapwise.protocols import Device
from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Press, Size, Swipe, Tap, TypeText, Wait

MAX_GESTURE_S = 5.0
"""Longest gesture: an agent that asks for more gets this."""

MAX_WAIT_S = 10.0
"""Longest wait: an agent that asks for more gets this."""

KEYCODES = {
    Key.BACK: "KEYCODE_BACK",
    Key.HOME: "KEYCODE_HOME",
    Key.ENTER: "KEYCODE_ENTER",
    Key.RECENTS: "KEYCODE_APP_SWITCH",
}


def actuate(device: Device, action: Action, size: Size) -> str | None:
    """Perform an action on a screen of `size` pixels.

    Returns None, or what the device said when it refused something that the agent made up, such as the name of
    an app that is not there: that is the agent's mistake and no fault of the device. Raises DeviceError when the
    device fails, and EnvError for `Finish`, which is no business of the device.
    """
    match action:
        case Tap(at=at):
            device.tap(*at.to_pixels(size))
        case LongPress(at=at, duration_s=duration_s):
            x, y = at.to_pixels(size)
            device.swipe(x, y, x, y, _bounded(duration_s, MAX_GESTURE_S))
        case Swipe(start=start, end=end, duration_s=duration_s):
            device.swipe(*start.to_pixels(size), *end.to_pixels(size), _bounded(duration_s, MAX_GESTURE_S))
        case TypeText(text=text):
            return _unless_refused(device.type_text, text) if text else "there is no text to type"
        case Press(key=key):
            device.press(KEYCODES[key])
        case OpenApp(name=name):
            return _unless_refused(device.open_app, name)
        case Wait(duration_s=duration_s):
            device.shell(f"sleep {round(_bounded(duration_s, MAX_WAIT_S), 3):g}")
        case Finish():
            raise EnvError("Finish ends an episode and cannot be performed on a device: give it to AndroidEnv.step")
        case _:
            assert_never(action)
    return None


def _unless_refused(perform: Callable[[str], None], argument: str) -> str | None:
    try:
        perform(argument)
    except (DeviceLost, DeviceTimeout):
        raise
    except DeviceError as refusal:  # the device answered, and what it answered is about the argument
        return str(refusal)
    return None


def _bounded(duration_s: float, limit_s: float) -> float:
    return min(max(duration_s, 0.0), limit_s) if math.isfinite(duration_s) else limit_s
