"""What a manifest says of the way between a model and the phone."""

from __future__ import annotations

import copy
import json

import pytest
import torch

from tapwise.agent.json_codec import JsonCodec
from tapwise.agent.vlm import prompt
from tapwise.agent.vlm.interface import AgentInterface
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.weights import weights_digest


@pytest.fixture(scope="module")
def base() -> VlmModel:
    return VlmModel()


def test_the_shipped_model(base: VlmModel) -> None:
    found = AgentInterface.of(base)
    assert found.codec == "GridActionText"
    assert found.constrained
    assert found.history == prompt.HISTORY
    low, high = found.image_pixels
    assert low is not None
    assert high is not None
    assert 0 < low <= high
    assert json.loads(json.dumps(found.to_json())) == found.to_json()
    assert AgentInterface.of(base) == found


def test_other_words_have_another_hash(base: VlmModel, monkeypatch: pytest.MonkeyPatch) -> None:
    known = AgentInterface.of(base).prompt_sha
    other = copy.copy(base)
    other.action_text = JsonCodec()
    assert AgentInterface.of(other).prompt_sha != known
    monkeypatch.setattr(prompt, "short_text", lambda action: "something else")
    assert AgentInterface.of(base).prompt_sha != known


def test_weights_are_told_apart_by_their_values() -> None:
    first = torch.nn.Linear(3, 2)
    second = copy.deepcopy(first)
    assert weights_digest(first) == weights_digest(second)
    assert weights_digest(first, settings="a") != weights_digest(first)
    with torch.no_grad():
        second.weight[1, 2] += 1e-6
    assert weights_digest(first) != weights_digest(second)
