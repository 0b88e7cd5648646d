"""Which stored trajectories the next batch comes from: weights over summaries, and draws from them.

A scheme gives one probability per summary, in order; aborted and empty trajectories always get 0, and the rest sum to
1. Draws take a numpy Generator and give indices into the very summaries that were weighed, so that a run with a saved
generator draws the same batches again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tapwise.datasets.schema import Summary

Weights = NDArray[np.float64]
Indices = NDArray[np.int64]
Scheme = Callable[[Sequence[Summary]], Weights]


class StepIndices(NamedTuple):
    """Steps that were drawn: int64 vectors of one length, `steps[i]` counting from 0 within `trajectories[i]`."""

    trajectories: Indices
    steps: Indices


class MixedIndices(NamedTuple):
    """What of a batch comes from where: indices into the offline and into the online summaries."""

    offline: Indices
    online: Indices


# --- schemes ---------------------------------------------------------------------------------------------


def uniform(summaries: Sequence[Summary]) -> Weights:
    """Every trajectory alike. Raises ValueError when none can be trained on, as all schemes do."""
    return _normalised(summaries, np.ones(len(summaries)))


def by_steps(summaries: Sequence[Summary]) -> Weights:
    """In proportion to the number of steps: with `draw_steps`, every step of the buffer alike."""
    return _normalised(summaries, np.array([summary.steps for summary in summaries], dtype=np.float64))


def recency(half_life: float) -> Scheme:
    """The newest most: a trajectory weighs half as much as the one `half_life` places after it.

    Summaries are taken to be in the order of their ends, as a store gives them. Raises ValueError unless `half_life`
    is positive.
    """
    if not half_life > 0.0:
        raise ValueError(f"half_life is {half_life}, but it must be a positive number of trajectories")

    def scheme(summaries: Sequence[Summary]) -> Weights:
        age = np.arange(len(summaries) - 1, -1, -1, dtype=np.float64)
        can = _trainable(summaries)
        # Measured from the newest that can be trained on, so that many aborted ones after it do not underflow to 0.
        newest = float(age[can].min()) if can.any() else 0.0
        return _normalised(summaries, np.exp2(-np.maximum(age - newest, 0.0) / half_life))

    return scheme


def success(share: float = 0.5) -> Scheme:
    """Successes make up `share` of the draws, however rare they are; alike among themselves, as are the others.

    A trajectory without a verdict counts as no success. Where one kind is missing, the other one gets all draws.
    Raises ValueError when `share` lies outside [0, 1].
    """
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"share is {share}, but it must lie in [0, 1]")

    def scheme(summaries: Sequence[Summary]) -> Weights:
        can = _trainable(summaries)
        won = can & np.array([summary.success is True for summary in summaries], dtype=np.bool_)
        other = can & ~won
        weights = np.zeros(len(summaries))
        for group, part in ((won, share), (other, 1.0 - share)):
            if group.any():
                weights[group] = part / int(group.sum())
        # With share 1 and no success (or 0 and nothing else) the kind that is there takes over.
        return _normalised(summaries, weights if weights.any() else np.ones(len(summaries)))

    return scheme


def task_balanced(summaries: Sequence[Summary]) -> Weights:
    """Every instruction alike, however many trajectories it has; within one, every trajectory alike."""
    return balanced(lambda summary: summary.task.instruction)(summaries)


def balanced(key: Callable[[Summary], Hashable]) -> Scheme:
    """As `task_balanced`, for groups by any key, such as `lambda summary: summary.task.template`."""

    def scheme(summaries: Sequence[Summary]) -> Weights:
        keys = [key(summary) for summary in summaries]
        counts = Counter(name for name, can in zip(keys, _trainable(summaries), strict=True) if can)
        return _normalised(summaries, np.array([1.0 / max(counts[name], 1) for name in keys]))

    return scheme


def trajectory_weighted(weights: Mapping[str, float]) -> Scheme:
    """In proportion to weights by trajectory id, such as instruction-level advantages cut at 0; others get 0.

    The scheme raises ValueError that names the trajectory when a weight is negative or no finite number.
    """

    def scheme(summaries: Sequence[Summary]) -> Weights:
        given = np.array([weights.get(summary.id, 0.0) for summary in summaries], dtype=np.float64)
        wrong = ~(np.isfinite(given) & (given >= 0.0))
        if wrong.any():
            index = int(np.argmax(wrong))
            raise ValueError(
                f"the weight of trajectory {summaries[index].id!r} is {given[index]}: give finite weights of at least 0"
            )
        return _normalised(summaries, given)

    return scheme


# --- draws -----------------------------------------------------------------------------------------------


def draw(weights: Weights, n: int, rng: np.random.Generator, *, replace: bool = True) -> Indices:
    """`n` indices by probability, int64 of shape (n,).

    Without replacement raises ValueError when fewer than `n` weights are positive.
    """
    positive = int(np.count_nonzero(weights))
    if n < 0 or (not replace and n > positive):
        raise ValueError(f"{n} draws without replacement from {positive} trajectories: ask for at most {positive}")
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    return rng.choice(len(weights), size=n, replace=replace, p=weights).astype(np.int64)


def draw_steps(summaries: Sequence[Summary], weights: Weights, n: int, rng: np.random.Generator) -> StepIndices:
    """`n` steps: a trajectory by its weight, then one of its steps alike. Raises ValueError on unequal lengths."""
    if len(summaries) != len(weights):
        raise ValueError(f"{len(summaries)} summaries but {len(weights)} weights: weigh the summaries you draw from")
    chosen = draw(weights, n, rng)
    lengths = np.array([summary.steps for summary in summaries], dtype=np.int64)
    return StepIndices(chosen, rng.integers(lengths[chosen]))


def draw_mixed(
    offline: Weights, online: Weights, n: int, rng: np.random.Generator, *, online_share: float = 0.5
) -> MixedIndices:
    """A batch half from prior data and half from the agent's own, as in RLPD (arXiv 2302.02948, section 4.1).

    The shares are exact; where n times `online_share` is no whole number it is rounded up in favour of online data.
    A side without entries leaves the whole batch to the other one, so that training may begin before the first
    episode is collected. Raises ValueError when both are empty or `online_share` lies outside [0, 1].
    """
    if not 0.0 <= online_share <= 1.0:
        raise ValueError(f"online_share is {online_share}, but it must lie in [0, 1]")
    if len(offline) == 0 and len(online) == 0:
        raise ValueError("neither offline nor online trajectories are there to draw from")
    share = 1.0 if len(offline) == 0 else 0.0 if len(online) == 0 else online_share
    # Rounded first: 0.1 * 30 is a little more than 3 in floating point.
    own = int(np.ceil(round(share * n, 9)))
    return MixedIndices(draw(offline, n - own, rng), draw(online, own, rng))


# --- buffer ----------------------------------------------------------------------------------------------


class ReplayBuffer:
    """The summaries of the latest `capacity` trajectories; None keeps all. Holds no screenshot.

    Aborted and empty trajectories are not taken in. Indices of `sample` refer to `summaries`, oldest first.

    Released code of DigiRL (data/utils.py): slot i of its ring is overwritten in turn, `len` goes on counting past
    the capacity, and draws take a random integer below that count modulo the capacity, which favours the low slots
    unless the count is a multiple of it. `released_code` restores all three, and ignores the scheme.
    """

    def __init__(
        self, capacity: int | None = None, summaries: Iterable[Summary] = (), *, released_code: bool = False
    ) -> None:
        if capacity is not None and capacity < 1:
            raise ValueError(f"capacity is {capacity}, but it must be at least 1, or None to keep all")
        self._capacity = capacity
        self._released_code = released_code
        self._slots: list[Summary] = []
        self._added = 0
        self.extend(summaries)

    def add(self, summary: Summary) -> None:
        """Take a trajectory in; the oldest one leaves when the buffer is full."""
        if not summary.trainable:
            return
        if self._capacity is None or len(self._slots) < self._capacity:
            self._slots.append(summary)
        else:
            self._slots[self._added % self._capacity] = summary
        self._added += 1

    def extend(self, summaries: Iterable[Summary]) -> None:
        """Take several in, oldest first; `ParquetTrajectoryStore.scan()` gives them in this order."""
        for summary in summaries:
            self.add(summary)

    @property
    def summaries(self) -> list[Summary]:
        """What the buffer holds, oldest first; in the order of the slots with `released_code`."""
        if self._released_code or self._capacity is None or self._added <= self._capacity:
            return list(self._slots)
        first = self._added % self._capacity
        return self._slots[first:] + self._slots[:first]

    def __len__(self) -> int:
        return self._added if self._released_code else len(self._slots)

    def sample(self, n: int, rng: np.random.Generator, scheme: Scheme = uniform) -> Indices:
        """`n` indices into `summaries`, with replacement. Raises ValueError when the buffer is empty."""
        if not self._slots:
            raise ValueError("the replay buffer is empty: add trajectories that were not aborted")
        if self._released_code:
            return rng.integers(self._added, size=n) % len(self._slots)
        return draw(scheme(self.summaries), n, rng)


def _trainable(summaries: Sequence[Summary]) -> NDArray[np.bool_]:
    return np.array([summary.trainable for summary in summaries], dtype=np.bool_)


def _normalised(summaries: Sequence[Summary], weights: Weights) -> Weights:
    kept = np.where(_trainable(summaries), weights, 0.0)
    total = float(kept.sum())
    if not total > 0.0:
        raise ValueError(
            f"none of {len(summaries)} trajectories can be drawn: they are aborted, empty, or have weight 0"
        )
    probabilities: Weights = kept / total
    return probabilities
