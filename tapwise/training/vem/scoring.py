"""P(good) of many actions at once, each looked at only once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tapwise.records import Action, Context
from tapwise.training.vem.critic import VemCritic
from tapwise.training.vem.serialise import SerialisedStep, digest, serialise


class VemScorer:
    """Scores actions in states with a critic, in batches, and remembers.

    The memory is keyed by what the critic reads (goal, history, action, screenshot) and by the critic's own hash: the
    same action in the same state costs nothing, and a critic that was trained on is asked again. At most
    `remembered` scores are kept, those used last.
    """

    def __init__(self, critic: VemCritic, batch_size: int = 32, remembered: int = 100_000) -> None:
        if batch_size < 1 or remembered < 1:
            raise ValueError(f"batch_size is {batch_size} and remembered {remembered}: both must be at least 1")
        self.critic = critic
        self.forwards = 0
        """batches that the critic has read"""
        self._batch_size = batch_size
        self._remembered = remembered
        self._scores: OrderedDict[bytes, float] = OrderedDict()

    def __len__(self) -> int:
        """How many scores are remembered."""
        return len(self._scores)

    def forget(self) -> None:
        """Ask the critic again for everything."""
        self._scores.clear()

    def scores(self, pairs: Sequence[tuple[Context, Action]]) -> NDArray[np.float64]:
        """P(good) of each action in its state: float64 of shape (pairs,)."""
        form, fingerprint = self.critic.reader.action_text, self.critic.fingerprint()
        steps = [serialise(context, action, form) for context, action in pairs]
        keys = [digest([fingerprint, step.key]) for step in steps]
        found = {key: self._scores[key] for key in keys if key in self._scores}
        missing = {key: step for key, step in zip(keys, steps, strict=True) if key not in found}
        found |= self._ask(missing)
        for key in keys:
            self._scores[key] = found[key]
            self._scores.move_to_end(key)
        while len(self._scores) > self._remembered:
            self._scores.popitem(last=False)
        return np.array([found[key] for key in keys], dtype=np.float64)

    def _ask(self, missing: dict[bytes, SerialisedStep]) -> dict[bytes, float]:
        items = list(missing.items())
        scores: dict[bytes, float] = {}
        for start in range(0, len(items), self._batch_size):
            part = items[start : start + self._batch_size]
            found = self.critic.probabilities([step for _, step in part]).tolist()
            scores.update(zip((key for key, _ in part), found, strict=True))
            self.forwards += 1
        return scores
