"""What a farm's time went into while episodes were collected."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from tapwise.android_env.episode import Look

BUSY = ("reset", "act", "settle", "observe")
"""phases in which a device works; the others are "policy" (it waits for a decision) and "lease" (there is none yet)"""
FIXED_WAIT_S = 5.0
"""what DigiRL's environment waits before each look, whatever happens on the screen"""
FIXED_WAITS_S = (1.0, 2.0, FIXED_WAIT_S)
"""fixed waits that the same steps are compared with, in seconds"""


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
    early: int = 0
    """steps whose screen still changed when it was looked at: the budget of the wait was spent"""
    fixed_early: dict[float, int] = field(default_factory=dict)
    """of each of `FIXED_WAITS_S`, steps whose screen was seen to change after it"""
    fixed_unknown: dict[float, int] = field(default_factory=dict)
    """and steps that were looked at early before it was over, so that nobody knows"""
    seconds: dict[str, float] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, phase: str, seconds: float) -> None:
        """Count device time."""
        with self._lock:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds

    def watch(self, looks: Iterable[Look]) -> None:
        """Count early looks, those taken and those that fixed waits would have taken."""
        with self._lock:
            for look in looks:
                self.early += look.moving
                for wait_s in FIXED_WAITS_S:
                    early = look.moved_s >= wait_s
                    _add(self.fixed_early, wait_s, int(early))
                    _add(self.fixed_unknown, wait_s, int(look.moving and not early))

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
        self.early += other.early
        for wait_s in FIXED_WAITS_S:
            _add(self.fixed_early, wait_s, other.fixed_early.get(wait_s, 0))
            _add(self.fixed_unknown, wait_s, other.fixed_unknown.get(wait_s, 0))
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
        of it each. "settle_saved_s_a_step" is what looking has saved, or cost, against a wait of `FIXED_WAIT_S`.

        "early_look_share" is the share of steps whose screen still changed when the wait's budget was spent;
        "fixed_wait_Ns_early_share" of those whose screen was seen to change more than N seconds after the action, so
        that such a wait would have looked early; "fixed_wait_Ns_unknown_share" of those that do not tell, since they
        were looked at early themselves before N seconds had gone by."""
        available = max(self.devices * self.wall_s, 1e-9)
        hours = max(self.wall_s / 3600, 1e-12)
        steps = max(1, self.steps)
        settling = self.seconds.get("settle", 0.0) / steps
        return {
            "farm/episodes_per_hour": (self.episodes - self.aborted) / hours,
            "farm/steps_per_s": self.steps / max(self.wall_s, 1e-9),
            "farm/utilisation": sum(self.seconds.get(phase, 0.0) for phase in BUSY) / available,
            "farm/batch": self.decisions / max(1, self.policy_calls),
            "farm/policy_calls_share": self.policy_s / max(self.wall_s, 1e-9),
            "farm/aborted": float(self.aborted),
            "farm/settle_s_a_step": settling,
            "farm/settle_saved_s_a_step": FIXED_WAIT_S - settling,
            "farm/unsettled_share": self.unsettled / steps,
            "farm/early_look_share": self.early / steps,
            **{f"farm/fixed_wait_{s:g}s_early_share": self.fixed_early.get(s, 0) / steps for s in FIXED_WAITS_S},
            **{f"farm/fixed_wait_{s:g}s_unknown_share": self.fixed_unknown.get(s, 0) / steps for s in FIXED_WAITS_S},
            **{f"farm/{phase}_share": seconds / available for phase, seconds in sorted(self.seconds.items())},
        }


def _add(counts: dict[float, int], wait_s: float, count: int) -> None:
    counts[wait_s] = counts.get(wait_s, 0) + count
