"""Which trajectories to learn from, and which tasks to try next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float


def top_cutoff(scores: Float[np.ndarray, " trajectories"], fraction: float) -> float:
    """The score that the best `fraction` reach: the (1 - fraction) quantile, interpolated linearly.

    Raises ValueError when there are no scores, one is not a number, or fraction lies outside (0, 1].
    """
    vector = np.asarray(scores, dtype=np.float64)
    if not 0.0 < fraction <= 1.0:
        raise ValueError(f"fraction is {fraction}, but it must lie in (0, 1]")
    if vector.ndim != 1 or len(vector) == 0:
        raise ValueError(f"scores must be a vector with at least one entry, not an array of shape {vector.shape}")
    if np.isnan(vector).any():
        raise ValueError(f"score {int(np.argmax(np.isnan(vector)))} is not a number")
    return float(np.quantile(vector, 1.0 - fraction, method="linear"))


def top_fraction(
    scores: Float[np.ndarray, " trajectories"],
    fraction: float,
    returns: Float[np.ndarray, " trajectories"] | None = None,
    *,
    released_code: bool = False,
) -> Bool[np.ndarray, " trajectories"]:
    """Mask of the trajectories whose score is at least the cutoff of the best `fraction`, and which succeeded.

    DigiRL's filter by instruction-level advantage (arXiv 2406.11896, equation 4.4), and with returns as scores its
    filtered behaviour cloning. `returns` says which trajectories earned anything; without it the scores are the
    returns. Ties with the cutoff are kept, so that more than `fraction` may pass.

    Released code: has no look at the outcome. Where fewer than `fraction` succeed, its cutoff falls to that of a
    failure, and for returns to 0, so that every failure is imitated too. Here a trajectory whose return is 0 never
    passes; `released_code` restores theirs.

    No scores give an empty mask. Raises ValueError when the shapes differ, a score is not a number, or fraction lies
    outside (0, 1].
    """
    vector = np.asarray(scores, dtype=np.float64)
    earned = vector if returns is None else np.asarray(returns, dtype=np.float64)
    if earned.shape != vector.shape:
        raise ValueError(f"scores has shape {vector.shape}, but returns has {earned.shape}")
    if vector.shape == (0,):
        return np.zeros(0, dtype=np.bool_)
    kept: Bool[np.ndarray, " trajectories"] = vector >= top_cutoff(vector, fraction)
    return kept if released_code else kept & (earned > 0.0)


def task_weights(success_rates: Float[np.ndarray, " tasks"], floor: float = 0.2) -> Float[np.ndarray, " tasks"]:
    """Probabilities with which to draw tasks, highest where success is as likely as failure. They sum to 1.

    A task that always succeeds or always fails teaches little: its weight is proportional to p (1 - p), the variance
    of its outcome. The share `floor` is spread evenly over all tasks, so that none is forgotten. For a task never
    tried, give the critic's estimate, or 0.5. When no task is informative all are equally likely.

    DigiRL (arXiv 2406.11896, section 4) speaks of a curriculum, but draws tasks uniformly, in paper and released
    code: its curriculum is `top_fraction` on instruction-level advantages. `floor` 1 gives their uniform draw.
    Raises ValueError when there are no tasks, a rate lies outside [0, 1], or floor does.
    """
    rates = np.asarray(success_rates, dtype=np.float64)
    if rates.ndim != 1 or len(rates) == 0:
        raise ValueError(f"success_rates must be a vector with at least one task, not an array of shape {rates.shape}")
    if not bool(np.all((rates >= 0.0) & (rates <= 1.0))):
        raise ValueError("a success rate lies outside [0, 1]")
    if not 0.0 <= floor <= 1.0:
        raise ValueError(f"floor is {floor}, but it must lie in [0, 1]")
    uniform = np.full(len(rates), 1.0 / len(rates))
    variance = rates * (1.0 - rates)
    total = float(variance.sum())
    if total <= 0.0:
        return uniform
    return floor * uniform + (1.0 - floor) * variance / total
