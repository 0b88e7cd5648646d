"""DigiRL's losses as pure functions of tensors (arXiv 2406.11896, section 4).

Every loss is a scalar to be minimised; what the advantages or returns were made of is none of its business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def weighted_nll(
    token_log_probs: Float[Tensor, "batch tokens"],
    mask: Bool[Tensor, "batch tokens"],
    weights: Float[Tensor, " batch"],
    normalise: Literal["batch", "kept"] = "batch",
) -> Float[Tensor, ""]:
    """The actor's loss: minus the mean over the batch of weight times the row's summed log-probability (natural log).

    `mask` is true at tokens that the actor generated. With weights of 0 and 1 this is DigiRL's hard filter
    (arXiv 2406.11896, equation 4.3 and the text below it); with `advantage_weights` it is AWR; with ones it is
    behaviour cloning. Gradients do not flow into the weights, and rows and tokens without weight add neither loss
    nor gradient, even where their log-probability is minus infinity.

    "batch", as in the released code, divides by all rows, so that the step shrinks when few are kept; the paper's
    expectation does not say. "kept" divides by the rows whose weight is not 0 (by 1 when there is none).
    Raises ValueError when the shapes do not fit or `normalise` is neither.
    """
    if token_log_probs.ndim != 2 or mask.shape != token_log_probs.shape or weights.shape != token_log_probs.shape[:1]:
        raise ValueError(
            f"token_log_probs has shape {tuple(token_log_probs.shape)}, mask {tuple(mask.shape)} and weights "
            f"{tuple(weights.shape)}: they must be [batch, tokens], [batch, tokens] and [batch]"
        )
    if normalise not in ("batch", "kept"):
        raise ValueError(f'normalise is {normalise!r}, but there are only "batch" and "kept"')
    fixed = weights.detach().to(token_log_probs.dtype)
    counted = mask.bool() & (fixed != 0)[:, None]
    # Chosen rather than multiplied: zero times minus infinity would poison the whole batch.
    row_sums = torch.where(counted, token_log_probs, torch.zeros_like(token_log_probs)).sum(dim=1)
    rows = len(fixed) if normalise == "batch" else int((fixed != 0).sum())
    return -(fixed * row_sums).sum() / max(rows, 1)


def success_cross_entropy(logits: Float[Tensor, "batch 2"], successes: Bool[Tensor, " batch"]) -> Float[Tensor, ""]:
    """The instruction critic's loss: mean cross entropy of "will fail" (0) and "will succeed" (1), in nats.

    DigiRL's binary cross entropy on the outcome (arXiv 2406.11896, section 4). Released code: takes a last return
    above 0 as success and feeds the first step's prompt; which text is scored is the caller's choice here.
    Raises ValueError when the shapes do not fit.
    """
    if logits.ndim != 2 or logits.shape[1] != 2 or successes.shape != logits.shape[:1]:
        raise ValueError(
            f"logits has shape {tuple(logits.shape)} and successes {tuple(successes.shape)}: "
            "they must be [batch, 2] and [batch]"
        )
    return functional.cross_entropy(logits, (successes > 0).long())


def step_critic_loss(
    first: Float[Tensor, "batch 2"],
    second: Float[Tensor, "batch 2"],
    next_first: Float[Tensor, "batch 2"],
    next_second: Float[Tensor, "batch 2"],
    mc_returns: Float[Tensor, " batch"],
) -> Float[Tensor, ""]:
    """The step critics' loss: the sum of four cross entropies, two critics on the state and on the next state.

    Paper (arXiv 2406.11896, equation 4.6): one critic of state, action and instruction, on the state alone. Released
    code, followed here: two critics that never see the action, and both states get the label of the first,
    1 where its discounted return is above 0; there is no bootstrapping. Call `success_cross_entropy` on one critic's
    logits for the paper's form.
    Raises ValueError when the shapes do not fit.
    """
    successes = mc_returns > 0
    state = success_cross_entropy(first, successes) + success_cross_entropy(second, successes)
    return state + success_cross_entropy(next_first, successes) + success_cross_entropy(next_second, successes)


def clamped_log_probs(
    token_probs: Float[Tensor, "*any"], low: float = 0.001, high: float = 0.99
) -> Float[Tensor, "*any"]:
    """Natural logarithm of probabilities clamped to [low, high], for comparison with DigiRL's released code only.

    The paper (arXiv 2406.11896) has no clamp. Outside the limits the gradient is zero, so that tokens which the
    actor finds unlikely are never learned: train on plain log-probabilities instead.
    Raises ValueError unless 0 < low < high <= 1.
    """
    if not 0.0 < low < high <= 1.0:
        raise ValueError(f"the limits are {low} and {high}, but 0 < low < high <= 1 must hold")
    return token_probs.clamp(low, high).log()


def advantage_weights(advantages: Float[Tensor, " batch"], beta: float, maximum: float) -> Float[Tensor, " batch"]:
    """AWR's weights `min(exp(advantage / beta), maximum)`, without gradient (arXiv 1910.00177, algorithm 1).

    DigiRL (arXiv 2406.11896, section 4) starts from AWR but filters hard in paper and released code alike: these
    are for comparison, and for continuous use of advantages.
    Raises ValueError when beta or maximum is not positive.
    """
    if beta <= 0.0 or maximum <= 0.0:
        raise ValueError(f"beta is {beta} and maximum is {maximum}, but both must be above 0")
    return (advantages.detach() / beta).exp().clamp(max=maximum)
