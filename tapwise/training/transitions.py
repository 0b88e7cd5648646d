"""Trajectories cut into the pieces that networks are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from tapwise.agent.action_text import ActionText
from tapwise.records import Context, Observation, Step, Trajectory


class ActionTokens(Protocol):
    """A model that can write an action as its own tokens."""

    @property
    def action_text(self) -> ActionText: ...

    def action_ids(self, text: str) -> tuple[int, ...]: ...

    def can_say(self, token_ids: Sequence[int]) -> bool: ...


@dataclass(frozen=True, slots=True)
class Sample:
    """One action to learn: what the policy saw, the tokens it said, and the weight of its loss."""

    context: Context
    token_ids: tuple[int, ...]
    weight: float = 1.0


def step_context(trajectory: Trajectory, index: int) -> Context:
    """What the policy saw at step `index`; `len(steps)` is the state after the last action."""
    observation: Observation = (
        trajectory.steps[index].observation if index < len(trajectory.steps) else final_observation(trajectory)
    )
    return Context(trajectory.task, trajectory.steps[:index], observation)


def final_observation(trajectory: Trajectory) -> Observation:
    """The observation after the last action; where none was made, the last one before it."""
    return trajectory.final if trajectory.final is not None else trajectory.steps[-1].observation


def episode_return(trajectory: Trajectory) -> float:
    """1 for success, 0 otherwise: by ground truth where it exists, else by the judges."""
    return 1.0 if trajectory.success else 0.0


def samples(trajectories: Iterable[Trajectory]) -> list[Sample]:
    """Every step that has tokens and could be read, with weight 1."""
    return [
        Sample(step_context(trajectory, index), step.decision.token_ids)
        for trajectory in trajectories
        for index, step in enumerate(trajectory.steps)
        if teachable(step)
    ]


def teachable(step: Step) -> bool:
    """Whether a step's own text can be trained on."""
    return bool(step.decision.token_ids) and step.decision.unparsable is None


def demonstration_samples(trajectories: Iterable[Trajectory], model: ActionTokens) -> list[Sample]:
    """Every step of demonstrations, whose actions have no tokens yet: they are written in the model's own form.

    Steps that the model's constrained decoding could never say, such as a touch without a label, are left out.
    """
    found = [
        Sample(step_context(trajectory, index), model.action_ids(model.action_text.format(step.decision.action)))
        for trajectory in trajectories
        for index, step in enumerate(trajectory.steps)
    ]
    return [sample for sample in found if model.can_say(sample.token_ids)]
