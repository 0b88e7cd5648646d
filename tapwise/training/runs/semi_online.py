"""The semi-online run: experts' trajectories, an imitation of them, reinforcement learning on replays of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tapwise.training.runs.expert_run import ExpertRun
from tapwise.training.runs.experts import Replays
from tapwise.training.runs.units import Observer, Unit
from tapwise.training.semi_online.carry import pack, unpack
from tapwise.training.semi_online.config import ClippedLossConfig
from tapwise.training.semi_online.recipe import SemiOnlineRecipe
from tapwise.training.semi_online.trainer import SemiOnlineTrainer

PHASE = "semi_online"


class SemiOnlineRun(ExpertRun[SemiOnlineRecipe]):
    """Demonstrations, imitation, iterations on replays, an evaluation after imitation and at the end."""

    def __init__(self, recipe: SemiOnlineRecipe, folder: Path, observer: Observer) -> None:
        super().__init__(recipe, folder, observer)
        self._trained: SemiOnlineTrainer | None = None
        self._ready()

    @property
    def _loss(self) -> ClippedLossConfig:
        return self.recipe.loss

    def units(self) -> list[Unit]:
        """Names and work of all units, in order."""
        count = -(-self.recipe.iterations // self.recipe.checkpoint_every)
        units = self._start_units()
        units += [(f"{PHASE}/{n}", lambda n=n: self._learn_on_replays(n)) for n in range(count)]  # type: ignore[misc]
        if count:
            units.append((f"evaluate/{PHASE}", lambda: self._evaluate(PHASE)))
        return units

    def _learn_on_replays(self, number: int) -> None:
        rng, recipe = self._rng(f"{PHASE}/{number}"), self.recipe
        trainer, experts = self._trainer(), Replays(self.demonstrations, recipe.replay)
        for _ in range(min(recipe.checkpoint_every, recipe.iterations - number * recipe.checkpoint_every)):
            self._log(trainer.iterate(experts, rng))

    def _trainer(self) -> SemiOnlineTrainer:
        if self._trained is None:
            recipe = self.recipe
            learner = self._clipped_learner()
            self._trained = SemiOnlineTrainer(
                self.policy, recipe.algorithm, recipe.sampling, recipe.loss, learner=learner
            )
        return self._trained

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if self._trained is not None:
            filtered = self._trained.filter
            state["semi_online"] = {
                "iterations": self._trained.iterations,
                "waiting": pack(filtered.waiting),
                "refused": filtered.refused,
                "dropped": filtered.dropped,
            }
        return state

    def _restore(self, saved: dict[str, Any]) -> None:
        super()._restore(saved)
        if "semi_online" in saved:
            kept, trainer = saved["semi_online"], self._trainer()
            trainer.iterations = kept["iterations"]
            trainer.filter.restore(unpack(kept["waiting"]))
            trainer.filter.refused, trainer.filter.dropped = kept["refused"], kept["dropped"]
