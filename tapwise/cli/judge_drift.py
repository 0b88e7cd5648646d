"""How two judges, or two versions of one, differ on the same episodes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tapwise.cli.agreement import Word

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore


def drift(first: Sequence[Word], second: Sequence[Word]) -> dict[str, Any]:
    """What the first says now and the second said then, on the episodes on which both spoke: how often they agree,
    with Cohen's kappa and 95 % intervals, and what changed and who was right. Kappa is None where chance alone would
    agree wholly."""
    from tapwise.evaluator.statistics import agreement

    other = {word.trajectory: word.said for word in second if word.said is not None}
    pairs = [(word, other[word.trajectory]) for word in first if word.said is not None and word.trajectory in other]
    found = agreement([word.said for word, _ in pairs], [said for _, said in pairs])
    changed = [(word, said) for word, said in pairs if word.said != said]
    ways = Counter("to success" if word.said else "to failure" for word, _ in changed)
    return {
        "both": len(pairs),
        "same": len(pairs) - len(changed),
        "agreement": found.accuracy,
        "agreement_ci95": list(found.accuracy_interval()),
        "kappa": found.kappa,
        "kappa_ci95": list(found.kappa_interval()),
        "changed": dict(ways),
        "now_right": sum(word.said == word.true for word, _ in changed if word.true is not None),
        "now_wrong": sum(said == word.true for word, said in changed if word.true is not None),
        "trajectories": [word.trajectory for word, _ in changed],
    }


def drift_lines(found: dict[str, Any]) -> list[str]:
    """The same in words; `against` is the other judge's name."""
    if not found["both"]:
        return [f"against {found['against']}: there is no episode on which both spoke"]
    changed = found["both"] - found["same"]
    low, high = found["agreement_ci95"]
    lines = [
        f"against {found['against']}: the same on {found['same']} of {found['both']}, {found['agreement']:.1%}"
        f"  (95 % interval {low:.1%} to {high:.1%})"
    ]
    if found["kappa"] is not None:
        low, high = found["kappa_ci95"]
        lines.append(f"kappa of the two {found['kappa']:.2f}  (95 % interval {low:.2f} to {high:.2f})")
    ways = ", ".join(f"{count} {way}" for way, count in sorted(found["changed"].items()))
    if changed:
        lines.append(
            f"changed: {ways}; {found['now_right']} of them are right now and {found['now_wrong']} were right then"
        )
    return lines


def same_episodes(first: ParquetTrajectoryStore, second: ParquetTrajectoryStore) -> set[str]:
    """The ids that name the same episode in both stores: the same task, seed and number of steps, not the id alone,
    since every run counts its episodes from 0."""

    def known(store: ParquetTrajectoryStore) -> dict[str, tuple[str, int, int]]:
        return {one.id: (one.task.id, one.provenance.seed, one.steps) for one in store.scan()}

    return {name for name, _ in known(first).items() & known(second).items()}
