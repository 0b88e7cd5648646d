"""The learner executes weighted token losses; which weights, the algorithms decide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.training.losses import weighted_nll
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.transitions import Sample


def make_optimizer(parameters: Sequence[torch.nn.Parameter], config: OptimizerConfig) -> torch.optim.AdamW:
    """AdamW over the parameters."""
    return torch.optim.AdamW(parameters, lr=config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay)


class Learner:
    """Updates a policy's language model on weighted samples."""

    def __init__(self, model: VlmModel, config: OptimizerConfig, batch_size: int) -> None:
        self.model = model
        self.config = config
        self.batch_size = batch_size
        self._parameters = model.trainable_parameters()
        self.optimizer = make_optimizer(self._parameters, config)
        self.updates = 0

    def update(self, batch: Sequence[Sample], config: OptimizerConfig | None = None) -> float:
        """One gradient step on `weight * -log p(action text)`, averaged over the batch; returns the loss.

        Tokens are scored under the masked distribution that acting samples from.
        """
        log_p, mask = self.model.token_log_probs([s.context for s in batch], [s.token_ids for s in batch])
        weights = torch.tensor([s.weight for s in batch], device=log_p.device)
        loss = weighted_nll(log_p, mask, weights)
        step_optimizer(self.optimizer, loss, self._parameters, config or self.config, self.updates)
        self.updates += 1
        return float(loss.detach())

    def train(
        self, samples: Sequence[Sample], updates: int, rng: np.random.Generator, learning_rate: float | None = None
    ) -> float:
        """`updates` gradient steps on batches drawn without replacement, epoch by epoch; the mean loss.

        `learning_rate` replaces the configured one for these steps.
        """
        if not samples:
            return float("nan")
        config = self.config.model_copy(update={"learning_rate": learning_rate}) if learning_rate else self.config
        losses: list[float] = []
        order: list[int] = []
        for _ in range(updates):
            if len(order) < min(self.batch_size, len(samples)):
                order = rng.permutation(len(samples)).tolist()
            chosen, order = order[: self.batch_size], order[self.batch_size :]
            losses.append(self.update([samples[index] for index in chosen], config))
        return float(np.mean(losses)) if losses else float("nan")


def step_optimizer(
    optimizer: torch.optim.Optimizer,
    loss: torch.Tensor,
    parameters: Sequence[torch.nn.Parameter],
    config: OptimizerConfig,
    updates: int,
) -> None:
    """Backward, clip, step; the learning rate grows linearly over the warm-up."""
    for group in optimizer.param_groups:
        group["lr"] = config.learning_rate * min(1.0, (updates + 1) / max(1, config.warm_up))
    optimizer.zero_grad(set_to_none=True)
    torch.autograd.backward(loss)
    torch.nn.utils.clip_grad_norm_(parameters, config.max_gradient_norm)
    optimizer.step()
