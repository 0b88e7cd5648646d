"""VEM's numbers, from its released code or by hand.

Most of them are defects: the check of such an example shows that ours differs, and what it is instead. Two examples are
sums over the released settings (`vem.critic_train_steps`, `vem.policy_steps_per_epoch`) and have nothing to check here
but that no sample is drawn twice.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.agent.action_text import GridActionText
from tapwise.agent.json_codec import JsonCodec
from tapwise.matching import match_actions
from tapwise.records import (
    Action,
    Context,
    Decision,
    End,
    Key,
    Observation,
    Point,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Swipe,
    Tap,
    Task,
    Trajectory,
    TypeText,
    Wait,
)
from tapwise.training.learner import make_optimizer
from tapwise.training.losses import weighted_nll
from tapwise.training.recipes import OptimizerConfig
from tapwise.training.semi_online.algorithm import PolicySample
from tapwise.training.semi_online.optimizer import FullPrecisionOptimizer
from tapwise.training.vem.advantages import Baseline, vem_advantages
from tapwise.training.vem.config import VemPolicyConfig
from tapwise.training.vem.labelling import build_question
from tapwise.training.vem.policy import VemTrainer
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.serialise import read_action, serialise, serialise_step
from tapwise.training.vem.values import sampled_scores

Example = dict[str, Any]
SCREEN = Observation(Screenshot(b"no picture", "png", Size(1200, 540)), "app/.Main", True, 0.0)


def _example(name: str, inputs: Example, expected: Any) -> Example:
    return {"name": name, "inputs": inputs, "expected": expected}


LOSS: Example = {"summed_log_prob": [-2.0, -4.0, -1.0], "level": [1, 2, 2]}
WORDS = ["s0", "s1", "s2", "s3"]

EXAMPLES = [
    _example("vem.q_value.1", {"critic_text": "1"}, 0.5),
    _example("vem.policy_loss.centred_recommended", LOSS, 0.5),
    _example("vem.policy_loss", LOSS, 2.0),
    _example(
        "vem.critic_history_at_policy_time.step0",
        {"action_desc_list": WORDS, "step_id": 0},
        {"peer_policy_time": ["s0", "s1", "s2"], "label_time_and_correct": []},
    ),
    _example(
        "vem.critic_history_at_policy_time.step3",
        {"action_desc_list": WORDS, "step_id": 3},
        {"peer_policy_time": ["s0", "s1"], "label_time_and_correct": ["s0", "s1", "s2"]},
    ),
    _example(
        "vem.coordinate_order",
        {"seeclick_touch_xy": [0.7, 0.2]},
        {"critic_training_text": "[0.7000, 0.2000]", "critic_text_at_policy_time": "[0.2000, 0.7000]"},
    ),
    _example(
        "vem.scroll_direction.native_scroll_up",
        {"touch_yx": "0.8000, 0.5000", "lift_yx": "0.2000, 0.5000"},
        {"peer": '"action_type": "SCROLL_LEFT"', "intended": "SCROLL_UP"},
    ),
    _example(
        "vem.scroll_direction.native_scroll_left",
        {"touch_yx": "0.5000, 0.8000", "lift_yx": "0.5000, 0.2000"},
        {"peer": '"action_type": "SCROLL_UP"', "intended": "SCROLL_LEFT"},
    ),
    _example("vem.unparsable_output", {"text": "garbage"}, "GoHome"),
    _example(
        "vem.trained_target_string",
        {"model_output": 'Action Decision: "action_type": "PRESS_HOME", "touch_point": "[-1.0, -1.0]"'},
        '"action_type": "PRESS_HOME"',
    ),
    _example("vem.gpt_label_prompt_truncation", {"parts": ["a", "b"]}, {"sent": ["a"], "dropped": "b"}),
    _example(
        "vem.scroll_label_to_gesture.scroll_left",
        {"seeclick_label": "scroll left"},
        {"seeclick_finger_xy": [[0.2, 0.5], [0.8, 0.5]], "vem_finger_xy": [[0.8, 0.5], [0.2, 0.5]]},
    ),
    _example(
        "vem.bf16_adam_noop",
        {"weight": 0.05, "lr": 1e-6, "grad": 0.01, "steps": 100},
        {"bfloat16_changed": False, "float32_value": 0.0499},
    ),
]


def _trajectory(actions: Sequence[Action]) -> Trajectory:
    task = Task("t", "do it", "general", "notes", "type", (), 10, "train")
    steps = tuple(Step(SCREEN, Decision(action, "")) for action in actions)
    return Trajectory("t", task, steps, End.FINISHED, Provenance("human"))


def _q_value(example: Example) -> None:
    """The released weights are there under their own name; by default a bad action weighs less than nothing."""
    good = np.array([int(example["inputs"]["critic_text"]) - 1.0, 1.0])
    states = np.zeros(2, dtype=int)
    assert vem_advantages(good, states, "released_code")[0] == example["expected"]
    assert vem_advantages(good, states).tolist() == [-0.5, 0.5]


def _policy_loss(example: Example) -> None:
    inputs = example["inputs"]
    baseline: Baseline = "one_half" if example["name"].endswith("centred_recommended") else "released_code"
    good = np.array(inputs["level"]) - 1.0
    weights = vem_advantages(good, np.arange(len(good)), baseline)
    log_probs = torch.tensor(inputs["summed_log_prob"])[:, None]
    found = weighted_nll(log_probs, torch.ones_like(log_probs).bool(), torch.tensor(weights))
    assert float(found) == pytest.approx(example["expected"], abs=1e-6)


def _history(example: Example) -> None:
    words, index = example["inputs"]["action_desc_list"], example["inputs"]["step_id"]
    history = list(serialise_step(_trajectory([TypeText(w) for w in words]), index, GridActionText()).history)
    assert history == [f"type {word}" for word in example["expected"]["label_time_and_correct"]]
    assert history != [f"type {word}" for word in example["expected"]["peer_policy_time"]]


def _coordinate_order(example: Example) -> None:
    expected = example["expected"]
    assert expected["critic_training_text"] != expected["critic_text_at_policy_time"]
    x, y = example["inputs"]["seeclick_touch_xy"]
    trajectory = _trajectory([Tap(Point(x, y), "go")])
    for form in (JsonCodec(), GridActionText()):
        labelled = serialise_step(trajectory, 0, form)
        at_policy_time = serialise(Context(trajectory.task, (), SCREEN), Tap(Point(x, y), "go"), form)
        assert labelled.action == at_policy_time.action
        assert labelled.key == at_policy_time.key
        tap = read_action(labelled.action, form)
        assert isinstance(tap, Tap)
        assert (tap.at.x, tap.at.y) == pytest.approx((x, y), abs=1 / 64)


def _direction(swipe: Action) -> str:
    assert isinstance(swipe, Swipe)
    right, down = swipe.end.x - swipe.start.x, swipe.end.y - swipe.start.y
    if abs(right) > abs(down):
        return "SCROLL_RIGHT" if right > 0 else "SCROLL_LEFT"
    return "SCROLL_DOWN" if down > 0 else "SCROLL_UP"


def _scroll_direction(example: Example) -> None:
    ends = []
    for name in ("touch_yx", "lift_yx"):
        y, x = (float(part) for part in example["inputs"][name].split(","))
        ends.append(Point(x, y))
    for form in (JsonCodec(), GridActionText()):
        text = serialise_step(_trajectory([Swipe(*ends)]), 0, form).action
        assert _direction(read_action(text, form)) == example["expected"]["intended"]
    assert example["expected"]["intended"] not in example["expected"]["peer"]


class _Recorder(VemScorer):
    """Remembers what it was asked about."""

    def __init__(self) -> None:
        self.asked: list[Action] = []

    def scores(self, pairs: Sequence[tuple[Context, Action]]) -> np.ndarray:
        self.asked += [action for _, action in pairs]
        return np.ones(len(pairs))


class _Says:
    """A policy that says one thing."""

    name, version, greedy, temperature, model = "says", 0, False, 1.0, None

    def __init__(self, decision: Decision) -> None:
        self._decision = decision

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        return [self._decision for _ in contexts]


def _unparsable(example: Example) -> None:
    assert example["expected"] == "GoHome"
    recorder = _Recorder()
    policy = _Says(Decision(Wait(), example["inputs"]["text"], (1, 2), (-1.0, -1.0), unparsable="no action"))
    context = Context(_trajectory([]).task, (), SCREEN)
    _, good = sampled_scores(policy, recorder, [context], 2)
    assert good.tolist() == [0.0, 0.0]
    assert recorder.asked == []


class _Learner:
    def __init__(self) -> None:
        self.samples: list[PolicySample] = []

    def learn(self, samples: Sequence[PolicySample], rng: np.random.Generator) -> dict[str, float]:
        self.samples += samples
        return {}


def _trained_target(example: Example) -> None:
    """What is trained is what was said, token by token; each sample once."""
    said = tuple(example["inputs"]["model_output"].encode())
    assert said != tuple(example["expected"].encode())
    decision = Decision(Press(Key.HOME), example["inputs"]["model_output"], said, (-1.0,) * len(said))
    learner: Any = _Learner()
    policy: Any = _Says(decision)
    trainer = VemTrainer(policy, _Recorder(), VemPolicyConfig(samples=2, states=3), learner)
    trainer.iterate([Context(_trajectory([]).task, (), SCREEN)] * 5, np.random.default_rng(0))
    assert [sample.token_ids for sample in learner.samples] == [said] * 6


def _prompt_truncation(example: Example) -> None:
    assert example["expected"]["dropped"] not in example["expected"]["sent"]
    messages: Any = build_question(_trajectory([TypeText("A"), TypeText("B")]), 1, JsonCodec())
    rated = messages[-1]["content"][-1]["text"]
    assert rated.endswith('{"action_type":"input_text","text":"B"}')


def _scroll_label(example: Example) -> None:
    direction = example["inputs"]["seeclick_label"].removeprefix("scroll ")
    ours = JsonCodec().parse(json.dumps({"action_type": "scroll", "direction": direction}))
    official, peer = (
        Swipe(*(Point(*place) for place in example["expected"][name]))
        for name in ("seeclick_finger_xy", "vem_finger_xy")
    )
    assert match_actions(ours, official, SCREEN).same
    assert not match_actions(ours, peer, SCREEN).same


def _adam(weight: torch.Tensor, inputs: Example, full_precision: bool, steps: int) -> torch.nn.Parameter:
    config = OptimizerConfig(learning_rate=inputs["lr"], warm_up=0, weight_decay=0.0)
    parameter = torch.nn.Parameter(weight)
    adamw = make_optimizer([parameter], config)
    full = FullPrecisionOptimizer([parameter], config)
    for _ in range(steps):
        parameter.grad = torch.full_like(parameter, inputs["grad"])
        if full_precision:
            full.step()
        else:
            adamw.step()
    return parameter


def _bf16(example: Example) -> None:
    inputs, expected = example["inputs"], example["expected"]
    start = torch.tensor([inputs["weight"]])
    plain = _adam(start.bfloat16(), inputs, False, 3 * inputs["steps"])
    assert bool(plain.detach() != start.bfloat16()) == expected["bfloat16_changed"]
    exact = _adam(start.clone(), inputs, True, inputs["steps"])
    assert float(exact.detach()) == pytest.approx(expected["float32_value"], abs=1e-6)
    # Steps too small for 8 bits gather until they show.
    assert bool(_adam(start.bfloat16(), inputs, True, 3 * inputs["steps"]).detach() != start.bfloat16())


CHECKS: dict[str, Callable[[Example], None]] = {
    "vem.q_value.": _q_value,
    "vem.policy_loss": _policy_loss,
    "vem.critic_history_at_policy_time.": _history,
    "vem.coordinate_order": _coordinate_order,
    "vem.scroll_direction.": _scroll_direction,
    "vem.unparsable_output": _unparsable,
    "vem.trained_target_string": _trained_target,
    "vem.gpt_label_prompt_truncation": _prompt_truncation,
    "vem.scroll_label_to_gesture.": _scroll_label,
    "vem.bf16_adam_noop": _bf16,
}


@pytest.mark.golden(CHECKS, EXAMPLES)
def test_an_example_of_vem(check: Callable[[Example], None], example: Example) -> None:
    check(example)
