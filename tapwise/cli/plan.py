"""What lies ahead of a run: its units with their sizes, and an estimate of the time they take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PlannedUnit:
    """One unit of a run. `episodes` is how many it plays, 0 for units that only learn."""

    name: str
    episodes: int = 0

    @property
    def kind(self) -> str:
        """Units of the same kind take about the same time: the name without its number."""
        return self.name if self.name.startswith("evaluate") else self.name.rstrip("0123456789").rstrip("/")


@dataclass
class Estimate:
    """Durations of finished units, and from them the seconds that the rest will take."""

    units: Sequence[PlannedUnit]
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """durations by kind of unit"""

    @classmethod
    def resumed(cls, units: Sequence[PlannedUnit], done: int, totals: Mapping[str, float]) -> Estimate:
        """An estimate that knows an earlier part of the run: `done` units, their seconds in all by kind."""
        counts: dict[str, int] = {}
        for unit in units[:done]:
            counts[unit.kind] = counts.get(unit.kind, 0) + 1
        return cls(units, {kind: [totals[kind] / n] * n for kind, n in counts.items() if kind in totals})

    def finished(self, unit: PlannedUnit, seconds: float) -> None:
        """A unit took this long."""
        self.seconds.setdefault(unit.kind, []).append(seconds)

    def remaining(self, number: int, elapsed_s: float, episodes_done: int) -> float | None:
        """Seconds until the end of the run while unit `number` is under way, or None when nothing is known yet."""
        current = self.units[number]
        later = [self._expected(unit) for unit in self.units[number + 1 :]]
        now = self._expected(current)
        if current.episodes and episodes_done:
            now = elapsed_s * current.episodes / episodes_done
        known = [seconds for seconds in (now, *later) if seconds is not None]
        if not known:
            return None
        typical = sum(known) / len(known)
        rest = max(0.0, (typical if now is None else now) - elapsed_s)
        return rest + sum(typical if seconds is None else seconds for seconds in later)

    def _expected(self, unit: PlannedUnit) -> float | None:
        found = self.seconds.get(unit.kind)
        if found:
            return sum(found) / len(found)
        played = [
            (self.seconds[one.kind], one.episodes) for one in self.units if one.kind in self.seconds and one.episodes
        ]
        if unit.episodes and played:
            return unit.episodes * sum(sum(s) / len(s) / n for s, n in played) / len(played)
        return None


def duration(seconds: float) -> str:
    """Seconds in words: 45 s, 12 min, 2 h 05 min."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"
