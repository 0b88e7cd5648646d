"""The windows and displays of a phone, as Appium's server lists them."""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

from tapwise.emulators.virtual.display import DISPLAY_ID
from tapwise.emulators.virtual.keyboards import LATIN_IME
from tapwise.emulators.virtual.panels import SYSTEM_UI

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

_APP, _STATUS_BAR, _KEYBOARD = 1, 2, 3
_NUMBERS: Final = ("windowId", "displayId")
_NAMES: Final = ("packageName", "physicalDisplayId")


def list_windows(phone: VirtualPhone, filters: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Windows that pass all filters, the topmost first. Pictures of windows are for later versions of Android."""
    status_bar, keyboard = phone.bars()
    shown = [(_STATUS_BAR, SYSTEM_UI, status_bar)]
    if keyboard is not None:
        ime = phone.settings.get("secure", "default_input_method") or LATIN_IME
        shown.append((_KEYBOARD, ime.partition("/")[0], keyboard))
    shown.append((_APP, phone.window_package(), (0, 0, phone.size.width, phone.size.height)))
    windows = [
        {
            "windowId": number,
            "displayId": 0,
            "physicalDisplayId": DISPLAY_ID,
            "rect": dict(zip(("left", "top", "right", "bottom"), box, strict=True)),
            "packageName": package,
            "screenshot": None,
        }
        for number, package, box in shown
    ]
    return [window for window in windows if all(_passes(window, *item) for item in filters.items())]


def _passes(window: Mapping[str, Any], name: str, wanted: Any) -> bool:
    if wanted is None:
        return True
    if name in _NUMBERS:
        return str(window[name]) == str(wanted)
    return name not in _NAMES or fnmatchcase(window[name], str(wanted))


def list_displays(phone: VirtualPhone) -> list[dict[str, Any]]:
    """The one display."""
    density = phone.density
    metrics = {
        "widthPixels": phone.size.width,
        "heightPixels": phone.size.height,
        "density": density / 160,
        "densityDpi": density,
        "scaledDensity": density / 160,
        "xdpi": float(density),
        "ydpi": float(density),
    }
    return [{"id": 0, "physicalId": DISPLAY_ID, "metrics": metrics, "isDefault": True}]
