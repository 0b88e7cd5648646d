"""The trajectory filter, with and without the released code's hole, and the weights of tasks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.training.advantages import instruction_advantages
from tapwise.training.filters import task_weights, top_cutoff, top_fraction

FRACTIONS = st.floats(0.01, 1.0)


def _returns(successes: int, n: int) -> np.ndarray:
    return np.array([0.0] * (n - successes) + [1.0] * successes)


@pytest.mark.parametrize(
    ("successes", "n", "cutoff", "kept", "kept_by_released_code"),
    [
        (1, 10, 0.1, 1, 1),
        (2, 10, 1.0, 2, 2),
        (2, 20, 0.1, 2, 2),
        (1, 20, 0.0, 1, 20),
        (0, 5, 0.0, 0, 5),
    ],
)
def test_failures_never_pass_unless_asked_for(
    successes: int, n: int, cutoff: float, kept: int, kept_by_released_code: int
) -> None:
    returns = _returns(successes, n)
    assert top_cutoff(returns, 0.1) == pytest.approx(cutoff)
    mask = top_fraction(returns, 0.1)
    assert mask.sum() == kept
    assert returns[mask].all()
    assert top_fraction(returns, 0.1, released_code=True).sum() == kept_by_released_code


def test_scores_by_instruction_advantage() -> None:
    returns = np.array([1, 1, 1, 0, 1, 0, 0, 0, 1, 0], dtype=np.float64)
    values = np.array([0.1, 0.9, 0.5, 0.2, 0.99995, 1e-05, 0.3, 0.7, 0.05, 0.6])
    scores = instruction_advantages(returns, values)
    assert top_cutoff(scores, 0.1) == pytest.approx(0.905)
    assert np.flatnonzero(top_fraction(scores, 0.1, returns)).tolist() == [8]


def test_rare_successes_all_pass_and_no_failure_with_them() -> None:
    returns = _returns(1, 30)
    scores = instruction_advantages(returns, np.full(30, 0.2))
    assert np.flatnonzero(top_fraction(scores, 0.1, returns)).tolist() == [29]
    assert top_fraction(scores, 0.1, returns, released_code=True).all()


@given(st.lists(st.tuples(st.floats(-1, 1), st.booleans()), min_size=1, max_size=40), FRACTIONS)
def test_what_passes_is_the_released_code_s_choice_without_its_failures(
    rows: list[tuple[float, bool]], fraction: float
) -> None:
    scores = np.array([score for score, _ in rows])
    returns = np.array([float(success) for _, success in rows])
    ours = top_fraction(scores, fraction, returns)
    theirs = top_fraction(scores, fraction, returns, released_code=True)
    assert theirs.any()
    np.testing.assert_array_equal(ours, theirs & (returns > 0))


def test_nothing_to_filter() -> None:
    assert top_fraction(np.array([]), 0.1).shape == (0,)


def test_what_cannot_be_ranked_is_refused() -> None:
    with pytest.raises(ValueError, match="score 1 is not a number"):
        top_fraction(np.array([0.0, np.nan]), 0.1)
    with pytest.raises(ValueError, match="fraction"):
        top_fraction(np.array([0.0, 1.0]), 0.0)
    with pytest.raises(ValueError, match="returns has"):
        top_fraction(np.array([0.0, 1.0]), 0.1, np.array([1.0]))
    with pytest.raises(ValueError, match="at least one entry"):
        top_cutoff(np.zeros((2, 2)), 0.1)


def test_the_undecided_task_is_drawn_most() -> None:
    weights = task_weights(np.array([0.0, 0.5, 0.9, 1.0]), floor=0.2)
    assert weights == pytest.approx([0.05, 0.05 + 0.8 * 0.25 / 0.34, 0.05 + 0.8 * 0.09 / 0.34, 0.05])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.floats(0, 1))
def test_task_weights_are_probabilities_above_the_floor(rates: list[float], floor: float) -> None:
    weights = task_weights(np.array(rates), floor)
    assert weights.sum() == pytest.approx(1.0)
    assert (weights >= floor / len(rates) - 1e-12).all()


@pytest.mark.parametrize(("rates", "floor"), [([0.0, 1.0, 0.0], 0.0), ([0.1, 0.5, 0.9], 1.0)])
def test_uniform_where_nothing_is_informative_or_asked_for(rates: list[float], floor: float) -> None:
    assert task_weights(np.array(rates), floor) == pytest.approx([1 / 3] * 3)


def test_impossible_rates_are_refused() -> None:
    with pytest.raises(ValueError, match="outside"):
        task_weights(np.array([0.5, 1.2]))
    with pytest.raises(ValueError, match="outside"):
        task_weights(np.array([np.nan]))
    with pytest.raises(ValueError, match="at least one task"):
        task_weights(np.array([]))
    with pytest.raises(ValueError, match="floor"):
        task_weights(np.array([0.5]), floor=2.0)
