"""Discrimination and calibration against counts made by hand, and intervals over episodes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tapwise.training.vem.calibration import (
    auc,
    brier_score,
    calibration_curve,
    correlation,
    episode_bootstrap,
    expected_calibration_error,
    quality,
)

SCORES = np.array([0.1, 0.4, 0.35, 0.8])
GOOD = np.array([0.0, 0.0, 1.0, 1.0])


def test_the_area_is_the_share_of_pairs_in_the_right_order() -> None:
    assert auc(SCORES, GOOD) == pytest.approx(0.75)
    assert auc(np.full(4, 0.5), GOOD) == pytest.approx(0.5)
    assert auc(GOOD, GOOD) == 1.0
    assert auc(1 - GOOD, GOOD) == 0.0
    assert math.isnan(auc(SCORES, np.ones(4)))


def test_correlation_by_hand() -> None:
    assert correlation(np.array([0.2, 0.4, 0.6]), np.array([0.1, 0.2, 0.3])) == pytest.approx(1.0)
    assert correlation(GOOD, 1 - GOOD) == pytest.approx(-1.0)
    assert correlation(np.array([0.0, 0.5, 0.5, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])) == pytest.approx(0.5**0.5)
    assert math.isnan(correlation(np.full(4, 0.5), GOOD))


def test_a_share_counts_as_so_many_good_and_bad_steps() -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(20).round(1)
    successes = rng.integers(0, 5, 20)
    apart = np.concatenate([[1.0] * n + [0.0] * (4 - n) for n in successes])
    assert auc(scores, successes / 4) == pytest.approx(auc(np.repeat(scores, 4), apart))


def test_calibration_by_hand() -> None:
    scores, good = np.array([0.05, 0.15, 0.15, 1.0]), np.array([0.0, 1.0, 0.0, 1.0])
    curve = calibration_curve(scores, good, bins=10)
    assert [(one.count, round(one.low, 1), one.good) for one in curve] == [(1, 0.0, 0.0), (2, 0.1, 0.5), (1, 0.9, 1.0)]
    assert expected_calibration_error(scores, good) == pytest.approx((0.05 + 2 * 0.35 + 0.0) / 4)
    assert brier_score(scores, good) == pytest.approx((0.05**2 + 0.85**2 + 0.15**2 + 0.0) / 4)


def test_intervals_draw_whole_episodes() -> None:
    rng = np.random.default_rng(1)
    one_each = np.arange(200)
    good = (rng.random(200) < 0.5).astype(float)
    scores = np.clip(0.5 + 0.2 * (good - 0.5) + rng.normal(0, 0.2, 200), 0, 1)
    apart = episode_bootstrap(auc, scores, good, one_each, resamples=300)
    assert apart.low < auc(scores, good) < apart.high
    # The same steps ten times over are no more evidence.
    copies = episode_bootstrap(auc, np.tile(scores, 10), np.tile(good, 10), np.tile(one_each, 10), resamples=300)
    assert copies == pytest.approx(apart)


def test_an_interval_that_is_nowhere_defined_is_nan() -> None:
    low, high = episode_bootstrap(auc, SCORES, np.ones(4), np.arange(4), resamples=10)
    assert math.isnan(low)
    assert math.isnan(high)


def test_quality_gathers_it_all() -> None:
    found = quality(SCORES, GOOD, ["a", "a", "b", "c"])
    assert (found.episodes, found.steps, found.auc) == (3, 4, 0.75)
    assert found.calibration_error_interval.low <= found.calibration_error_interval.high


@pytest.mark.parametrize(
    ("scores", "good"),
    [(np.zeros(0), np.zeros(0)), (SCORES, GOOD[:2]), (SCORES + 1, GOOD), (SCORES, np.full(4, np.nan))],
)
def test_what_cannot_be_measured_is_refused(scores: np.ndarray, good: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"one entry per step|\[0, 1\]"):
        auc(scores, good)
