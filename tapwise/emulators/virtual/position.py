"""Where on earth the phone is."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

PROPERTY: Final = "debug.tapwise.position"
_START: Final = (37.421998, -122.084, 5.0)
"""where every emulator is until it is told another place"""

Position = tuple[float, float, float]


def position(phone: VirtualPhone) -> Position:
    """Latitude and longitude in degrees, altitude in metres."""
    with contextlib.suppress(ValueError):  # anybody may write a property
        latitude, longitude, *altitude = map(float, phone.properties.get(PROPERTY, "").split(","))
        return latitude, longitude, altitude[0] if altitude else 0.0
    return _START


def move(phone: VirtualPhone, latitude: float, longitude: float, altitude: float = 0.0) -> None:
    """Bring the phone to a place. Raises ValueError for one that is not on earth."""
    if not (-90 <= latitude <= 90 and -180 <= longitude <= 180 and -1e6 < altitude < 1e6):
        raise ValueError(f"latitude {latitude}, longitude {longitude}, altitude {altitude} is no place on earth")
    height = f",{altitude:g}" if altitude else ""
    phone.set_property(PROPERTY, f"{latitude:.6f},{longitude:.6f}{height}")
