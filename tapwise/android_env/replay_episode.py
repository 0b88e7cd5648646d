"""Episodes on the replay environment, and the history that a policy sees in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tapwise.android_env.replay import ReplayEnv
from tapwise.errors import EnvError, TapwiseError
from tapwise.matching import Match
from tapwise.records import Action, Context, Decision, End, Fault, Observation, Provenance, Step, Task, Trajectory

WritePatch = Callable[[Action, str], str]
"""Writes the expert's action as the policy would have, with a thought that may be empty."""


def with_thought(write_action: Callable[[Action], str]) -> WritePatch:
    """Patches for models that think first: the thought in a block of its own, then the action.

    A thought-free patch keeps the block and leaves it empty, as in UI-S1's released code (arXiv 2509.11543, section
    3.2): without the block, the history would show a model answers of a form that it must not give.
    """

    def write(action: Action, thought: str) -> str:
        return f"<think>\n{thought}\n</think>\n<action>\n{write_action(action)}\n</action>"

    return write


def without_thought(write_action: Callable[[Action], str]) -> WritePatch:
    """Patches for models whose answer is the action alone."""
    return lambda action, thought: write_action(action)


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a policy did on an expert's trajectory.

    `trajectory` holds the policy's own decisions, right or wrong, with their rewards: what is learned from. `history`
    holds the steps as the policy saw them afterwards, patches in place; a mismatch that cut the episode is not in it.
    `matches` and `patched` have one entry a step.
    """

    trajectory: Trajectory
    history: tuple[Step, ...]
    matches: tuple[Match, ...]
    patched: tuple[bool, ...]
    expert_steps: int

    def context(self, index: int) -> Context:
        """What the policy saw when it decided on step `index`."""
        trajectory = self.trajectory
        return Context(trajectory.task, self.history[:index], trajectory.steps[index].observation)

    @property
    def rewards(self) -> tuple[float, ...]:
        """What each step earned."""
        return tuple(step.reward for step in self.trajectory.steps)

    @property
    def progress(self) -> float:
        """Share of the expert's steps that were done right before the first mismatch, from 0 to 1."""
        first = next((index for index, match in enumerate(self.matches) if not match.same), len(self.matches))
        return first / self.expert_steps

    @property
    def complete(self) -> bool:
        """Whether the policy did all that the expert did, without a patch."""
        return self.progress == 1.0


class ReplayEpisode:
    """One episode, advanced from outside, so that one policy can serve many of them at once.

    Call `advance` with a decision on `context` until `over`; `rollout` is then the record. An episode made with
    `own_thoughts` stops at each patch with `patch_wanted` set, and waits for `think`; otherwise patches carry the
    thoughts that the environment has, which are empty where nobody gave any.
    """

    def __init__(
        self,
        env: ReplayEnv,
        write_patch: WritePatch,
        provenance: Provenance,
        episode_id: str,
        own_thoughts: bool = False,
    ) -> None:
        self._env = env
        self._write_patch = write_patch
        self._own_thoughts = own_thoughts
        self._observation: Observation | None = env.reset(env.expert.task, provenance.seed)
        self._steps: list[Step] = []
        self._history: list[Step] = []
        self._matches: list[Match] = []
        self._patched: list[bool] = []
        self._record = Trajectory(episode_id, env.expert.task, (), End.ABORTED, provenance)
        self._over = False
        self._patch_wanted: Action | None = None

    @property
    def id(self) -> str:
        """The id that the trajectory will have."""
        return self._record.id

    @property
    def task(self) -> Task:
        """The task that the expert did."""
        return self._record.task

    @property
    def over(self) -> bool:
        """Whether the episode has ended, in whatever way."""
        return self._over

    @property
    def patch_wanted(self) -> Action | None:
        """The expert's action that a thought is wanted for, or None."""
        return self._patch_wanted

    @property
    def context(self) -> Context:
        """What the policy is to decide on, or to think about. Raises EnvError after the end."""
        if self._observation is None or self._over:
            raise EnvError(f"episode {self.id} of {self.task.id!r} has ended and waits for no decision")
        return Context(self.task, tuple(self._history), self._observation)

    @property
    def rollout(self) -> Rollout:
        """The record of the episode. Raises EnvError before the end."""
        if not self._over:
            raise EnvError(f"episode {self.id} of {self.task.id!r} has not ended: advance it until it is over")
        return Rollout(
            self._record, tuple(self._history), tuple(self._matches), tuple(self._patched), len(self._env.expert.steps)
        )

    def advance(self, decision: Decision) -> None:
        """Compare the decision on `context` with the expert's. Raises EnvError where a thought is waited for."""
        if self._patch_wanted is not None:
            raise EnvError(f"episode {self.id} waits for a thought: call think(text) before the next decision")
        observation = self.context.observation
        index = self._env.index
        replayed = self._env.replay(decision.action, decision.unparsable is None)
        self._steps.append(Step(observation, decision, replayed.reward))
        self._matches.append(replayed.match)
        self._patched.append(replayed.patched)
        if replayed.cut:
            self._end(End.TRUNCATED, None)
            return
        expert = self._env.expert.steps[index].decision.action
        if replayed.patched and self._own_thoughts and self._env.settings.own_history and not replayed.completed:
            self._patch_wanted = expert
            return
        if replayed.patched or not self._env.settings.own_history:
            self._remember(observation, self._patch(expert, self._env.thoughts[index]), replayed.reward)
        else:
            self._history.append(self._steps[-1])
        self._observation = replayed.observation
        if replayed.completed:
            self._end(End.FINISHED, replayed.observation)

    def think(self, thought: str) -> None:
        """Go on behind a patch, with the thought that the policy gave for it."""
        if self._patch_wanted is None:
            raise EnvError(f"episode {self.id} of {self.task.id!r} waits for no thought")
        last = self._steps[-1]
        self._remember(last.observation, self._patch(self._patch_wanted, thought), last.reward)
        self._patch_wanted = None
        self._observation = self._env.expert.steps[self._env.index].observation

    def abort(self, error: TapwiseError) -> None:
        """End the episode by a fault of the policy's boundary; it is then not learned from."""
        if not self._over:
            fault = Fault("policy", type(error).__name__, str(error))
            self._end(End.ABORTED, self._observation)
            self._record = replace(self._record, fault=fault)

    def _patch(self, action: Action, thought: str) -> Decision:
        return Decision(action, self._write_patch(action, thought))

    def _remember(self, observation: Observation, decision: Decision, reward: float) -> None:
        self._history.append(Step(observation, decision, reward))

    def _end(self, end: End, final: Observation | None) -> None:
        self._over = True
        self._env.close()
        self._record = replace(self._record, steps=tuple(self._steps), end=end, final=final)
