"""How sure a success rate is, how sure the difference of two is, and how far a judge agrees with the truth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np


class Interval(NamedTuple):
    """A confidence interval."""

    low: float
    high: float


def wilson_interval(successes: int, n: int, confidence: float = 0.95) -> Interval:
    """Wilson's score interval of a proportion; (0, 1) when n is 0. Raises ValueError for impossible counts."""
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes out of {n} are impossible")
    if n == 0:
        return Interval(0.0, 1.0)
    z = _z(confidence)
    rate = successes / n
    centre = rate + z * z / (2 * n)
    spread = z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # At the ends the exact bound is 0 or 1, which rounding would miss.
    low = 0.0 if successes == 0 else (centre - spread) / scale
    high = 1.0 if successes == n else (centre + spread) / scale
    return Interval(low, high)


def newcombe_difference_interval(
    successes_1: int, n_1: int, successes_2: int, n_2: int, confidence: float = 0.95
) -> Interval:
    """Newcombe's interval (his method 10) of rate 1 minus rate 2, for two independent samples.

    Raises ValueError for impossible counts or an empty sample.
    """
    if n_1 == 0 or n_2 == 0:
        raise ValueError("the difference of two rates needs at least one trial on each side")
    rate_1, rate_2 = successes_1 / n_1, successes_2 / n_2
    low_1, high_1 = wilson_interval(successes_1, n_1, confidence)
    low_2, high_2 = wilson_interval(successes_2, n_2, confidence)
    difference = rate_1 - rate_2
    return Interval(
        difference - math.hypot(rate_1 - low_1, high_2 - rate_2),
        difference + math.hypot(high_1 - rate_1, rate_2 - low_2),
    )


def bootstrap_interval(
    values: Sequence[float], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Percentile bootstrap interval of the mean. Raises ValueError when there are no values."""
    if len(values) == 0:
        raise ValueError("the interval of a mean needs at least one value")
    data = np.asarray(values, dtype=np.float64)
    generator = np.random.default_rng(seed)
    block = max(1, min(resamples, 4_000_000 // len(data)))  # bounds the memory at about 32 MB
    means = np.concatenate(
        [
            data[generator.integers(len(data), size=(min(block, resamples - start), len(data)))].mean(axis=1)
            for start in range(0, resamples, block)
        ]
    )
    tail = (1 - _checked(confidence)) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def paired_difference_interval(
    first: Sequence[float], second: Sequence[float], confidence: float = 0.95, resamples: int = 10_000, seed: int = 0
) -> Interval:
    """Bootstrap interval of the mean of first minus second, taken pair by pair (the same task, the same seed).

    Raises ValueError when the lengths differ or are 0.
    """
    if len(first) != len(second):
        raise ValueError(f"pairs are needed, but {len(first)} and {len(second)} values were given")
    return bootstrap_interval([a - b for a, b in zip(first, second, strict=True)], confidence, resamples, seed)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A judge against the truth, over the episodes where both are known. Abstentions are counted apart."""

    true_success: int
    false_success: int
    true_failure: int
    false_failure: int
    abstained: int

    @property
    def decided(self) -> int:
        """Episodes on which the judge spoke."""
        return self.true_success + self.false_success + self.true_failure + self.false_failure

    @property
    def accuracy(self) -> float | None:
        """Share of right words among those spoken; None when there were none."""
        return _ratio(self.true_success + self.true_failure, self.decided)

    @property
    def false_completion_rate(self) -> float | None:
        """Share of the failed episodes that the judge called a success; None when none failed."""
        return _ratio(self.false_success, self.false_success + self.true_failure)

    @property
    def missed_completion_rate(self) -> float | None:
        """Share of the successful episodes that the judge called a failure; None when none succeeded."""
        return _ratio(self.false_failure, self.false_failure + self.true_success)

    @property
    def precision(self) -> float | None:
        """Share of the episodes called a success that are one; None when none was."""
        return _ratio(self.true_success, self.true_success + self.false_success)

    @property
    def recall(self) -> float | None:
        """Share of the successful episodes that were called one; None when none succeeded."""
        return _ratio(self.true_success, self.true_success + self.false_failure)

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa: agreement beyond what the two would have by chance at their own rates of success.

        None without episodes, and where both always say the same, so that chance alone agrees wholly.
        """
        chance = self._chance
        if self.accuracy is None or chance is None or chance >= 1:
            return None
        return (self.accuracy - chance) / (1 - chance)

    def kappa_interval(self, confidence: float = 0.95) -> Interval:
        """Interval of kappa by its large-sample standard error (Cohen 1960), cut at -1 and 1; (-1, 1) without kappa."""
        kappa, accuracy, chance = self.kappa, self.accuracy, self._chance
        if kappa is None or accuracy is None or chance is None:
            return Interval(-1.0, 1.0)
        margin = _z(confidence) * math.sqrt(accuracy * (1 - accuracy) / self.decided) / (1 - chance)
        return Interval(max(-1.0, kappa - margin), min(1.0, kappa + margin))

    @property
    def _chance(self) -> float | None:
        if not self.decided:
            return None
        said = (self.true_success + self.false_success) / self.decided
        true = (self.true_success + self.false_failure) / self.decided
        return said * true + (1 - said) * (1 - true)

    def accuracy_interval(self, confidence: float = 0.95) -> Interval:
        """Wilson interval of the accuracy."""
        return wilson_interval(self.true_success + self.true_failure, self.decided, confidence)

    def false_completion_interval(self, confidence: float = 0.95) -> Interval:
        """Wilson interval of the false-completion rate."""
        return wilson_interval(self.false_success, self.false_success + self.true_failure, confidence)


def agreement(verdicts: Sequence[bool | None], outcomes: Sequence[bool | None]) -> Agreement:
    """Compare a judge's words with the ground truth, pair by pair; pairs without ground truth are left out.

    Raises ValueError when the lengths differ.
    """
    if len(verdicts) != len(outcomes):
        raise ValueError(f"pairs are needed, but {len(verdicts)} verdicts and {len(outcomes)} outcomes were given")
    pairs = [(said, true) for said, true in zip(verdicts, outcomes, strict=True) if true is not None]
    return Agreement(
        true_success=pairs.count((True, True)),
        false_success=pairs.count((True, False)),
        true_failure=pairs.count((False, False)),
        false_failure=pairs.count((False, True)),
        abstained=sum(said is None for said, _ in pairs),
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + _checked(confidence)) / 2)


def _checked(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    return confidence
