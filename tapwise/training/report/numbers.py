"""The numbers of a report: success by phase, what was gained, success by template."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapwise.evaluator.statistics import newcombe_difference_interval, paired_difference_interval
from tapwise.training.evaluation import success_summary
from tapwise.training.report.source import RunData, by_number

Results = Sequence[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Gain:
    """What a later phase has over an earlier one: the difference and its 95 % interval, in percentage points."""

    first: str
    last: str
    points: float
    low: float
    high: float
    paired: bool


@dataclass(frozen=True, slots=True)
class Row:
    """Success of one template, or of one app as a whole: (successes, episodes) by phase, None where none was played."""

    name: str
    cells: tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """An app with its templates."""

    whole: Row
    rows: tuple[Row, ...]


def summary(run: RunData) -> dict[str, Any]:
    """The content of summary.json: rates as fractions, gains in percentage points, times in seconds."""
    first, *others = run.phases
    gains = [found for found in (gain(run, first, last) for last in others) if found is not None]
    return {
        "phases": {phase: success_summary(results) for phase, results in run.evaluations.items()},
        "gain": {
            f"{one.first}_to_{one.last}": {
                "points": one.points,
                "ci95": [one.low, one.high],
                "interval": "paired bootstrap" if one.paired else "Newcombe",
            }
            for one in gains
        },
        "interactions": run.interactions,
        "wall_s": run.wall_s,
        "manifest": run.manifest,
        **{name: run.found[name] for name in ("critic", "guard") if name in run.found},
    }


def gain(run: RunData, first: str, last: str) -> Gain | None:
    """What `last` has over `first`, or None when either was not measured.

    Paired where both phases played the very same episodes to their end and these do not all differ alike, else for
    independent samples.
    """
    if not run.evaluations.get(first) or not run.evaluations.get(last):
        return None
    before, after = run.evaluations[first], run.evaluations[last]
    wins_before, wins_after = _wins(before), _wins(after)
    old, new = by_number(list(before)), by_number(list(after))
    # Where every pair differs alike, resampling pairs shows no spread at all, which would claim too much.
    differences = {bool(new[n]["success"]) - bool(old[n]["success"]) for n in set(old) & set(new)}
    same = set(old) == set(new) and len(old) == len(before) and len(new) == len(after)
    paired = same and len(differences) > 1
    if paired:
        places = sorted(old)
        low, high = paired_difference_interval(
            [float(new[n]["success"]) for n in places], [float(old[n]["success"]) for n in places]
        )
    else:
        low, high = newcombe_difference_interval(wins_after, len(after), wins_before, len(before))
    points = 100 * (wins_after / len(after) - wins_before / len(before))
    return Gain(first, last, points, 100 * low, 100 * high, paired)


def groups(run: RunData) -> list[Group]:
    """Success by template within apps; both sorted by the success of the last phase, best first."""
    phases = list(run.evaluations.values())
    templates = sorted({result["template"] for results in phases for result in results})
    apps: dict[str, list[Row]] = {}
    for template in templates:
        app, _, name = template.partition(".")
        cells = tuple(_cell([r for r in results if r["template"] == template]) for results in phases)
        apps.setdefault(app, []).append(Row((name or app).replace("_", " "), cells))
    found = [
        Group(_together(app, rows), tuple(sorted(rows, key=lambda row: (-_rate(row), row.name))))
        for app, rows in apps.items()
    ]
    return sorted(found, key=lambda group: (-_rate(group.whole), group.whole.name))


def _together(app: str, rows: Sequence[Row]) -> Row:
    columns = zip(*(row.cells for row in rows), strict=True)
    cells = []
    for column in columns:
        played = [cell for cell in column if cell is not None]
        cells.append((sum(w for w, _ in played), sum(n for _, n in played)) if played else None)
    return Row(app, tuple(cells))


def _cell(results: Results) -> tuple[int, int] | None:
    return (_wins(results), len(results)) if results else None


def _rate(row: Row) -> float:
    last = next((cell for cell in reversed(row.cells) if cell is not None), (0, 1))
    return last[0] / last[1]


def _wins(results: Results) -> int:
    return sum(bool(result["success"]) for result in results)
