"""The run from demonstrations over offline to online learning.

Words: a *phase* is supervised, offline or online; an *iteration* is one round of the online phase.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from tapwise.agent.vlm.policy import VlmPolicy
from tapwise.errors import ConfigError
from tapwise.protocols import Policy
from tapwise.records import Task, Trajectory
from tapwise.training.alarms import Alarms
from tapwise.training.algorithms import make_algorithm
from tapwise.training.algorithms.base import Phase
from tapwise.training.basic_skills import pointing_samples
from tapwise.training.compose import critic_reader
from tapwise.training.critic import Critic
from tapwise.training.curriculum import draw_reminders, draw_tasks, success_rates
from tapwise.training.judging import RolloutJudge, judge_told, open_judge, rewarded
from tapwise.training.recipes import DigiRLConfig, Recipe
from tapwise.training.runs.policy_run import PolicyRun
from tapwise.training.runs.units import Observer, Progress, Unit
from tapwise.training.transitions import Sample
from tapwise.training.vem.values import make_step_values, train_on_outcomes

__all__ = ["Observer", "Progress", "Run", "cooling"]

OFFLINE_CHUNK = 40
"""offline rollouts between two checkpoints"""
VEM_FOLDER = "vem"
"""where in a run's folder a value environment model lies that the run has trained"""


class Run(PolicyRun[Recipe]):
    """Supervised start, offline learning, online learning, an evaluation after each."""

    def __init__(self, recipe: Recipe, folder: Path, observer: Observer) -> None:
        super().__init__(recipe, folder, observer)
        if not self.suite.tells and not recipe.judge.url:
            raise ConfigError(
                f"only a judge can say whether a task of suite {recipe.suite!r} is done: give judge.url and judge.model"
            )
        self._values = make_step_values(recipe.algorithm, self.policy, folder / VEM_FOLDER)
        self.algorithm = make_algorithm(recipe.algorithm, self._values)
        self.critic = Critic(critic_reader(self.model), recipe.critic) if self.algorithm.needs_critic else None
        self.rollouts: list[Trajectory] = []
        """what is learned from, each with the success that it is rewarded for"""
        self._judge: RolloutJudge | None = None
        self._acting: VlmPolicy | None = None
        self._judge_told = judge_told(recipe.judge)
        self._ready()

    def units(self) -> list[Unit]:
        """Names and work of all units, in order."""
        recipe = self.recipe
        chunks = -(-recipe.offline.episodes // OFFLINE_CHUNK)
        units = self._start_units()
        if chunks:
            units += [(f"offline/collect/{n}", lambda n=n: self._collect_offline(n)) for n in range(chunks)]  # type: ignore[misc]
            if isinstance(recipe.algorithm, DigiRLConfig) and recipe.algorithm.trains_vem:
                units.append(("offline/vem", self._train_vem))
            units += [("offline/learn", self._learn_offline), ("evaluate/offline", lambda: self._evaluate("offline"))]
        if recipe.online.iterations:
            units += [(f"online/{n}", lambda n=n: self._iterate_online(n)) for n in range(recipe.online.iterations)]  # type: ignore[misc]
            units.append(("evaluate/online", lambda: self._evaluate("online")))
        return units

    def sizes(self) -> dict[str, int]:
        """Episodes by kind of unit."""
        chunks = -(-self.recipe.offline.episodes // OFFLINE_CHUNK)
        return {
            **super().sizes(),
            "offline/collect": self.recipe.offline.episodes // max(1, chunks),
            "online": self.recipe.online.episodes,
        }

    def _manifest(self) -> dict[str, Any]:
        return {**super()._manifest(), **({"judge": self._judge_told} if self._judge_told else {})}

    def _equipment(self) -> AbstractContextManager[object]:
        return self._phones_and_judge()

    @contextmanager
    def _phones_and_judge(self) -> Iterator[None]:
        with open_judge(self.recipe.judge, self.store) as self._judge, super()._phones():
            yield

    # --- units ---------------------------------------------------------------------------------------

    def _collect_offline(self, chunk: int) -> None:
        count = min(OFFLINE_CHUNK, self.recipe.offline.episodes - chunk * OFFLINE_CHUNK)
        self._add_rollouts(f"offline/collect/{chunk}", self._rollout(f"offline-{chunk:03}", count, "offline"))

    def _train_vem(self) -> None:
        assert isinstance(self.recipe.algorithm, DigiRLConfig)
        updates, rng = self.recipe.algorithm.vem_updates, self._rng("offline/vem")
        found = train_on_outcomes(self.model, self.rollouts, updates, rng, self.folder / VEM_FOLDER)
        self.progress.found["vem"] = found
        self._log(found)

    def _learn_offline(self) -> None:
        rng, settings = self._rng("offline/learn"), self.recipe.offline
        if self.critic is not None:
            self._log(self.critic.train_on(self.rollouts, settings.critic_updates, rng))
        self._log(self._learn("offline", settings.updates, settings.learning_rate, rng))

    def _iterate_online(self, iteration: int) -> None:
        """Collect, then learn; with a staleness of 1 both at once: what is learned from are the rounds before, and the
        policy that collects is the one that the last round left."""
        rng, settings = self._rng(f"online/{iteration}"), self.recipe.online
        name = f"online-{iteration:03}"
        if settings.staleness == 0:
            found = self._add_rollouts(name, self._rollout(name, settings.episodes, "online"))
            metrics = self._learn_online(iteration, rng)
        else:
            actor = self._actor()
            with ThreadPoolExecutor(1, thread_name_prefix="rollouts") as beside:
                collecting = beside.submit(self._rollout, name, settings.episodes, "online", policy=actor)
                try:
                    metrics = self._learn_online(iteration, rng)
                    found = collecting.result()
                except BaseException:
                    self._collect.stop()
                    raise
            found = self._add_rollouts(name, found)
        success = float(np.mean([bool(t.success) for t in found])) if found else 0.0
        self._log({"online/success": success, **metrics})

    # --- parts ---------------------------------------------------------------------------------------

    def _learn_online(self, iteration: int, rng: np.random.Generator) -> dict[str, float]:
        settings = self.recipe.online
        metrics = {} if self.critic is None else self.critic.train_on(self.rollouts, settings.critic_updates, rng)
        rate = settings.learning_rate * cooling(iteration, settings.iterations, settings.cool_down)
        return metrics | self._learn("online", settings.updates, rate, rng)

    def _learn(self, phase: Phase, updates: int, learning_rate: float, rng: np.random.Generator) -> dict[str, float]:
        """Let the algorithm choose among all rollouts, and learn from what it chose and what is learned beside."""
        beside = 1 + self.recipe.supervised.reminders + self.recipe.exploration_pointing
        wanted = math.ceil(updates * self.recipe.batch_size / beside)
        samples, metrics = self.algorithm.select(self.rollouts, self.critic, phase, wanted, rng)
        samples += self._beside(len(samples), rng)
        metrics[f"{phase}/loss"] = self.learner.train(samples, updates, rng, learning_rate)
        self.policy.version += 1
        return metrics

    def _actor(self) -> VlmPolicy:
        """The policy as it is now, with weights of its own, so that it can act while the learner goes on."""
        if self._acting is None:
            self._acting = VlmPolicy(self.model.fork(), temperature=self.recipe.policy.temperature)
        self._acting.model.model.load_state_dict(self.model.model.state_dict())
        self._acting.version = self.policy.version
        return self._acting

    def _beside(self, count: int, rng: np.random.Generator) -> list[Sample]:
        """What is learned beside `count` steps of its own: reminders of the demonstrations, and pointing at what stands
        on the latest screens that it has seen."""
        acted, unit = self._acted(), max(count, self.recipe.batch_size)
        reminders = draw_reminders(acted, self._rates(), round(self.recipe.supervised.reminders * unit), rng)
        wanted = round(self.recipe.exploration_pointing * unit)
        latest: list[Trajectory] = []
        screens = 0
        for trajectory in reversed(self.rollouts):
            if screens >= wanted:
                break
            latest.append(trajectory)
            screens += len(trajectory.steps)
        return reminders + pointing_samples(latest, self.model, 1, rng)[:wanted]

    def _rates(self) -> dict[str, float]:
        """Success of each template; with no curriculum all are as good as untried."""
        return success_rates(self.suite.templates, self.rollouts if self.recipe.curriculum else ())

    def _tasks(self, rng: np.random.Generator, count: int) -> list[Task]:
        if not self.recipe.curriculum:
            return super()._tasks(rng, count)
        return draw_tasks(self.suite, self._rates(), count, rng)

    def _rollout(
        self, name: str, count: int, phase: str, *, policy: Policy | None = None, with_tree: bool = False
    ) -> list[Trajectory]:
        with_tree = with_tree or self.recipe.exploration_pointing > 0
        return super()._rollout(name, count, phase, policy=policy, with_tree=with_tree)

    def _add_rollouts(self, name: str, found: list[Trajectory]) -> list[Trajectory]:
        """Take in a round; returns what of it is learned from."""
        found = self._judged(found)
        learned = rewarded(found, self.recipe.judge.reward)
        self.rollouts += learned
        self.progress.rollouts += [t.id for t in found]
        self.progress.interactions += sum(len(t.steps) for t in found)
        self._look_for_alarms(name, found)
        return learned

    def _look_for_alarms(self, name: str, found: list[Trajectory]) -> None:
        alarms = Alarms(self.demonstrations, self.progress.found.get("alarms_first", {}))
        shares, raised = alarms.watch(found)
        self.progress.found["alarms_first"] = alarms.first
        self.progress.found.setdefault("alarms", []).extend({"unit": name, "alarm": str(alarm)} for alarm in raised)
        self._log(shares)
        for alarm in raised:
            self.observer.warning(f"{name}: {alarm}")

    def _judged(self, found: list[Trajectory]) -> list[Trajectory]:
        return found if self._judge is None else self._judge.judged(found)

    def _with_success(self, found: list[Trajectory]) -> list[Trajectory]:
        told = found if all(one.outcome is not None for one in found) else self._judged(found)
        return [one for one in told if one.success is not None]

    def _watch(self, phase: str) -> Callable[[Trajectory], None]:
        watch, judge = super()._watch(phase), self._judge
        if judge is None or phase not in ("offline", "online"):
            return watch

        def both(trajectory: Trajectory) -> None:
            judge.see(trajectory)
            watch(trajectory)

        return both

    def _forget(self) -> None:
        if self._values is not None:
            self._values.forget()

    # --- keeping -------------------------------------------------------------------------------------

    def _state(self) -> dict[str, Any]:
        state = super()._state()
        if self.critic is not None:
            state["critic"] = self.critic.state_dict()
            state["critic_optimizer"] = self.critic.optimizer.state_dict()
            state["critic_updates"] = self.critic.updates
        return state

    def _restore(self, saved: dict[str, Any]) -> None:
        super()._restore(saved)
        if self.critic is not None and "critic" in saved:
            self.critic.load_state_dict(saved["critic"])
            self.critic.optimizer.load_state_dict(saved["critic_optimizer"])
            self.critic.updates = saved["critic_updates"]
        kept = [self.store.get(name) for name in self.progress.rollouts]
        self.rollouts = rewarded(kept, self.recipe.judge.reward)


def cooling(iteration: int, iterations: int, share: float) -> float:
    """The factor of a round's learning rate: 1, then falling linearly over the last `share` of the rounds, towards a
    zero that would come one round after the last."""
    return min(1.0, (iterations - iteration) / max(1.0, share * iterations))
