"""How well probabilities tell good actions from bad ones, and how far they can be believed.

Labels lie in [0, 1]: a share of successes counts as so much of a good step and the rest of a bad one. Steps of one
episode are alike, so intervals come from drawing whole episodes anew.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tapwise.evaluator.statistics import Interval

if TYPE_CHECKING:
    from jaxtyping import Float, Int

Statistic = Callable[[np.ndarray, np.ndarray], float]
"""From scores and labels, both of shape (steps,), to a number; nan where it is not defined."""


def auc(scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"]) -> float:
    """The chance that a good step scores above a bad one, ties counting half; nan when there is only one sort.

    The area under the receiver operating characteristic (Mann and Whitney's U), each step weighing `good` among the
    good ones and `1 - good` among the bad ones.
    """
    score, label = _check(scores, good)
    positive, negative = label.sum(), (1.0 - label).sum()
    if positive <= 0 or negative <= 0:
        return float("nan")
    _, groups = np.unique(score, return_inverse=True)
    above = np.bincount(groups, weights=label)
    below = np.bincount(groups, weights=1.0 - label)
    won = above * (np.cumsum(below) - below) + 0.5 * above * below
    return float(won.sum() / (positive * negative))


@dataclass(frozen=True, slots=True)
class CalibrationBin:
    """Steps whose scores lie in [low, high): how many, their mean score and their mean label."""

    low: float
    high: float
    count: int
    score: float
    good: float


def calibration_curve(
    scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"], bins: int = 10
) -> list[CalibrationBin]:
    """The reliability diagram: `bins` bins of equal width, those without a step left out. 1 belongs to the last."""
    score, label = _check(scores, good)
    if bins < 1:
        raise ValueError(f"bins is {bins}: a curve needs at least one")
    places = np.minimum((score * bins).astype(int), bins - 1)
    return [
        CalibrationBin(
            place / bins,
            (place + 1) / bins,
            int((places == place).sum()),
            float(score[places == place].mean()),
            float(label[places == place].mean()),
        )
        for place in np.unique(places).tolist()
    ]


def expected_calibration_error(
    scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"], bins: int = 10
) -> float:
    """The mean distance of label and score over the bins of the calibration curve, weighted by their steps.

    Guo et al. 2017, arXiv 1706.04599, equation 3.
    """
    curve = calibration_curve(scores, good, bins)
    return sum(one.count * abs(one.score - one.good) for one in curve) / len(scores)


def brier_score(scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"]) -> float:
    """The mean squared distance of score and label."""
    score, label = _check(scores, good)
    return float(np.mean((score - label) ** 2))


def correlation(scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"]) -> float:
    """Pearson's correlation of score and label; nan where either does not vary."""
    score, label = _check(scores, good)
    if np.ptp(score) == 0 or np.ptp(label) == 0:
        return float("nan")
    return float(np.corrcoef(score, label)[0, 1])


def episode_bootstrap(
    statistic: Statistic,
    scores: Float[np.ndarray, " steps"],
    good: Float[np.ndarray, " steps"],
    episodes: Int[np.ndarray, " steps"],
    *,
    confidence: float = 0.95,
    resamples: int = 1000,
    seed: int = 0,
) -> Interval:
    """Percentile interval of a statistic over episodes drawn with replacement, each with all of its steps.

    `episodes` gives the number of each step's episode. Draws in which the statistic is not defined are left out; when
    that is all of them both ends are nan. Raises ValueError when the shapes differ or there is no step.
    """
    score, label = _check(scores, good)
    if episodes.shape != score.shape:
        raise ValueError(f"episodes has shape {episodes.shape}, but there are {len(score)} steps")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    members = [np.flatnonzero(episodes == number) for number in np.unique(episodes)]
    rng = np.random.default_rng(seed)
    drawn = (
        np.concatenate([members[index] for index in rng.integers(len(members), size=len(members))])
        for _ in range(resamples)
    )
    found = np.array([statistic(score[rows], label[rows]) for rows in drawn])
    found = found[np.isfinite(found)]
    if not len(found):
        return Interval(float("nan"), float("nan"))
    tail = (1 - confidence) / 2
    low, high = np.quantile(found, [tail, 1 - tail])
    return Interval(float(low), float(high))


@dataclass(frozen=True, slots=True)
class Quality:
    """How good a critic is on steps it was not trained on; intervals are of 95 %, over episodes."""

    episodes: int
    steps: int
    auc: float
    auc_interval: Interval
    calibration_error: float
    calibration_error_interval: Interval
    brier: float
    correlation: float
    """of score and label: of the true outcome, where labels come from forked states"""
    correlation_interval: Interval
    curve: tuple[CalibrationBin, ...]


def quality(scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"], episodes: Sequence[str]) -> Quality:
    """Measure scores against labels; `episodes` names each step's episode. Raises ValueError when there is no step."""
    score, label = _check(scores, good)
    numbers = np.unique(np.array(episodes), return_inverse=True)[1].reshape(-1)
    return Quality(
        episodes=len(set(episodes)),
        steps=len(score),
        auc=auc(score, label),
        auc_interval=episode_bootstrap(auc, score, label, numbers),
        calibration_error=expected_calibration_error(score, label),
        calibration_error_interval=episode_bootstrap(expected_calibration_error, score, label, numbers),
        brier=brier_score(score, label),
        correlation=correlation(score, label),
        correlation_interval=episode_bootstrap(correlation, score, label, numbers),
        curve=tuple(calibration_curve(score, label)),
    )


def _check(
    scores: Float[np.ndarray, " steps"], good: Float[np.ndarray, " steps"]
) -> tuple[Float[np.ndarray, " steps"], Float[np.ndarray, " steps"]]:
    score, label = np.asarray(scores, dtype=np.float64), np.asarray(good, dtype=np.float64)
    if score.ndim != 1 or label.shape != score.shape or len(score) == 0:
        raise ValueError(
            f"scores has shape {score.shape} and good {label.shape}: both need one entry per step, and a step"
        )
    if not bool(((score >= 0) & (score <= 1) & (label >= 0) & (label <= 1)).all()):
        raise ValueError("scores and labels are probabilities: each must lie in [0, 1]")
    return score, label
