"""Training a critic on labelled episodes, and measuring it on others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tapwise.training.vem.calibration import Quality, quality
from tapwise.training.vem.critic import VemCritic
from tapwise.training.vem.labels import Example


@dataclass(frozen=True, slots=True)
class Fit:
    """What came of training: the mean loss in nats, and the quality on held-out episodes before and after."""

    loss: float
    before: Quality
    after: Quality


def split_episodes(examples: Sequence[Example], held_out: float) -> tuple[list[Example], list[Example]]:
    """Examples to train on and to measure with, no episode in both.

    The episodes with the lowest hashes are held out: the same ones in every run, also when labels are added to them.
    Raises ValueError when there are fewer than two episodes.
    """
    places = {example.episode: _place(example.episode) for example in examples}
    if len(places) < 2:
        raise ValueError(
            f"there are labels of {len(places)} episodes, but a critic is trained on some and measured on others: label"
            " at least two"
        )
    count = min(max(round(held_out * len(places)), 1), len(places) - 1)
    apart = set(sorted(places, key=places.__getitem__)[:count])
    return (
        [example for example in examples if example.episode not in apart],
        [example for example in examples if example.episode in apart],
    )


def fit(critic: VemCritic, examples: Sequence[Example], updates: int, rng: np.random.Generator) -> Fit:
    """Train on most episodes and measure on the rest. Raises ValueError as `split_episodes` does."""
    training, held_out = split_episodes(examples, critic.config.held_out)
    before = measure(critic, held_out)
    loss = critic.train_on(training, updates, rng)
    return Fit(loss, before, measure(critic, held_out))


def measure(critic: VemCritic, examples: Sequence[Example]) -> Quality:
    """The critic's quality on examples. Raises ValueError when there are none."""
    size = critic.config.batch_size
    scores = [
        critic.probabilities([example.step for example in examples[start : start + size]])
        for start in range(0, len(examples), size)
    ]
    good = np.array([example.good for example in examples])
    return quality(np.concatenate([np.zeros(0), *scores]), good, [example.episode for example in examples])


def _place(episode: str) -> bytes:
    return hashlib.sha256(episode.encode()).digest()
