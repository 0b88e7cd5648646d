"""The recipe of semi-online reinforcement learning."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tapwise.android_env.replay import ReplaySettings
from tapwise.training.recipes import ExpertRecipe
from tapwise.training.semi_online.config import ClippedLossConfig, SamplingConfig, SemiOnlineConfig


class SemiOnlineRecipe(ExpertRecipe):
    """Experts' trajectories, an imitation of them, reinforcement learning on them without a phone, an evaluation after
    each."""

    kind: Literal["semi_online"] = "semi_online"
    """what the run does"""
    replay: ReplaySettings = ReplaySettings()
    """how an expert's trajectory stands in for the phone"""
    algorithm: SemiOnlineConfig = SemiOnlineConfig()
    """how rollouts become advantages"""
    sampling: SamplingConfig = SamplingConfig()
    """how rollouts are made, and which are learned from"""
    loss: ClippedLossConfig = ClippedLossConfig()
    """the policy's loss"""
    iterations: int = Field(60, ge=0)
    """rounds of rolling out and learning"""
    checkpoint_every: int = Field(10, gt=0)
    """iterations between two checkpoints"""

    @model_validator(mode="after")
    def _acts_as_it_is_scored(self) -> SemiOnlineRecipe:
        if self.policy.temperature != self.loss.temperature:
            raise ValueError(
                f"policy.temperature is {self.policy.temperature:g} and loss.temperature {self.loss.temperature:g}:"
                " tokens must be scored at the temperature at which they were sampled; give both the same"
            )
        return self
