"""The farm's circuit breaker: whether the host is sick rather than its devices."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

LEAST = 3
"""fewer devices that fail alike may well be a coincidence"""
SHARE = 0.5
"""so may be less than this share of a farm"""


class CircuitBreaker:
    """Opens while the host is to blame, so that no device is booted in vain and none pays for it with a restart.

    It is open while `host_trouble` says what the host lacks, and after half of the devices, and at least three, have
    failed by the same cause within `window_s` seconds: then something that they share is gone, such as the adb server.
    It then lets one device try at a time, at once and `retry_s` after each further failure; a success closes it.

    Thread-safe. `clock` gives seconds.
    """

    def __init__(
        self,
        devices: int,
        host_trouble: Callable[[], str | None],
        window_s: float,
        retry_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._many = max(LEAST, math.ceil(SHARE * devices))
        self._host_trouble, self._window_s, self._retry_s, self._clock = host_trouble, window_s, retry_s, clock
        self._failures: deque[tuple[float, int, str]] = deque()
        self._alike = ""
        self._try_at_s = 0.0
        self._trying: int | None = None
        self._lock = threading.Lock()
        self.opened = 0
        """how often failures that were alike have opened it"""

    def trouble(self, device: int) -> str | None:
        """Why a device must not be booted now, in words, or None: then it is to be told what came of it."""
        lacking = self._host_trouble()
        if lacking is not None:
            return lacking
        with self._lock:
            if not self._alike:
                return None
            if self._trying in (None, device) and self._clock() >= self._try_at_s:
                self._trying = device
                return None
            return self._alike

    def failed(self, device: int, cause: str) -> str | None:
        """A device has failed; why that is not its own fault, or None when it is."""
        with self._lock:
            now = self._clock()
            while self._failures and now - self._failures[0][0] > self._window_s:
                self._failures.popleft()
            self._failures.append((now, device, cause))
            alike = {one for _, one, why in self._failures if why == cause}
            if self._alike:
                if self._trying == device:
                    self._try_at_s, self._trying = now + self._retry_s, None
            elif len(alike) >= self._many:
                self._alike = (
                    f"{len(alike)} devices failed alike within {self._window_s:g} s ({cause}): what they share is taken"
                    " to be at fault, such as the adb server or the host's network; `tapwise doctor` looks at it"
                )
                self._try_at_s = now
                self.opened += 1
            return self._alike or None

    @property
    def alike(self) -> bool:
        """Whether it is open because devices have failed alike."""
        return bool(self._alike)

    def recovered(self, device: int) -> None:
        """A device has come up."""
        with self._lock:
            self._alike, self._trying = "", None
            self._failures.clear()
