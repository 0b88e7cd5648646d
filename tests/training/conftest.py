"""A tiny random model with the words of the general suite, and a recipe that runs in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tapwise.agent.vlm.tiny import build_model, build_processor, build_tokenizer
from tapwise.android_env.suites import load_suite
from tapwise.records import Trajectory
from tapwise.training.recipes import Recipe


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our own architecture, random weights. Another word makes them others, so that further suites are left out."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("model")
    words = {word for task in load_suite("general").tasks() for word in task.instruction.lower().split()}
    tokenizer = build_tokenizer(words)
    build_model(tokenizer, vision_width=32, text_width=32, layers=2).save_pretrained(folder)
    build_processor(tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture
def make_recipe(model_folder: Path) -> Callable[..., Recipe]:
    """A function that makes a recipe of a few episodes; keyword arguments replace whole sections."""

    def make(**sections: Any) -> Recipe:
        base: dict[str, Any] = {
            "suite": "general",
            "batch_size": 8,
            "farm": {"backend": "in_process", "devices": 2, "size": "270x600"},
            "policy": {"model": str(model_folder)},
            "supervised": {"demonstrations": 0, "updates": 0},
            "offline": {"episodes": 4, "critic_updates": 2, "updates": 2},
            "online": {"iterations": 2, "episodes": 3, "critic_updates": 1, "updates": 2},
            "algorithm": {"type": "filtered_bc"},
            "critic": {"batch_size": 4},
            "evaluation": {"episodes": 2},
        }
        return Recipe.model_validate({**base, **sections})

    return make


class Watcher:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.units: list[str] = []
        self.episodes: list[Trajectory] = []

    def unit(self, name: str, number: int, total: int) -> None:
        self.units.append(name)

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        self.episodes.append(trajectory)

    def metrics(self, values: dict[str, float]) -> None:
        """Not needed."""

    def warning(self, text: str) -> None:
        """Not needed."""

    def devices(self, status: object) -> None:
        """Not needed."""


@pytest.fixture
def watcher() -> Watcher:
    return Watcher()
