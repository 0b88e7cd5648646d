"""One look at a device becomes an observation."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Literal

from tapwise.images import encode
from tapwise.protocols import Device
from tapwise.records import Observation


class Observer:
    """Takes observations of one device; the accessibility tree only when asked for, for it is slow on real phones."""

    def __init__(
        self,
        device: Device,
        with_tree: bool = False,
        image_format: Literal["png", "jpeg"] = "jpeg",
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._device = device
        self._with_tree = with_tree
        self._image_format = image_format
        self._now = now

    def observe(self, settled: bool) -> Observation:
        """What the device shows now; `settled` says whether it had stopped moving. Raises DeviceError."""
        time_s = self._now()
        pixels = self._device.screenshot()
        return Observation(
            screenshot=encode(pixels, self._image_format),
            activity=self._device.foreground(),
            settled=settled,
            time_s=time_s,
            ui=self._device.ui_tree() if self._with_tree else None,
        )
