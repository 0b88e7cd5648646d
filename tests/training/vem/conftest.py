"""Small trajectories with real pictures, and a tiny model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from tapwise import images
from tapwise.agent.vlm.model import VlmModel
from tapwise.records import (
    Action,
    Decision,
    End,
    Observation,
    Provenance,
    Step,
    Task,
    Trajectory,
    UiNode,
)

MakeTrajectory = Callable[..., Trajectory]


def screen(seed: int, ui: UiNode | None = None) -> Observation:
    """A picture of noise, 64 x 128."""
    pixels = np.random.default_rng(seed).integers(0, 256, (128, 64, 3), dtype=np.uint8)
    return Observation(images.encode(pixels, "png"), "app/.Main", True, 0.0, ui)


@pytest.fixture
def make_trajectory() -> MakeTrajectory:
    """A function that makes a trajectory of given actions; equal names make equal pictures."""

    def make(
        actions: Sequence[Action], name: str = "e", goal: str = "turn on wifi", ui: UiNode | None = None
    ) -> Trajectory:
        task = Task(name, goal, "general", "settings", "toggle", (), 10, "train")
        base = sum(name.encode()) * 100
        steps = tuple(Step(screen(base + n, ui), Decision(action, "")) for n, action in enumerate(actions))
        return Trajectory(name, task, steps, End.FINISHED, Provenance("human"), screen(base + len(steps)), outcome=True)

    return make


@pytest.fixture
def model(model_folder: Path) -> VlmModel:
    return VlmModel(model_folder)
