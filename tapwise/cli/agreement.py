"""How far a judge agrees with the truth: by app, by level and by kind of episode, in words and as JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.evaluator.statistics import Agreement

MOST_DISAGREEMENTS = 10


@dataclass(frozen=True, slots=True)
class Word:
    """What a judge said of an episode, and what is true. `kind` is that of a test-bed's episode, else empty."""

    trajectory: str
    app: str
    level: str
    kind: str
    said: bool | None
    true: bool | None
    reason: str
    cost: float = 0.0


def words_of(
    store: ParquetTrajectoryStore, judge: str, truth: Mapping[str, bool | None] | None = None
) -> tuple[list[Word], list[str]]:
    """What a judge said of a store's episodes, and the ids of those that it could not be asked about.

    `truth` is the truth by trajectory, in the place of the outcomes that were read from the phones.
    """
    from tapwise.android_env.mutants import kind_of_policy

    words, pending = [], []
    for summary in store.scan():
        verdict = next((one for one in summary.verdicts if one.judge == judge), None)
        if verdict is None:
            continue
        if verdict.pending:
            pending.append(summary.id)
            continue
        true = summary.outcome if truth is None else truth.get(summary.id)
        kind, level = kind_of_policy(summary.provenance.policy), _level(summary.task.template)
        words.append(
            Word(summary.id, summary.task.app, level, kind, verdict.success, true, verdict.reason, verdict.cost)
        )
    return words, pending


def _level(template: str) -> str:
    from tapwise.android_env.suites import load_suite

    found = load_suite("all").templates.get(template)
    return "" if found is None else f"level {found.level}"


def disagreements(words: Sequence[Word]) -> list[Word]:
    """Where the judge says other than what is true."""
    return [one for one in words if one.said is not None and one.true is not None and one.said != one.true]


def report_dict(words: Sequence[Word]) -> dict[str, Any]:
    """Everything, for JSON."""
    return {
        **agreement_dict(_agreement(words), len(words)),
        **{f"by_{name}": _parts_dict(words, part) for name, part in _PARTS.items()},
        "disagreements": [asdict(one) for one in disagreements(words)],
        "cost": sum(one.cost for one in words),
    }


def report_lines(words: Sequence[Word]) -> list[str]:
    """Everything, in words."""
    lines = agreement_lines(_agreement(words))
    for part in _PARTS.values():
        rows = [(name, each) for name, each in _grouped(words, part) if name and each.accuracy is not None]
        if len(rows) > 1:
            width = max(len(name) for name, _ in rows)
            lines += [f"  {name:<{width}}  {each.accuracy:6.1%} of {each.decided}" for name, each in rows]
    wrong = disagreements(words)
    told = [f"  {one.trajectory}: called {_name(one.said)}, is {_name(one.true)}: {one.reason}" for one in wrong]
    if len(told) > MOST_DISAGREEMENTS:
        told[MOST_DISAGREEMENTS:] = [f"  and {len(wrong) - MOST_DISAGREEMENTS} more: --json has all"]
    return [*lines, *(["disagreements:", *told] if told else [])]


_PARTS: dict[str, Callable[[Word], str]] = {
    "app": lambda word: word.app,
    "level": lambda word: word.level,
    "kind": lambda word: word.kind,
}


def _grouped(words: Sequence[Word], part: Callable[[Word], str]) -> list[tuple[str, Agreement]]:
    names = sorted({part(one) for one in words})
    return [(name, _agreement([one for one in words if part(one) == name])) for name in names]


def _parts_dict(words: Sequence[Word], part: Callable[[Word], str]) -> dict[str, Any]:
    return {name: agreement_dict(each, each.decided + each.abstained) for name, each in _grouped(words, part) if name}


def _agreement(words: Sequence[Word]) -> Agreement:
    from tapwise.evaluator.statistics import agreement

    return agreement([one.said for one in words], [one.true for one in words])


def _name(success: bool | None) -> str:
    return "a success" if success else "a failure"


def agreement_dict(found: Agreement, judged: int) -> dict[str, Any]:
    """A judge's agreement with the outcomes, for JSON; `judged` is how many episodes it has spoken on."""
    return {
        "judged": judged,
        "decided": found.decided,
        "abstained": found.abstained,
        "accuracy": found.accuracy,
        "accuracy_ci95": list(found.accuracy_interval()),
        "false_completion_rate": found.false_completion_rate,
        "false_completion_ci95": list(found.false_completion_interval()),
        "missed_completion_rate": found.missed_completion_rate,
        "precision": found.precision,
        "recall": found.recall,
        "kappa": found.kappa,
        "kappa_ci95": list(found.kappa_interval()),
    }


def agreement_lines(found: Agreement) -> list[str]:
    """A judge's agreement with the outcomes in words."""
    if found.accuracy is None:
        return ["no episode has both a verdict and an outcome to compare it with"]
    low, high = found.accuracy_interval()
    lines = [
        f"agrees with the outcome on {found.accuracy:.1%} of {found.decided} decided episodes"
        f"  (95 % interval {low:.1%} to {high:.1%}); abstained on {found.abstained}"
    ]
    if found.kappa is not None:
        low, high = found.kappa_interval()
        lines.append(f"kappa {found.kappa:.2f}  (95 % interval {low:.2f} to {high:.2f})")
    if found.false_completion_rate is not None:
        low, high = found.false_completion_interval()
        lines.append(
            f"called {found.false_completion_rate:.1%} of the failed episodes a success"
            f"  (95 % interval {low:.1%} to {high:.1%})"
        )
    if found.missed_completion_rate is not None:
        lines.append(f"called {found.missed_completion_rate:.1%} of the successful episodes a failure")
    return lines
