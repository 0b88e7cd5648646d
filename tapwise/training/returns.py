"""What a step is worth in hindsight."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


def discounted_returns(rewards: Float[np.ndarray, " steps"], gamma: float) -> Float[np.ndarray, " steps"]:
    """The discounted return from each step on: `sum over j >= t of gamma^(j - t) * rewards[j]`.

    This is the Monte-Carlo return that DigiRL's step critic learns from (arXiv 2406.11896, section 4). The paper
    leaves gamma open; its released code uses 0.5, with which a success nine steps ahead is worth 0.002.
    With gamma 1 the first entry is the trajectory's total reward, and with gamma 0 nothing but the reward itself
    is left.

    Raises ValueError when `rewards` is not a vector or gamma lies outside [0, 1].
    """
    vector = np.asarray(rewards, dtype=np.float64)
    if vector.ndim != 1:
        raise ValueError(f"rewards must be a vector with one entry per step, not an array of shape {vector.shape}")
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma is {gamma}, but a discount lies in [0, 1]")
    returns = np.empty_like(vector)
    following = 0.0
    for step in range(len(vector) - 1, -1, -1):
        following = float(vector[step]) + gamma * following
        returns[step] = following
    return returns
