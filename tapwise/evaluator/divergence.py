"""Where actions first differ from those of reference trajectories, and how often they agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tapwise.evaluator.matching import Matcher
from tapwise.evaluator.statistics import Interval, bootstrap_interval, wilson_interval
from tapwise.records import Action, Trajectory


@dataclass(frozen=True, slots=True)
class Comparison:
    """One trajectory compared step by step: whether each step matches, and the kind of action expected there."""

    trajectory: str
    matches: tuple[bool, ...]
    kinds: tuple[str, ...]

    @property
    def first_divergence(self) -> int | None:
        """The first step, from 0, that does not match; None when all do."""
        return next((index for index, matched in enumerate(self.matches) if not matched), None)

    @property
    def progress(self) -> float:
        """Share of the steps before the first divergence, in [0, 1]."""
        first = self.first_divergence
        return 1.0 if first is None else first / len(self.matches)


@dataclass(frozen=True, slots=True)
class Rate:
    """A count out of a total, with its Wilson interval of 95 %."""

    hits: int
    total: int

    @property
    def value(self) -> float | None:
        """The share; None when the total is 0."""
        return self.hits / self.total if self.total else None

    @property
    def interval(self) -> Interval:
        """Bounds of the share. Where these are steps of a few long trajectories, the truth is less certain: steps of
        one trajectory are not independent."""
        return wilson_interval(self.hits, self.total)


@dataclass(frozen=True, slots=True)
class DivergenceReport:
    """What came of comparing trajectories.

    steps: of all. by_kind: by the kind of action expected, most frequent first. histogram: how many trajectories first
    diverge at which step, from 0. complete: those that never do. progress: mean share of the steps before the first
    divergence, with a bootstrap interval over trajectories. The last two are counted like UI-S1's TSR and PG (arXiv
    2509.11543, appendix A.3), but what matches is the matcher's word: for numbers to set beside UI-S1's use
    `tapwise.evaluator.sop`.
    """

    comparisons: tuple[Comparison, ...]
    steps: Rate
    by_kind: Mapping[str, Rate]
    histogram: Mapping[int, int]
    complete: Rate
    progress: float | None
    progress_interval: Interval


def compare(trajectory: Trajectory, actions: Sequence[Action | None], matcher: Matcher) -> Comparison:
    """Compare actions with those of a trajectory, on the trajectory's own observations.

    Steps for which there is no action, or None for text that could not be read, do not match; nor do steps whose own
    text could not be read. Raises ValueError when
    there are more actions than steps.
    """
    steps = trajectory.steps
    if len(actions) > len(steps):
        raise ValueError(f"{len(actions)} actions cannot be compared with the {len(steps)} of {trajectory.id!r}")
    said = [
        action is not None
        and step.decision.unparsable is None
        and matcher(action, step.decision.action, step.observation)
        for action, step in zip(actions, steps, strict=False)
    ]
    kinds = tuple(type(step.decision.action).__name__ for step in steps)
    return Comparison(trajectory.id, tuple(said) + (False,) * (len(steps) - len(actions)), kinds)


def divergence_report(comparisons: Sequence[Comparison]) -> DivergenceReport:
    """Sum comparisons up. Raises ValueError that names a trajectory without steps."""
    empty = next((one.trajectory for one in comparisons if not one.matches), None)
    if empty is not None:
        raise ValueError(f"trajectory {empty!r} has no steps to compare: leave it out")
    totals = Counter(kind for one in comparisons for kind in one.kinds)
    hits = Counter(kind for one in comparisons for kind, matched in zip(one.kinds, one.matches, strict=True) if matched)
    firsts = [one.first_divergence for one in comparisons]
    progress = [one.progress for one in comparisons]
    return DivergenceReport(
        comparisons=tuple(comparisons),
        steps=Rate(hits.total(), totals.total()),
        by_kind={kind: Rate(hits[kind], total) for kind, total in totals.most_common()},
        histogram=dict(sorted(Counter(first for first in firsts if first is not None).items())),
        complete=Rate(firsts.count(None), len(firsts)),
        progress=sum(progress) / len(progress) if progress else None,
        progress_interval=bootstrap_interval(progress, resamples=2000) if progress else Interval(0.0, 1.0),
    )
