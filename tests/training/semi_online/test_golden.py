"""UI-S1's numbers, computed by its released code or by hand from its paper.

Each example is checked by the function that its name begins with. Where paper and released code differ, the paper's
form is the default and the code's goes by a name of its own.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.android_env import paper_step_reward
from tapwise.android_env.replay import ReplayEnv, ReplaySettings
from tapwise.android_env.replay_episode import ReplayEpisode, with_thought
from tapwise.matching import Match, match_actions
from tapwise.records import (
    Action,
    Decision,
    End,
    Observation,
    Point,
    Provenance,
    Screenshot,
    Size,
    Step,
    Swipe,
    Tap,
    Task,
    Trajectory,
    TypeText,
)
from tapwise.training.semi_online.advantages import (
    combine,
    released_code_trajectory_advantages,
    step_advantages,
    trajectory_advantages,
)
from tapwise.training.semi_online.filter import is_informative, return_spread
from tapwise.training.semi_online.losses import clipped_policy_loss, k3_divergence, token_weights
from tapwise.training.semi_online.returns import future_returns

Example = dict[str, Any]
SCREEN = Observation(Screenshot(b"", "png", Size(2400, 1080)), "app/.Main", True, 0.0)


def _example(name: str, inputs: Example, expected: Any, tolerance: float = 1e-5) -> Example:
    return {"name": name, "inputs": inputs, "expected": expected, "tolerance": tolerance}


STEPS = {
    "group_uid": ["g"] * 5,
    "traj_uid": ["a", "b", "a", "b", "a"],
    "step_id": [0, 0, 1, 1, 2],
    "step_score": [1.0, 0.55, 1.0, 0.19, 0.55],
    "step_return": [1.5, 0.55, 1.0, 0.19, 0.55],
    "w_episode": 1.0,
    "w_step": 1.0,
}

EXAMPLES = [
    _example(
        "uis1.discounted_return.all_match",
        {"step_scores": [1, 1, 1, 1], "exact_match": [True] * 4, "gamma": 0.5},
        [1.875, 1.75, 1.5, 1.0],
    ),
    _example(
        "uis1.discounted_return.break_at_2",
        {"step_scores": [1.0, 1.0, 0.55, 1.0], "exact_match": [True, True, False, True], "gamma": 0.5},
        [1.5, 1.0, 0.55, 1.0],
    ),
    _example(
        "uis1.advantage.mean_std_norm",
        STEPS,
        {
            "episode": [0.99111, -0.31298, 0.99111, -1.35626, -0.31298],
            "step": [0.70711, -0.70711, 0.70711, -0.70711, 0.0],
            "total": [1.69822, -1.02009, 1.69822, -2.06337, -0.31298],
        },
        1e-4,
    ),
    _example(
        "uis1.advantage.paper_episode",
        {"trajectory_returns": [1.5, 0.55, 0.19, 0.55]},
        [1.42979, -0.2628, -0.9042, -0.2628],
        1e-4,
    ),
    _example(
        "uis1.advantage.singleton_group",
        {"group_size": 1, "step_score": 0.55, "step_return": 0.55},
        {"episode": [0.55], "step": [0.0], "total": [0.55]},
    ),
    _example(
        "uis1.dapo_filter",
        {"step0_returns_per_task": {"B": [1.9375] * 4 + [0.19] * 4, "D": [0.7]}, "std_threshold": 0.3},
        {"B": {"std": 0.87375, "kept": True}, "D": {"std": 0.0, "kept": True}},
    ),
    _example(
        "uis1.ppo_loss_token_mean",
        {
            "old_logp": [[-1.0, -1.0, -1.0], [-1.0, -1.0, -1.0]],
            "logp": [[-0.5, -1.0, -2.0], [0.5, -1.1, -1.0]],
            "adv": [[1.0, 1.0, 1.0], [-1.0, -1.0, -1.0]],
            "mask": [[1.0, 1.0, 1.0], [1.0, 1.0, 0.0]],
            "clip": [0.2, 0.2],
            "dual_clip_c": 3.0,
        },
        {"loss": 0.267392, "clipfrac": 0.2, "ppo_kl": -0.18, "clipfrac_lower": 0.2},
    ),
    _example(
        "uis1.kl_low_var", {"logp": [-1.0, -1.0, -1.0], "ref_logp": [-1.0, -1.5, -0.2]}, [0.0, 0.106531, 0.425541]
    ),
    _example(
        "uis1.patch.threshold_0",
        {"exact_match_sequence": [1, 0, 1, 0, 1], "patch_threshold": 0},
        {"steps_in_batch": 2, "history_after": ["model"], "terminated": True},
    ),
    _example("uis1.reward.paper_eq8", {"cases": [[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 1, 1]]}, [1.0, 0.5, 0.1, 0.0]),
    _example(
        "uis1.format_response.thought_free_patch",
        {
            "action": {"action": "click", "coordinate": [540, 1200]},
            "thought": "",
            "size": [1080, 2400],
            "resized": [1092, 2408],
        },
        '<think>\n\n</think>\n<action>\n{"action": "click", "coordinate": [546, 1204]}\n</action>',
    ),
]


def _close(got: Any, expected: Any, example: Example) -> None:
    __tracebackhide__ = True
    tolerance = example["tolerance"]
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance, err_msg=example["name"])


def _discounted_return(example: Example) -> None:
    inputs = example["inputs"]
    rewards, same = np.array(inputs["step_scores"]), np.array(inputs["exact_match"])
    gamma = inputs["gamma"]
    _close(future_returns(rewards, same, gamma, "code"), example["expected"], example)
    by_equation = [
        sum(
            gamma ** (k - t) * rewards[k]
            for k in range(t, next((k + 1 for k in range(t, len(same)) if not same[k]), len(same)))
        )
        for t in range(len(same))
    ]
    _close(future_returns(rewards, same, gamma), by_equation, example)
    if example["name"].endswith("break_at_2"):
        _close(future_returns(rewards, same, gamma), [1.6375, 1.275, 0.55, 1.0], example)


def _advantage(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    norm = "mean_norm" if example["name"].endswith("mean_norm") else "mean_std_norm"
    tasks = np.unique(inputs["group_uid"], return_inverse=True)[1]
    whole = released_code_trajectory_advantages(np.array(inputs["step_score"]), tasks, norm)
    steps = step_advantages(np.array(inputs["step_return"]), tasks, np.array(inputs["step_id"]), norm)
    _close(whole, expected["episode"], example)
    _close(steps, expected["step"], example)
    _close(combine(whole, steps, inputs["w_episode"], inputs["w_step"]), expected["total"], example)


def _paper_episode(example: Example) -> None:
    returns = np.array(example["inputs"]["trajectory_returns"])
    _close(trajectory_advantages(returns, np.zeros(len(returns), dtype=int)), example["expected"], example)


def _singleton_group(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    zero = np.zeros(inputs["group_size"], dtype=int)
    whole = released_code_trajectory_advantages(np.array([inputs["step_score"]]), zero)
    steps = step_advantages(np.array([inputs["step_return"]]), zero, zero)
    _close(whole, expected["episode"], example)
    _close(steps, expected["step"], example)
    _close(combine(whole, steps), expected["total"], example)
    assert trajectory_advantages(np.array([inputs["step_return"]]), zero).tolist() == [0.0]


def _dapo_filter(example: Example) -> None:
    inputs = example["inputs"]
    for task, returns in inputs["step0_returns_per_task"].items():
        wanted = example["expected"][task]
        _close(return_spread(np.array(returns)), wanted["std"], example)
        assert is_informative(np.array(returns), inputs["std_threshold"]) == wanted["kept"], task


def _ppo_loss(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    new, old, mask = (torch.tensor(inputs[name]) for name in ("logp", "old_logp", "mask"))
    advantages = torch.tensor(inputs["adv"])[:, 0]
    tokens = clipped_policy_loss(new, old, advantages, *inputs["clip"], dual_clip=inputs["dual_clip_c"])
    weights = token_weights(mask.bool())
    _close((weights * tokens.loss).sum(), expected["loss"], example)
    _close((weights * tokens.clipped).sum(), expected["clipfrac"], example)
    _close(-(weights * tokens.log_ratio).sum(), expected["ppo_kl"], example)
    _close((weights * tokens.dual_clipped).sum(), expected["clipfrac_lower"], example)


def _kl(example: Example) -> None:
    new, reference = (torch.tensor([example["inputs"][name]]) for name in ("logp", "ref_logp"))
    _close(k3_divergence(new, reference)[0], example["expected"], example)


def _patch(example: Example) -> None:
    matches, expected = example["inputs"]["exact_match_sequence"], example["expected"]
    threshold = example["inputs"]["patch_threshold"]
    right, wrong = TypeText("right"), TypeText("wrong")
    steps = tuple(Step(SCREEN, Decision(right, "")) for _ in matches)
    task = Task("t", "type", "general", "notes", "type", (), 10, "train")
    expert = Trajectory("expert", task, steps, End.FINISHED, Provenance("human"))
    env = ReplayEnv(expert, ReplaySettings(patches=None if threshold < 0 else threshold))
    episode = ReplayEpisode(env, lambda action, thought: "expert", Provenance("scripted"), "r")
    for match in matches:
        if not episode.over:
            episode.advance(Decision(right if match else wrong, "model"))
    rollout = episode.rollout
    assert len(rollout.trajectory.steps) == expected["steps_in_batch"]
    assert [step.decision.text for step in rollout.history] == expected["history_after"]
    assert (rollout.trajectory.end is End.TRUNCATED) == expected["terminated"]
    assert {step.decision.text for step in rollout.trajectory.steps} == {"model"}


def _paper_reward(example: Example) -> None:
    for (readable, kind, same), expected in zip(example["inputs"]["cases"], example["expected"], strict=True):
        match = Match(kind=bool(kind), same=bool(same and kind))
        _close(paper_step_reward(bool(readable), match), expected, example)


def _thought_free_patch(example: Example) -> None:
    inputs = example["inputs"]
    (width, height), (x, y) = inputs["size"], inputs["action"]["coordinate"]
    resized = inputs["resized"]

    def write(action: Action) -> str:
        assert isinstance(action, Tap)
        place = [round(action.at.x * resized[0]), round(action.at.y * resized[1])]
        return json.dumps({"action": "click", "coordinate": place})

    action = Tap(Point(x / width, y / height))
    assert with_thought(write)(action, inputs["thought"]) == example["expected"]


def _opposite_swipe(example: Example) -> None:
    """A defect: the released reward takes the opposite of the expert's own swipe for exact. Ours does not."""
    assert example["expected"]["extract_match"] is True
    up = Swipe(Point(0.5, 0.75), Point(0.5, 0.25))
    down = Swipe(up.end, up.start)
    assert match_actions(down, up, SCREEN) == Match(kind=True, same=False)
    assert match_actions(up, up, SCREEN) == Match(kind=True, same=True)


CHECKS: dict[str, Callable[[Example], None]] = {
    "uis1.discounted_return.": _discounted_return,
    "uis1.advantage.mean_": _advantage,
    "uis1.advantage.paper_episode": _paper_episode,
    "uis1.advantage.singleton_group": _singleton_group,
    "uis1.dapo_filter": _dapo_filter,
    "uis1.ppo_loss": _ppo_loss,
    "uis1.kl_low_var": _kl,
    "uis1.patch.": _patch,
    "uis1.reward.paper_eq8": _paper_reward,
    "uis1.reward.swipe_opposite_of_expert_up": _opposite_swipe,
    "uis1.format_response.thought_free_patch": _thought_free_patch,
}


@pytest.mark.golden(CHECKS, EXAMPLES)
def test_an_example_of_semi_online_learning(check: Callable[[Example], None], example: Example) -> None:
    check(example)
