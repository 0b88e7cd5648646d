"""Measuring success: which tasks, with which seeds, and what came of each."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapwise.android_env.tasks import Suite
from tapwise.evaluator.statistics import bootstrap_interval, wilson_interval
from tapwise.records import Split, Trajectory
from tapwise.training.collect import Job


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`episodes` tasks of a split, as the suite chooses them, each played `runs` times in worlds of its own; a function
    of the seed alone, so that different policies meet the same tasks on the same phones."""

    suite: Suite
    split: Split
    episodes: int
    seed: int
    runs: int = 1

    def jobs(self, name: str) -> list[Job]:
        """The episodes to run: every task once, then every task again. The first run is that of an evaluation that
        has no further ones."""
        rng = np.random.default_rng(self.seed)
        tasks = self.suite.evaluated(rng, self.split, self.episodes)
        return [
            Job(f"{name}-{n:04}" + (f".{run}" if run else ""), task, int(rng.integers(1 << 31)))
            for run in range(self.runs)
            for n, task in enumerate(tasks)
        ]


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """What came of one episode of an evaluation."""

    trajectory: str
    task: str
    template: str
    suite: str
    instruction: str
    success: bool
    steps: int
    end: str
    unparsable: int

    @classmethod
    def of(cls, trajectory: Trajectory) -> EpisodeResult:
        """The result that a trajectory shows."""
        task = trajectory.task
        return cls(
            trajectory=trajectory.id,
            task=task.id,
            template=task.template,
            suite=task.suite,
            instruction=task.instruction,
            success=bool(trajectory.success),
            steps=len(trajectory.steps),
            end=str(trajectory.end),
            unparsable=sum(step.decision.unparsable is not None for step in trajectory.steps),
        )


def repeated_summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Success of tasks that were played several times: the mean over tasks with a bootstrap interval over tasks, since
    runs of one task are no independent ones, and pass@k, which is labelled as such.

    A task is the number in its episodes' names; k goes up to the fewest runs that any task has.
    """
    by_task: dict[str, list[bool]] = {}
    for result in results:
        name = result["trajectory"].partition("+")[0].partition(".")[0]
        by_task.setdefault(name, []).append(bool(result["success"]))
    means = [float(np.mean(wins)) for wins in by_task.values()]
    most = min(map(len, by_task.values()), default=0)
    return {
        "success": float(np.mean(means)) if means else 0.0,
        "ci95": list(bootstrap_interval(means)) if means else [0.0, 1.0],
        "episodes": len(results),
        "tasks": len(by_task),
        "pass@k": {
            str(k): float(np.mean([pass_at_k(len(wins), sum(wins), k) for wins in by_task.values()]))
            for k in range(1, most + 1)
        },
    }


def pass_at_k(runs: int, successes: int, k: int) -> float:
    """The chance that at least one of `k` runs succeeds, without bias from `successes` of `runs` (Chen et al., arXiv
    2107.03374, equation 1). Raises ValueError for impossible counts."""
    if not 0 <= successes <= runs or not 0 < k <= runs:
        raise ValueError(f"pass@{k} of {successes} successes in {runs} runs is not defined")
    return 1.0 - math.comb(runs - successes, k) / math.comb(runs, k)


def success_summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Success rate with its 95 % Wilson interval."""
    wins = sum(bool(result["success"]) for result in results)
    interval = wilson_interval(wins, len(results)) if results else (0.0, 1.0)
    low, high = interval
    return {"success": wins / len(results) if results else 0.0, "ci95": [low, high], "episodes": len(results)}
