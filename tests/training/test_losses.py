"""Losses derived by hand, and what must not disturb them."""

from __future__ import annotations

import math

import pytest
import torch

from tapwise.training.losses import (
    advantage_weights,
    clamped_log_probs,
    step_critic_loss,
    success_cross_entropy,
    weighted_nll,
)

LOG_PROBS = [[-1.0, -2.0], [-1.0, -1.0], [-0.5, -0.5], [-2.0, -3.0]]
ALL = torch.ones(4, 2, dtype=torch.bool)
KEPT = torch.tensor([1.0, 0.0, 0.0, 1.0])


def test_the_actor_s_loss_counts_the_rows_that_were_filtered_out() -> None:
    log_probs = torch.tensor(LOG_PROBS)
    assert weighted_nll(log_probs, ALL, KEPT).item() == pytest.approx((3 + 5) / 4)
    assert weighted_nll(log_probs, ALL, KEPT, normalise="kept").item() == pytest.approx((3 + 5) / 2)


def test_masked_tokens_do_not_count() -> None:
    mask = torch.tensor([[True, False], [True, True], [True, True], [False, False]])
    assert weighted_nll(torch.tensor(LOG_PROBS), mask, torch.ones(4)).item() == pytest.approx((1 + 2 + 1) / 4)


def test_the_gradient_is_minus_the_weight_over_the_rows() -> None:
    log_probs = torch.tensor(LOG_PROBS, requires_grad=True)
    weights = torch.tensor([2.0, 0.0, 0.5, 1.0], requires_grad=True)
    weighted_nll(log_probs, ALL, weights).backward()
    assert log_probs.grad is not None
    assert log_probs.grad[:, 0].tolist() == pytest.approx([-0.5, 0.0, -0.125, -0.25])
    assert weights.grad is None


def test_impossible_tokens_without_weight_do_no_harm() -> None:
    logits = torch.tensor([[[0.0, -math.inf]], [[0.0, 1.0]]], requires_grad=True)
    log_probs = logits.log_softmax(-1)[:, :, 1]
    loss = weighted_nll(log_probs, torch.ones(2, 1, dtype=torch.bool), torch.tensor([0.0, 1.0]))
    assert loss.item() == pytest.approx(math.log(1 + math.exp(-1)) / 2)
    loss.backward()
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()


def test_a_batch_of_which_nothing_is_kept_has_loss_zero() -> None:
    log_probs = torch.tensor(LOG_PROBS, requires_grad=True)
    loss = weighted_nll(log_probs, ALL, torch.zeros(4), normalise="kept")
    loss.backward()
    assert loss.item() == 0.0
    assert log_probs.grad is not None
    assert log_probs.grad.abs().sum() == 0


def test_the_instruction_critic_s_loss() -> None:
    loss = success_cross_entropy(torch.tensor([[0.0, 1.0], [2.0, 0.0]]), torch.tensor([True, False]))
    assert loss.item() == pytest.approx((math.log(1 + math.exp(-1)) + math.log(1 + math.exp(-2))) / 2)
    assert loss.item() == pytest.approx(0.220095, abs=1e-6)


def test_the_step_critics_share_one_label() -> None:
    loss = step_critic_loss(
        torch.tensor([[0.0, 0.0], [1.0, -1.0]]),
        torch.tensor([[0.0, 2.0], [0.0, 0.0]]),
        torch.tensor([[0.5, 0.5], [0.0, 0.0]]),
        torch.tensor([[0.0, 1.0], [2.0, 0.0]]),
        torch.tensor([0.25, 0.0]),
    )
    softplus = [math.log(2), math.log(1 + math.exp(-2)), math.log(1 + math.exp(-1))]
    expected = (softplus[0] + softplus[1]) + softplus[0] + (softplus[2] + softplus[1]) / 2
    assert loss.item() == pytest.approx(expected)
    assert loss.item() == pytest.approx(1.733317, abs=1e-6)


def test_clamped_probabilities_have_no_gradient() -> None:
    probabilities = torch.tensor([0.0001, 0.5, 0.999], requires_grad=True)
    clamped = clamped_log_probs(probabilities)
    assert clamped.tolist() == pytest.approx([math.log(0.001), math.log(0.5), math.log(0.99)], abs=1e-6)
    clamped.sum().backward()
    assert probabilities.grad is not None
    assert probabilities.grad.tolist() == pytest.approx([0.0, 2.0, 0.0])


def test_advantage_weights_grow_to_their_maximum() -> None:
    advantages = torch.tensor([-1.0, 0.0, 1.0, 1e4], requires_grad=True)
    weights = advantage_weights(advantages, beta=0.5, maximum=20.0)
    assert weights.tolist() == pytest.approx([math.exp(-2), 1.0, math.exp(2), 20.0])
    assert not weights.requires_grad


def test_what_does_not_fit_is_refused() -> None:
    log_probs = torch.tensor(LOG_PROBS)
    with pytest.raises(ValueError, match=r"weights \(3,\)"):
        weighted_nll(log_probs, ALL, torch.ones(3))
    with pytest.raises(ValueError, match="normalise is 'tokens'"):
        weighted_nll(log_probs, ALL, KEPT, normalise="tokens")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="successes"):
        success_cross_entropy(torch.zeros(2, 2), torch.ones(2, 1))
    with pytest.raises(ValueError, match="logits"):
        success_cross_entropy(torch.zeros(2, 3), torch.ones(2))
    with pytest.raises(ValueError, match="limits"):
        clamped_log_probs(torch.ones(1), 0.5, 0.1)
    with pytest.raises(ValueError, match="beta"):
        advantage_weights(torch.ones(1), 0.0, 1.0)
