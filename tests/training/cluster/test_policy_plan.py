"""How policies travel, without a cluster: its store is a mapping here."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from tapwise.agent.random_agent import RandomPolicy
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.errors import ConfigError
from tapwise.training.cluster.policy_plan import PolicyBuilder, Weights, load_trained, plan_of, trained_weights
from tapwise.training.recipes import PolicyConfig


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was put into the store; a reference is a number."""
    values: list[Any] = []

    def put(value: Any) -> int:
        values.append(value)
        return len(values) - 1

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(put=put, get=lambda number: values[number]))
    return values


def test_weights_travel_once_a_version_and_arrive(kept: list[Any]) -> None:
    ours, weights = VlmModel(), Weights()
    policy = VlmPolicy(ours, greedy=True)
    builder = PolicyBuilder(PolicyConfig(), load_suite("general"), 1)
    for version in (0, 1):
        with torch.no_grad():
            for parameter in ours.trainable_parameters():
                parameter.add_(0.01 * version)
        policy.version = version
        for _ in range(2):
            arrived = builder.build(plan_of(policy, weights), seed=1)
            assert isinstance(arrived, VlmPolicy)
            assert (arrived.greedy, arrived.version) == (True, version)
            theirs = dict(arrived.model.model.named_parameters())
            assert all(torch.equal(value, theirs[name]) for name, value in ours.model.named_parameters())
    assert (len(kept), weights.puts, builder.fetched) == (2, 2, [0, 1])


def test_the_frozen_part_stays_at_home() -> None:
    model = VlmModel()
    names = set(trained_weights(model))
    assert names
    assert not any("visual" in name for name in names)
    with pytest.raises(ConfigError, match="no weight other"):
        load_trained(model, {"other": torch.zeros(1)})


def test_policies_without_weights() -> None:
    suite = load_suite("general")
    builder = PolicyBuilder(PolicyConfig(), suite, 1)
    assert isinstance(builder.build(plan_of(ScriptedExpert(suite), Weights()), 0), ScriptedExpert)
    drawn = builder.build(plan_of(RandomPolicy(7), Weights()), 0)
    assert isinstance(drawn, RandomPolicy)
    assert drawn.seed == 7
    with pytest.raises(ConfigError, match="cannot be sent"):
        plan_of(SimpleNamespace(name="mine"), Weights())  # type: ignore[arg-type]
