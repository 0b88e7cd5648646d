"""The replay environment: an expert's trajectory stands in for the phone.

What a policy does is compared with what the expert did. Where it agrees, the expert's next screen is what comes of
it. Where it does not, nobody knows what would have come of it: the expert's action is put in its place (a *patch*)
as often as is allowed, and then the episode is cut. Semi-online reinforcement learning rests on this: UI-S1,
arXiv 2509.11543, section 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field, field_validator, model_validator

from tapwise.android_env.replay_reward import StepReward, paper_step_reward
from tapwise.config import Config
from tapwise.errors import EnvError
from tapwise.matching import MISMATCH, Match, Matcher, match_actions
from tapwise.protocols import Transition
from tapwise.records import Action, End, Observation, Task, Trajectory


class ReplaySettings(Config):
    """How an expert's trajectory is replayed."""

    patches: int | None = Field(1, ge=0)
    """Mismatches that are patched before the next one cuts the episode; "all" or None: every one. UI-S1's
    paper uses 1 (table 9), its script 2; its code writes -1 for all."""

    own_history: bool = True
    """The policy sees what it did itself, patches aside. False: the expert's steps, as in step-wise offline RL, the
    baseline; every step of the expert is then played."""

    @field_validator("patches", mode="before")
    @classmethod
    def _all_is_no_limit(cls, value: object) -> object:
        return None if value == "all" else value  # TOML has no word for None

    @model_validator(mode="after")
    def _expert_history_needs_every_step(self) -> ReplaySettings:
        if not self.own_history and self.patches is not None:
            raise ValueError(
                'own_history = false shows the expert\'s steps whatever the policy does: set patches to "all"'
            )
        return self


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of one action: how it compares, whether the expert's was put in its place, and what it earned.

    `observation` is what is seen next; where the episode was cut, it is what was seen already.
    """

    match: Match
    patched: bool
    reward: float
    observation: Observation
    completed: bool
    """the expert's trajectory is at its end"""
    cut: bool
    """a mismatch ended the episode"""


class ReplayEnv:
    """One expert's trajectory as an environment (`tapwise.protocols.Env`).

    `thoughts` are what the expert may have thought, one a step, for patches to carry; empty for none. Raises EnvError
    when there is nothing to replay, or the thoughts are not as many as the steps.
    """

    def __init__(
        self,
        expert: Trajectory,
        settings: ReplaySettings | None = None,
        matcher: Matcher = match_actions,
        step_reward: StepReward = paper_step_reward,
        thoughts: Sequence[str] = (),
    ) -> None:
        _check_expert(expert, thoughts)
        self.expert = expert
        self.settings = settings or ReplaySettings()
        self.thoughts = tuple(thoughts) or ("",) * len(expert.steps)
        self._matcher = matcher
        self._step_reward = step_reward
        self._index = 0
        self._mismatches = 0
        self._over = True

    @property
    def serial(self) -> str:
        """What stands where a device's name would."""
        return f"replay:{self.expert.id}"

    @property
    def index(self) -> int:
        """The expert's step that the next action is compared with."""
        return self._index

    def reset(self, task: Task, seed: int) -> Observation:
        """Go back to the expert's first screen; the seed changes nothing. Raises EnvError for another task."""
        if task.id != self.expert.task.id:
            raise EnvError(
                f"{self.serial} replays task {self.expert.task.id!r} and not {task.id!r}: make a ReplayEnv of an"
                " expert's trajectory of that task"
            )
        self._index, self._mismatches, self._over = 0, 0, False
        return self.expert.steps[0].observation

    def step(self, action: Action) -> Transition:
        """Compare an action with the expert's, and show the expert's next screen.

        The end of the expert's trajectory terminates, a mismatch that is not patched truncates. `info` holds
        "outcome", always None because no state was checked, "match" and "patched".
        """
        replayed = self.replay(action)
        info: dict[str, object] = {"outcome": None, "match": replayed.match, "patched": replayed.patched}
        return Transition(replayed.observation, replayed.reward, replayed.completed, replayed.cut, info)

    def replay(self, action: Action, readable: bool = True) -> Replayed:
        """Like `step`, with all that is known; an action that stands for text nobody could read matches nothing."""
        if self._over:
            raise EnvError(f"{self.serial} needs an episode under way: call reset(task, seed) first")
        step = self.expert.steps[self._index]
        match = self._matcher(action, step.decision.action, step.observation) if readable else MISMATCH
        reward = self._step_reward(readable, match)
        limit = self.settings.patches
        if not match.same and limit is not None and self._mismatches >= limit:
            self._over = True
            return Replayed(match, False, reward, step.observation, completed=False, cut=True)
        self._mismatches += not match.same
        self._index += 1
        self._over = self._index == len(self.expert.steps)
        return Replayed(match, not match.same, reward, self._look(), completed=self._over, cut=False)

    def another(self) -> ReplayEnv:
        """A second environment like this one, for an episode beside it."""
        return ReplayEnv(self.expert, self.settings, self._matcher, self._step_reward, self.thoughts)

    def close(self) -> None:
        """End the episode."""
        self._over = True

    def _look(self) -> Observation:
        steps = self.expert.steps
        if self._index < len(steps):
            return steps[self._index].observation
        return self.expert.final or steps[-1].observation


def _check_expert(expert: Trajectory, thoughts: Sequence[str]) -> None:
    name = f"trajectory {expert.id!r} of task {expert.task.id!r}"
    if expert.end is End.ABORTED or not expert.steps:
        raise EnvError(
            f"{name} cannot be replayed: it has {len(expert.steps)} steps and ended as {expert.end.value}; give one"
            " that an expert finished"
        )
    unread = [index for index, step in enumerate(expert.steps) if step.decision.unparsable is not None]
    if unread:
        raise EnvError(f"{name} cannot be replayed: the action of step {unread[0]} could not be read; leave it out")
    if thoughts and len(thoughts) != len(expert.steps):
        raise EnvError(f"{name} has {len(expert.steps)} steps but {len(thoughts)} thoughts: give one a step, or none")
