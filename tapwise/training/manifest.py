"""How a number was obtained: everything that a reader needs to obtain it again."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tapwise
from tapwise.agent.vlm.model import BASE_MODEL
from tapwise.android_env.env import PATIENT
from tapwise.android_env.instructions import InstructionSuite
from tapwise.android_env.tasks import Suite
from tapwise.config import recipe_sha
from tapwise.emulators.virtual.noise import Noise
from tapwise.evaluator.protocol import EvaluationProtocol
from tapwise.training.judging import judge_told
from tapwise.training.recipes import BaseRecipe, FarmConfig, Recipe

PACKAGES = ("torch", "transformers", "tokenizers", "numpy", "pillow", "pydantic", "pyarrow")


def build_manifest(
    recipe: BaseRecipe, suite: Suite, model: str, protocol: EvaluationProtocol | None = None
) -> dict[str, Any]:
    """Recipe, task lists by hash, protocol of measurement (the recipe's own unless given), versions and host of a run
    on phones."""
    tasks = {
        "name": suite.name,
        "train": tasks_sha(suite, "train"),
        "test": tasks_sha(suite, "test"),
        "train_tasks": len(suite.tasks("train")),
        "test_tasks": len(suite.tasks("test")),
    }
    return _manifest(recipe, model, tasks, protocol or phone_protocol(recipe, suite))


_VIRTUAL = ("virtual", "in_process")


def phone_protocol(recipe: BaseRecipe, suite: Suite) -> EvaluationProtocol:
    """How a recipe measures success on its phones."""
    virtual = recipe.farm.backend in _VIRTUAL
    return EvaluationProtocol(
        device=_device(recipe.farm),
        transport=recipe.farm.transport if recipe.farm.backend not in ("in_process", "appium") else "none",
        screen=recipe.farm.size if virtual else "the device's own",
        noise=asdict(Noise.parse(recipe.farm.noise)) if virtual else None,
        split=recipe.evaluation.split,
        episodes=recipe.evaluation.episodes,
        task_seed=recipe.evaluation.seed,
        drawn="evenly over templates",
        step_limits=_step_limits(suite),
        settle=PATIENT.settle.model_dump(),
        success=suite.success_rule,
        judge=_judge(recipe, suite),
        leak=leak_of(suite),
    )


def _judge(recipe: BaseRecipe, suite: Suite) -> dict[str, str]:
    """Who says whether an episode has succeeded, where the phone's state does not."""
    return judge_told(recipe.judge) if isinstance(recipe, Recipe) and not suite.tells else {}


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


def _step_limits(suite: Suite) -> dict[str, tuple[int, int]]:
    """The lowest and the highest of the tasks' step limits, by suite."""
    limits: dict[str, list[int]] = {}
    for task in (*suite.tasks("train"), *suite.tasks("test")):
        limits.setdefault(task.suite, []).append(task.max_steps)
    return {name: (min(found), max(found)) for name, found in sorted(limits.items())}


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
    protocol = EvaluationProtocol(
        device="none: experts' trajectories are replayed",
        transport="none",
        screen="the trajectories' own",
        noise=None,
        split="test",
        episodes=min(recipe.evaluation.episodes, len(held_out)),
        task_seed=recipe.evaluation.seed,
        drawn="held-out trajectories of the store",
        step_limits={},
        success="every action matches the expert's, without a patch, under the policy's own history",
        aborted_episodes="those on which the policy fails to answer; never counted",
    )
    return _manifest(recipe, model, tasks, protocol)


def _manifest(recipe: BaseRecipe, model: str, tasks: dict[str, Any], protocol: EvaluationProtocol) -> dict[str, Any]:
    return {
        "tapwise": tapwise.__version__,
        "git_commit": git_commit(),
        "recipe": recipe.model_dump(mode="json"),
        "recipe_sha": recipe_sha(recipe),
        "model": {"name": model, "sha256": model_sha(model)},
        "suite": tasks,
        "protocol": protocol.to_json(),
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
