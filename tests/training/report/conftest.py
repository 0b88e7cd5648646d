"""A run's folder as a run would leave it, with real episodes: the random agent stands in for the supervised policy,
the scripted expert for the one after online learning."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pytest

from tapwise.agent.random_agent import RandomPolicy
from tapwise.android_env.env import EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.settle import SettleBudget
from tapwise.android_env.suites import load_suite
from tapwise.config import recipe_sha
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessBackend
from tapwise.emulators.farm import Farm
from tapwise.protocols import Policy
from tapwise.records import Trajectory
from tapwise.tracking import JsonlTracker
from tapwise.training.checkpoint import save_checkpoint
from tapwise.training.collect import Collector, CollectorSettings
from tapwise.training.evaluation import EpisodeResult, Evaluation
from tapwise.training.manifest import build_manifest
from tapwise.training.recipes import Recipe
from tapwise.training.run import Progress

EPISODES = 8


def _metrics(tracker: JsonlTracker) -> None:
    noise = random.Random(0)
    for phase, interactions, success in (("supervised", 0, 0.2), ("offline", 3000, 0.4), ("online", 9000, 0.7)):
        tracker.log({"interactions": interactions, f"evaluation/{phase}": success}, interactions)
    for iteration in range(20):
        at = 3000 + 300 * (iteration + 1)
        values = {"online/success": min(1.0, 0.3 + 0.02 * iteration + noise.uniform(-0.08, 0.08))}
        values |= {"online/loss": 1.2 / (1 + iteration / 8), "critic/step_loss": 0.6 - 0.01 * iteration}
        values |= {"critic/instruction_loss": 0.5 - 0.012 * iteration}
        tracker.log({"interactions": at, **values}, at)
        if iteration == 4:  # the run was killed in this unit and did it again
            tracker.log({"interactions": at, **values, "online/loss": 0.9}, at)


def build_run(folder: Path, episodes: int = EPISODES) -> Path:
    """Make the folder; returns it."""
    recipe = Recipe(name="demo")
    suite = load_suite("all")
    evaluation = Evaluation(suite, "test", episodes, 3)
    settings = CollectorSettings(
        EnvSettings(settle=SettleBudget(seconds=20.0, polls=40)), recipe_sha=recipe_sha(recipe)
    )
    players: Sequence[tuple[str, Policy]] = (("supervised", RandomPolicy(0)), ("online", ScriptedExpert(suite)))
    found: dict[str, list[Trajectory]] = {}
    with ParquetTrajectoryStore(folder / "trajectories") as store, Farm(InProcessBackend(), 2) as farm:
        farm.wait_ready()
        with Collector(farm, 2, suite, store, settings) as collector:
            for phase, policy in players:
                found[phase] = collector.collect(policy, evaluation.jobs(f"evaluation-{phase}"), with_tree=True)
    evaluations = {phase: [asdict(EpisodeResult.of(t)) for t in played] for phase, played in found.items()}
    evaluations["offline"] = evaluations["supervised"][: episodes // 2] + evaluations["online"][episodes // 2 :]
    seconds = {"demonstrations": 20.0, "supervised": 60.0, "evaluate/supervised": 40.0, "offline/collect": 300.0}
    seconds |= {"offline/learn": 200.0, "online": 900.0, "evaluate/offline": 42.0, "evaluate/online": 38.0}
    progress = Progress(done=30, demonstrations=["d"] * 56, evaluations=evaluations, seconds=seconds, interactions=9000)
    save_checkpoint(folder / "checkpoints", {"recipe_sha": recipe_sha(recipe), "progress": asdict(progress)})
    (folder / "recipe.json").write_text(recipe.model_dump_json(), encoding="utf-8")
    (folder / "manifest.json").write_text(json.dumps(build_manifest(recipe, suite, "base")), encoding="utf-8")
    tracker = JsonlTracker(folder / "metrics.jsonl")
    _metrics(tracker)
    tracker.close()
    return folder


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One synthetic run for all tests, which only read it or write the report."""
    return build_run(tmp_path_factory.mktemp("runs") / "demo")
