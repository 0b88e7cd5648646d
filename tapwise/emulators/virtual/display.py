"""The display: how large it is, how dense, and which way up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tapwise.records import Size

if TYPE_CHECKING:
    from tapwise.emulators.virtual.settings import Settings
    from tapwise.emulators.virtual.state import Display

DISPLAY_ID = "4619827259835644672"
"""the number that the display's maker gave it"""
ORIENTATIONS = {"natural": 0, "left": 1, "upsidedown": 2, "right": 3}
"""quarters of a turn of the display by UiAutomator's names, which speak of the phone's turn"""


def rotation_of(settings: Settings, display: Display) -> int:
    """Quarters of a turn, 0 to 3: the user's choice, or how the phone is held where rotation is automatic."""
    if settings.is_on("system", "accelerometer_rotation"):
        return display.held
    chosen = settings.get("system", "user_rotation") or "0"
    return int(chosen) if chosen in ("0", "1", "2", "3") else 0


def lock_rotation(settings: Settings, rotation: int) -> None:
    """Keep the display at a rotation, however the phone is held."""
    settings.put("system", "accelerometer_rotation", "0")
    settings.put("system", "user_rotation", str(rotation % 4))


def shown_size(natural: Size, rotation: int) -> Size:
    """The size in pixels of a display that is turned by quarters."""
    return Size(natural.width, natural.height) if rotation % 2 else natural


def font_scale(settings: Settings) -> float:
    """What the user multiplies sizes of text by; 1 where the setting holds nonsense."""
    try:
        scale = float(settings.get("system", "font_scale") or 1.0)
    except ValueError:
        return 1.0
    return min(max(scale, 0.5), 3.0) if scale == scale else 1.0
