"""The learner of semi-online learning: clipped policy gradients that stay near the initial model."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tapwise.agent.vlm.model import VlmModel
from tapwise.training.compose import critic_reader
from tapwise.training.semi_online.algorithm import PolicySample
from tapwise.training.semi_online.config import ClippedLossConfig
from tapwise.training.semi_online.losses import clipped_policy_loss, k3_divergence, token_weights
from tapwise.training.semi_online.optimizer import FullPrecisionOptimizer


def frozen_copy(model: VlmModel) -> VlmModel:
    """The model as it is now, never to change: a copy of the language model on the same vision tower and cache."""
    reference = critic_reader(model)
    reference.model.requires_grad_(False)
    return reference


class ClippedLearner:
    """Updates a policy's language model on samples with advantages.

    The divergence is measured from the model as it was when the learner was made, or from `reference` where a run
    goes on.
    """

    def __init__(self, model: VlmModel, config: ClippedLossConfig, reference: VlmModel | None = None) -> None:
        self.model = model
        self.config = config
        self.reference = reference or (frozen_copy(model) if config.kl_coefficient else None)
        self.optimizer = FullPrecisionOptimizer(model.trainable_parameters(), config.optimizer)

    def learn(self, samples: Sequence[PolicySample], rng: np.random.Generator) -> dict[str, float]:
        """One pass over the samples in `mini_batches` gradient steps of nearly equal size; means of their metrics.

        Every sample is used exactly once. Fewer samples than mini-batches make fewer steps; none make no step and no
        metrics.
        """
        count = min(self.config.mini_batches, len(samples))
        if count == 0:
            return {}
        shares = np.array_split(rng.permutation(len(samples)), count)
        found = [self.update([samples[index] for index in share]) for share in shares]
        return {name: float(np.mean([metrics[name] for metrics in found])) for name in found[0]}

    def update(self, batch: Sequence[PolicySample]) -> dict[str, float]:
        """One gradient step on `clipped loss + kl_coefficient * divergence`; what it was and how often it was clipped.

        Raises ValueError for an empty batch, or a sample without one log-probability a token.
        """
        _check(batch)
        weights = token_weights(_mask(batch), self.config.aggregation)
        size = self.config.micro_batch_size
        totals: dict[str, float] = {}
        self.optimizer.zero_grad()
        for start in range(0, len(batch), size):
            piece = batch[start : start + size]
            longest = max(len(sample.token_ids) for sample in piece)
            terms = self._terms(piece, weights[start : start + size, :longest].to(self.model.device))
            torch.autograd.backward(terms["loss"])
            for name, term in terms.items():
                totals[name] = totals.get(name, 0.0) + float(term.detach())
        totals["gradient_norm"] = self.optimizer.step()
        return totals

    def _terms(self, batch: Sequence[PolicySample], weights: Tensor) -> dict[str, Tensor]:
        """The weighted sums of a piece of the batch, of which the pieces' sums are the batch's means."""
        config, device = self.config, self.model.device
        contexts, ids = [sample.context for sample in batch], [sample.token_ids for sample in batch]
        log_probs, _ = self.model.token_log_probs(contexts, ids, config.temperature)
        old = _padded([sample.log_probs for sample in batch], log_probs.shape[1]).to(device)
        advantages = torch.tensor([sample.advantage for sample in batch], device=device)
        tokens = clipped_policy_loss(log_probs, old, advantages, config.clip_low, config.clip_high, config.dual_clip)
        terms = {
            "loss": (weights * tokens.loss).sum(),
            "drift": -(weights * tokens.log_ratio).sum(),
            "clipped": (weights * tokens.clipped).sum(),
            "dual_clipped": (weights * tokens.dual_clipped).sum(),
        }
        if self.reference is not None and config.kl_coefficient:
            with torch.no_grad():
                reference, _ = self.reference.token_log_probs(contexts, ids, config.temperature)
            terms["divergence"] = (weights * k3_divergence(log_probs, reference)).sum()
            terms["loss"] = terms["loss"] + config.kl_coefficient * terms["divergence"]
        return terms


def _check(batch: Sequence[PolicySample]) -> None:
    if not batch:
        raise ValueError("a gradient step needs at least one sample")
    for index, sample in enumerate(batch):
        if not sample.token_ids or len(sample.token_ids) != len(sample.log_probs):
            raise ValueError(
                f"sample {index} has {len(sample.token_ids)} tokens and {len(sample.log_probs)} log-probabilities:"
                " learn from decisions of a policy that reports one for each token"
            )


def _mask(batch: Sequence[PolicySample]) -> Tensor:
    return _padded([[1.0] * len(sample.token_ids) for sample in batch], max(len(s.token_ids) for s in batch))


def _padded(rows: Sequence[Sequence[float]], width: int) -> Tensor:
    return torch.tensor([[*row, *[0.0] * (width - len(row))] for row in rows])
