"""A person's episode: actions in, screens and the verdict out. Shared by the browser's and the terminal's game."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from tapwise.android_env.assessment import Assessment, assess
from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.tasks import Suite
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import EnvError
from tapwise.records import Action, Observation, Task


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an episode came to: success, and where an expert could be compared with, what was missed or done beside."""

    success: bool
    assessment: Assessment | None

    def lines(self) -> list[str]:
        """In words."""
        told = ["solved" if self.success else "not solved"]
        if self.assessment is not None:
            told.append(f"progress {self.assessment.progress:.0%}")
            told += [f"missing: {change}" for change in self.assessment.missing]
            told += [f"beside the goal: {change}" for change in self.assessment.side_effects]
        return told


class PlaySession:
    """One episode on a virtual phone in this process; safe to use from several threads."""

    def __init__(self, suite: Suite, task: Task, seed: int, noise: Noise) -> None:
        self.task = task
        self.phone = VirtualPhone(noise=noise)
        self._seed = seed
        self._env = AndroidEnv(InProcessDevice(self.phone), suite, EnvSettings(with_tree=True, image_format="png"))
        self._lock = threading.Lock()
        self.begin()

    def begin(self) -> None:
        """Start the episode anew."""
        with self._lock:
            self.observation: Observation = self._env.reset(self.task, self._seed)
            self.steps = 0
            self.verdict: Verdict | None = None

    def act(self, action: Action) -> None:
        """Do something; after the end nothing happens any more."""
        with self._lock:
            if self.verdict is not None:
                return
            transition = self._env.step(action)
            self.observation = transition.observation
            self.steps += 1
            if transition.terminated or transition.truncated:
                self.verdict = self._judge(transition.reward == 1.0)

    def _judge(self, success: bool) -> Verdict:
        try:
            return Verdict(success, assess(self._env, self.task, self._seed, success))
        except EnvError:
            return Verdict(success, None)

    def labels(self) -> list[str]:
        """What stands on the screen."""
        ui = self.observation.ui
        return [] if ui is None else [node.label for node in ui.walk() if node.label]
