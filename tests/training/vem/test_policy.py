"""Learning against the critic: signed weights, the guard, DigiRL's values, and the whole way on a virtual phone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, SettleBudget, load_suite
from tapwise.config import validate
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import ConfigError, ModelError
from tapwise.records import Action, Context, Decision, Finish, Key, Press, Size, Trajectory, Wait
from tapwise.training.algorithms import DigiRL, make_algorithm
from tapwise.training.compose import critic_reader
from tapwise.training.critic import Critic
from tapwise.training.recipes import CriticConfig, DigiRLConfig, FilteredBCConfig, OptimizerConfig, Recipe
from tapwise.training.semi_online.config import ClippedLossConfig
from tapwise.training.vem.advantages import vem_advantages
from tapwise.training.vem.config import VemConfig, VemPolicyConfig
from tapwise.training.vem.critic import VemCritic
from tapwise.training.vem.fit import fit
from tapwise.training.vem.forks import ForkedStates
from tapwise.training.vem.guard import ExploitationGuard
from tapwise.training.vem.labels import LabelFile, examples
from tapwise.training.vem.policy import VemTrainer, states, train_against_vem
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.values import VemStepValues, make_step_values, sampled_scores

MakeTrajectory = Callable[..., Trajectory]
FAST = OptimizerConfig(learning_rate=3e-3, warm_up=0)


def test_advantages_have_both_signs_within_a_state() -> None:
    good, numbers = np.array([0.9, 0.1, 0.2, 0.6]), np.array([0, 0, 1, 1])
    assert vem_advantages(good, numbers).tolist() == pytest.approx([0.4, -0.4, -0.2, 0.2])
    assert vem_advantages(good, numbers, "one_half").tolist() == pytest.approx([0.4, -0.4, -0.3, 0.1])
    assert vem_advantages(good, numbers, "released_code").tolist() == [1.0, 0.5, 0.5, 1.0]
    assert vem_advantages(np.array([0.7, 0.7]), np.array([3, 3])).tolist() == pytest.approx([0.0, 0.0])


@pytest.mark.parametrize(
    ("good", "numbers", "baseline"), [([0.5], [0, 1], "one_half"), ([1.5], [0], "one_half"), ([0.5], [0], "mean")]
)
def test_impossible_advantages_are_refused(good: list[float], numbers: list[int], baseline: Any) -> None:
    with pytest.raises(ValueError, match=r"one entry per sample|baseline"):
        vem_advantages(np.array(good), np.array(numbers), baseline)


class TypedScorer(VemScorer):
    """Calls the home key good, and anything else bad."""

    def __init__(self) -> None:
        self.asked: list[Action] = []

    def scores(self, pairs: Sequence[tuple[Context, Action]]) -> np.ndarray:
        self.asked += [action for _, action in pairs]
        return np.array([float(action == Press(Key.HOME)) for _, action in pairs])


class Turns:
    """Says its decisions in turn."""

    name, version = "turns", 0

    def __init__(self, decisions: list[Decision]) -> None:
        self._decisions = decisions
        self._next = 0

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        found = [self._decisions[(self._next + n) % len(self._decisions)] for n in range(len(contexts))]
        self._next += len(contexts)
        return found


def test_unreadable_text_scores_nothing_and_is_not_taken_for_an_action(make_trajectory: MakeTrajectory) -> None:
    contexts = states([make_trajectory([Wait(), Wait()])])
    policy = Turns([Decision(Press(Key.HOME), "home"), Decision(Wait(), "garbage", unparsable="no action")])
    scorer = TypedScorer()
    decisions, good = sampled_scores(policy, scorer, contexts, samples=2, batch_size=3)
    assert good.tolist() == [1.0, 0.0, 1.0, 0.0]
    assert [decision.text for decision in decisions] == ["home", "garbage"] * 2
    assert scorer.asked == [Press(Key.HOME)] * 2


def test_the_policy_learns_what_the_critic_likes(model: VlmModel, make_trajectory: MakeTrajectory) -> None:
    torch.manual_seed(0)
    contexts = states([make_trajectory([Wait()] * 4)])
    loss = ClippedLossConfig(aggregation="sample_mean", mini_batches=1, kl_coefficient=1e-3, optimizer=FAST)
    config = VemPolicyConfig(samples=8, states=4, loss=loss)
    trainer = VemTrainer(VlmPolicy(model), TypedScorer(), config)
    ids = [model.action_ids("home")] * len(contexts)
    before = model.token_log_probs(contexts, ids)[0].sum(dim=1).mean().item()
    rng = np.random.default_rng(0)
    found = [trainer.iterate(contexts, rng) for _ in range(6)]
    after = model.token_log_probs(contexts, ids)[0].sum(dim=1).mean().item()
    assert after > before + 0.3
    assert trainer.policy.version == 6
    assert found[0]["learner/divergence"] == pytest.approx(0.0, abs=1e-6)
    assert found[-1]["learner/divergence"] > 0


def test_settings_that_teach_nothing_are_refused(model: VlmModel) -> None:
    with pytest.raises(ValueError, match="baseline to one_half"):
        VemTrainer(VlmPolicy(model), TypedScorer(), VemPolicyConfig(samples=1))
    with pytest.raises(ValueError, match="temperature 1"):
        VemTrainer(VlmPolicy(model, greedy=True), TypedScorer())


# --- the guard -------------------------------------------------------------------------------------------


def outcomes(successes: int, episodes: int = 50) -> list[bool]:
    return [True] * successes + [False] * (episodes - successes)


def test_the_guard_is_silent_while_success_rises_with_the_score() -> None:
    guard = ExploitationGuard()
    for number, (score, wins) in enumerate([(0.3, 10), (0.4, 15), (0.5, 20)]):
        assert guard.add(number, score, outcomes(wins)).alarm == "none"


def test_the_guard_warns_when_only_the_score_rises_and_stops_when_success_falls() -> None:
    guard = ExploitationGuard(patience=2)
    given = [(0.3, 25), (0.5, 25), (0.6, 24), (0.7, 25), (0.9, 5)]
    alarms = [guard.add(number, score, outcomes(wins)).alarm for number, (score, wins) in enumerate(given)]
    assert alarms == ["none", "none", "warn", "warn", "stop"]
    assert guard.measured[-1].success == pytest.approx(0.1)
    assert guard.measured[-1].success_interval.high < 0.25


def test_a_fall_of_both_is_no_exploitation() -> None:
    guard = ExploitationGuard()
    guard.add(0, 0.5, outcomes(25))
    assert guard.add(1, 0.4, outcomes(5)).alarm == "none"
    with pytest.raises(ValueError, match="at least one episode"):
        guard.add(2, 0.4, [])
    with pytest.raises(ValueError, match="patience 0"):
        ExploitationGuard(patience=0)


def test_training_stops_when_the_critic_is_exploited(model: VlmModel, make_trajectory: MakeTrajectory) -> None:
    torch.manual_seed(0)
    contexts = states([make_trajectory([Wait()] * 2)])
    loss = ClippedLossConfig(mini_batches=1, kl_coefficient=0.0, optimizer=FAST)
    trainer = VemTrainer(VlmPolicy(model), TypedScorer(), VemPolicyConfig(samples=4, states=2, loss=loss))
    scores, wins = iter([0.3, 0.6, 0.9]), iter([30, 30, 3])
    trainer.score = lambda contexts: next(scores)  # type: ignore[method-assign]
    report = train_against_vem(
        trainer, contexts, contexts, 10, np.random.default_rng(0), lambda: outcomes(next(wins)), every=1
    )
    assert report.stopped
    assert [one.iteration for one in report.measured] == [0, 1, 2]
    assert trainer.iterations == 2


# --- DigiRL ----------------------------------------------------------------------------------------------


def test_values_of_states_are_means_over_sampled_actions(make_trajectory: MakeTrajectory) -> None:
    policy = Turns([Decision(Press(Key.HOME), "home"), Decision(Press(Key.BACK), "back")])
    values = VemStepValues(TypedScorer(), policy, samples=4)
    assert values.step_values(make_trajectory([Wait(), Wait()])) == [0.5, 0.5, 0.5]


class FixedValues:
    """The same values along every trajectory."""

    def __init__(self, *values: float) -> None:
        self._values = list(values)

    def step_values(self, trajectory: Trajectory) -> list[float]:
        return self._values


@pytest.mark.parametrize(("values", "kept"), [((0.1, 0.9, 0.1), [0, 1]), ((0.9, 0.1, 0.9), [1])])
def test_digirl_takes_its_step_values_from_a_vem(
    model: VlmModel, make_trajectory: MakeTrajectory, values: tuple[float, ...], kept: list[int]
) -> None:
    """Without decay hindsight speaks at the last step alone: before it, steps that lead to a better state pass."""
    won = make_trajectory([Wait(), Wait()])
    steps = tuple(replace(s, decision=replace(s.decision, token_ids=model.action_ids("wait"))) for s in won.steps)
    config = DigiRLConfig(advantage="vem", vem="folder", offline_fraction=1.0, decay=0.0)
    critic = Critic(critic_reader(model), CriticConfig())
    algorithm = make_algorithm(config, FixedValues(*values))
    chosen, _ = algorithm.select([replace(won, steps=steps)], critic, "offline", 9, np.random.default_rng(0))
    assert [len(sample.context.history) for sample in chosen] == kept


def test_recipes_say_whose_values_count(model: VlmModel) -> None:
    assert DigiRLConfig().advantage == "critic"
    own = Path("never")
    assert make_step_values(DigiRLConfig(), VlmPolicy(model), own) is None
    assert make_step_values(FilteredBCConfig(), VlmPolicy(model), own) is None
    with pytest.raises(ModelError, match="tapwise train vem_virtual"):
        make_step_values(DigiRLConfig(advantage="vem", vem="nowhere"), VlmPolicy(model), own)
    assert validate(Recipe, {"algorithm": {"type": "digirl", "advantage": "vem"}}, "here").algorithm == DigiRLConfig(
        advantage="vem"
    )
    with pytest.raises(ConfigError, match=r"offline\.episodes is 0"):
        validate(Recipe, {"algorithm": {"type": "digirl", "advantage": "vem"}, "offline": {"episodes": 0}}, "here")
    with pytest.raises(ConfigError, match="set staleness to 0"):
        validate(Recipe, {"algorithm": {"type": "digirl", "advantage": "vem"}, "online": {"staleness": 1}}, "here")
    with pytest.raises(ConfigError, match="give both"):
        validate(Recipe, {"algorithm": {"type": "digirl", "vem": "folder"}}, "here")
    with pytest.raises(ValueError, match="give step_values"):
        DigiRL(DigiRLConfig(advantage="vem", vem="folder"))


# --- the whole way ---------------------------------------------------------------------------------------


def test_from_a_phone_over_labels_and_critic_to_a_policy(tmp_path: Path, model: VlmModel) -> None:
    """Fork an expert's episodes, train the critic on the values, save it, and learn against it."""
    torch.manual_seed(0)
    suite = load_suite("general")
    phone = InProcessDevice(VirtualPhone(size=Size(600, 270)))
    env = AndroidEnv(phone, suite, EnvSettings(with_tree=True, settle=SettleBudget(seconds=60.0)))
    expert = ScriptedExpert(suite)
    tasks = [task for task in suite.tasks("train") if task.app == "settings"][:2]
    file = LabelFile(tmp_path / "labels.jsonl")
    forks = ForkedStates(env, expert, rollouts=1)
    trajectories = []
    for number, task in enumerate(tasks):
        trajectory, labels = forks.label_episode(
            expert, task, number, lambda context, action: [Finish("impossible")], f"fork-{number}"
        )
        file.append(labels)
        trajectories.append(trajectory)
    found = examples(trajectories, file, model.action_text)
    assert {example.good for example in found} == {0.0, 1.0}
    critic = VemCritic(critic_reader(model), VemConfig(batch_size=8, optimizer=FAST))
    result = fit(critic, found, 12, np.random.default_rng(0))
    assert result.after.brier < result.before.brier
    critic.save(tmp_path / "vem")

    policy = VlmPolicy(model)
    config = DigiRLConfig(advantage="vem", vem=str(tmp_path / "vem"), vem_samples=2)
    values = make_step_values(config, policy, tmp_path)
    assert values is not None
    along = values.step_values(trajectories[0])
    assert len(along) == len(trajectories[0].steps) + 1
    assert all(0.0 <= value <= 1.0 for value in along)

    loss = ClippedLossConfig(mini_batches=1, optimizer=FAST)
    trainer = VemTrainer(policy, VemScorer(critic), VemPolicyConfig(samples=2, states=2, loss=loss))
    contexts = states(trajectories)
    report = train_against_vem(
        trainer, contexts[:-2], contexts[-2:], 1, np.random.default_rng(0), lambda: [False, True]
    )
    assert len(report.measured) == 2
    assert policy.version == 1
