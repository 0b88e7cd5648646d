"""Returns, advantages, filter and losses: derived by hand, and what is refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.training.returns import discounted_returns
from tapwise.training.semi_online.advantages import combine, normalise_in_groups, step_advantages
from tapwise.training.semi_online.filter import DynamicFilter, is_informative, return_spread
from tapwise.training.semi_online.losses import clipped_policy_loss, k3_divergence, token_weights
from tapwise.training.semi_online.returns import future_returns

few = settings(max_examples=30, deadline=None)
steps = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=8)
SPREAD, ALIKE = np.array([0.0, 1.0]), np.array([1.0, 1.0])


# --- returns -----------------------------------------------------------------------------------------------


@few
@given(steps, st.floats(0, 1))
def test_a_mismatch_ends_the_return_and_only_the_paper_counts_it(pairs: list[tuple[float, bool]], gamma: float) -> None:
    rewards, same = np.array([r for r, _ in pairs]), np.array([s for _, s in pairs])
    paper, code = future_returns(rewards, same, gamma), future_returns(rewards, same, gamma, "code")
    assert (paper >= code - 1e-12).all(), "rewards are not negative"
    assert paper[~same] == pytest.approx(rewards[~same])
    np.testing.assert_allclose(future_returns(rewards, np.ones_like(same), gamma), discounted_returns(rewards, gamma))
    np.testing.assert_allclose(future_returns(rewards, same, 0.0), rewards)


def test_what_is_no_return_is_refused() -> None:
    with pytest.raises(ValueError, match=r"same \(2,\)"):
        future_returns(np.ones(3), np.ones(2, dtype=bool), 0.5)
    with pytest.raises(ValueError, match="gamma is 2"):
        future_returns(np.ones(1), np.ones(1, dtype=bool), 2)
    with pytest.raises(ValueError, match="form is 'other'"):
        future_returns(np.ones(1), np.ones(1, dtype=bool), 0.5, "other")  # type: ignore[arg-type]


# --- advantages --------------------------------------------------------------------------------------------


@few
@given(st.lists(st.tuples(st.floats(-5, 5), st.integers(0, 3)), min_size=1, max_size=20))
def test_a_group_s_advantages_sum_to_nothing(pairs: list[tuple[float, int]]) -> None:
    values, groups = np.array([v for v, _ in pairs]), np.array([g for _, g in pairs])
    centred = normalise_in_groups(values, groups, "mean_norm")
    scaled = normalise_in_groups(values, groups)
    for group in np.unique(groups):
        members = groups == group
        assert centred[members].sum() == pytest.approx(0.0, abs=1e-9)
        spread = values[members].std(ddof=1) if members.sum() > 1 else 0.0
        if spread > 1e-3:
            assert scaled[members].std(ddof=1) == pytest.approx(1.0, abs=2e-3)
        if members.sum() == 1:
            assert scaled[members].tolist() == [0.0]


def test_rollouts_that_are_all_alike_teach_nothing() -> None:
    assert np.abs(normalise_in_groups(np.full(7, 1.9375), np.zeros(7, dtype=int))).max() < 1e-6


def test_steps_are_compared_at_the_same_index_of_the_same_task() -> None:
    returns, tasks, indices = (
        np.array([1.0, 3.0, 10.0, 20.0, 5.0]),
        np.array([0, 0, 1, 1, 0]),
        np.array([0, 0, 0, 0, 1]),
    )
    found = step_advantages(returns, tasks, indices, "mean_norm")
    assert found.tolist() == [-1.0, 1.0, -5.0, 5.0, 0.0]
    assert combine(np.ones(5), found, 2.0, 0.5).tolist() == [1.5, 2.5, -0.5, 4.5, 2.0]


def test_what_is_no_advantage_is_refused() -> None:
    with pytest.raises(ValueError, match=r"groups \(1,\)"):
        normalise_in_groups(np.ones(2), np.zeros(1, dtype=int))
    with pytest.raises(ValueError, match="value 1 is not finite"):
        normalise_in_groups(np.array([0.0, math.nan]), np.zeros(2, dtype=int))
    with pytest.raises(ValueError, match="norm is 'std'"):
        normalise_in_groups(np.ones(2), np.zeros(2, dtype=int), "std")  # type: ignore[arg-type]


# --- filter ------------------------------------------------------------------------------------------------


def test_the_threshold_itself_is_too_little() -> None:
    assert return_spread(SPREAD) == 0.5
    assert not is_informative(SPREAD, 0.5)
    assert is_informative(SPREAD, 0.49)
    assert is_informative(np.array([0.7]))


def test_surplus_waits_for_the_next_batch_oldest_first() -> None:
    gathered: DynamicFilter[str] = DynamicFilter(2)
    assert not gathered.offer("dull", ALIKE)
    assert gathered.take() == [], "too little is no reason to stop a run"
    for name in "abc":
        assert gathered.offer(name, SPREAD)
    assert gathered.full
    assert gathered.take() == ["a", "b"]
    assert gathered.waiting == ("c",)
    gathered.offer("d", SPREAD)
    assert gathered.take() == ["c", "d"]
    assert (gathered.refused, gathered.dropped) == (1, 0)


def test_surplus_is_bounded_and_the_oldest_goes_first() -> None:
    gathered: DynamicFilter[int] = DynamicFilter(2, carry_limit=3)
    for number in range(8):
        gathered.offer(number, SPREAD)
    assert gathered.take() == [0, 1]
    assert gathered.waiting == (5, 6, 7)
    assert gathered.dropped == 3


def test_a_filter_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="batch_groups is 0"):
        DynamicFilter(0)
    with pytest.raises(ValueError, match="one entry per rollout"):
        return_spread(np.zeros(0))


# --- losses ------------------------------------------------------------------------------------------------


def test_the_clip_takes_the_gradient_from_what_went_far_enough() -> None:
    new = torch.log(torch.tensor([[1.1, 1.5, 0.5], [1.1, 0.5, 4.0]])).requires_grad_()
    tokens = clipped_policy_loss(new, torch.zeros(2, 3), torch.tensor([1.0, -1.0]))
    assert tokens.loss.flatten().tolist() == pytest.approx([-1.1, -1.2, -0.5, 1.1, 0.8, 3.0])
    tokens.loss.sum().backward()
    assert new.grad is not None
    assert new.grad.flatten().tolist() == pytest.approx([-1.1, 0.0, -0.5, 1.1, 0.0, 0.0])
    assert tokens.clipped.tolist() == [[False, True, False], [False, True, False]]
    assert tokens.dual_clipped.tolist() == [[False, False, False], [False, False, True]]


def test_at_the_old_policy_the_gradient_is_that_of_the_plain_policy_gradient() -> None:
    new = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    clipped_policy_loss(new, new.detach(), torch.tensor([0.7])).loss.sum().backward()
    assert new.grad is not None
    assert new.grad.tolist() == [pytest.approx([-0.7, -0.7])]


def test_the_divergence_pulls_towards_the_reference() -> None:
    new = torch.tensor([[-1.0, -1.0, -1.0, -200.0]], requires_grad=True)
    divergence = k3_divergence(new, torch.tensor([[-1.0, -1.5, -0.2, 0.0]]))
    assert (divergence >= 0).all()
    assert torch.isfinite(divergence).all()
    divergence.sum().backward()
    assert new.grad is not None
    assert new.grad[0, :3].tolist() == pytest.approx([0.0, 1 - math.exp(-0.5), 1 - math.exp(0.8)], abs=1e-6)


def test_tokens_or_samples_count_alike() -> None:
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [0, 0, 0]], dtype=torch.bool)
    assert token_weights(mask).tolist() == [[0.25, 0.25, 0.25], [0.25, 0, 0], [0, 0, 0]]
    sixth = pytest.approx([1 / 6, 1 / 6, 1 / 6])
    assert token_weights(mask, "sample_mean").tolist() == [sixth, [0.5, 0, 0], [0, 0, 0]]
    assert token_weights(torch.zeros(1, 2, dtype=torch.bool)).sum() == 0
    assert token_weights(torch.zeros(1, 2, dtype=torch.bool), "sample_mean").sum() == 0


def test_losses_that_do_not_fit_are_refused() -> None:
    two = torch.zeros(2, 3)
    with pytest.raises(ValueError, match="there are 2 rows"):
        clipped_policy_loss(two, two, torch.zeros(3))
    with pytest.raises(ValueError, match=r"\(2, 2\)"):
        k3_divergence(two, two[:, :2])
    with pytest.raises(ValueError, match="dual_clip 1"):
        clipped_policy_loss(two, two, torch.zeros(2), dual_clip=1.0)
    with pytest.raises(ValueError, match="aggregation is 'sum'"):
        token_weights(two.bool(), "sum")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"mask has shape \(3,\)"):
        token_weights(torch.zeros(3, dtype=torch.bool))
