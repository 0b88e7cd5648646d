"""Learning a policy against a frozen critic: VEM's second stage.

States come from trajectories at rest; no phone is needed. In each the policy samples several actions, the critic says
how good they are, and those above the state's mean become more likely, those below it less. Against the released code:
weights of both signs, a divergence from the initial policy, 32-bit weights in the optimiser, every sample used once,
and the tokens that are learned are the ones that were sampled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.protocols import Tracker
from tapwise.records import Context, Trajectory
from tapwise.training.semi_online.algorithm import PolicySample
from tapwise.training.semi_online.learner import ClippedLearner
from tapwise.training.transitions import step_context
from tapwise.training.vem.advantages import vem_advantages
from tapwise.training.vem.config import VemPolicyConfig
from tapwise.training.vem.guard import ExploitationGuard, Measured
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.values import sampled_scores

Outcomes = Callable[[], Sequence[bool]]
"""Lets the current policy do whole episodes, and says which of them succeeded."""


def states(trajectories: Iterable[Trajectory]) -> list[Context]:
    """Every state of trajectories in which an action was taken, with the history up to it."""
    return [step_context(trajectory, index) for trajectory in trajectories for index in range(len(trajectory.steps))]


class VemTrainer:
    """Trains a policy against a critic. Raises ValueError for a policy that does not sample at the loss' temperature,
    or a single sample a state where the baseline is the state's mean."""

    def __init__(
        self,
        policy: VlmPolicy,
        scorer: VemScorer,
        config: VemPolicyConfig | None = None,
        learner: ClippedLearner | None = None,
    ) -> None:
        self.config = config or VemPolicyConfig()
        if policy.greedy or policy.temperature != self.config.loss.temperature:
            raise ValueError(
                f"the policy must sample at temperature {self.config.loss.temperature:g}, under which its tokens are"
                " scored: make it with greedy=False and that temperature"
            )
        if self.config.samples == 1 and self.config.baseline == "state_mean":
            raise ValueError(
                "the mean of a single sample leaves nothing to learn from: set samples above 1, or baseline to one_half"
            )
        self.policy = policy
        self.scorer = scorer
        self.learner = learner or ClippedLearner(policy.model, self.config.loss)
        self.iterations = 0

    def iterate(self, contexts: Sequence[Context], rng: np.random.Generator) -> dict[str, float]:
        """Sample actions in states drawn without replacement, score them, learn, and count the policy's version up."""
        drawn = [contexts[index] for index in rng.permutation(len(contexts))[: self.config.states]]
        decisions, good = sampled_scores(self.policy, self.scorer, drawn, self.config.samples, self.config.batch_size)
        numbers = np.repeat(np.arange(len(drawn)), self.config.samples)
        advantages = vem_advantages(good, numbers, self.config.baseline)
        samples = [
            PolicySample(drawn[number], decision.token_ids, decision.log_probs, float(advantage))
            for number, decision, advantage in zip(numbers, decisions, advantages, strict=True)
            if decision.token_ids
        ]
        learned = self.learner.learn(samples, rng)
        self.iterations += 1
        self.policy.version += bool(samples)
        return {
            "vem/score": float(good.mean()) if len(good) else float("nan"),
            "vem/advantage_size": float(np.abs(advantages).mean()) if len(good) else float("nan"),
            "vem/unparsable": float(sum(decision.unparsable is not None for decision in decisions)),
            **{f"learner/{name}": value for name, value in learned.items()},
        }

    def score(self, contexts: Sequence[Context]) -> float:
        """The mean P(good) of actions that the policy samples in states: what it is optimised for."""
        _, good = sampled_scores(self.policy, self.scorer, contexts, self.config.samples, self.config.batch_size)
        return float(good.mean())


@dataclass(frozen=True, slots=True)
class VemReport:
    """The critic's score against the true outcome over training, and whether the guard ended it."""

    measured: tuple[Measured, ...]
    stopped: bool


def train_against_vem(
    trainer: VemTrainer,
    contexts: Sequence[Context],
    watched: Sequence[Context],
    iterations: int,
    rng: np.random.Generator,
    outcomes: Outcomes,
    *,
    every: int = 5,
    guard: ExploitationGuard | None = None,
    tracker: Tracker | None = None,
) -> VemReport:
    """Up to `iterations` iterations on `contexts`. Before the first, after each `every` and after the last the policy
    is measured: its score in the states `watched`, which should not be among the contexts, and its `outcomes`.

    The guard's "stop" ends the training. Its "warn" is in the report and in the metrics. Raises ValueError for an
    `every` below 1, or without states.
    """
    if every < 1 or not contexts or not watched:
        raise ValueError(
            f"every is {every}, and there are {len(contexts)} states to learn in and {len(watched)} to watch: give at"
            " least one of each"
        )
    watch = guard or ExploitationGuard()

    def measure(iteration: int) -> bool:
        found = watch.add(iteration, trainer.score(watched), outcomes())
        if tracker is not None:
            values: dict[str, float | int | str] = {
                "vem/watched_score": found.score,
                "vem/success": found.success,
                "vem/alarm": found.alarm,
            }
            tracker.log(values, iteration)
        return found.alarm == "stop"

    stopped = measure(0)
    for iteration in range(1, iterations + 1):
        metrics = trainer.iterate(contexts, rng)
        if tracker is not None:
            tracker.log(metrics, iteration)
        if iteration % every == 0 or iteration == iterations:
            stopped = measure(iteration)
            if stopped:
                break
    return VemReport(tuple(watch.measured), stopped)
