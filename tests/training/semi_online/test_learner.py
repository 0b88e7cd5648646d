"""The learner on a tiny random model: one objective however it is cut up, and every sample once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env.replay import ReplayEnv, ReplaySettings
from tapwise.records import Context, Decision, End, Observation, Provenance, Step, Task, Trajectory
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.semi_online.algorithm import PolicySample
from tapwise.training.semi_online.config import ClippedLossConfig, SamplingConfig, SemiOnlineConfig
from tapwise.training.semi_online.learner import ClippedLearner
from tapwise.training.semi_online.trainer import SemiOnlineTrainer

FAST = OptimizerConfig(learning_rate=1e-2, warm_up=0)
TASK = Task("t", "turn on wifi", "general", "settings", "toggle", (), 10, "train")


@pytest.fixture
def model(model_folder: Path) -> VlmModel:
    return VlmModel(model_folder)


def screen(seed: int) -> Observation:
    pixels = np.random.default_rng(seed).integers(0, 256, (128, 64, 3), dtype=np.uint8)
    return Observation(images.encode(pixels, "png"), "app/.Main", True, 0.0)


def samples(model: VlmModel, count: int, temperature: float = 1.0) -> list[PolicySample]:
    torch.manual_seed(0)
    contexts = [Context(TASK, (), screen(seed)) for seed in range(count)]
    decisions = VlmPolicy(model, temperature=temperature).act(contexts)
    return [
        PolicySample(context, decision.token_ids, decision.log_probs, (-1.0) ** number)
        for number, (context, decision) in enumerate(zip(contexts, decisions, strict=True))
    ]


def weights(model: VlmModel) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in model.model.parameters()]).clone()


@pytest.mark.parametrize("temperature", [1.0, 0.5])
def test_nothing_is_clipped_at_the_policy_that_acted(model: VlmModel, temperature: float) -> None:
    batch = samples(model, 4, temperature)
    config = ClippedLossConfig(temperature=temperature, optimizer=FAST)
    found = ClippedLearner(model, config).update(batch)
    tokens = [len(sample.token_ids) for sample in batch]
    expected = -sum(sample.advantage * n for sample, n in zip(batch, tokens, strict=True)) / sum(tokens)
    assert found["loss"] == pytest.approx(expected, abs=1e-3)
    assert found["drift"] == pytest.approx(0.0, abs=1e-3)
    assert (found["clipped"], found["dual_clipped"]) == (0.0, 0.0)
    assert found["divergence"] == pytest.approx(0.0, abs=1e-6)
    assert found["gradient_norm"] > 0


@pytest.mark.parametrize("aggregation", ["token_mean", "sample_mean"])
def test_the_size_of_micro_batches_changes_nothing(model_folder: Path, aggregation: str) -> None:
    found = []
    for size in (8, 2):
        model = VlmModel(model_folder)
        config = ClippedLossConfig.model_validate(
            {"micro_batch_size": size, "aggregation": aggregation, "kl_coefficient": 0.0, "optimizer": FAST}
        )
        learner = ClippedLearner(model, config)
        assert learner.reference is None
        learner.optimizer.step = lambda: 0.0  # type: ignore[method-assign]
        metrics = learner.update(samples(model, 5))
        gradients = [p.grad.flatten() for p in model.model.parameters() if p.grad is not None]
        found.append((metrics["loss"], torch.cat(gradients)))
    assert found[0][0] == pytest.approx(found[1][0], abs=1e-6)
    torch.testing.assert_close(found[0][1], found[1][1], rtol=1e-3, atol=1e-6)


def test_the_reference_stays_where_it_was(model: VlmModel) -> None:
    learner = ClippedLearner(model, ClippedLossConfig(optimizer=FAST, kl_coefficient=0.1))
    assert learner.reference is not None
    before, batch = weights(learner.reference), samples(model, 3)
    learner.update(batch)
    second = learner.update(batch)
    assert torch.equal(weights(learner.reference), before)
    assert not torch.equal(weights(model), before)
    assert second["divergence"] > 1e-6
    assert not any(parameter.requires_grad for parameter in learner.reference.model.parameters())


def test_every_sample_is_learned_from_once(model: VlmModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """The released code fills its mini-batches up with samples that it has already: 12 of 1300 count twice there."""
    learner = ClippedLearner(model, ClippedLossConfig(kl_coefficient=0.0))
    context = Context(TASK, (), screen(0))
    todo = [PolicySample(context, (number,), (0.0,), 1.0) for number in range(1300)]
    seen: list[list[int]] = []

    def update(batch: list[PolicySample]) -> dict[str, float]:
        seen.append([sample.token_ids[0] for sample in batch])
        return {"loss": float(len(seen))}

    monkeypatch.setattr(learner, "update", update)
    assert learner.learn(todo, np.random.default_rng(0)) == {"loss": 2.5}
    assert [len(batch) for batch in seen] == [325] * 4
    assert sorted(number for batch in seen for number in batch) == list(range(1300))
    assert learner.learn([], np.random.default_rng(0)) == {}
    seen.clear()
    learner.learn(todo[:3], np.random.default_rng(0))
    assert [len(batch) for batch in seen] == [1, 1, 1]


def test_samples_that_cannot_be_learned_from_are_refused(model: VlmModel) -> None:
    learner = ClippedLearner(model, ClippedLossConfig(kl_coefficient=0.0))
    with pytest.raises(ValueError, match="at least one sample"):
        learner.update([])
    with pytest.raises(ValueError, match="sample 0 has 2 tokens and 1 log-probabilities"):
        learner.update([PolicySample(Context(TASK, (), screen(0)), (1, 2), (0.0,), 1.0)])


# --- the whole iteration -----------------------------------------------------------------------------------


def expert(model: VlmModel, name: str) -> ReplayEnv:
    """Somebody who does what a random policy does with one seed, so that matches by chance are not too rare."""
    torch.manual_seed(1)
    observation = screen(3)
    decision = VlmPolicy(model).act([Context(TASK, (), observation)])[0]
    step = Step(observation, Decision(decision.action, ""))
    record = Trajectory(name, TASK, (step, step), End.FINISHED, Provenance("human"), final=observation)
    return ReplayEnv(record, ReplaySettings(patches=None))


def test_an_iteration_rolls_out_filters_and_learns(model: VlmModel) -> None:
    policy = VlmPolicy(model)
    sampling = SamplingConfig(rollouts=6, batch_size=12, tasks=1, attempts=4, spread=0.05)
    loss = ClippedLossConfig(optimizer=FAST, mini_batches=2)
    trainer = SemiOnlineTrainer(policy, SemiOnlineConfig(), sampling, loss)
    before = weights(model)
    metrics = trainer.iterate([expert(model, f"e{n}") for n in range(4)], np.random.default_rng(0))
    assert metrics["filter/learned"] == 1
    assert metrics["learner/gradient_norm"] > 0
    assert 0 <= metrics["rollout/progress"] <= 1
    assert not torch.equal(weights(model), before)
    assert (policy.version, trainer.iterations) == (1, 1)


def test_an_iteration_that_finds_nothing_to_learn_goes_on(model: VlmModel) -> None:
    policy = VlmPolicy(model)
    sampling = SamplingConfig(rollouts=2, tasks=1, spread=100.0)
    trainer = SemiOnlineTrainer(policy, SemiOnlineConfig(), sampling, ClippedLossConfig(optimizer=FAST))
    metrics = trainer.iterate([expert(model, "e")], np.random.default_rng(0))
    assert metrics["filter/refused"] == 1
    assert not any(name.startswith("learner") for name in metrics)
    assert policy.version == 0


def test_acting_and_scoring_share_a_temperature(model: VlmModel) -> None:
    with pytest.raises(ValueError, match=r"at temperature 0.5, but its tokens would be scored at temperature 1"):
        SemiOnlineTrainer(VlmPolicy(model, temperature=0.5), SemiOnlineConfig(), SamplingConfig(), ClippedLossConfig())
