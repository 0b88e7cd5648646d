"""One iteration of semi-online learning: rollouts until enough of them teach something, advantages, gradient steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tapwise.agent.action_text import short_text
from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env.replay import ReplayEnv
from tapwise.android_env.replay_episode import WritePatch, without_thought
from tapwise.training.semi_online.algorithm import SemiOnline, policy_samples
from tapwise.training.semi_online.config import ClippedLossConfig, SamplingConfig, SemiOnlineConfig
from tapwise.training.semi_online.filter import DynamicFilter
from tapwise.training.semi_online.learner import ClippedLearner
from tapwise.training.semi_online.rollout import RolloutDriver, RolloutGroup, Thinker


class SemiOnlineTrainer:
    """Trains a policy on experts' trajectories. `policy` must sample at the loss' temperature."""

    def __init__(
        self,
        policy: VlmPolicy,
        algorithm: SemiOnlineConfig,
        sampling: SamplingConfig,
        loss: ClippedLossConfig,
        *,
        write_patch: WritePatch | None = None,
        thinker: Thinker | None = None,
        learner: ClippedLearner | None = None,
    ) -> None:
        """Unless told, patches are written as prompts of local models tell of past actions, and the learner is a new
        one.

        Raises ValueError for a policy whose temperature is not that of the loss.
        """
        if policy.greedy or policy.temperature != loss.temperature:
            raise ValueError(
                f"the policy acts {'greedily' if policy.greedy else f'at temperature {policy.temperature:g}'}, but its"
                f" tokens would be scored at temperature {loss.temperature:g}: sample, at one and the same temperature"
            )
        self.policy = policy
        self.algorithm = SemiOnline(algorithm)
        self.learner = learner or ClippedLearner(policy.model, loss)
        self.filter: DynamicFilter[RolloutGroup] = DynamicFilter(sampling.tasks, sampling.spread, sampling.carry_limit)
        self._sampling = sampling
        self._driver = RolloutDriver(
            policy,
            write_patch or without_thought(short_text),
            rollouts=sampling.rollouts,
            batch_size=sampling.batch_size,
            thinker=thinker,
        )
        self.iterations = 0

    def iterate(self, experts: Sequence[ReplayEnv], rng: np.random.Generator) -> dict[str, float]:
        """Roll out on experts' trajectories in random order, learn, and count the policy's version up.

        At most `attempts` trajectories for each that is to be learned from are tried. If too few teach something the
        gradient steps are made on those; if none does, no step is made and the metrics of learning are left out.
        """
        tried = self._gather(experts, rng)
        batch = self.algorithm.annotate(self.filter.take())
        samples = policy_samples(batch)
        metrics = {
            **_rollout_metrics(tried),
            "filter/learned": float(len(batch)),
            "filter/waiting": float(len(self.filter.waiting)),
            "filter/refused": float(self.filter.refused),
            "filter/dropped": float(self.filter.dropped),
            **{f"learner/{name}": value for name, value in self.learner.learn(samples, rng).items()},
        }
        self.iterations += 1
        self.policy.version += bool(samples)
        return metrics

    def _gather(self, experts: Sequence[ReplayEnv], rng: np.random.Generator) -> list[RolloutGroup]:
        """Offer groups to the filter until it is full or enough were tried; all groups that were made.

        Those under way when it is full are finished and offered too: they are the surplus that waits.
        """
        limit = self._sampling.attempts * self._sampling.tasks
        order = (experts[index] for index in rng.permutation(len(experts))[:limit])
        wanted = itertools.takewhile(lambda _: not self.filter.full, order)
        tried: list[RolloutGroup] = []
        for group in self._driver.groups(wanted, f"iteration-{self.iterations}"):
            tried.append(group)
            if group.rollouts:
                self.filter.offer(group, self.algorithm.first_returns(group))
        return tried


def _rollout_metrics(groups: Sequence[RolloutGroup]) -> dict[str, float]:
    rollouts = [rollout for group in groups for rollout in group.rollouts]
    if not rollouts:
        return {}
    return {
        "rollout/progress": float(np.mean([rollout.progress for rollout in rollouts])),
        "rollout/complete": float(np.mean([rollout.complete for rollout in rollouts])),
        "rollout/reward": float(np.mean([reward for rollout in rollouts for reward in rollout.rewards])),
        "rollout/patched": float(np.mean([flag for rollout in rollouts for flag in rollout.patched])),
        "rollout/aborted": float(sum(group.aborted for group in groups)),
    }
