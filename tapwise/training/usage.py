"""What a farm's time went into while episodes were collected."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields
from typing import Any

BUSY = ("reset", "act", "settle", "observe")
"""phases in which a device works; the others are "policy" (it waits for a decision) and "lease" (there is none yet)"""
FIXED_WAIT_S = 5.0
"""what DigiRL's environment waits before each look, whatever happens on the screen"""


@dataclass(slots=True)
class Usage:
    """Sums over one call of `Collector.collect`, on `devices` devices. Thread-safe where devices' threads write.

    `seconds` are of devices, so that those of all phases together are at most `devices * wall_s`; what is missing is
    time in which a device had no episode. `policy_s` is the time of the policy's calls, by the clock.
    """

    devices: int
    wall_s: float = 0.0
    policy_s: float = 0.0
    policy_calls: int = 0
    decisions: int = 0
    episodes: int = 0
    aborted: int = 0
    steps: int = 0
    unsettled: int = 0
    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, phase: str, seconds: float) -> None:
        """Count device time."""
        with self._lock:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    def merge(self, other: Usage) -> None:
        """Take in what another machine's devices did; the time by the clock stays this one's."""
        self.devices += other.devices
        self.policy_s += other.policy_s
        self.policy_calls += other.policy_calls
        self.decisions += other.decisions
        self.episodes += other.episodes
        self.aborted += other.aborted
        self.steps += other.steps
        self.unsettled += other.unsettled
        for phase, seconds in other.seconds.items():
            self.add(phase, seconds)

    def __getstate__(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self) if field.name != "_lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            setattr(self, name, value)
        self._lock = threading.Lock()

    def summary(self) -> dict[str, float]:
        """Rates and shares: "utilisation" is the share of device time in `BUSY`; "farm/PHASE_share" are shares
        of it each. "settle_saved_s_a_step" is what looking has saved, or cost, against a wait of `FIXED_WAIT_S`."""
        available = max(self.devices * self.wall_s, 1e-9)
        hours = max(self.wall_s / 3600, 1e-12)
        settling = self.seconds.get("settle", 0.0) / max(1, self.steps)
        return {
            "farm/episodes_per_hour": (self.episodes - self.aborted) / hours,
            "farm/steps_per_s": self.steps / max(self.wall_s, 1e-9),
            "farm/utilisation": sum(self.seconds.get(phase, 0.0) for phase in BUSY) / available,
            "farm/batch": self.decisions / max(1, self.policy_calls),
            "farm/policy_calls_share": self.policy_s / max(self.wall_s, 1e-9),
            "farm/aborted": float(self.aborted),
            "farm/settle_s_a_step": settling,
            "farm/settle_saved_s_a_step": FIXED_WAIT_S - settling,
            "farm/unsettled_share": self.unsettled / max(1, self.steps),
            **{f"farm/{phase}_share": seconds / available for phase, seconds in sorted(self.seconds.items())},
        }
