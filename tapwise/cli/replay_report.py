"""What `tapwise replay` says of where actions diverge: for programs, and for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tapwise.evaluator.divergence import DivergenceReport, Rate

_BAR = 40


def report_dict(report: DivergenceReport) -> dict[str, Any]:
    """The report for JSON; steps are counted from 0, and null means that a trajectory never diverges."""
    return {
        "compared": len(report.comparisons),
        "agreement": _rate(report.steps),
        "agreement_by_action": {kind: _rate(rate) for kind, rate in report.by_kind.items()},
        "complete": _rate(report.complete),
        "progress": report.progress,
        "progress_ci95": list(report.progress_interval),
        "first_divergence_histogram": {str(step): count for step, count in report.histogram.items()},
        "first_divergence": {one.trajectory: one.first_divergence for one in report.comparisons},
    }


def report_lines(report: DivergenceReport) -> list[str]:
    """The report in words, with a histogram."""
    if report.progress is None:
        return ["no trajectory could be compared"]
    low, high = report.progress_interval
    lines = ["", f"{'action':<12}{'steps':>7}{'the same':>11}   95 % interval"]
    rows = [*report.by_kind.items(), ("all", report.steps), ("whole tasks", report.complete)]
    lines += [f"{name:<12}{rate.total:>7}{_share(rate)}" for name, rate in rows]
    lines.append(f"share of a task before the first divergence: {report.progress:.1%}  ({low:.1%} to {high:.1%})")
    if report.histogram:
        most = max(report.histogram.values())
        lines += ["", "trajectories by the step at which they first diverge:"]
        lines += [
            f"{step:>6}{count:>7}  {'#' * max(1, round(_BAR * count / most))}"
            for step, count in report.histogram.items()
        ]
    if report.complete.hits:
        lines.append(f"{'never':>6}{report.complete.hits:>7}")
    return lines


def _rate(rate: Rate) -> dict[str, Any]:
    return {"steps": rate.total, "same": rate.hits, "rate": rate.value, "ci95": list(rate.interval)}


def _share(rate: Rate) -> str:
    low, high = rate.interval
    return f"{rate.value or 0.0:>11.1%}   {low:.1%} to {high:.1%}"
