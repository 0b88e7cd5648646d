"""Experts' trajectories in a store, and recipes of all kinds that run in seconds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, SettleBudget, load_suite, run_episode
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Size
from tapwise.training.kinds import KINDS, AnyRecipe

EXPERTS = 8


@pytest.fixture(scope="session")
def expert_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of successful episodes of the scripted expert, on tasks of one split."""
    folder = tmp_path_factory.mktemp("experts")
    suite = load_suite("general")
    phone = InProcessDevice(VirtualPhone(size=Size(600, 270)))
    env = AndroidEnv(phone, suite, EnvSettings(with_tree=True, settle=SettleBudget(seconds=60.0)))
    tasks = [task for task in suite.tasks("train") if task.app in ("settings", "clock")]
    with ParquetTrajectoryStore(folder, keep_ui=True) as store:
        for task in tasks[:: len(tasks) // (3 * EXPERTS)]:  # on so small a screen the expert does not always succeed
            found = run_episode(env, ScriptedExpert(suite), task, 0, trajectory_id=f"expert/{len(store)}")
            if found.success and len(store) < EXPERTS:
                store.append(found)
        assert len(store) == EXPERTS
    return folder


@pytest.fixture
def tiny_recipe(model_folder: Path) -> Callable[..., Any]:
    """A function that makes a recipe of a kind; keyword arguments replace whole sections."""

    def make(kind: str, **sections: Any) -> AnyRecipe:
        base: dict[str, Any] = {
            "kind": kind,
            "suite": "general",
            "batch_size": 8,
            "farm": {"backend": "in_process", "devices": 2, "size": "270x600"},
            "policy": {"model": str(model_folder)},
            "supervised": {"demonstrations": 0, "updates": 0},
            "evaluation": {"episodes": 2},
        }
        loss = {"mini_batches": 1, "optimizer": {"learning_rate": 1e-2, "warm_up": 0}}
        if kind == "vem":
            base |= {
                "labels": {"episodes": 3, "samples": 1},
                "vem": {"mark_touches": False, "batch_size": 8, "held_out": 0.4},
                "critic_updates": 2,
                "optimisation": {"samples": 2, "states": 3, "loss": loss},
                "iterations": 2,
                "guard": {"every": 1, "episodes": 2},
            }
        if kind == "semi_online":
            base |= {
                "sampling": {"rollouts": 3, "tasks": 2, "spread": 0.0, "attempts": 3},
                "loss": loss,
                "iterations": 4,
                "checkpoint_every": 2,
            }
        return KINDS[kind].model_validate({**base, **sections})

    return make
