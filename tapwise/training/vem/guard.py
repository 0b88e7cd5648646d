"""Noticing that a policy has learned to please the critic instead of doing the task.

A frozen critic is wrong somewhere, and a policy that is optimised against it finds out where: its score rises while
the true outcome does not. Nothing in VEM's released code looks for that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tapwise.evaluator.statistics import Interval, newcombe_difference_interval, wilson_interval

Alarm = Literal["none", "warn", "stop"]


@dataclass(frozen=True, slots=True)
class Measured:
    """The policy at one moment of training: its mean P(good) on fixed states, and what came of whole episodes."""

    iteration: int
    score: float
    successes: int
    episodes: int
    alarm: Alarm = "none"

    @property
    def success(self) -> float:
        """Share of successful episodes."""
        return self.successes / self.episodes

    @property
    def success_interval(self) -> Interval:
        """95 % Wilson interval of that share."""
        return wilson_interval(self.successes, self.episodes)


class ExploitationGuard:
    """Compares each measurement with the one of the highest true success so far.

    Where the score has risen by more than `rise` since then:

    - "stop" when success has fallen, that is when the `confidence` interval of the difference lies below 0;
    - "warn" when success has not risen for `patience` measurements in a row.

    Raises ValueError when a setting is out of range.
    """

    def __init__(self, rise: float = 0.02, patience: int = 3, confidence: float = 0.9) -> None:
        if rise < 0 or patience < 1 or not 0 < confidence < 1:
            raise ValueError(
                f"rise is {rise}, patience {patience} and confidence {confidence}: give at least 0, at least 1, and"
                " one between 0 and 1"
            )
        self.measured: list[Measured] = []
        self._rise = rise
        self._patience = patience
        self._confidence = confidence
        self._best: Measured | None = None
        self._fruitless = 0

    def add(self, iteration: int, score: float, outcomes: Sequence[bool]) -> Measured:
        """Take in a measurement, and say what to make of it. Raises ValueError without any outcome."""
        if not outcomes:
            raise ValueError("there is no outcome to set against the score: run at least one episode")
        successes, episodes = sum(outcomes), len(outcomes)
        found = Measured(iteration, score, successes, episodes, self._alarm(score, successes, episodes))
        self.measured.append(found)
        if self._best is None or found.success > self._best.success:
            self._best, self._fruitless = found, 0
        return found

    def _alarm(self, score: float, successes: int, episodes: int) -> Alarm:
        best = self._best
        if best is None or score - best.score <= self._rise or successes / episodes > best.success:
            self._fruitless = 0
            return "none"
        self._fruitless += 1
        difference = newcombe_difference_interval(successes, episodes, best.successes, best.episodes, self._confidence)
        if difference.high < 0:
            return "stop"
        return "warn" if self._fruitless >= self._patience else "none"
