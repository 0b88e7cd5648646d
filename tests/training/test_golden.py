"""DigiRL's numbers, computed by its released code or by hand from its paper.

Each example is checked by the function that its name begins with. Where the released code's behaviour is a defect,
ours must differ, and agree when asked to be compatible.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.training.advantages import (
    Form,
    doubly_robust_advantage,
    instruction_advantages,
    paper_threshold,
    pessimistic,
    released_code_advantages,
    step_keep_mask,
)
from tapwise.training.filters import top_cutoff, top_fraction
from tapwise.training.losses import clamped_log_probs, step_critic_loss, success_cross_entropy, weighted_nll
from tapwise.training.returns import discounted_returns

Example = dict[str, Any]


def _example(name: str, inputs: Example, expected: Any, *, defect: bool = False) -> Example:
    return {
        "name": name,
        "inputs": inputs,
        "expected": expected,
        "tolerance": 1e-5,
        "peer_behaviour_is_a_defect": defect,
    }


EXAMPLES = [
    _example(
        "digirl.mc_return.success_last_step_g05", {"rewards": [0, 0, 0, 1], "gamma": 0.5}, [0.125, 0.25, 0.5, 1.0]
    ),
    _example("digirl.mc_return.dense_g09", {"rewards": [1, 0, 2], "gamma": 0.9}, [2.62, 1.8, 2.0]),
    _example("digirl.trajectory_reward", {"rewards": [0, 0, 1]}, [1, 1, 1]),
    _example(
        "digirl.filtered_bc.one_success_in_10",
        {"trajectory_rewards": [0] * 9 + [1], "keep_top_fraction": 0.1},
        {"cutoff": 0.1, "kept_indices": [9]},
    ),
    _example(
        "digirl.filtered_bc.one_success_in_20",
        {"trajectory_rewards": [0] * 19 + [1], "keep_top_fraction": 0.1},
        {"cutoff": 0.0, "kept_indices": list(range(20))},
        defect=True,
    ),
    _example(
        "digirl.filtered_bc.no_success_in_5",
        {"trajectory_rewards": [0] * 5, "keep_top_fraction": 0.1},
        {"cutoff": 0.0, "kept_indices": list(range(5))},
        defect=True,
    ),
    _example(
        "digirl.instruction_advantage_filter",
        {
            "trajectory_rewards": [1, 1, 1, 0, 1, 0, 0, 0, 1, 0],
            "v_instruct": [0.1, 0.9, 0.5, 0.2, 0.99995, 1e-05, 0.3, 0.7, 0.05, 0.6],
            "clamp": [0.0001, 0.9999],
            "keep_top_fraction": 0.1,
        },
        {
            "advantage": [0.9, 0.1, 0.5, -0.2, 0.0001, -0.0001, -0.3, -0.7, 0.95, -0.6],
            "cutoff": 0.905,
            "kept_indices": [8],
        },
    ),
    _example(
        "digirl.actor_loss.batch4",
        {
            "v1": [0.3, 0.6, 0.2, 0.8],
            "v2": [0.4, 0.5, 0.25, 0.7],
            "next_v1": [0.5, 0.5, 0.24, 0.1],
            "next_v2": [0.45, 0.7, 0.3, 0.2],
            "reward": [0, 0, 0, 1],
            "mc_return": [0.0, 0.0, 0.0, 1.0],
            "token_log_probs": [[-1.0, -2.0], [-1.0, -1.0], [-0.5, -0.5], [-2.0, -3.0]],
        },
        {
            "v": [0.3, 0.5, 0.2, 0.7],
            "next_v": [0.45, 0.5, 0.24, 0.1],
            "raw_advantage": [0.1, -0.05, -0.01, 1.35],
            "mask": [1, 0, 0, 1],
            "loss": 2.0,
        },
    ),
    _example(
        "digirl.actor_mask.success_early_step_value_drop",
        {"v": 0.9, "next_v": 0.1, "reward": 0, "mc_return": 0.5**9},
        {"raw": -0.848047, "mask": 0},
    ),
    _example(
        "digirl.step_critic_loss",
        {
            "v1_logits": [[0, 0], [1, -1]],
            "v2_logits": [[0, 2], [0, 0]],
            "next_v1_logits": [[0.5, 0.5], [0, 0]],
            "next_v2_logits": [[0, 1], [2, 0]],
            "mc_return": [0.25, 0.0],
        },
        {"total_loss": 1.733317, "v1_loss": 0.410038, "v2_loss": 0.410038},
    ),
    _example(
        "digirl.instruction_critic_loss",
        {"logits": [[0, 1], [2, 0]], "last_step_mc_return": [1.0, 0.0]},
        {"loss": 0.220095},
    ),
    _example(
        "digirl.paper_doubly_robust.mid_success",
        {"lambda": 0.5, "H": 10, "h": 8, "r_H": 1, "V_s": 0.3, "V_next": 0.5, "r_h": 0},
        {"printed": 0.4, "weight_without_reward_factor": 0.4, "passes_threshold_1_over_H": True},
    ),
    _example(
        "digirl.paper_doubly_robust.failure",
        {"lambda": 0.5, "H": 10, "h": 8, "r_H": 0, "V_s": 0.3, "V_next": 0.5, "r_h": 0},
        {"printed": 0.2, "weight_without_reward_factor": 0.15, "passes_threshold_1_over_H": True},
    ),
    _example(
        "digirl.logprob_clamp",
        {"token_probs": [0.0001, 0.5, 0.999], "clamp": [0.001, 0.99]},
        [-6.907755, -0.693147, -0.01005],
    ),
]


def _close(got: Any, expected: Any, example: Example) -> None:
    __tracebackhide__ = True
    tolerance = example["tolerance"]
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=example["name"])


def _mc_return(example: Example) -> None:
    inputs = example["inputs"]
    _close(discounted_returns(np.array(inputs["rewards"]), inputs["gamma"]), example["expected"], example)


def _trajectory_reward(example: Example) -> None:
    rewards = np.array(example["inputs"]["rewards"])
    total = discounted_returns(rewards, gamma=1.0)[0]
    _close(np.full(len(rewards), total), example["expected"], example)


def _filtered_bc(example: Example) -> None:
    returns, fraction = np.array(example["inputs"]["trajectory_rewards"]), example["inputs"]["keep_top_fraction"]
    theirs = example["expected"]["kept_indices"]
    _close(top_cutoff(returns, fraction), example["expected"]["cutoff"], example)
    assert np.flatnonzero(top_fraction(returns, fraction, released_code=True)).tolist() == theirs
    ours = np.flatnonzero(top_fraction(returns, fraction)).tolist()
    assert (ours != theirs) == example["peer_behaviour_is_a_defect"]
    assert ours == [index for index in theirs if returns[index] > 0]


def _instruction_advantage_filter(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    returns, fraction = np.array(inputs["trajectory_rewards"]), inputs["keep_top_fraction"]
    advantages = instruction_advantages(returns, np.array(inputs["v_instruct"]), clamp=inputs["clamp"][0])
    _close(advantages, expected["advantage"], example)
    _close(top_cutoff(advantages, fraction), expected["cutoff"], example)
    for released_code in (False, True):
        mask = top_fraction(advantages, fraction, returns, released_code=released_code)
        assert np.flatnonzero(mask).tolist() == expected["kept_indices"]


def _actor_loss(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    values = pessimistic(np.array(inputs["v1"]), np.array(inputs["v2"]))
    next_values = pessimistic(np.array(inputs["next_v1"]), np.array(inputs["next_v2"]))
    advantages = released_code_advantages(
        values, next_values, np.array(inputs["reward"]), np.array(inputs["mc_return"])
    )
    mask = step_keep_mask(advantages, 0.0)
    log_probs = torch.tensor(inputs["token_log_probs"])
    loss = weighted_nll(log_probs, torch.ones_like(log_probs, dtype=torch.bool), torch.from_numpy(mask).float())
    _close(values, expected["v"], example)
    _close(next_values, expected["next_v"], example)
    _close(advantages, expected["raw_advantage"], example)
    _close(mask, expected["mask"], example)
    _close(loss.item(), expected["loss"], example)


def _actor_mask(example: Example) -> None:
    names = ("v", "next_v", "reward", "mc_return")
    advantages = released_code_advantages(*(np.array([example["inputs"][name]]) for name in names))
    _close(advantages, [example["expected"]["raw"]], example)
    _close(step_keep_mask(advantages, 0.0), [example["expected"]["mask"]], example)


def _step_critic_loss(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    names = ("v1_logits", "v2_logits", "next_v1_logits", "next_v2_logits")
    logits = [torch.tensor(inputs[name], dtype=torch.float64) for name in names]
    returns = torch.tensor(inputs["mc_return"])
    _close(step_critic_loss(*logits, returns).item(), expected["total_loss"], example)
    _close(success_cross_entropy(logits[0], returns > 0).item(), expected["v1_loss"], example)
    _close(success_cross_entropy(logits[1], returns > 0).item(), expected["v2_loss"], example)


def _instruction_critic_loss(example: Example) -> None:
    logits = torch.tensor(example["inputs"]["logits"], dtype=torch.float64)
    successes = torch.tensor(example["inputs"]["last_step_mc_return"]) > 0
    _close(success_cross_entropy(logits, successes).item(), example["expected"]["loss"], example)


def _paper_doubly_robust(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    forms: list[tuple[Form, str]] = [
        ("paper", "printed"),
        ("reward_free_weight", "weight_without_reward_factor"),
    ]
    for form, key in forms:
        advantage = doubly_robust_advantage(
            value=inputs["V_s"],
            next_value=inputs["V_next"],
            reward=inputs["r_h"],
            final_reward=inputs["r_H"],
            steps_left=inputs["H"] - inputs["h"],
            decay=inputs["lambda"],
            form=form,
        )
        _close(advantage, expected[key], example)
        passes = step_keep_mask(np.array([advantage]), paper_threshold(inputs["H"]))
        assert passes[0] == expected["passes_threshold_1_over_H"]


def _logprob_clamp(example: Example) -> None:
    low, high = example["inputs"]["clamp"]
    probabilities = torch.tensor(example["inputs"]["token_probs"], dtype=torch.float64)
    _close(clamped_log_probs(probabilities, low, high).numpy(), example["expected"], example)


CHECKS: dict[str, Callable[[Example], None]] = {
    "digirl.mc_return.": _mc_return,
    "digirl.trajectory_reward": _trajectory_reward,
    "digirl.filtered_bc.": _filtered_bc,
    "digirl.instruction_advantage_filter": _instruction_advantage_filter,
    "digirl.actor_loss.": _actor_loss,
    "digirl.actor_mask.": _actor_mask,
    "digirl.step_critic_loss": _step_critic_loss,
    "digirl.instruction_critic_loss": _instruction_critic_loss,
    "digirl.paper_doubly_robust.": _paper_doubly_robust,
    "digirl.logprob_clamp": _logprob_clamp,
}


@pytest.mark.golden(CHECKS, EXAMPLES)
def test_an_example_of_digirl(check: Callable[[Example], None], example: Example) -> None:
    check(example)
