"""How a number was obtained: everything that a reader needs to obtain it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import tapwise
from tapwise.agent.vlm.model import BASE_MODEL
from tapwise.android_env.instructions import InstructionSuite
from tapwise.android_env.tasks import Suite
from tapwise.config import recipe_sha
from tapwise.training.recipes import BaseRecipe, FarmConfig

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pillow", "pydantic", "pyarrow")


def build_manifest(recipe: BaseRecipe, suite: Suite, model: str) -> dict[str, Any]:
    """Recipe, task lists by hash, protocol of measurement, versions and host of a run on phones."""
    tasks = {
        "name": suite.name,
        "train": tasks_sha(suite, "train"),
        "test": tasks_sha(suite, "test"),
        "train_tasks": len(suite.tasks("train")),
        "test_tasks": len(suite.tasks("test")),
    }
    protocol = {
        "device": _device(recipe.farm),
        "transport": recipe.farm.transport if recipe.farm.backend not in ("in_process", "appium") else "none",
        "screen": recipe.farm.size if recipe.farm.backend in _VIRTUAL else "the device's own",
        "noise": recipe.farm.noise if recipe.farm.backend in _VIRTUAL else "the device's own",
        "decoding": "greedy",
        "step_limit": _step_limits(suite),
        "success": suite.success_rule,
        "aborted_episodes": "our own faults; tried again, never counted",
        **({"leak": leak} if (leak := leak_of(suite)) else {}),
        "tasks": f"{recipe.evaluation.split} split, drawn evenly over templates by evaluation.seed",
    }
    return _manifest(recipe, model, tasks, protocol)


_VIRTUAL = ("virtual", "in_process")


def leak_of(suite: Suite) -> str:
    """What a list of instructions shares between its splits, in words."""
    if not isinstance(suite, InstructionSuite) or not suite.leaked:
        return ""
    return f"{suite.leaked} of {len(suite.tasks('test'))} test instructions are training instructions too"


def _device(farm: FarmConfig) -> str:
    """What kind of phone: numbers of different kinds are not comparable."""
    kinds = {
        "avd": f"emulator ({farm.emulator}) of AVD {farm.avd}, snapshot {farm.snapshot or 'none'}",
        "docker": f"container of {farm.image}",
        "remote": "remote",
        "appium": "remote, through Appium",
    }
    return kinds.get(farm.backend, f"tapwise virtual phone ({farm.backend})")


def _step_limits(suite: Suite) -> str:
    """The tasks' step limits by suite."""
    limits: dict[str, list[int]] = {}
    for task in (*suite.tasks("train"), *suite.tasks("test")):
        limits.setdefault(task.suite, []).append(task.max_steps)
    spans = {name: (min(found), max(found)) for name, found in sorted(limits.items())}
    return "per task: " + ", ".join(
        f"{name} {low}" if low == high else f"{name} {low} to {high}" for name, (low, high) in spans.items()
    )


def build_replay_manifest(
    recipe: BaseRecipe, store: str, training: Sequence[str], held_out: Sequence[str], model: str
) -> dict[str, Any]:
    """The same of a run without phones: ids of the experts' trajectories that it learns from and is measured on."""
    tasks = {
        "name": store,
        "train": _sha(training),
        "test": _sha(held_out),
        "train_tasks": len(training),
        "test_tasks": len(held_out),
    }
    protocol = {
        "device": "none: experts' trajectories are replayed",
        "transport": "none",
        "noise": "",
        "decoding": "greedy",
        "step_limit": "the expert's number of steps",
        "success": "every action matches the expert's, without a patch, under the policy's own history",
        "aborted_episodes": "those on which the policy fails to answer; never counted",
        "tasks": "held-out trajectories of the store, drawn by evaluation.seed",
    }
    return _manifest(recipe, model, tasks, protocol)


def _manifest(recipe: BaseRecipe, model: str, tasks: dict[str, Any], protocol: dict[str, str]) -> dict[str, Any]:
    return {
        "tapwise": tapwise.__version__,
        "git_commit": git_commit(),
        "recipe": recipe.model_dump(mode="json"),
        "recipe_sha": recipe_sha(recipe),
        "model": {"name": model, "sha256": model_sha(model)},
        "suite": tasks,
        "protocol": protocol,
        "versions": {name: _version(name) for name in PACKAGES},
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
    }


def tasks_sha(suite: Suite, split: str) -> str:
    """Hash of a split's task ids and instructions, in order."""
    return _sha(f"{task.id}\t{task.instruction}" for task in suite.tasks("train" if split == "train" else "test"))


def _sha(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()[:16]


def model_sha(model: str) -> str | None:
    """Hash of a model's folder, "base" being the one that ships with the package; None for a name on the hub."""
    folder = BASE_MODEL if model == "base" else Path(model)
    return folder_sha(folder) if folder.is_dir() else None


def folder_sha(folder: Path) -> str:
    """Hash of the names and contents of a model folder's files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def git_commit() -> str | None:
    """The commit that the package runs from, or None outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
