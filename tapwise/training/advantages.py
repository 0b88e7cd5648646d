"""How much better than expected a step, or a whole trajectory, turned out: DigiRL's estimators.

arXiv 2406.11896, section 4. Paper and released code disagree on the step's advantage; both are here under names
that say which is which. Nothing here knows of trajectories, stores or models: vectors in, vectors out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

Form = Literal["paper", "reward_free_weight"]


def pessimistic(first: Float[np.ndarray, "*any"], second: Float[np.ndarray, "*any"]) -> Float[np.ndarray, "*any"]:
    """The lower of two critics' estimates, entry by entry.

    Only DigiRL's released code has two critics and takes their minimum; the paper writes one value function.
    """
    _same_shape(first=first, second=second)
    return np.minimum(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))


def doubly_robust_advantage(
    value: float,
    next_value: float,
    reward: float,
    final_reward: float,
    steps_left: int,
    decay: float,
    form: Form = "paper",
) -> float:
    """One step's advantage by DigiRL's equation 4.3 (arXiv 2406.11896).

    With w = decay^steps_left, where steps_left is H - h:

    - "paper": `w r_H + (1 - w r_H) (V(s_{h+1}) + r_h - V(s_h))`. The weight of the value difference shrinks only
      where the final reward is not zero, so a failed trajectory is judged by the critic alone.
    - "reward_free_weight": `w r_H + (1 - w) (V(s_{h+1}) + r_h - V(s_h))`, a convex mixture of hindsight and critic
      whatever the outcome: late steps of a failure count less.

    Released code: has neither form and no decay; see `released_code_advantages`.
    Raises ValueError when an argument is out of range (decay and final_reward in [0, 1], steps_left >= 0).
    """
    if steps_left < 0:
        raise ValueError(f"steps_left is {steps_left}, but no step comes after the last")
    _check_weighting(decay, final_reward, form)
    weight = decay**steps_left
    kept = 1.0 - (weight * final_reward if form == "paper" else weight)
    return weight * final_reward + kept * (next_value + reward - value)


def doubly_robust_advantages(
    values: Float[np.ndarray, " states"],
    rewards: Float[np.ndarray, " steps"],
    final_reward: float,
    decay: float,
    horizon: int | None = None,
    form: Form = "paper",
) -> Float[np.ndarray, " steps"]:
    """The advantage of every step of one trajectory by DigiRL's equation 4.3 (arXiv 2406.11896).

    `values` has one entry more than `rewards`: values[t] is V before step t, and the last entry is V of the state
    after the final step, as the critic sees it. Steps are counted h = 1 .. T as in the paper, so row t of the result
    is h = t + 1, and H is `horizon`, which is T, the trajectory's own length, unless told. Thus the last step has
    H - h = 0, and after a success its advantage is exactly 1. A longer horizon, such as the task's step limit, trusts
    hindsight less in trajectories that end early.

    `form` is explained at `doubly_robust_advantage`. Released code: see `released_code_advantages`.
    Raises ValueError when the lengths do not fit, the horizon is shorter than the trajectory, or decay or
    final_reward lies outside [0, 1].
    """
    state_values, step_rewards = np.asarray(values, dtype=np.float64), np.asarray(rewards, dtype=np.float64)
    if step_rewards.ndim != 1 or state_values.shape != (len(step_rewards) + 1,):
        raise ValueError(
            f"values has shape {state_values.shape} and rewards {step_rewards.shape}: values needs one entry per step "
            "and one more for the state after the final step"
        )
    _check_weighting(decay, final_reward, form)
    steps = len(step_rewards)
    last = steps if horizon is None else horizon
    if last < steps:
        raise ValueError(f"the horizon is {last}, but the trajectory has {steps} steps")
    weight = float(decay) ** np.arange(last - 1, last - 1 - steps, -1, dtype=np.float64)
    kept = 1.0 - (weight * final_reward if form == "paper" else weight)
    return weight * final_reward + kept * (state_values[1:] + step_rewards - state_values[:-1])


def released_code_advantages(
    values: Float[np.ndarray, " steps"],
    next_values: Float[np.ndarray, " steps"],
    rewards: Float[np.ndarray, " steps"],
    mc_returns: Float[np.ndarray, " steps"],
    threshold: float = 0.05,
) -> Float[np.ndarray, " steps"]:
    """The step advantage as DigiRL's released code computes it, its threshold already taken off.

    `next_values - values - threshold + rewards + mc_returns`: keep a step where this is above 0. Against the paper's
    equation 4.3 (arXiv 2406.11896) there is no decay, the discounted return is added instead of mixed in, and the
    threshold is the constant 0.05 whatever the episode's length. `values` and `next_values` are the lower of two
    critics there: see `pessimistic`.
    Raises ValueError when the shapes differ.
    """
    _same_shape(values=values, next_values=next_values, rewards=rewards, mc_returns=mc_returns)
    difference = np.asarray(next_values, dtype=np.float64) - np.asarray(values, dtype=np.float64)
    return difference - threshold + np.asarray(rewards, dtype=np.float64) + np.asarray(mc_returns, dtype=np.float64)


def paper_threshold(max_steps: int) -> float:
    """The smallest advantage that DigiRL's actor learns from: 1 / H (arXiv 2406.11896, below equation 4.3).

    H is the step limit of the task. Released code: 0.05, that is H = 20, for tasks of 10 and of 20 steps alike.
    Raises ValueError when max_steps is below 1.
    """
    if max_steps < 1:
        raise ValueError(f"max_steps is {max_steps}, but an episode has at least one step")
    return 1.0 / max_steps


def step_keep_mask(advantages: Float[np.ndarray, " steps"], threshold: float) -> Bool[np.ndarray, " steps"]:
    """Which steps the actor learns from: those whose advantage is above `threshold`, not equal to it.

    DigiRL's hard filter in place of AWR's exponential weights (arXiv 2406.11896, section 4), in paper and released
    code alike. Use `paper_threshold` with `doubly_robust_advantages`, and 0 with `released_code_advantages`.
    """
    return np.asarray(advantages, dtype=np.float64) > threshold


def instruction_advantages(
    returns: Float[np.ndarray, " trajectories"],
    values: Float[np.ndarray, " trajectories"],
    clamp: float = 1e-4,
) -> Float[np.ndarray, " trajectories"]:
    """How much better each trajectory went than its instruction let expect: `returns - values`.

    DigiRL's equation 4.4 (arXiv 2406.11896): r_H - V_instruct(c). Released code: keeps the value inside
    [clamp, 1 - clamp] first, which is done here too; clamp 0 gives the paper's form for values in [0, 1].
    Raises ValueError when the shapes differ or clamp lies outside [0, 0.5).
    """
    _same_shape(returns=returns, values=values)
    if not 0.0 <= clamp < 0.5:
        raise ValueError(f"clamp is {clamp}, but it must lie in [0, 0.5)")
    expected = np.clip(np.asarray(values, dtype=np.float64), clamp, 1.0 - clamp)
    return np.asarray(np.asarray(returns, dtype=np.float64) - expected, dtype=np.float64)


def _check_weighting(decay: float, final_reward: float, form: str) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"decay is {decay}, but it must lie in [0, 1]")
    if not 0.0 <= final_reward <= 1.0:
        raise ValueError(f"final_reward is {final_reward}, but equation 4.3 weighs with it, so it must lie in [0, 1]")
    if form not in ("paper", "reward_free_weight"):
        raise ValueError(f'form is {form!r}, but there are only "paper" and "reward_free_weight"')


def _same_shape(**arrays: np.ndarray) -> None:
    shapes = {name: np.shape(array) for name, array in arrays.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"these must have one shape: {shapes}")
