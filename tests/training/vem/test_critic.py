"""The critic on a tiny random model: what it reads, that it learns, and that scores are remembered."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tapwise.agent.action_text import GridActionText
from tapwise.agent.vlm.model import VlmModel
from tapwise.errors import ModelError
from tapwise.records import Action, Key, Point, Press, Tap, Trajectory, TypeText
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.vem.config import VemConfig
from tapwise.training.vem.critic import VemCritic, load_critic, soft_cross_entropy
from tapwise.training.vem.fit import fit, split_episodes
from tapwise.training.vem.labels import Example, StepLabel, examples
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.serialise import SerialisedStep, serialise_step

MakeTrajectory = Callable[..., Trajectory]
FAST = VemConfig(batch_size=8, optimizer=OptimizerConfig(learning_rate=3e-3, warm_up=0))
ACTIONS: list[Action] = [Tap(Point(0.2, 0.8), "wifi"), TypeText("sound"), Press(Key.BACK)]


@pytest.fixture
def critic(model: VlmModel) -> VemCritic:
    torch.manual_seed(1)
    return VemCritic(model, FAST)


@pytest.fixture
def steps(make_trajectory: MakeTrajectory) -> list[SerialisedStep]:
    trajectory = make_trajectory(ACTIONS)
    return [serialise_step(trajectory, index, GridActionText()) for index in range(3)]


def home_or_back(make: MakeTrajectory, episodes: int) -> list[Example]:
    """In every state the home key is good and the back key bad."""
    trajectories = [make([Press(Key.HOME)], name=f"e{number}") for number in range(episodes)]
    labels = [StepLabel(t.id, 0, 1.0, "x") for t in trajectories]
    labels += [StepLabel(t.id, 0, 0.0, "x", action=Press(Key.BACK)) for t in trajectories]
    return examples(trajectories, labels, GridActionText())


def test_soft_cross_entropy_by_hand() -> None:
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)]])
    found = soft_cross_entropy(logits, torch.tensor([1.0, 0.75]))
    entropy = -(0.75 * math.log(0.75) + 0.25 * math.log(0.25))
    assert float(found) == pytest.approx((math.log(2.0) + entropy) / 2)
    with pytest.raises(ValueError, match=r"\[batch, 2\]"):
        soft_cross_entropy(logits, torch.tensor([1.0]))


def test_steps_are_scored_alike_alone_and_in_a_batch(critic: VemCritic, steps: list[SerialisedStep]) -> None:
    together = critic.probabilities(steps)
    alone = [float(critic.probabilities([step])[0]) for step in steps]
    assert together.tolist() == pytest.approx(alone, abs=1e-5)
    assert len(set(together.round(6).tolist())) == 3
    assert critic.probabilities([]).shape == (0,)


def test_the_action_counts_and_so_does_the_place_of_a_touch(critic: VemCritic, make_trajectory: MakeTrajectory) -> None:
    taps = [Tap(Point(x, 0.5), "wifi") for x in (0.2, 0.8)]
    steps = [serialise_step(make_trajectory([tap]), 0, GridActionText()) for tap in taps]
    first, second = critic.probabilities(steps)
    assert first != pytest.approx(second, abs=1e-7)


def test_it_learns_which_actions_are_good_and_is_measured_on_other_episodes(
    critic: VemCritic, make_trajectory: MakeTrajectory
) -> None:
    found = fit(critic, home_or_back(make_trajectory, 10), 30, np.random.default_rng(0))
    assert (found.after.episodes, found.after.steps) == (2, 4)
    assert found.after.auc == 1.0
    assert found.after.brier < found.before.brier


def test_it_learns_a_share(critic: VemCritic, make_trajectory: MakeTrajectory) -> None:
    trajectory = make_trajectory([Press(Key.HOME)])
    shares = examples([trajectory], [StepLabel("e", 0, 0.25, "fork:x")], GridActionText())
    critic.train_on(shares, 40, np.random.default_rng(0))
    assert critic.probabilities([shares[0].step])[0] == pytest.approx(0.25, abs=0.05)


def test_episodes_are_never_on_both_sides(make_trajectory: MakeTrajectory) -> None:
    found = home_or_back(make_trajectory, 10)
    training, held_out = split_episodes(found, 0.3)
    assert len({example.episode for example in held_out}) == 3
    assert not {example.episode for example in training} & {example.episode for example in held_out}
    assert len(training) + len(held_out) == 20
    with pytest.raises(ValueError, match="labels of 1 episodes"):
        split_episodes(found[:1], 0.3)


def test_without_labels_there_is_nothing_to_train_on(critic: VemCritic) -> None:
    with pytest.raises(ValueError, match="abstention"):
        critic.train_on([], 1, np.random.default_rng(0))


def test_scores_are_remembered_until_the_critic_changes(critic: VemCritic, make_trajectory: MakeTrajectory) -> None:
    trajectory = make_trajectory(ACTIONS)
    pairs = [
        (serialise_step(trajectory, index, GridActionText()).context, action) for index, action in enumerate(ACTIONS)
    ]
    scorer = VemScorer(critic, batch_size=2, remembered=3)
    first = scorer.scores([*pairs, pairs[0]])
    assert first[0] == first[3]
    assert (scorer.forwards, len(scorer)) == (2, 3)
    assert scorer.scores(pairs).tolist() == first[:3].tolist()
    assert scorer.forwards == 2
    assert scorer.scores([(pairs[0][0], Press(Key.HOME))]).shape == (1,)
    assert (scorer.forwards, len(scorer)) == (3, 3)
    critic.train_on(home_or_back(make_trajectory, 2), 1, np.random.default_rng(0))
    assert scorer.scores(pairs[2:])[0] != first[2]
    assert scorer.forwards == 4
    assert scorer.scores([]).shape == (0,)


def test_a_saved_critic_says_the_same_and_is_frozen(
    critic: VemCritic, steps: list[SerialisedStep], tmp_path: Path
) -> None:
    critic.save(tmp_path / "vem")
    again = load_critic(tmp_path / "vem")
    assert again.probabilities(steps).tolist() == pytest.approx(critic.probabilities(steps).tolist(), abs=1e-6)
    assert again.config == FAST
    assert not any(parameter.requires_grad for parameter in again.parameters())
    with pytest.raises(ModelError, match="no value environment model in"):
        load_critic(tmp_path)
