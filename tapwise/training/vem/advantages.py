"""From P(good) to the weight of an action's log-probability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

from tapwise.training.semi_online.advantages import normalise_in_groups

if TYPE_CHECKING:
    from jaxtyping import Float, Int

Baseline = Literal["state_mean", "one_half", "released_code"]


def vem_advantages(
    good: Float[np.ndarray, " samples"], states: Int[np.ndarray, " samples"], baseline: Baseline = "state_mean"
) -> Float[np.ndarray, " samples"]:
    """How much better than its alternatives each sampled action is, from its P(good) and the number of its state.

    - "state_mean": less the mean over the samples of the same state, so that weights have both signs and a state in
      which all actions are alike teaches nothing; an action alone in its state gets 0;
    - "one_half": less 1/2, for a single sample a state;
    - "released_code": the critic's level over 2, that is 1 for "good" and 0.5 for "bad", as in VEM's released code.
      Every weight is positive, so that bad actions become more likely as well: for comparison only.

    Raises ValueError when the shapes differ, a number is outside [0, 1], or the baseline is none of these.
    """
    score = np.asarray(good, dtype=np.float64)
    if score.ndim != 1 or np.shape(states) != score.shape or not bool(((score >= 0) & (score <= 1)).all()):
        raise ValueError(
            f"good has shape {score.shape} and states {np.shape(states)}: both need one entry per sample, in [0, 1]"
        )
    if baseline == "state_mean":
        return normalise_in_groups(score, states, "mean_norm")
    if baseline == "one_half":
        return np.asarray(score - 0.5, dtype=np.float64)
    if baseline == "released_code":
        return np.where(score >= 0.5, 1.0, 0.5)
    raise ValueError(f'baseline is {baseline!r}, but there are only "state_mean", "one_half" and "released_code"')
