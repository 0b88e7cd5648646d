"""What every run that trains a policy begins with: demonstrations, imitation, and measuring success on phones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.android_env.env import PATIENT
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.tasks import Suite
from tapwise.emulators.farm_metrics import FarmMetrics, served
from tapwise.protocols import Policy
from tapwise.records import Task, Trajectory
from tapwise.tracking import JsonlTracker
from tapwise.training.basic_skills import pointing_samples, substitution_samples
from tapwise.training.collect import CollectorSettings, Job
from tapwise.training.compose import make_model
from tapwise.training.evaluation import EpisodeResult, Evaluation
from tapwise.training.learner import Learner
from tapwise.training.manifest import build_manifest
from tapwise.training.phones import open_phones
from tapwise.training.runs.units import Observer, RecipeT, Unit, UnitRun
from tapwise.training.suites import suite_of
from tapwise.training.transitions import Sample, demonstration_samples
from tapwise.training.usage import Usage

_KNOWING = ("virtual", "in_process")
"""backends whose devices know what an episode has changed"""


class PolicyRun(UnitRun[RecipeT]):
    """A run with a policy that is trained and measured on a farm's phones."""

    def __init__(self, recipe: RecipeT, folder: Path, observer: Observer) -> None:
        super().__init__(recipe, folder, observer)
        self.suite: Suite = suite_of(recipe)
        self.model = make_model(recipe.policy)
        self.learner = Learner(self.model, recipe.optimizer, recipe.batch_size)
        self.policy = VlmPolicy(self.model, temperature=recipe.policy.temperature)
        self.demonstrations: Sequence[Trajectory] = []

    @property
    def _updates(self) -> int:
        return self.learner.updates

    def _equipment(self) -> AbstractContextManager[object]:
        return self._phones()

    @contextmanager
    def _phones(self) -> Iterator[None]:
        farm = self.recipe.farm
        env = PATIENT.model_copy(update={"tell_changes": farm.backend in _KNOWING})
        settings = CollectorSettings(env, recipe_sha=self.sha, schedule=farm.resolved_schedule())
        with open_phones(self.recipe, self.suite, self.store, settings, self._log_usage) as phones:
            self.observer.devices(phones.status)
            self._collect, self._lend = phones.collector, phones.lend
            self._metrics = FarmMetrics(phones.status, phones.waiting)
            with served(self._metrics, farm.metrics_port) if farm.metrics_port else nullcontext():
                yield

    def _log_usage(self, usage: Usage) -> None:
        """In a file of its own: rollouts may be made in another thread than learning is."""
        with closing(JsonlTracker(self.folder / "farm.jsonl")) as tracker:
            tracker.log(usage.summary(), self.policy.version)
        self._metrics.usage(usage.summary())

    # --- units ---------------------------------------------------------------------------------------

    def _start_units(self) -> list[Unit]:
        return [
            ("demonstrations", self._demonstrate),
            ("supervised", self._learn_supervised),
            ("evaluate/supervised", lambda: self._evaluate("supervised")),
        ]

    def _demonstrate(self) -> None:
        rng = self._rng("demonstrations")
        tasks = [
            task
            for template in self._templates()
            for task in rng.permutation(np.array(template, dtype=object)).tolist()[: self._demonstrations_each]
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

    def _evaluate(self, phase: str) -> None:
        settings = self.recipe.evaluation
        evaluation = Evaluation(self.suite, settings.split, settings.episodes, settings.seed)
        found = self._collect.collect(
            self._greedy(), evaluation.jobs(f"evaluation-{phase}"), self._watch(f"evaluate/{phase}")
        )
        self._measured(phase, [EpisodeResult.of(t) for t in self._with_success(found)])

    def _with_success(self, found: list[Trajectory]) -> list[Trajectory]:
        """The episodes of an evaluation, told by whoever else can say it where the phone cannot."""
        return found

    @property
    def _demonstrations_each(self) -> int:
        """Demonstrations of each template."""
        return self.recipe.supervised.demonstrations

    @property
    def _imitated(self) -> Sequence[Trajectory]:
        """The demonstrations that the supervised phase learns from."""
        return self.demonstrations

    # --- parts ---------------------------------------------------------------------------------------

    def _greedy(self) -> VlmPolicy:
        policy = VlmPolicy(self.model, greedy=True)
        policy.version = self.policy.version
        return policy

    def _measured(self, phase: str, results: list[EpisodeResult]) -> None:
        self.progress.evaluations[phase] = [asdict(result) for result in results]
        success = float(np.mean([r.success for r in results])) if results else 0.0
        self._log({f"evaluation/{phase}": success, "interactions": self.progress.interactions})

    def _taught(self) -> list[Sample]:
        """What the demonstrations teach: their steps, typing other words, pointing at other things on their screens."""
        count = self.recipe.supervised.pointing
        return self._acted() + pointing_samples(self._imitated, self.model, count, self._rng("pointing"))

    def _acted(self) -> list[Sample]:
        """Steps of the demonstrations, and their typing with other words."""
        shown, model, count = self._imitated, self.model, self.recipe.supervised.substitutions
        typing = substitution_samples(shown, model, count, self._rng("substitutions"))
        return demonstration_samples(shown, model) + typing

    def _templates(self) -> list[list[Any]]:
        groups: dict[str, list[Any]] = {}
        for task in self.suite.tasks("train"):
            groups.setdefault(task.template, []).append(task)
        return list(groups.values())

    def _tasks(self, rng: np.random.Generator, count: int) -> list[Task]:
        """Training tasks to try, drawn evenly over the templates."""
        return self.suite.sample(rng, "train", count)

    def _rollout(
        self, name: str, count: int, phase: str, *, policy: Policy | None = None, with_tree: bool = False
    ) -> list[Trajectory]:
        """`count` sampled episodes on training tasks, by default of the policy that learns."""
        rng = self._rng(name)
        tasks = self._tasks(rng, count)
        jobs = [Job(f"{name}-{n:03}", task, int(rng.integers(1 << 31))) for n, task in enumerate(tasks)]
        return self._collect.collect(policy or self.policy, jobs, self._watch(phase), with_tree=with_tree)

    # --- keeping -------------------------------------------------------------------------------------

    def sizes(self) -> dict[str, int]:
        """Episodes by kind of unit."""
        return {"demonstrations": len(self.suite.templates) * self._demonstrations_each}

    def _manifest(self) -> dict[str, Any]:
        return build_manifest(self.recipe, self.suite, self.model.name)

    def _state(self) -> dict[str, Any]:
        return {
            "model": self.model.model.state_dict(),
            "optimizer": self.learner.optimizer.state_dict(),
            "updates": self.learner.updates,
            "policy_version": self.policy.version,
        }

    def _restore(self, saved: dict[str, Any]) -> None:
        self.model.model.load_state_dict(saved["model"])
        self.learner.optimizer.load_state_dict(saved["optimizer"])
        self.learner.updates = saved["updates"]
        self.policy.version = saved["policy_version"]
        self.demonstrations = self._stored_demonstrations()

    def _stored_demonstrations(self) -> Sequence[Trajectory]:
        return [self.store.get(name) for name in self.progress.demonstrations]
