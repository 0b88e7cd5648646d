"""Settings of semi-online reinforcement learning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from tapwise.config import Config
from tapwise.training.recipes import OptimizerConfig


class SemiOnlineConfig(Config):
    """UI-S1, arXiv 2509.11543: how rollouts on experts' trajectories become advantages."""

    returns: Literal["paper", "code"] = "paper"
    """whether a step's return takes in the first mismatch after it (paper, equation 9) or ends before it (code)"""
    trajectory_advantage: Literal["paper", "code"] = "paper"
    """one number per rollout (paper, equation 11), or each step's own reward among all steps of the task (code)"""
    norm: Literal["mean_std_norm", "mean_norm"] = "mean_std_norm"
    """whether advantages are divided by the standard deviation"""
    gamma: float = Field(0.5, ge=0, le=1)
    """discount of returns"""
    trajectory_weight: float = Field(1.0, ge=0)
    """weight of the trajectory's advantage"""
    step_weight: float = Field(1.0, ge=0)
    """weight of the step's advantage"""


class SamplingConfig(Config):
    """How rollouts are made and which are learned from."""

    rollouts: int = Field(8, gt=0)
    """of each expert's trajectory"""
    batch_size: int = Field(32, gt=0)
    """contexts that the policy decides on at once"""
    tasks: int = Field(8, gt=0)
    """experts' trajectories an iteration learns from"""
    spread: float = Field(0.3, ge=0)
    """the returns of a task's rollouts must differ by more than this (population standard deviation)"""
    attempts: int = Field(4, gt=0)
    """experts' trajectories tried for each one to learn from, at most, before an iteration goes on with what it has"""
    carry_limit: int = Field(8, ge=0)
    """informative tasks that are kept for the next iteration when one has found more than it learns from"""


class ClippedLossConfig(Config):
    """The clipped policy loss with a divergence from the initial model, and how it is executed."""

    clip_low: float = Field(0.2, ge=0, lt=1)
    """how far the ratio of new to old probability may fall below 1"""
    clip_high: float = Field(0.2, ge=0)
    """how far it may rise above 1"""
    dual_clip: float = Field(3.0, gt=1)
    """greatest ratio that counts where the advantage is negative"""
    kl_coefficient: float = Field(1e-4, ge=0)
    """weight of the divergence from the initial model; 0 keeps no copy of it"""
    aggregation: Literal["token_mean", "sample_mean"] = "token_mean"
    """whether tokens or steps count alike"""
    temperature: float = Field(1.0, gt=0)
    """the temperature at which the policy acts, under which tokens are scored"""
    mini_batches: int = Field(4, gt=0)
    """gradient steps an iteration, each on its own share of the samples"""
    micro_batch_size: int = Field(8, gt=0)
    """samples that go through the model at once; the result does not depend on it"""
    optimizer: OptimizerConfig = OptimizerConfig(learning_rate=1e-6, warm_up=0)
    """AdamW, UI-S1's learning rate"""
