"""The recipe of training a value environment model, and a policy against it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from tapwise.config import Config
from tapwise.training.recipes import ExpertRecipe
from tapwise.training.vem.config import VemConfig, VemPolicyConfig

ON_PHONES = ("progress", "success", "outcomes")
"""sources of labels that need phones"""


class LabelConfig(Config):
    """Where the critic's labels come from."""

    source: Literal["progress", "success", "outcomes", "rules", "vlm", "file"] = "progress"
    """progress: the episode is forked, and the expert goes on: an action is good if it costs no step; success: the
    same, but the policy goes on, and success counts; outcomes: no forks, a rollout's success labels its steps; rules:
    experts' actions are good, altered ones bad; vlm: a model at an endpoint judges experts' steps; file: labels that
    VEM made"""
    episodes: int = Field(64, gt=0)
    """episodes on phones that are labelled (progress, success, outcomes)"""
    expert_share: float = Field(0.5, ge=0, le=1)
    """share of the forked episodes that the expert plays; the policy plays the others"""
    samples: int = Field(2, ge=0)
    """actions of the policy that are tried in each forked state, beside the one taken and the expert's"""
    url: str = ""
    """the endpoint up to its version (vlm)"""
    model: str = ""
    """the model's name there (vlm)"""
    file: str = ""
    """path of PART_critic.jsonl (file)"""

    @model_validator(mode="after")
    def _source_is_given(self) -> LabelConfig:
        if (self.source == "vlm") != bool(self.url and self.model):
            raise ValueError('labels.source = "vlm" and labels.url with labels.model need each other')
        if (self.source == "file") != bool(self.file):
            raise ValueError('labels.source = "file" and labels.file need each other')
        return self


class GuardConfig(Config):
    """When learning against the critic is ended because it only pleases the critic."""

    every: int = Field(5, gt=0)
    """iterations between two measurements, after each of which there is a checkpoint"""
    episodes: int = Field(32, gt=0)
    """episodes on training tasks a measurement, greedy"""
    rise: float = Field(0.02, ge=0)
    """by how much the score must have risen since the best success for an alarm"""
    patience: int = Field(3, gt=0)
    """measurements without a better success before a warning"""
    confidence: float = Field(0.9, gt=0, lt=1)
    """of the interval by which success must have fallen for the run to stop learning"""


class VemRecipe(ExpertRecipe):
    """Experts' trajectories, an imitation of them, labels, a critic, learning against it, an evaluation before and
    after."""

    kind: Literal["vem"] = "vem"
    """what the run does"""
    labels: LabelConfig = LabelConfig()
    """what the critic learns from"""
    vem: VemConfig = VemConfig()
    """the critic"""
    critic_updates: int = Field(300, gt=0)
    """gradient steps of the critic"""
    optimisation: VemPolicyConfig = VemPolicyConfig()
    """learning against the frozen critic"""
    iterations: int = Field(30, ge=0)
    """rounds of learning against the frozen critic"""
    guard: GuardConfig = GuardConfig()
    """when that is ended"""

    @model_validator(mode="after")
    def _parts_fit(self) -> VemRecipe:
        if self.policy.temperature != self.optimisation.loss.temperature:
            raise ValueError(
                f"policy.temperature is {self.policy.temperature:g} and optimisation.loss.temperature"
                f" {self.optimisation.loss.temperature:g}: tokens must be scored at the temperature at which they were"
                " sampled; give both the same"
            )
        if self.data.store and self.labels.source in ON_PHONES:
            raise ValueError(
                f'labels.source = "{self.labels.source}" needs phones, but data.store is given: take rules, vlm or file'
            )
        if self.farm.ray and self.labels.source in ("progress", "success"):
            raise ValueError(
                f'labels.source = "{self.labels.source}" forks episodes on a phone of this machine, and farm.ray is for'
                " phones of others: take outcomes, or leave farm.ray out"
            )
        if self.policy.lora.rank:
            raise ValueError("the critic is a whole model and its folder holds no adapters: set policy.lora.rank to 0")
        return self
