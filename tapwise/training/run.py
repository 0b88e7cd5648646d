"""A training run: a list of small units of work, each followed by a checkpoint.

Every unit draws its randomness from the recipe's seed and its own name, and reads the rest from the checkpoint and
the trajectory store. A run that is killed at any moment therefore goes on with the unit it was in and ends with the
same weights as one that was not.

Words: a *unit* is what lies between two checkpoints; a *phase* is supervised, offline or online; an *iteration* is
one round of the online phase.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env.env import EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.settle import SettleBudget
from tapwise.android_env.suites import load_suite
from tapwise.config import recipe_sha
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import DeviceStatus
from tapwise.protocols import Policy
from tapwise.records import End, Split, Trajectory
from tapwise.tracking import JsonlTracker
from tapwise.training.algorithms import make_algorithm
from tapwise.training.basic_skills import pointing_samples, substitution_samples
from tapwise.training.checkpoint import check_fits, load_checkpoint, save_checkpoint
from tapwise.training.collect import Collector, CollectorSettings, Job
from tapwise.training.compose import critic_reader, make_farm, make_model, use_threads
from tapwise.training.critic import Critic
from tapwise.training.evaluation import EpisodeResult, Evaluation
from tapwise.training.learner import Learner
from tapwise.training.manifest import build_manifest
from tapwise.training.recipes import Recipe
from tapwise.training.transitions import Sample, demonstration_samples
from tapwise.training.vem.values import make_step_values

OFFLINE_CHUNK = 40
"""offline rollouts between two checkpoints"""


class Observer(Protocol):
    """Who watches a run."""

    def unit(self, name: str, number: int, total: int) -> None:
        """A unit begins."""

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        """An episode has ended, aborted ones included."""

    def metrics(self, values: dict[str, float]) -> None:
        """Something was measured."""

    def devices(self, status: Callable[[], list[DeviceStatus]]) -> None:
        """The farm is up; `status` tells of it at any time."""


@dataclass
class Progress:
    """What a checkpoint keeps beside weights: how far the run is and what it has found."""

    done: int = 0
    demonstrations: list[str] = field(default_factory=list)
    rollouts: list[str] = field(default_factory=list)
    evaluations: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    interactions: int = 0
    """steps taken by the policy on training tasks"""


class Run:
    """Runs a recipe in a folder, from wherever an earlier run of the same recipe there was ended."""

    def __init__(self, recipe: Recipe, folder: Path, observer: Observer) -> None:
        self.recipe, self.folder, self.observer = recipe, folder, observer
        self.sha = recipe_sha(recipe)
        folder.mkdir(parents=True, exist_ok=True)
        saved = load_checkpoint(folder / "checkpoints")
        if saved is not None:
            check_fits(saved, self.sha)
        use_threads(recipe)
        torch.manual_seed(recipe.seed)
        self.suite = load_suite(recipe.suite)
        self.model = make_model(recipe.policy)
        self.learner = Learner(self.model, recipe.optimizer, recipe.batch_size)
        self.policy = VlmPolicy(self.model, temperature=recipe.policy.temperature)
        self.algorithm = make_algorithm(recipe.algorithm, make_step_values(recipe.algorithm, self.policy))
        self.critic = Critic(critic_reader(self.model), recipe.critic) if self.algorithm.needs_critic else None
        self.progress = Progress()
        self.store = ParquetTrajectoryStore(folder / "trajectories", sync="episode", keep_ui=True)
        self.store.close_interrupted()
        self.demonstrations: list[Trajectory] = []
        self.rollouts: list[Trajectory] = []
        if saved is not None:
            self._restore(saved)
        self._write_description()
        self.tracker = JsonlTracker(folder / "metrics.jsonl")

    def units(self) -> list[tuple[str, Callable[[], None]]]:
        """Names and work of all units, in order."""
        recipe = self.recipe
        chunks = -(-recipe.offline.episodes // OFFLINE_CHUNK)
        units: list[tuple[str, Callable[[], None]]] = [
            ("demonstrations", self._demonstrate),
            ("supervised", self._learn_supervised),
            ("evaluate/supervised", lambda: self._evaluate("supervised")),
        ]
        if chunks:
            units += [(f"offline/collect/{n}", lambda n=n: self._collect_offline(n)) for n in range(chunks)]  # type: ignore[misc]
            units += [("offline/learn", self._learn_offline), ("evaluate/offline", lambda: self._evaluate("offline"))]
        if recipe.online.iterations:
            units += [(f"online/{n}", lambda n=n: self._iterate_online(n)) for n in range(recipe.online.iterations)]  # type: ignore[misc]
            units.append(("evaluate/online", lambda: self._evaluate("online")))
        return units

    def go(self, stop_before: str | None = None) -> None:
        """Do all units that are not done yet, or only those before the one named."""
        units = self.units()
        names = [name for name, _ in units]
        units = units[: names.index(stop_before)] if stop_before else units
        if self.progress.done >= len(units):
            self.close()
            return
        try:
            with make_farm(self.recipe.farm) as farm:
                farm.wait_ready(count=1)
                self.observer.devices(farm.status)
                with self._collector(farm) as self._collect:
                    for number in range(self.progress.done, len(units)):
                        self._do(number, units)
        finally:
            self.close()

    def close(self) -> None:
        """Close store and metrics."""
        self.store.close()
        self.tracker.close()

    def _do(self, number: int, units: Sequence[tuple[str, Callable[[], None]]]) -> None:
        name, work = units[number]
        self.observer.unit(name, number, len(units))
        torch.manual_seed(_seed(self.recipe.seed, name))
        started = time.monotonic()
        work()
        kind = name if name.startswith("evaluate") else name.rstrip("0123456789").rstrip("/")
        self.progress.seconds[kind] = self.progress.seconds.get(kind, 0.0) + time.monotonic() - started
        self.progress.done = number + 1
        self._save()

    # --- units ---------------------------------------------------------------------------------------

    def _demonstrate(self) -> None:
        rng = self._rng("demonstrations")
        tasks = [
            task
            for template in self._templates()
            for task in rng.permutation(np.array(template, dtype=object)).tolist()[
                : self.recipe.supervised.demonstrations
            ]
        ]
        jobs = [Job(f"demonstration-{n:04}", task, int(rng.integers(1 << 31))) for n, task in enumerate(tasks)]
        found = self._collect.collect(ScriptedExpert(self.suite), jobs, self._watch("demonstrations"), with_tree=True)
        self.demonstrations = [t for t in found if t.success]
        self.progress.demonstrations = [t.id for t in self.demonstrations]

    def _learn_supervised(self) -> None:
        samples = self._taught()
        loss = self.learner.train(samples, self.recipe.supervised.updates, self._rng("supervised"))
        self._log({"supervised/loss": loss, "supervised/samples": len(samples)})
        self.policy.version += 1

    def _collect_offline(self, chunk: int) -> None:
        count = min(OFFLINE_CHUNK, self.recipe.offline.episodes - chunk * OFFLINE_CHUNK)
        self._add_rollouts(self._rollout(f"offline-{chunk:03}", count, "offline"))

    def _learn_offline(self) -> None:
        rng, settings = self._rng("offline/learn"), self.recipe.offline
        if self.critic is not None:
            self._log(self.critic.train_on(self.rollouts, settings.critic_updates, rng))
        samples, metrics = self.algorithm.select(self.rollouts, self.critic, "offline")
        samples += self._beside(len(samples), rng)
        self._log(
            {**metrics, "offline/loss": self.learner.train(samples, settings.updates, rng, settings.learning_rate)}
        )
        self.policy.version += 1

    def _iterate_online(self, iteration: int) -> None:
        rng, settings = self._rng(f"online/{iteration}"), self.recipe.online
        found = self._rollout(f"online-{iteration:03}", settings.episodes, "online")
        self._add_rollouts(found)
        metrics: dict[str, float] = {
            "online/success": float(np.mean([bool(t.success) for t in found])) if found else 0.0
        }
        if self.critic is not None:
            metrics |= self.critic.train_on(self.rollouts, settings.critic_updates, rng)
        samples, selection = self.algorithm.select(self.rollouts, self.critic, "online")
        samples += self._beside(len(samples), rng)
        metrics |= {
            **selection,
            "online/loss": self.learner.train(samples, settings.updates, rng, settings.learning_rate),
        }
        self.policy.version += 1
        self._log(metrics)

    def _evaluate(self, phase: str) -> None:
        settings = self.recipe.evaluation
        evaluation = Evaluation(self.suite, settings.split, settings.episodes, settings.seed)
        policy = VlmPolicy(self.model, greedy=True)
        policy.version = self.policy.version
        found = self._collect.collect(policy, evaluation.jobs(f"evaluation-{phase}"), self._watch(f"evaluate/{phase}"))
        results = [EpisodeResult.of(t) for t in found]
        self.progress.evaluations[phase] = [asdict(result) for result in results]
        success = float(np.mean([r.success for r in results])) if results else 0.0
        self._log({f"evaluation/{phase}": success, "interactions": self.progress.interactions})

    # --- parts ---------------------------------------------------------------------------------------

    def _taught(self) -> list[Sample]:
        """What the demonstrations teach: their steps, pointing at other things on their screens, typing other words."""
        settings, shown, model = self.recipe.supervised, self.demonstrations, self.model
        pointing = pointing_samples(shown, model, settings.pointing, self._rng("pointing"))
        typing = substitution_samples(shown, model, settings.substitutions, self._rng("substitutions"))
        return demonstration_samples(shown, model) + pointing + typing

    def _beside(self, count: int, rng: np.random.Generator) -> list[Sample]:
        """What is learned beside `count` steps of its own: reminders of the demonstrations, and pointing at what stands
        on the latest screens that it has seen."""
        taught, settings = self._taught(), self.recipe.supervised
        unit = max(count, self.recipe.batch_size)
        reminders = [taught[index] for index in rng.permutation(len(taught))[: round(settings.reminders * unit)]]
        wanted = round(self.recipe.exploration_pointing * unit)
        latest: list[Trajectory] = []
        screens = 0
        for trajectory in reversed(self.rollouts):
            if screens >= wanted:
                break
            latest.append(trajectory)
            screens += len(trajectory.steps)
        return reminders + pointing_samples(latest, self.model, 1, rng)[:wanted]

    def _templates(self) -> list[list[Any]]:
        groups: dict[str, list[Any]] = {}
        for task in self.suite.tasks("train"):
            groups.setdefault(task.template, []).append(task)
        return list(groups.values())

    def _rollout(self, name: str, count: int, phase: str) -> list[Trajectory]:
        rng = self._rng(name)
        split: Split = "train"
        tasks = self.suite.sample(rng, split, count)
        jobs = [Job(f"{name}-{n:03}", task, int(rng.integers(1 << 31))) for n, task in enumerate(tasks)]
        policy: Policy = self.policy
        with_tree = self.recipe.exploration_pointing > 0
        return self._collect.collect(policy, jobs, self._watch(phase), with_tree=with_tree)

    def _add_rollouts(self, found: list[Trajectory]) -> None:
        self.rollouts += found
        self.progress.rollouts += [t.id for t in found]
        self.progress.interactions += sum(len(t.steps) for t in found)

    def _watch(self, phase: str) -> Callable[[Trajectory], None]:
        return lambda trajectory: self.observer.episode(phase, trajectory)

    def _collector(self, farm: Farm) -> Collector:
        patient = EnvSettings(settle=SettleBudget(seconds=20.0, polls=40))
        settings = CollectorSettings(patient, recipe_sha=self.sha)
        return Collector(farm, self.recipe.farm.devices, self.suite, self.store, settings)

    def _rng(self, name: str) -> np.random.Generator:
        return np.random.default_rng(_seed(self.recipe.seed, name))

    def _log(self, values: dict[str, float]) -> None:
        self.tracker.log({"interactions": self.progress.interactions, **values}, self.learner.updates)
        self.observer.metrics(values)

    # --- keeping -------------------------------------------------------------------------------------

    def _save(self) -> None:
        state: dict[str, Any] = {
            "recipe_sha": self.sha,
            "progress": asdict(self.progress),
            "model": self.model.model.state_dict(),
            "optimizer": self.learner.optimizer.state_dict(),
            "updates": self.learner.updates,
            "policy_version": self.policy.version,
        }
        if self.critic is not None:
            state["critic"] = self.critic.state_dict()
            state["critic_optimizer"] = self.critic.optimizer.state_dict()
            state["critic_updates"] = self.critic.updates
        save_checkpoint(self.folder / "checkpoints", state)

    def _restore(self, saved: dict[str, Any]) -> None:
        self.progress = Progress(**saved["progress"])
        self.model.model.load_state_dict(saved["model"])
        self.learner.optimizer.load_state_dict(saved["optimizer"])
        self.learner.updates = saved["updates"]
        self.policy.version = saved["policy_version"]
        if self.critic is not None and "critic" in saved:
            self.critic.load_state_dict(saved["critic"])
            self.critic.optimizer.load_state_dict(saved["critic_optimizer"])
            self.critic.updates = saved["critic_updates"]
        self.demonstrations = [self.store.get(name) for name in self.progress.demonstrations]
        self.rollouts = [self.store.get(name) for name in self.progress.rollouts]

    def _write_description(self) -> None:
        (self.folder / "recipe.json").write_text(self.recipe.model_dump_json(indent=2), encoding="utf-8")
        manifest = build_manifest(self.recipe, self.suite, self.model.name)
        (self.folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")


def aborted(trajectories: Sequence[Trajectory]) -> int:
    """How many episodes our own faults ended."""
    return sum(t.end is End.ABORTED for t in trajectories)


def _seed(seed: int, name: str) -> int:
    """A seed for one unit of a run."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{name}".encode(), digest_size=6).digest(), "big")
