"""The clipped policy loss and the divergence from the initial model, as pure functions of tensors.

Rows are samples, columns the tokens that the policy generated; logarithms are natural. Losses are per token, and
`token_weights` says how they are averaged, so that a batch may be cut into pieces of any size without changing the
result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

Aggregation = Literal["token_mean", "sample_mean"]

LARGEST_LOG_RATIO = 20.0
"""Log-ratios are held within this, either way: a few lost tokens must not bring infinities."""


@dataclass(frozen=True, slots=True)
class ClippedTokens:
    """Per token, each of shape (batch, tokens): the loss, the log-ratio of new to old policy, and where it was clipped.

    `clipped` marks tokens whose ratio left the range in the direction that the advantage asks for, `dual_clipped` those
    of negative advantage whose loss was held at the dual clip.
    """

    loss: Float[Tensor, "batch tokens"]
    log_ratio: Float[Tensor, "batch tokens"]
    clipped: Bool[Tensor, "batch tokens"]
    dual_clipped: Bool[Tensor, "batch tokens"]


def clipped_policy_loss(
    log_probs: Float[Tensor, "batch tokens"],
    old_log_probs: Float[Tensor, "batch tokens"],
    advantages: Float[Tensor, " batch"],
    clip_low: float = 0.2,
    clip_high: float = 0.2,
    dual_clip: float = 3.0,
) -> ClippedTokens:
    """PPO's clipped surrogate, to be minimised, with the dual clip (arXiv 1707.06347, eq. 7; arXiv 1912.09729, eq. 5).

    With r the ratio of new to old probability, the loss is `max(-A r, -A clip(r, 1 - low, 1 + high))`, and where A is
    negative at most `-A dual_clip`: an improbable token that became likely is not pushed down without bounds. Every
    token of a row shares the row's advantage, as in GRPO (arXiv 2402.03300). No gradient flows into old log-probs and
    advantages.
    Raises ValueError when the shapes do not fit, or unless 0 <= clip_low < 1, clip_high >= 0 and dual_clip > 1.
    """
    _check_shapes(log_probs, old_log_probs)
    if advantages.shape != log_probs.shape[:1]:
        raise ValueError(f"advantages has shape {tuple(advantages.shape)}, but there are {len(log_probs)} rows")
    if not (0.0 <= clip_low < 1.0 and clip_high >= 0.0 and dual_clip > 1.0):
        raise ValueError(
            f"clip_low is {clip_low}, clip_high {clip_high} and dual_clip {dual_clip}: they must lie in [0, 1), at 0 or"
            " above, and above 1"
        )
    advantage = advantages.detach().to(log_probs.dtype)[:, None]
    log_ratio = (log_probs - old_log_probs.detach()).clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
    ratio = log_ratio.exp()
    plain = -advantage * ratio
    bounded = -advantage * ratio.clamp(1.0 - clip_low, 1.0 + clip_high)
    surrogate = torch.maximum(plain, bounded)
    ceiling = -advantage * dual_clip
    dual = (advantage < 0) & (surrogate > ceiling)
    loss = torch.where(dual, ceiling.expand_as(surrogate), surrogate)
    return ClippedTokens(loss, log_ratio.detach(), bounded > plain, dual)


def k3_divergence(
    log_probs: Float[Tensor, "batch tokens"], reference_log_probs: Float[Tensor, "batch tokens"]
) -> Float[Tensor, "batch tokens"]:
    """Per token, an estimate of KL(policy | reference), never negative: `exp(d) - d - 1` with d = reference - policy.

    Schulman's third estimator, as in GRPO's equation 4 (arXiv 2402.03300). It is unbiased for tokens that the policy
    sampled. No gradient flows into the reference.
    Raises ValueError when the shapes differ.
    """
    _check_shapes(log_probs, reference_log_probs)
    difference = (reference_log_probs.detach() - log_probs).clamp(-LARGEST_LOG_RATIO, LARGEST_LOG_RATIO)
    return difference.exp() - difference - 1.0


def token_weights(
    mask: Bool[Tensor, "batch tokens"], aggregation: Aggregation = "token_mean"
) -> Float[Tensor, "batch tokens"]:
    """Weights that sum to 1 and turn per-token losses into one: `(weights * losses).sum()`.

    - "token_mean": every token of the batch counts alike;
    - "sample_mean": every sample counts alike, whatever its length. UI-S1's script asks for the token mean, but takes
      it over micro-batches of one sample, which comes to this.

    Tokens outside the mask weigh 0; without any token all weights are 0.
    Raises ValueError for a mask without two dimensions or another aggregation.
    """
    if mask.ndim != 2:
        raise ValueError(f"mask has shape {tuple(mask.shape)}, but it must be [batch, tokens]")
    if aggregation not in ("token_mean", "sample_mean"):
        raise ValueError(f'aggregation is {aggregation!r}, but there are only "token_mean" and "sample_mean"')
    counted = mask.to(torch.float32)
    if aggregation == "token_mean":
        return counted / counted.sum().clamp(min=1.0)
    lengths = counted.sum(dim=1, keepdim=True)
    return counted / lengths.clamp(min=1.0) / (lengths > 0).sum().clamp(min=1)


def _check_shapes(first: Tensor, second: Tensor) -> None:
    if first.ndim != 2 or first.shape != second.shape:
        raise ValueError(
            f"log-probabilities have shapes {tuple(first.shape)} and {tuple(second.shape)}, not one of [batch, tokens]"
        )
