"""What a farm tells about its devices, and how much it puts up with."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from tapwise.emulators.screen_ways import describe_choice
from tapwise.errors import ConfigError


class State(StrEnum):
    """Where a device is in its life."""

    BOOTING = "booting"
    """it is being brought up"""
    READY = "ready"
    """it can be leased"""
    LEASED = "leased"
    """somebody works with it"""
    SICK = "sick"
    """a lease ended with its fault; it is asked whether it still answers"""
    QUARANTINED = "quarantined"
    """it did not come up, or the host is short of something; it is tried again after a while"""
    DEAD = "dead"
    """its restart budget is spent; it is not tried again"""


@dataclass(frozen=True, slots=True)
class DeviceStatus:
    """One device of a farm at one moment.

    `restarts` counts restarts by cause; `mended` counts faults that were healed without one, by what healed them;
    `since_s` is how long the state has lasted, in seconds; `last_error` is the newest fault's message.
    `screenshots` says how they are taken, as `ScreenChoice.to_json` does; None before the first, or without a choice.
    """

    serial: str
    state: State
    restarts: Mapping[str, int]
    mended: Mapping[str, int]
    task: str | None
    since_s: float
    last_error: str
    screenshots: Mapping[str, Any] | None = None

    @property
    def renewals(self) -> int:
        """Faults that were healed without a restart."""
        return sum(self.mended.values())

    def to_json(self) -> dict[str, Any]:
        """For files, and for people's programs."""
        return {**asdict(self), "state": str(self.state)}

    def __str__(self) -> str:
        causes = ", ".join(f"{cause} x{count}" for cause, count in self.restarts.items())
        restarts = f", restarts: {causes}" if causes else ""
        last_error = f", last error: {self.last_error}" if self.last_error else ""
        screens = f", screenshots: {describe_choice(self.screenshots)}" if self.screenshots else ""
        return f"{self.serial} {self.state} for {self.since_s:.0f} s{restarts}{screens}{last_error}"


@dataclass(frozen=True, slots=True)
class FarmLimits:
    """How patient a farm is. Times in seconds."""

    boot_timeout_s: float = 60.0
    """a boot that takes longer has failed"""
    boots_at_once: int = 4
    """more phones than this do not boot at the same time"""
    watch_every_s: float = 0.2
    """how often a phone's process is looked at"""
    probe_every_s: float = 10.0
    """how often a phone is asked something"""
    probe_timeout_s: float = 10.0
    """a phone that takes longer to answer is hung"""
    restarts: int = 10
    """a device is given up when it needs more restarts than this within `restart_window_s`"""
    restart_window_s: float = 3600.0
    """see `restarts`"""
    first_retry_s: float = 0.5
    """wait after a failed boot; doubled with each further one, up to `longest_retry_s`"""
    longest_retry_s: float = 30.0
    """see `first_retry_s`"""
    host_retry_s: float = 5.0
    """wait before the next look at a host that is sick; such waits cost no restart"""
    alike_window_s: float = 10.0
    """devices that fail by one cause within this time are not blamed: what they share is"""

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value < 0 or (value == 0 and name != "restarts"):
                raise ConfigError(f"farm limit {name} = {value} must be positive")


class RestartBudget:
    """Counts restarts within a sliding window of time."""

    def __init__(self, restarts: int, window_s: float) -> None:
        self._restarts = restarts
        self._window_s = window_s
        self._times: deque[float] = deque()

    def spend(self, now_s: float) -> bool:
        """Take one restart at a time of a monotonic clock; False when there is none left."""
        while self._times and now_s - self._times[0] > self._window_s:
            self._times.popleft()
        if len(self._times) >= self._restarts:
            return False
        self._times.append(now_s)
        return True
