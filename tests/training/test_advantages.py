"""Advantages against numbers worked out by hand and against the properties that the equations promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.training.advantages import (
    Form,
    doubly_robust_advantage,
    doubly_robust_advantages,
    instruction_advantages,
    paper_threshold,
    pessimistic,
    released_code_advantages,
    step_keep_mask,
)

UNIT = st.floats(0, 1)
FORMS: list[Form] = ["paper", "reward_free_weight"]


@pytest.mark.parametrize(
    ("final_reward", "form", "expected"),
    [
        # H = 10, h = 8, lambda = 0.5, V = 0.3, V' = 0.5: weight 1/4, value difference 0.2
        (1.0, "paper", 0.25 + 0.75 * 0.2),
        (0.0, "paper", 0.2),
        (1.0, "reward_free_weight", 0.25 + 0.75 * 0.2),
        (0.0, "reward_free_weight", 0.75 * 0.2),
    ],
)
def test_one_step_by_equation_4_3(final_reward: float, form: Form, expected: float) -> None:
    got = doubly_robust_advantage(
        value=0.3, next_value=0.5, reward=0.0, final_reward=final_reward, steps_left=2, decay=0.5, form=form
    )
    assert got == pytest.approx(expected)
    assert got > paper_threshold(10)


@given(
    st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=12),
    UNIT,
    UNIT,
    UNIT,
    st.sampled_from(FORMS),
    st.integers(0, 5),
)
def test_a_trajectory_is_its_steps(
    steps: list[tuple[float, float]], last: float, final_reward: float, decay: float, form: Form, spare: int
) -> None:
    values = np.array([value for value, _ in steps] + [last])
    rewards = np.array([reward for _, reward in steps])
    horizon = len(steps) + spare
    whole = doubly_robust_advantages(values, rewards, final_reward, decay, horizon, form)
    one_by_one = [
        doubly_robust_advantage(values[t], values[t + 1], rewards[t], final_reward, horizon - (t + 1), decay, form)
        for t in range(len(steps))
    ]
    np.testing.assert_allclose(whole, one_by_one, atol=1e-12)


@given(st.lists(UNIT, min_size=2, max_size=12), st.floats(0.01, 1), st.sampled_from(FORMS))
def test_the_last_step_of_a_success_has_advantage_one(values: list[float], decay: float, form: Form) -> None:
    rewards = np.zeros(len(values) - 1)
    rewards[-1] = 1.0
    assert doubly_robust_advantages(np.array(values), rewards, 1.0, decay, form=form)[-1] == pytest.approx(1.0)


@given(st.lists(UNIT, min_size=2, max_size=12), UNIT)
def test_a_failure_is_judged_by_the_critic_alone_in_the_paper_s_form(values: list[float], decay: float) -> None:
    got = doubly_robust_advantages(np.array(values), np.zeros(len(values) - 1), 0.0, decay)
    np.testing.assert_allclose(got, np.diff(values))


def test_no_decay_left_means_the_critic_alone_but_for_the_last_step() -> None:
    got = doubly_robust_advantages(np.array([0.2, 0.5, 0.6]), np.array([0.0, 1.0]), 1.0, decay=0.0)
    assert got == pytest.approx([0.3, 1.0])


def test_a_longer_horizon_trusts_hindsight_less() -> None:
    values, rewards = np.full(3, 0.5), np.zeros(2)
    own = doubly_robust_advantages(values, rewards, 1.0, 0.5)
    limit = doubly_robust_advantages(values, rewards, 1.0, 0.5, horizon=4)
    assert own == pytest.approx([0.5, 1.0])
    assert limit == pytest.approx([0.125, 0.25])


def test_an_empty_trajectory_has_no_advantages() -> None:
    assert doubly_robust_advantages(np.array([0.5]), np.array([]), 0.0, 0.5).shape == (0,)


@pytest.mark.parametrize(
    ("values", "final_reward", "decay", "horizon", "form", "says"),
    [
        ([0.1, 0.2], 1.0, 0.5, None, "paper", "after the final step"),
        ([0.1, 0.2, 0.3], 2.0, 0.5, None, "paper", "final_reward"),
        ([0.1, 0.2, 0.3], 1.0, 1.5, None, "paper", "decay"),
        ([0.1, 0.2, 0.3], 1.0, 0.5, 1, "paper", "horizon is 1"),
        ([0.1, 0.2, 0.3], 1.0, 0.5, None, "other", "form is 'other'"),
    ],
)
def test_what_does_not_fit_is_refused(
    values: list[float], final_reward: float, decay: float, horizon: int | None, form: Form, says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        doubly_robust_advantages(np.array(values), np.zeros(2), final_reward, decay, horizon, form)


def test_no_step_comes_after_the_last() -> None:
    with pytest.raises(ValueError, match="steps_left"):
        doubly_robust_advantage(0.1, 0.2, 0.0, 1.0, -1, 0.5)


def test_the_released_code_s_batch() -> None:
    values = pessimistic(np.array([0.3, 0.6, 0.2, 0.8]), np.array([0.4, 0.5, 0.25, 0.7]))
    next_values = pessimistic(np.array([0.5, 0.5, 0.24, 0.1]), np.array([0.45, 0.7, 0.3, 0.2]))
    assert values == pytest.approx([0.3, 0.5, 0.2, 0.7])
    returns = np.array([0.0, 0.0, 0.0, 1.0])
    advantages = released_code_advantages(values, next_values, returns, returns)
    assert advantages == pytest.approx([0.1, -0.05, -0.01, 1.35])
    assert step_keep_mask(advantages, 0.0).tolist() == [True, False, False, True]


def test_the_released_code_drops_an_early_step_of_a_success_where_the_value_falls() -> None:
    one = np.array([0.9])
    advantages = released_code_advantages(one, np.array([0.1]), np.array([0.0]), np.array([0.5**9]))
    assert advantages == pytest.approx([0.1 - 0.9 - 0.05 + 0.5**9])
    assert not step_keep_mask(advantages, 0.0).any()


def test_the_threshold_itself_is_not_kept() -> None:
    assert step_keep_mask(np.array([0.1, 0.2, 0.3]), 0.2).tolist() == [False, False, True]


def test_the_threshold_follows_the_step_limit() -> None:
    assert paper_threshold(20) == pytest.approx(0.05)
    with pytest.raises(ValueError, match="at least one step"):
        paper_threshold(0)


def test_instruction_advantages_clamp_the_value() -> None:
    returns, values = np.array([1.0, 0.0, 1.0, 0.0]), np.array([0.99995, 0.00001, 0.3, 0.3])
    assert instruction_advantages(returns, values) == pytest.approx([1e-4, -1e-4, 0.7, -0.3])
    assert instruction_advantages(returns, values, clamp=0.0) == pytest.approx([0.00005, -0.00001, 0.7, -0.3])


def test_shapes_that_differ_are_named() -> None:
    with pytest.raises(ValueError, match=r"'returns': \(2,\), 'values': \(3,\)"):
        instruction_advantages(np.zeros(2), np.zeros(3))
    with pytest.raises(ValueError, match="one shape"):
        pessimistic(np.zeros(2), np.zeros(1))
    with pytest.raises(ValueError, match="one shape"):
        released_code_advantages(np.zeros(2), np.zeros(2), np.zeros(2), np.zeros(1))
    with pytest.raises(ValueError, match="clamp"):
        instruction_advantages(np.zeros(2), np.zeros(2), clamp=0.5)
