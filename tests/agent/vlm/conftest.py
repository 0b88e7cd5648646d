"""Random vision-language models of a tiny size: our own architecture, and Qwen2.5-VL as transformers has it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.agent.vlm.tiny import build_model, build_processor, build_tokenizer
from tapwise.records import Context, Decision, Observation, Point, Step, Tap, Task

WORDS = ("wifi", "lamp", "bluetooth", "settings", "alarm", "search")
MakeContext = Callable[..., Context]


@pytest.fixture(scope="session")
def make_context() -> MakeContext:
    """A function that makes a context whose screen is drawn from `seed`, after `steps` taps."""

    def make(instruction: str = "turn on wifi", *, seed: int = 0, steps: int = 0) -> Context:
        pixels = np.random.default_rng(seed).integers(0, 256, (256, 128, 3), dtype=np.uint8)
        observation = Observation(images.encode(pixels, "png"), "app/.Main", True, 0.0)
        task = Task("t", instruction, "general", "settings", "toggle", (), 10, "train")
        tap = Step(observation, Decision(Tap(Point(0.5, 0.5), "settings"), ""))
        return Context(task, (tap,) * steps, observation)

    return make


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with our own model, random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("tiny")
    tokenizer = build_tokenizer(WORDS)
    build_model(tokenizer, vision_width=64, text_width=64, layers=2).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def tiny(tiny_folder: Path) -> VlmModel:
    """Our own model, loaded."""
    return VlmModel(tiny_folder)


@pytest.fixture(scope="session")
def qwen(qwen_folder: Path) -> VlmModel:
    """The Qwen2.5-VL, loaded."""
    return VlmModel(qwen_folder, max_new_tokens=24)


@pytest.fixture(params=["tiny", "qwen"])
def any_model(request: pytest.FixtureRequest) -> VlmModel:
    """Each of the two models."""
    model: VlmModel = request.getfixturevalue(request.param)
    return model
