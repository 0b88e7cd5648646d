"""AdamW in full precision for models whose weights are kept in half."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch

from tapwise.training.learner import make_optimizer
from tapwise.training.recipes import OptimizerConfig


class FullPrecisionOptimizer:
    """AdamW on 32-bit copies of the parameters, written back after each step.

    A bfloat16 weight has 8 significant bits: at a learning rate of 1e-6 nearly every step would round to nothing. The
    copies gather such steps until they show. Parameters that have 32 bits already are optimised in place.
    """

    def __init__(self, parameters: Sequence[torch.nn.Parameter], config: OptimizerConfig) -> None:
        self._config = config
        self._parameters = list(parameters)
        self._masters = [
            p if p.dtype == torch.float32 else torch.nn.Parameter(p.detach().float()) for p in self._parameters
        ]
        self._adamw = make_optimizer(self._masters, config)
        self.updates = 0

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._parameters:
            parameter.grad = None

    def step(self) -> float:
        """Clip the gradients to the configured norm and take one step; the norm before clipping.

        The learning rate grows linearly over the warm-up. A gradient that is not finite changes nothing: the step is
        left out, and the norm says so.
        """
        for parameter, master in zip(self._parameters, self._masters, strict=True):
            if master is not parameter:
                master.grad = None if parameter.grad is None else parameter.grad.float()
        norm = float(torch.nn.utils.clip_grad_norm_(self._masters, self._config.max_gradient_norm))
        if math.isfinite(norm):
            for group in self._adamw.param_groups:
                group["lr"] = self._config.learning_rate * min(1.0, (self.updates + 1) / max(1, self._config.warm_up))
            self._adamw.step()
            self.updates += 1
        with torch.no_grad():
            for parameter, master in zip(self._parameters, self._masters, strict=True):
                if master is not parameter:
                    parameter.copy_(master)
                    master.grad = None
        self.zero_grad()
        return norm

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps, the 32-bit copies included."""
        masters = [m.detach() for p, m in zip(self._parameters, self._masters, strict=True) if m is not p]
        return {"adamw": self._adamw.state_dict(), "masters": masters, "updates": self.updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken. Raises ValueError when it came from another model."""
        copies = [m for p, m in zip(self._parameters, self._masters, strict=True) if m is not p]
        self._adamw.load_state_dict(state["adamw"])
        with torch.no_grad():
            for master, saved in zip(copies, state["masters"], strict=True):
                master.copy_(saved)
        self.updates = state["updates"]
