"""Returns against numbers worked out by hand and against their own recursion."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.training.returns import discounted_returns

REWARDS = st.lists(st.floats(-10, 10), max_size=20)


@pytest.mark.parametrize(
    ("rewards", "gamma", "expected"),
    [
        ([0, 0, 0, 1], 0.5, [0.125, 0.25, 0.5, 1.0]),
        ([1, 0, 2], 0.9, [2.62, 1.8, 2.0]),
        ([0, 0, 1], 1.0, [1.0, 1.0, 1.0]),
        ([3, 2, 1], 0.0, [3.0, 2.0, 1.0]),
        ([], 0.5, []),
    ],
)
def test_returns_worked_out_by_hand(rewards: list[float], gamma: float, expected: list[float]) -> None:
    assert discounted_returns(np.array(rewards), gamma) == pytest.approx(expected)


@given(REWARDS, st.floats(0, 1))
def test_each_return_is_the_reward_and_the_discounted_next(rewards: list[float], gamma: float) -> None:
    returns = discounted_returns(np.array(rewards), gamma)
    following = np.append(returns[1:], 0.0)[: len(rewards)]
    np.testing.assert_allclose(returns, np.array(rewards) + gamma * following, atol=1e-9)


@given(REWARDS)
def test_the_rewards_are_left_alone(rewards: list[float]) -> None:
    given_rewards = np.array(rewards, dtype=np.float64)
    before = given_rewards.copy()
    discounted_returns(given_rewards, 0.5)
    np.testing.assert_array_equal(given_rewards, before)


@pytest.mark.parametrize("gamma", [-0.1, 1.1, float("nan")])
def test_a_discount_outside_the_unit_interval_is_refused(gamma: float) -> None:
    with pytest.raises(ValueError, match="gamma"):
        discounted_returns(np.array([1.0]), gamma)


def test_a_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="one entry per step"):
        discounted_returns(np.ones((2, 2)), 0.5)
