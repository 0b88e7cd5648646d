"""What a step of a replayed episode is worth in hindsight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

ReturnForm = Literal["paper", "code"]


def future_returns(
    rewards: Float[np.ndarray, " steps"],
    same: Bool[np.ndarray, " steps"],
    gamma: float,
    form: ReturnForm = "paper",
) -> Float[np.ndarray, " steps"]:
    """The discounted return from each step on, up to where the policy next leaves the expert's way.

    `same` is true at steps that match the expert's. UI-S1's equation 9 (arXiv 2509.11543) is
    `sum over k = t .. t_end of gamma^(k - t) rewards[k]`, with t_end the first mismatch at or after t, or the last
    step: what comes after a mismatch was reached by a patch and is not the policy's merit.

    - "paper": t_end counts, so that a step which leads to a mismatch sees its reward;
    - "code": the released code ends the sum before t_end, unless t_end is t itself.

    With gamma 0 both are the rewards. The paper uses 0.5.
    Raises ValueError when the shapes differ or gamma lies outside [0, 1].
    """
    earned, matched = np.asarray(rewards, dtype=np.float64), np.asarray(same, dtype=np.bool_)
    if earned.ndim != 1 or matched.shape != earned.shape:
        raise ValueError(f"rewards has shape {earned.shape} and same {matched.shape}: both need one entry per step")
    if not 0.0 <= gamma <= 1.0:
        raise ValueError(f"gamma is {gamma}, but a discount lies in [0, 1]")
    if form not in ("paper", "code"):
        raise ValueError(f'form is {form!r}, but there are only "paper" and "code"')
    returns = earned.copy()
    for step in range(len(earned) - 2, -1, -1):
        if matched[step] and (form == "paper" or matched[step + 1]):
            returns[step] += gamma * returns[step + 1]
    return returns
