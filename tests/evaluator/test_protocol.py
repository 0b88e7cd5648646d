"""The record of how success was measured, and what a reader is told of it."""

from __future__ import annotations

import json
from dataclasses import replace

from tapwise.evaluator.protocol import (
    EvaluationProtocol,
    noise_in_words,
    step_limits_in_words,
    tasks_in_words,
)

PROTOCOL = EvaluationProtocol(
    device="virtual",
    transport="direct",
    screen="540x1200",
    noise={"popups": 0.05, "drift": 0.0},
    split="test",
    episodes=96,
    task_seed=10_007,
    drawn="evenly over templates",
    step_limits={"general": (5, 12), "shop": (20, 20)},
    success="the device's state",
)


def test_every_field_is_in_the_manifest_as_json_has_it() -> None:
    found = PROTOCOL.to_json()
    assert json.loads(json.dumps(found)) == found
    assert found["step_limits"] == {"general": [5, 12], "shop": [20, 20]}
    assert found["noise"] == {"popups": 0.05, "drift": 0.0}
    assert (found["runs"], found["judge"], found["screenshots"]) == (1, {}, "as seen")


def test_words() -> None:
    found = PROTOCOL.to_json()
    assert tasks_in_words(found) == "96 of the test split, evenly over templates by seed 10007"
    assert "each 3 times" in tasks_in_words(replace(PROTOCOL, runs=3).to_json())
    assert step_limits_in_words(found) == "per task: general 5 to 12, shop 20"
    assert step_limits_in_words(replace(PROTOCOL, step_limits={}).to_json()) == "the expert's number of steps"
    assert noise_in_words(found) == "popups 0.05"
    assert noise_in_words(replace(PROTOCOL, noise={"popups": 0.0}).to_json()) == "none"
    assert noise_in_words(replace(PROTOCOL, noise=None).to_json()) == "the device's own"
