"""The VEM run: labels, a critic that is measured on held-out episodes, and a policy that learns against it, guarded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from tapwise.android_env.env import PATIENT, AndroidEnv
from tapwise.android_env.expert import ScriptedExpert
from tapwise.protocols import Policy
from tapwise.records import End, Task, Trajectory
from tapwise.training.compose import critic_reader
from tapwise.training.evaluation import Evaluation
from tapwise.training.runs.expert_run import ExpertRun
from tapwise.training.runs.experts import States, StoredTrajectories
from tapwise.training.runs.units import Observer, Unit
from tapwise.training.semi_online.config import ClippedLossConfig
from tapwise.training.vem.critic import VemCritic, load_critic
from tapwise.training.vem.fit import fit, split_episodes
from tapwise.training.vem.forks import ForkedStates
from tapwise.training.vem.guard import ExploitationGuard
from tapwise.training.vem.labels import LabelFile, StepLabel, examples
from tapwise.training.vem.policy import VemTrainer
from tapwise.training.vem.recipe import ON_PHONES, VemRecipe
from tapwise.training.vem.scoring import VemScorer
from tapwise.training.vem.sources import alternatives, outcome_labels, write_expert_labels

PHASE = "vem"
FOLDER = "vem"
"""where in a run's folder the critic lies"""
CHUNK = 8
"""episodes that are labelled between two checkpoints"""


class VemRun(ExpertRun[VemRecipe]):
    """Demonstrations, imitation, labels, the critic, learning against it, an evaluation after imitation and at the
    end. The critic is in the folder `vem`, where DigiRL takes it from."""

    def __init__(self, recipe: VemRecipe, folder: Path, observer: Observer) -> None:
        super().__init__(recipe, folder, observer)
        self.labels = LabelFile(folder / "labels.jsonl")
        self._optimiser: VemTrainer | None = None
        self._ready()

    @property
    def _loss(self) -> ClippedLossConfig:
        return self.recipe.optimisation.loss

    def units(self) -> list[Unit]:
        """Names and work of all units, in order."""
        recipe = self.recipe
        units = self._start_units()
        if recipe.labels.source in ON_PHONES:
            chunks = -(-recipe.labels.episodes // CHUNK)
            units += [(f"label/{n}", lambda n=n: self._label_on_phones(n)) for n in range(chunks)]  # type: ignore[misc]
        else:
            units.append(("label", self._label_experts))
        units.append(("critic", self._train_critic))
        rounds = -(-recipe.iterations // recipe.guard.every)
        units += [(f"optimise/{n}", lambda n=n: self._optimise(n)) for n in range(rounds)]  # type: ignore[misc]
        if rounds:
            units.append((f"evaluate/{PHASE}", lambda: self._evaluate(PHASE)))
        return units

    def sizes(self) -> dict[str, int]:
        """Episodes by kind of unit."""
        here = {"label": CHUNK, "optimise": self.recipe.guard.episodes} if self.source is None else {}
        return {**super().sizes(), **here}

    # --- units ---------------------------------------------------------------------------------------

    def _label_on_phones(self, chunk: int) -> None:
        config = self.recipe.labels
        count = min(CHUNK, config.episodes - chunk * CHUNK)
        if config.source == "outcomes":
            found = self._rollout(f"label-{chunk:03}", count, "label")
            labels = outcome_labels(found)
        else:
            found, labels = self._fork(chunk, count)
        self.labels.append(labels)
        self.progress.rollouts += [trajectory.id for trajectory in found]
        self.progress.interactions += sum(len(trajectory.steps) for trajectory in found)
        known = [label.good for label in labels if label.good is not None]
        if known:
            self._log({"label/count": len(known), "label/good": float(np.mean(known))})

    def _fork(self, chunk: int, count: int) -> tuple[list[Trajectory], list[StepLabel]]:
        """Play `count` episodes with forks in every state; those that a fault ended, and their labels, are left out."""
        config, expert = self.recipe.labels, ScriptedExpert(self.suite)
        finisher: Policy = expert if config.source == "progress" else self._greedy()
        found: list[Trajectory] = []
        labels: list[StepLabel] = []
        with self._lend("label") as device:
            env = AndroidEnv(device, self.suite, PATIENT.model_copy(update={"with_tree": True}))
            forks = ForkedStates(env, finisher, rollouts=1, no_detour=config.source == "progress")
            others = alternatives(expert, self.policy, config.samples)
            for number, (task, seed, by_expert) in self._label_jobs(chunk, count).items():
                player: Policy = expert if by_expert else self.policy
                trajectory, known = forks.label_episode(player, task, seed, others, f"label-{number:04}")
                self.observer.episode("label", trajectory)
                if trajectory.end is End.ABORTED:
                    continue
                if trajectory.id not in self.store:
                    self.store.append(trajectory)
                found.append(trajectory)
                labels += known
        return found, labels

    def _label_jobs(self, chunk: int, count: int) -> dict[int, tuple[Task, int, bool]]:
        """Task, seed, and whether the expert plays, by the episode's number."""
        config, rng = self.recipe.labels, self._rng("label")
        tasks = self.suite.sample(rng, "train", config.episodes)
        seeds = rng.integers(1 << 31, size=config.episodes).tolist()
        share = config.expert_share
        return {
            number: (tasks[number], seeds[number], math.floor((number + 1) * share) > math.floor(number * share))
            for number in range(chunk * CHUNK, chunk * CHUNK + count)
        }

    def _label_experts(self) -> None:
        write_expert_labels(
            self.recipe.labels, self.demonstrations, self.labels, self.model.action_text, self._rng("label")
        )

    def _train_critic(self) -> None:
        trajectories = self._labelled()
        ids = {trajectory.id for trajectory in trajectories}
        # A run that was killed may have labelled an episode that a fault ended when it was played again.
        labels = [label for label in self.labels if label.trajectory in ids]
        found = examples(trajectories, labels, self.model.action_text)
        critic = VemCritic(critic_reader(self.model), self.recipe.vem)
        came = fit(critic, found, self.recipe.critic_updates, self._rng("critic"))
        critic.save(self.folder / FOLDER)
        _, held_out = split_episodes(found, self.recipe.vem.held_out)
        self.progress.found["vem_held_out"] = sorted({example.episode for example in held_out})
        self.progress.found["critic"] = {
            "source": self.recipe.labels.source,
            "labels": len(found),
            "good": float(np.mean([example.good for example in found])),
            "loss": came.loss,
            "before": _json(asdict(came.before)),
            "held_out": _json(asdict(came.after)),
        }
        after = came.after
        self._log({"critic/loss": came.loss, "critic/auc": after.auc, "critic/correlation": after.correlation})

    def _optimise(self, number: int) -> None:
        """One stretch of learning between two measurements; nothing is left to do once the guard has stopped it."""
        recipe, every = self.recipe, self.recipe.guard.every
        guard = self._guard()
        if guard.measured and guard.measured[-1].alarm == "stop":
            return
        trainer, rng = self._trainer(), self._rng(f"optimise/{number}")
        if number == 0:
            self._measure(guard, trainer, 0)
        contexts = self._states(held_out=False)
        last = min((number + 1) * every, recipe.iterations)
        for _ in range(number * every, last):
            self._log(trainer.iterate(contexts, rng))
        self._measure(guard, trainer, last)

    def _forget(self) -> None:
        if self._optimiser is not None:
            self._optimiser.scorer.forget()

    # --- parts ---------------------------------------------------------------------------------------

    def _labelled(self) -> Sequence[Trajectory]:
        if self.recipe.labels.source not in ON_PHONES:
            return self.demonstrations
        return StoredTrajectories(self.store, self.progress.rollouts)

    def _states(self, *, held_out: bool) -> States:
        """States of the labelled trajectories on which the critic was measured, or else of the others and of the
        demonstrations. Of those that are held out at most `guard.episodes` trajectories are looked at."""
        apart, on_phones = set(self.progress.found["vem_held_out"]), self.recipe.labels.source in ON_PHONES
        labelled = self.progress.rollouts if on_phones else self.progress.demonstrations
        chosen = [name for name in labelled if (name in apart) == held_out]
        chosen = chosen[: self.recipe.guard.episodes] if held_out else chosen
        if on_phones and not held_out:
            chosen += self.progress.demonstrations
        store = self.source or self.store
        return States(StoredTrajectories(store, chosen), [store.summary(name).steps for name in chosen])

    def _trainer(self) -> VemTrainer:
        if self._optimiser is None:
            critic = load_critic(self.folder / FOLDER, self.recipe.policy.device, self.model.model.dtype)
            config = self.recipe.optimisation
            scorer = VemScorer(critic, config.batch_size)
            self._optimiser = VemTrainer(self.policy, scorer, config, self._clipped_learner())
        return self._optimiser

    def _guard(self) -> ExploitationGuard:
        config = self.recipe.guard
        guard = ExploitationGuard(config.rise, config.patience, config.confidence)
        for one in self.progress.found.get("guard", []):
            failures = one["episodes"] - one["successes"]
            guard.add(one["iteration"], one["score"], [True] * one["successes"] + [False] * failures)
        return guard

    def _measure(self, guard: ExploitationGuard, trainer: VemTrainer, iteration: int) -> None:
        watched = list(self._states(held_out=True))
        found = guard.add(iteration, trainer.score(watched), self._outcomes(iteration))
        self.progress.found["guard"] = [asdict(one) for one in guard.measured]
        self._log({"vem/watched_score": found.score, "vem/success": found.success})

    def _outcomes(self, iteration: int) -> list[bool]:
        """What comes of whole episodes of the current policy: on training tasks, or on held-out replays."""
        count, policy = self.recipe.guard.episodes, self._greedy()
        if self.source is not None:
            return [one.complete for one in self._replay(policy, self._watched_experts(count), "guard").values()]
        jobs = Evaluation(self.suite, "train", count, self.recipe.evaluation.seed).jobs(f"guard-{iteration:04}")
        return [bool(one.success) for one in self._collect.collect(policy, jobs, self._watch("guard"))]


def _json(value: Any) -> Any:
    """The same with None where a number is not defined, which JSON has no word for."""
    if isinstance(value, dict):
        return {name: _json(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_json(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
