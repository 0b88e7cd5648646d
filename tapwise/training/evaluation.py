"""Measuring success: which tasks, with which seeds, and what came of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tapwise.android_env.tasks import Suite
from tapwise.evaluator.statistics import wilson_interval
from tapwise.records import Split, Trajectory
from tapwise.training.collect import Job


@dataclass(frozen=True, slots=True)
class Evaluation:
    """`episodes` tasks of a split, as the suite chooses them; a function of the seed alone, so that different policies
    meet the same tasks on the same phones."""

    suite: Suite
    split: Split
    episodes: int
    seed: int

    def jobs(self, name: str) -> list[Job]:
        """The episodes to run."""
        rng = np.random.default_rng(self.seed)
        tasks = self.suite.evaluated(rng, self.split, self.episodes)
        return [Job(f"{name}-{n:04}", task, int(rng.integers(1 << 31))) for n, task in enumerate(tasks)]


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


def success_summary(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Success rate with its 95 % Wilson interval."""
    wins = sum(bool(result["success"]) for result in results)
    interval = wilson_interval(wins, len(results)) if results else (0.0, 1.0)
    low, high = interval
    return {"success": wins / len(results) if results else 0.0, "ci95": [low, high], "episodes": len(results)}
