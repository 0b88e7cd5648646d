"""The whole way on the model that ships with the package: two experts on a virtual phone, rollouts, learning."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from tapwise.agent.action_text import short_text
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env import AndroidEnv, EnvSettings, ReplayEnv, ReplaySettings, ScriptedExpert, run_episode
from tapwise.android_env.replay_episode import without_thought
from tapwise.android_env.suites import load_suite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Size, Trajectory
from tapwise.training.learner import Learner
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.semi_online.algorithm import SemiOnline, policy_samples
from tapwise.training.semi_online.config import ClippedLossConfig, SemiOnlineConfig
from tapwise.training.semi_online.learner import ClippedLearner
from tapwise.training.semi_online.rollout import RolloutDriver, RolloutGroup
from tapwise.training.transitions import demonstration_samples


def record_experts() -> list[Trajectory]:
    suite = load_suite("general")
    env = AndroidEnv(InProcessDevice(VirtualPhone(size=Size(1200, 540))), suite, EnvSettings(with_tree=True))
    tasks = suite.sample(np.random.default_rng(0), "train", 2)
    found = [run_episode(env, ScriptedExpert(suite), task, seed) for seed, task in enumerate(tasks)]
    assert all(trajectory.outcome for trajectory in found)
    return found


def roll_out(model: VlmModel, experts: list[Trajectory]) -> list[RolloutGroup]:
    torch.manual_seed(0)
    driver = RolloutDriver(VlmPolicy(model), without_thought(short_text), rollouts=4, batch_size=8)
    return list(driver.groups(ReplayEnv(expert, ReplaySettings(patches=None)) for expert in experts))


@pytest.fixture(scope="module")
def experts() -> list[Trajectory]:
    return record_experts()


def log_prob_of_experts(model: VlmModel, experts: list[Trajectory]) -> float:
    taught = demonstration_samples(experts, model)
    with torch.no_grad():
        log_probs, _ = model.token_log_probs([s.context for s in taught], [s.token_ids for s in taught])
    return float(log_probs.sum(dim=1).mean())


def imitate(model: VlmModel, experts: list[Trajectory], updates: int) -> None:
    """A start from which some attempts succeed: the shipped model has learned to point, and no task."""
    torch.manual_seed(0)
    learner = Learner(model, OptimizerConfig(learning_rate=1e-3, warm_up=0), batch_size=16)
    learner.train(demonstration_samples(experts, model), updates, np.random.default_rng(0))


def test_what_the_expert_did_becomes_likelier(experts: list[Trajectory]) -> None:
    model = VlmModel()
    imitate(model, experts, updates=6)
    groups = SemiOnline(SemiOnlineConfig()).annotate(roll_out(model, experts))
    samples = policy_samples(groups)
    matches = [match.same for group in groups for rollout in group.rollouts for match in rollout.matches]
    assert 0 < sum(matches) < len(matches), "nothing to tell apart"
    before = log_prob_of_experts(model, experts)
    config = ClippedLossConfig(optimizer=OptimizerConfig(learning_rate=3e-4, warm_up=0), micro_batch_size=64)
    learner = ClippedLearner(model, config)
    losses = [learner.update(samples)["loss"] for _ in range(5)]
    assert losses[-1] < losses[0] - 0.01
    assert log_prob_of_experts(model, experts) > before
