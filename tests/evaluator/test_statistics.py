"""Intervals against published examples and against their own laws."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.evaluator.statistics import (
    Agreement,
    agreement,
    bootstrap_interval,
    newcombe_difference_interval,
    paired_difference_interval,
    wilson_interval,
)

COUNTS = st.integers(0, 200).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:857, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_matches_the_published_table(successes: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(successes, n) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17:873, table II, method 10
    [
        ((56, 70, 48, 80), 0.0524, 0.3339),
        ((9, 10, 3, 10), 0.1705, 0.8090),
        ((10, 10, 0, 20), 0.6791, 1.0),
        ((10, 10, 0, 10), 0.6075, 1.0),
    ],
)
def test_newcombe_matches_the_published_table(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    assert newcombe_difference_interval(*counts) == pytest.approx((low, high), abs=5e-5)


@given(COUNTS, st.floats(0.5, 0.99))
def test_wilson_holds_the_rate_and_lies_in_the_unit(counts: tuple[int, int], confidence: float) -> None:
    successes, n = counts
    low, high = wilson_interval(successes, n, confidence)
    assert 0 <= low <= (successes / n if n else 0.5) <= high <= 1
    mirrored = wilson_interval(n - successes, n, confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low))


@given(COUNTS.filter(lambda c: c[1] > 0), COUNTS.filter(lambda c: c[1] > 0))
def test_newcombe_turns_with_its_samples(one: tuple[int, int], two: tuple[int, int]) -> None:
    low, high = newcombe_difference_interval(*one, *two)
    assert -1 - 1e-12 <= low <= one[0] / one[1] - two[0] / two[1] <= high <= 1 + 1e-12
    assert newcombe_difference_interval(*two, *one) == pytest.approx((-high, -low))


def test_bootstrap_is_deterministic_and_close_to_the_normal_interval() -> None:
    values = [float(index % 2) for index in range(400)]
    interval = bootstrap_interval(values, resamples=4000)
    assert interval == bootstrap_interval(values, resamples=4000)
    assert interval == pytest.approx((0.451, 0.549), abs=0.01)
    assert bootstrap_interval([1.0]) == (1.0, 1.0)


def test_pairs_remove_what_both_sides_share() -> None:
    hardness = [float(index % 10) for index in range(100)]
    better = [value + 0.5 for value in hardness]
    assert paired_difference_interval(better, hardness, resamples=500) == (0.5, 0.5)


def test_agreement_counts_each_case_apart() -> None:
    verdicts = [True, True, True, False, False, None, True, None]
    outcomes = [True, True, False, False, True, True, None, None]
    found = agreement(verdicts, outcomes)
    counts = (found.true_success, found.false_success, found.true_failure, found.false_failure, found.abstained)
    assert counts == (2, 1, 1, 1, 1)
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.false_completion_rate == pytest.approx(1 / 2)
    assert found.missed_completion_rate == pytest.approx(1 / 3)
    assert found.accuracy_interval() == wilson_interval(3, 5)
    assert found.false_completion_interval() == wilson_interval(1, 2)
    empty = agreement([], [])
    assert (empty.accuracy, empty.false_completion_rate, empty.accuracy_interval()) == (None, None, (0.0, 1.0))


def test_impossible_input_is_refused() -> None:
    with pytest.raises(ValueError, match="3 successes out of 2"):
        wilson_interval(3, 2)
    with pytest.raises(ValueError, match="confidence 1"):
        wilson_interval(1, 2, 1.0)
    with pytest.raises(ValueError, match="at least one trial"):
        newcombe_difference_interval(0, 0, 1, 2)
    with pytest.raises(ValueError, match="at least one value"):
        bootstrap_interval([])
    with pytest.raises(ValueError, match="pairs are needed"):
        paired_difference_interval([1.0], [])
    with pytest.raises(ValueError, match="pairs are needed"):
        agreement([True], [])


def test_kappa_precision_and_recall_by_hand() -> None:
    found = Agreement(true_success=20, false_success=5, true_failure=15, false_failure=10, abstained=3)
    assert found.accuracy == pytest.approx(0.7)
    assert found.kappa == pytest.approx(0.4)  # chance agrees on half: 25 of 50 said, 30 of 50 true
    assert found.precision == pytest.approx(0.8)
    assert found.recall == pytest.approx(2 / 3)
    low, high = found.kappa_interval()
    margin = 1.959964 * (0.7 * 0.3 / 50) ** 0.5 / 0.5
    assert (low, high) == (pytest.approx(0.4 - margin), pytest.approx(0.4 + margin))


def test_a_judge_that_always_says_the_same_has_no_agreement_beyond_chance() -> None:
    assert Agreement(10, 10, 0, 0, 0).kappa == 0
    assert Agreement(10, 0, 0, 0, 0).kappa is None  # nothing could have been told apart
    assert Agreement(0, 0, 0, 0, 2).kappa is None
    assert Agreement(0, 0, 0, 0, 2).kappa_interval() == (-1, 1)
    assert Agreement(5, 0, 5, 0, 0).kappa == 1
    assert Agreement(0, 5, 0, 5, 0).kappa == -1
