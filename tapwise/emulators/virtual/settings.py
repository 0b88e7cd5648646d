"""Android's settings provider: three namespaces of text values."""

from __future__ import annotations

from tapwise.emulators.virtual.keyboards import LATIN_IME

NAMESPACES = ("global", "secure", "system")

DEFAULTS: dict[str, dict[str, str]] = {
    "global": {
        "airplane_mode_on": "0",
        "auto_time": "1",
        "auto_time_zone": "1",
        "bluetooth_on": "0",
        "device_provisioned": "1",
        "low_power": "0",
        "mobile_data": "1",
        "nfc_on": "0",
        "wifi_on": "1",
        "zen_mode": "0",
    },
    "secure": {
        "default_input_method": LATIN_IME,
        "location_mode": "3",
        "night_display_activated": "0",
        "ui_night_mode": "1",
        "user_setup_complete": "1",
    },
    "system": {
        "accelerometer_rotation": "0",
        "font_scale": "1.0",
        "screen_brightness": "102",
        "screen_brightness_mode": "0",
        "screen_off_timeout": "60000",
        "time_12_24": "24",
        "vibrate_when_ringing": "0",
        "volume_ring": "5",
    },
}


class Settings:
    """A view on the phone's settings; changes are written through. Namespaces: global, secure, system."""

    def __init__(self, values: dict[str, dict[str, str]]) -> None:
        self._values = values

    def get(self, namespace: str, key: str) -> str | None:
        """The value, or None. KeyError for an unknown namespace."""
        return self._values[namespace].get(key)

    def put(self, namespace: str, key: str, value: str) -> None:
        """Set a value. KeyError for an unknown namespace."""
        self._values[namespace][key] = value

    def delete(self, namespace: str, key: str) -> bool:
        """Remove a value and say whether it was there."""
        return self._values[namespace].pop(key, None) is not None

    def items(self, namespace: str) -> list[tuple[str, str]]:
        """All keys with their values, sorted."""
        return sorted(self._values[namespace].items())

    def is_on(self, namespace: str, key: str, on: str = "1") -> bool:
        """Whether a setting has its "on" value."""
        return self.get(namespace, key) == on
