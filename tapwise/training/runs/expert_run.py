"""Runs that learn from experts' trajectories, of the recipe's phones or of a store, by clipped policy gradients."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from tapwise.agent.action_text import short_text
from tapwise.android_env.replay import ReplaySettings
from tapwise.android_env.replay_episode import Rollout, without_thought
from tapwise.protocols import Policy
from tapwise.records import Trajectory
from tapwise.training.evaluation import EpisodeResult
from tapwise.training.manifest import build_replay_manifest
from tapwise.training.recipes import ExpertRecipe
from tapwise.training.runs.experts import Replays, StoredTrajectories, choose_experts, open_experts
from tapwise.training.runs.policy_run import PolicyRun
from tapwise.training.runs.units import Observer
from tapwise.training.semi_online.config import ClippedLossConfig
from tapwise.training.semi_online.learner import ClippedLearner, frozen_copy
from tapwise.training.semi_online.rollout import RolloutDriver

ExpertT = TypeVar("ExpertT", bound=ExpertRecipe)

BATCH = 32
"""contexts that the policy decides on at once when it is measured on replays"""


class ExpertRun(PolicyRun[ExpertT]):
    """What semi-online learning and learning against a value environment model share.

    With `data.store` no phone is needed: the store's trajectories are the demonstrations, and success is measured by
    replaying held-out ones. Raises ConfigError when the store holds too little.
    """

    def __init__(self, recipe: ExpertT, folder: Path, observer: Observer) -> None:
        super().__init__(recipe, folder, observer)
        self._clipped: ClippedLearner | None = None
        self.source = open_experts(recipe.data.store) if recipe.data.store else None
        if self.source is not None:
            chosen = choose_experts(self.source, recipe.data, self._rng("experts"))
            self._training, self._held_out = chosen.training, chosen.held_out

    @property
    @abstractmethod
    def _loss(self) -> ClippedLossConfig:
        """How the policy is trained."""

    @property
    def _updates(self) -> int:
        return self.learner.updates + (self._clipped.optimizer.updates if self._clipped is not None else 0)

    def _equipment(self) -> AbstractContextManager[object]:
        return self._phones() if self.source is None else nullcontext()

    def _clipped_learner(self) -> ClippedLearner:
        """The learner, whose divergence is measured from the model as it is when this is first called in a run."""
        if self._clipped is None:
            self._clipped = ClippedLearner(self.model, self._loss)
        return self._clipped

    def close(self) -> None:
        """Close stores and metrics."""
        super().close()
        if self.source is not None:
            self.source.close()

    # --- units ---------------------------------------------------------------------------------------

    def _demonstrate(self) -> None:
        if self.source is None:
            super()._demonstrate()
            return
        readable = [name for name in self._training if _readable(self.source.get(name))]
        self.progress.demonstrations = readable
        self.demonstrations = self._stored_demonstrations()
        self._log({"experts/kept": len(readable), "experts/unreadable": len(self._training) - len(readable)})

    def _learn_supervised(self) -> None:
        if self.recipe.supervised.updates:  # a store's samples would fill the memory for nothing
            super()._learn_supervised()

    def _evaluate(self, phase: str) -> None:
        if self.source is None:
            super()._evaluate(phase)
            return
        rollouts = self._replay(self._greedy(), self._watched_experts(self.recipe.evaluation.episodes), phase)
        results = []
        for number, rollout in rollouts.items():
            trajectory = replace(rollout.trajectory, id=f"evaluation-{phase}-{number:04}")
            if trajectory.id not in self.store:
                self.store.append(trajectory)
            self.observer.episode(f"evaluate/{phase}", trajectory)
            results.append(replace(EpisodeResult.of(trajectory), success=rollout.complete))
        self._measured(phase, results)
        self._log({f"progress/{phase}": float(np.mean([one.progress for one in rollouts.values()] or [np.nan]))})

    @property
    def _demonstrations_each(self) -> int:
        return super()._demonstrations_each + self.recipe.data.demonstrations

    @property
    def _imitated(self) -> Sequence[Trajectory]:
        if self.source is not None:
            return self.demonstrations
        taken: Counter[str] = Counter()
        kept = []
        for trajectory in self.demonstrations:
            taken[trajectory.task.template] += 1
            if taken[trajectory.task.template] <= self.recipe.supervised.demonstrations:
                kept.append(trajectory)
        return kept

    # --- parts ---------------------------------------------------------------------------------------

    def _watched_experts(self, count: int) -> Sequence[Trajectory]:
        """At most `count` held-out trajectories of the store that can be replayed, the same ones each time."""
        assert self.source is not None
        order = np.random.default_rng(self.recipe.evaluation.seed).permutation(len(self._held_out))
        kept: list[str] = []
        for index in order:
            if len(kept) == count:
                break
            if _readable(self.source.get(self._held_out[index])):
                kept.append(self._held_out[index])
        return StoredTrajectories(self.source, kept)

    def _replay(self, policy: Policy, experts: Sequence[Trajectory], name: str) -> dict[int, Rollout]:
        """A rollout without patches on each expert's trajectory, by its number, but for those that a fault ended."""
        driver = RolloutDriver(policy, without_thought(short_text), rollouts=1, batch_size=BATCH)
        found = {
            int(rollout.trajectory.id.split("/")[-2]): rollout
            for group in driver.groups(Replays(experts, ReplaySettings(patches=0)), name)
            for rollout in group.rollouts
        }
        return dict(sorted(found.items()))

    # --- keeping -------------------------------------------------------------------------------------

    def sizes(self) -> dict[str, int]:
        """Episodes by kind of unit."""
        return super().sizes() if self.source is None else {}

    def _manifest(self) -> dict[str, Any]:
        if self.source is None:
            return super()._manifest()
        return build_replay_manifest(
            self.recipe, self.recipe.data.store, self._training, self._held_out, self.model.name
        )

    def _stored_demonstrations(self) -> Sequence[Trajectory]:
        if self.source is None:
            return super()._stored_demonstrations()
        return StoredTrajectories(self.source, self.progress.demonstrations)

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if self._clipped is not None:
            state["clipped"] = self._clipped.optimizer.state_dict()
            if self._clipped.reference is not None:
                weights = self._clipped.reference.model.state_dict()
                state["reference"] = {name: value for name, value in weights.items() if "visual." not in name}
        return state

    def _restore(self, saved: dict[str, Any]) -> None:
        super()._restore(saved)
        if "clipped" not in saved:
            return
        reference = None
        if "reference" in saved:
            reference = frozen_copy(self.model)
            reference.model.load_state_dict(saved["reference"], strict=False)  # the vision tower is the policy's
        self._clipped = ClippedLearner(self.model, self._loss, reference)
        self._clipped.optimizer.load_state_dict(saved["clipped"])


def _readable(trajectory: Trajectory) -> bool:
    return all(step.decision.unparsable is None for step in trajectory.steps)
