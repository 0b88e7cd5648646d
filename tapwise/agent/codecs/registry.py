"""The action texts by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tapwise.agent.action_text import ActionText, GridActionText
from tapwise.agent.codecs.android_world import AndroidWorldText
from tapwise.agent.codecs.auto_ui import AutoUiText
from tapwise.agent.codecs.autoglm import AutoGlmText
from tapwise.agent.codecs.frames import Frame
from tapwise.agent.codecs.mobile_use import MobileUseText
from tapwise.agent.codecs.ui_tars import MAX_PIXELS, MIN_PIXELS, UiTarsText
from tapwise.agent.json_codec import JsonCodec
from tapwise.errors import ConfigError
from tapwise.records import Size


@dataclass(frozen=True, slots=True)
class _AnyScreen:
    build: Callable[[], ActionText]


@dataclass(frozen=True, slots=True)
class _OneScreen:
    build: Callable[[Size], ActionText]


_CODECS: dict[str, _AnyScreen | _OneScreen] = {
    "grid": _AnyScreen(GridActionText),
    "json": _AnyScreen(JsonCodec),
    "auto_ui": _AnyScreen(AutoUiText),
    "autoglm": _AnyScreen(AutoGlmText),
    "android_world": _OneScreen(AndroidWorldText),
    "mobile_use": _OneScreen(lambda screen: MobileUseText(Frame.resized_pixels(screen))),
    "mobile_use_thousandths": _AnyScreen(lambda: MobileUseText(Frame.thousandths())),
    "qwen2_5_vl": _OneScreen(lambda screen: MobileUseText(Frame.resized_pixels(screen), "tool_call")),
    "qwen3_vl": _AnyScreen(lambda: MobileUseText(Frame.thousandths(), "tool_call")),
    "ui_tars": _AnyScreen(lambda: UiTarsText(Frame.thousandths())),
    "ui_tars_1_5": _OneScreen(
        lambda screen: UiTarsText(Frame.resized_pixels(screen, min_pixels=MIN_PIXELS, max_pixels=MAX_PIXELS))
    ),
}

NAMES = tuple(_CODECS)
"""Every name that `codec` knows."""


def codec(name: str, screen: Size | None = None) -> ActionText:
    """The action text of a model family, with the family's own envelope, units and resize.

    screen: the size of the device's screen in pixels, which the forms that count pixels need. Where a model is served
    with other bounds on its picture, build its class with a `Frame` instead. Raises ConfigError for an unknown name,
    and where the screen's size is needed and missing.
    """
    found = _CODECS.get(name)
    if found is None:
        raise ConfigError(f"action text {name!r} is unknown; known are {', '.join(NAMES)}")
    if isinstance(found, _AnyScreen):
        return found.build()
    if screen is None:
        raise ConfigError(f"action text {name!r} counts pixels: give the size of the screen")
    return found.build(screen)
