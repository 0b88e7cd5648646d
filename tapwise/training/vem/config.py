"""Settings of the value environment model and of learning against it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tapwise.config import Config
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.semi_online.config import ClippedLossConfig


class VemConfig(Config):
    """How the critic reads steps and is trained."""

    mark_touches: bool = True
    """draw a disc where the action touches the screen, as the labeller sees it; costs a look at each marked screen"""
    batch_size: int = Field(32, gt=0)
    """steps a gradient step"""
    held_out: float = Field(0.2, gt=0, lt=1)
    """share of the episodes that the critic is measured on and never trained on"""
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=5e-4)
    """of the language model and the head"""


class VemPolicyConfig(Config):
    """How a policy learns against a frozen critic."""

    baseline: Literal["state_mean", "one_half", "released_code"] = "state_mean"
    """what is taken off P(good): the mean over the actions sampled in the same state, one half, or what the released
    code does, whose weights 0.5 and 1 make bad actions more likely too"""
    samples: int = Field(4, gt=0)
    """actions sampled in each state"""
    states: int = Field(16, gt=0)
    """states an iteration"""
    batch_size: int = Field(32, gt=0)
    """states that the policy and the critic look at together"""
    loss: ClippedLossConfig = ClippedLossConfig(
        kl_coefficient=1e-2,
        aggregation="sample_mean",
        mini_batches=1,
        optimizer=OptimizerConfig(learning_rate=1e-6, warm_up=0),
    )
    """the policy's loss, with the divergence from the policy that learning began with"""
