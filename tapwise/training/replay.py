"""What a policy would have done in stored trajectories, step by step on the observations that were stored."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Literal

from tapwise.protocols import Policy
from tapwise.records import Context, Decision, Trajectory

History = Literal["expert", "own"]


def replay_policy(policy: Policy, trajectories: Sequence[Trajectory], history: History) -> list[tuple[Decision, ...]]:
    """One decision per stored step, for every trajectory in order; the n-th steps of all are decided in one batch.

    history: what the policy is told it did before. "expert" is what the trajectory holds, so that every step is judged
    by itself. "own" is what the policy decided in this replay, as in UI-S1's semi-online rollout without patches
    (arXiv 2509.11543, section 3.2): the screens stay those of the trajectory, so past the first divergence history
    and screen no longer belong together. Raises PolicyError.
    """
    decided: list[list[Decision]] = [[] for _ in trajectories]
    for index in range(max((len(trajectory.steps) for trajectory in trajectories), default=0)):
        alive = [number for number, trajectory in enumerate(trajectories) if index < len(trajectory.steps)]
        contexts = [_context(trajectories[number], decided[number], history) for number in alive]
        for number, decision in zip(alive, policy.act(contexts), strict=True):
            decided[number].append(decision)
    return [tuple(decisions) for decisions in decided]


def _context(trajectory: Trajectory, decided: Sequence[Decision], history: History) -> Context:
    index = len(decided)
    before = trajectory.steps[:index]
    if history == "own":
        before = tuple(dataclasses.replace(step, decision=own) for step, own in zip(before, decided, strict=True))
    return Context(trajectory.task, before, trajectory.steps[index].observation)
