"""Whole runs at the smallest size: all units, and resume."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.cli.interrupts import interruptible
from tapwise.errors import CheckpointError
from tapwise.records import Trajectory
from tapwise.training.algorithms.behaviour_cloning import BehaviourCloning
from tapwise.training.checkpoint import load_checkpoint
from tapwise.training.recipes import BehaviourCloningConfig, DigiRLConfig, Recipe
from tapwise.training.run import Run, cooling
from tapwise.training.transitions import Sample, samples
from tapwise.training.vem.critic import load_critic
from tapwise.training.vem.values import make_step_values

MakeRecipe = Callable[..., Recipe]


class Stop(Exception):
    """Stands for the power being cut."""


class Cutter:
    """An observer that cuts the power when a unit begins, or in the middle of one."""

    def __init__(self, unit: str, episode: int | None = None) -> None:
        self._unit, self._episode, self._here, self._seen = unit, episode, False, 0

    def unit(self, name: str, number: int, total: int) -> None:
        self._here = name == self._unit
        if self._here and self._episode is None:
            raise Stop

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        if self._here and self._episode is not None:
            self._seen += 1
            if self._seen == self._episode:
                raise Stop

    def metrics(self, values: dict[str, float]) -> None:
        """Not needed."""

    def warning(self, text: str) -> None:
        """Not needed."""

    def devices(self, status: object) -> None:
        """Not needed."""


def weights(folder: Path) -> dict[str, Any]:
    state = load_checkpoint(folder / "checkpoints")
    assert state is not None
    return state


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return all(torch.equal(first["model"][name], second["model"][name]) for name in first["model"])


def plain(name: str) -> str:
    """An episode's id without the number of its attempt: one that was cut is stored as such, and made again."""
    return name.partition("+")[0]


def episodes(state: dict[str, Any]) -> list[str]:
    return [plain(name) for name in state["progress"]["rollouts"]]


def results(state: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    evaluations: dict[str, list[dict[str, Any]]] = state["progress"]["evaluations"]
    return {
        phase: [{**result, "trajectory": plain(result["trajectory"])} for result in found]
        for phase, found in evaluations.items()
    }


@pytest.mark.parametrize("algorithm", ["bc", "filtered_bc", "digirl"])
def test_a_run_does_every_unit_and_measures_each_phase(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any, algorithm: str
) -> None:
    run = Run(make_recipe(algorithm={"type": algorithm}), tmp_path, watcher)
    run.go()
    assert watcher.units[:3] == ["demonstrations", "supervised", "evaluate/supervised"]
    assert watcher.units[-3:] == ["online/0", "online/1", "evaluate/online"]
    assert {phase: len(found) for phase, found in run.progress.evaluations.items()} == {
        "supervised": 2,
        "offline": 2,
        "online": 2,
    }
    assert len(run.rollouts) == 4 + 2 * 3
    assert (tmp_path / "manifest.json").exists()
    assert (tmp_path / "metrics.jsonl").exists()


def test_digirl_may_train_the_value_environment_model_that_it_asks(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any
) -> None:
    recipe = make_recipe(
        algorithm={"type": "digirl", "advantage": "vem", "vem_updates": 2, "vem_samples": 2, "form": "code"},
        online={"iterations": 0},
    )
    Run(recipe, tmp_path, watcher).go(stop_before="offline/learn")
    assert watcher.units[-2:] == ["offline/collect/0", "offline/vem"]
    assert load_critic(tmp_path / "vem").config.mark_touches is False
    run = Run(recipe, tmp_path, watcher)  # goes on with the model that the first one trained
    values = make_step_values(DigiRLConfig.model_validate(recipe.algorithm.model_dump()), run.policy, tmp_path / "vem")
    assert values is not None
    assert len(values.step_values(run.rollouts[0])) == len(run.rollouts[0].steps) + 1
    assert set(run.progress.found["vem"]) == {"vem/loss", "vem/auc", "vem/calibration_error"}
    run.go()
    assert len(run.progress.evaluations["offline"]) == 2


def test_behaviour_cloning_imitates_failures_too(tmp_path: Path, make_recipe: MakeRecipe, watcher: Any) -> None:
    run = Run(make_recipe(online={"iterations": 0}), tmp_path, watcher)
    run.go(stop_before="offline/learn")
    lost = [t for t in run.rollouts if not t.success]
    assert lost

    def choose(config: BehaviourCloningConfig, wanted: int) -> tuple[list[Sample], dict[str, float]]:
        return BehaviourCloning(config).select(run.rollouts, None, "offline", wanted, np.random.default_rng(0))

    everything, told = choose(BehaviourCloningConfig(), 1000)
    assert {s.context.task.id for s in everything} == {t.task.id for t in run.rollouts}
    assert len(everything) == len(samples(run.rollouts))
    assert told["selection/trajectories"] == len(run.rollouts)
    latest, _ = choose(BehaviourCloningConfig(window=1), 1000)
    assert latest == samples(run.rollouts[-1:])
    few, _ = choose(BehaviourCloningConfig(), 1)
    assert 0 < len(few) < len(everything)


def test_the_learning_rate_falls_in_the_last_rounds() -> None:
    assert [cooling(n, 10, 0.0) for n in range(10)] == [1.0] * 10
    assert [cooling(n, 10, 0.4) for n in range(10)] == pytest.approx([1.0] * 7 + [0.75, 0.5, 0.25])


ONLINE = {"iterations": 2, "episodes": 3, "critic_updates": 1, "updates": 2}


def test_with_a_staleness_of_one_a_round_learns_from_the_rounds_before(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any
) -> None:
    """Both ways the first round acts with what the offline phase left, the second with what the first round left; but
    what is learned from are all rollouts, or those of the rounds before (here: pointing on the latest screens)."""
    found = {}
    for staleness in (0, 1):
        recipe = make_recipe(online={**ONLINE, "staleness": staleness}, exploration_pointing=1.0)
        run = Run(recipe, tmp_path / str(staleness), watcher)
        run.go(stop_before="evaluate/online")
        found[staleness] = run
    versions = {
        n: [step.decision.policy_version for t in run.rollouts[4:] for step in t.steps] for n, run in found.items()
    }
    assert set(versions[1]) == {1 + 1, 1 + 2}
    assert set(versions[0]) == set(versions[1])
    first = {n: [[s.decision.text for s in t.steps] for t in run.rollouts[:7]] for n, run in found.items()}
    assert first[0] == first[1]
    learned = [weights(tmp_path / str(n)) for n in (0, 1)]
    assert learned[0]["updates"] == learned[1]["updates"]
    assert not same(*learned)


class Interrupter:
    """An observer that sends Ctrl-C to the main thread when the first online episode has ended."""

    def __init__(self) -> None:
        self.online = 0

    def unit(self, name: str, number: int, total: int) -> None:
        """Not needed."""

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        self.online += phase == "online"
        if self.online == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    def metrics(self, values: dict[str, float]) -> None:
        """Not needed."""

    def warning(self, text: str) -> None:
        """Not needed."""

    def devices(self, status: object) -> None:
        """Not needed."""


def test_an_interrupt_ends_a_round_that_still_collects(tmp_path: Path, make_recipe: MakeRecipe) -> None:
    interrupter = Interrupter()
    recipe = make_recipe(online={**ONLINE, "episodes": 60, "staleness": 1})
    with pytest.raises(KeyboardInterrupt), interruptible():
        Run(recipe, tmp_path, interrupter).go()
    assert 1 <= interrupter.online < 30


@pytest.mark.slow
@pytest.mark.parametrize("staleness", [0, 1])
@pytest.mark.parametrize("cut", [("offline/learn", None), ("online/1", None), ("online/1", 2), ("evaluate/offline", 1)])
def test_a_run_that_was_cut_ends_with_the_same_weights(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any, cut: tuple[str, int | None], staleness: int
) -> None:
    recipe = make_recipe(
        supervised={"demonstrations": 1, "updates": 3},
        algorithm={"type": "digirl"},
        online={**ONLINE, "staleness": staleness},
        curriculum=bool(staleness),
    )
    Run(recipe, tmp_path / "whole", watcher).go()
    with pytest.raises(Stop):
        Run(recipe, tmp_path / "cut", Cutter(*cut)).go()
    resumed = Run(recipe, tmp_path / "cut", watcher)
    resumed.go()
    whole, cut_short = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert same(whole, cut_short)
    assert episodes(whole) == episodes(cut_short)
    assert results(whole) == results(cut_short)


def test_another_recipe_does_not_go_on_in_the_same_folder(
    tmp_path: Path, make_recipe: MakeRecipe, watcher: Any
) -> None:
    Run(make_recipe(), tmp_path, watcher).go(stop_before="supervised")
    with pytest.raises(CheckpointError, match="recipe"):
        Run(make_recipe(seed=1), tmp_path, watcher)


def test_a_finished_run_stays_finished(tmp_path: Path, make_recipe: MakeRecipe, watcher: Any) -> None:
    recipe = make_recipe(offline={"episodes": 0}, online={"iterations": 0})
    Run(recipe, tmp_path, watcher).go()
    before = len(watcher.units)
    Run(recipe, tmp_path, watcher).go()
    assert len(watcher.units) == before
    shutil.rmtree(tmp_path)
