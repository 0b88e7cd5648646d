"""What an import puts into a store, and what came of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tapwise.datasets.importers.common import Problem
from tapwise.datasets.importers.parallel import Event, SourceDone
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.records import Trajectory

KEPT_PROBLEMS = 1000


@dataclass(slots=True)
class ImportReport:
    """Counts of an import. `problems` holds the first `KEPT_PROBLEMS`; the counters hold all."""

    episodes: int = 0
    steps: int = 0
    unparsable: int = 0
    without_image: int = 0
    files: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)

    def note(self, problem: Problem) -> None:
        """Count a problem."""
        self.kinds[problem.kind] += 1
        self.lost[problem.lost] += 1
        if len(self.problems) < KEPT_PROBLEMS:
            self.problems.append(problem)

    @property
    def lossless(self) -> bool:
        """Whether nothing was lost."""
        return not any(count for what, count in self.lost.items() if what != "nothing")

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "files": self.files,
            "episodes": self.episodes,
            "steps": self.steps,
            "unparsable_actions": self.unparsable,
            "episodes_without_images": self.without_image,
            "problems": dict(self.kinds),
            "lost": dict(self.lost),
        }


def import_into(
    store: ParquetTrajectoryStore, events: Iterable[Event], told: Callable[[Event], None], limit: int | None = None
) -> ImportReport:
    """Append what is new to the store and count everything; `told` hears of each event. Stops after `limit` episodes.

    An id that comes a second time is a problem: its episode was cut in two by files, or the source repeats itself.
    """
    report = ImportReport()
    for event in events:
        event = _take(store, event, report)
        told(event)
        if limit is not None and report.episodes >= limit:
            break
    return report


def _take(store: ParquetTrajectoryStore, event: Event, report: ImportReport) -> Event:
    if isinstance(event, Trajectory) and event.id in store:
        event = Problem("WrongValue", f"episode {event.id!r} comes twice: only the first is kept", "episode")
    if isinstance(event, Problem):
        report.note(event)
    elif isinstance(event, SourceDone):
        report.files += 1
    else:
        store.append(event)
        report.episodes += 1
        report.steps += len(event.steps)
        report.unparsable += sum(step.decision.unparsable is not None for step in event.steps)
        report.without_image += any(name == "missing_images" for name, _ in event.task.params)
    return event
