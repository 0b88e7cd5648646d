"""How much better a rollout, or one step of it, went than the other rollouts of the same task.

UI-S1, arXiv 2509.11543, equations 10 to 12. Vectors have one entry per sample, a sample being a step or a rollout;
samples of equal group number are compared with each other. Standard deviations are unbiased (divided by n - 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

Norm = Literal["mean_std_norm", "mean_norm"]

EPSILON = 1e-6
"""Added to standard deviations, as in the released code."""


def normalise_in_groups(
    values: Float[np.ndarray, " samples"],
    groups: Int[np.ndarray, " samples"],
    norm: Norm = "mean_std_norm",
) -> Float[np.ndarray, " samples"]:
    """Each value less its group's mean, and with "mean_std_norm" over the group's standard deviation + 1e-6.

    A sample alone in its group has nothing to be compared with and gets 0.
    Raises ValueError when the shapes differ, a value is not finite, or the norm is neither.
    """
    vector, numbers = _check(values, groups, norm)
    normalised = np.zeros_like(vector)
    for number in np.unique(numbers):
        members = numbers == number
        normalised[members] = _normalise(vector[members], norm)
    return normalised


def trajectory_advantages(
    returns: Float[np.ndarray, " rollouts"], tasks: Int[np.ndarray, " rollouts"], norm: Norm = "mean_std_norm"
) -> Float[np.ndarray, " rollouts"]:
    """One advantage per rollout: its return among those of the same task.

    UI-S1's equation 11 (arXiv 2509.11543). Released code: has no such term; see `released_code_trajectory_advantages`.
    """
    return normalise_in_groups(returns, tasks, norm)


def released_code_trajectory_advantages(
    rewards: Float[np.ndarray, " steps"], tasks: Int[np.ndarray, " steps"], norm: Norm = "mean_std_norm"
) -> Float[np.ndarray, " steps"]:
    """What UI-S1's released code adds in place of equation 11: each step's own reward, among all steps of the task.

    Two steps of one rollout get different numbers, and a rollout that goes on for longer weighs more in the mean. A
    task of a single step keeps its reward, over 1 + 1e-6 with "mean_std_norm".
    """
    vector, numbers = _check(rewards, tasks, norm)
    normalised = normalise_in_groups(vector, numbers, norm)
    for number in np.unique(numbers):
        members = numbers == number
        if members.sum() == 1:
            normalised[members] = vector[members] / (1.0 + EPSILON if norm == "mean_std_norm" else 1.0)
    return normalised


def step_advantages(
    returns: Float[np.ndarray, " steps"],
    tasks: Int[np.ndarray, " steps"],
    indices: Int[np.ndarray, " steps"],
    norm: Norm = "mean_std_norm",
) -> Float[np.ndarray, " steps"]:
    """Each step's return among the rollouts of the same task at the same step index (arXiv 2509.11543, equation 10).

    Few rollouts may reach late steps: one that is alone there gets 0.
    Raises ValueError as `normalise_in_groups` does.
    """
    pairs = np.stack([np.asarray(tasks), np.asarray(indices)], axis=1)
    _, groups = np.unique(pairs, axis=0, return_inverse=True)
    return normalise_in_groups(returns, groups.reshape(-1), norm)


def combine(
    trajectory: Float[np.ndarray, " steps"],
    step: Float[np.ndarray, " steps"],
    trajectory_weight: float = 1.0,
    step_weight: float = 1.0,
) -> Float[np.ndarray, " steps"]:
    """The weighted sum of both advantages, one entry a step (arXiv 2509.11543, equation 12; its weight is 1)."""
    total = trajectory_weight * np.asarray(trajectory, dtype=np.float64)
    return np.asarray(total + step_weight * np.asarray(step, dtype=np.float64), dtype=np.float64)


def _normalise(members: Float[np.ndarray, " members"], norm: Norm) -> Float[np.ndarray, " members"]:
    if len(members) == 1:
        return np.zeros(1)
    centred = np.asarray(members - members.mean(), dtype=np.float64)
    return centred / (members.std(ddof=1) + EPSILON) if norm == "mean_std_norm" else centred


def _check(
    values: Float[np.ndarray, " samples"], groups: Int[np.ndarray, " samples"], norm: str
) -> tuple[Float[np.ndarray, " samples"], Int[np.ndarray, " samples"]]:
    vector, numbers = np.asarray(values, dtype=np.float64), np.asarray(groups)
    if vector.ndim != 1 or numbers.shape != vector.shape:
        raise ValueError(f"values has shape {vector.shape} and groups {numbers.shape}: both need one entry per sample")
    if not bool(np.isfinite(vector).all()):
        raise ValueError(f"value {int(np.argmin(np.isfinite(vector)))} is not finite")
    if norm not in ("mean_std_norm", "mean_norm"):
        raise ValueError(f'norm is {norm!r}, but there are only "mean_std_norm" and "mean_norm"')
    return vector, numbers
