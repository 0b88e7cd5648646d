"""Rollouts that wait for the next iteration, as a checkpoint keeps them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from tapwise.android_env.replay_episode import Rollout
from tapwise.datasets.encoding import decode, encode
from tapwise.records import Step
from tapwise.training.semi_online.rollout import RolloutGroup


def pack(groups: Sequence[RolloutGroup]) -> dict[str, Any]:
    """Groups as texts, numbers and tensors. Each picture is kept once; accessibility trees are not, for what learns
    from finished rollouts has no use for them."""
    blobs: list[bytes] = []
    values = [encode(_without_trees(group), blobs) for group in groups]
    places: dict[bytes, int] = {}
    order = [places.setdefault(blob, len(places)) for blob in blobs]
    pictures = [torch.frombuffer(bytearray(blob), dtype=torch.uint8) for blob in places]
    return {"groups": json.dumps(values), "order": order, "pictures": pictures}


def unpack(packed: dict[str, Any]) -> list[RolloutGroup]:
    """The groups that `pack` was given, without accessibility trees. Raises ValueError for what it did not make."""
    pictures = [picture.numpy().tobytes() for picture in packed["pictures"]]
    blobs = [pictures[index] for index in packed["order"]]
    return [decode(RolloutGroup, value, blobs) for value in json.loads(packed["groups"])]


def _without_trees(group: RolloutGroup) -> RolloutGroup:
    return replace(group, rollouts=tuple(map(_bare, group.rollouts)))


def _bare(rollout: Rollout) -> Rollout:
    trajectory = rollout.trajectory
    final = None if trajectory.final is None else replace(trajectory.final, ui=None)
    bare = replace(trajectory, steps=_bare_steps(trajectory.steps), final=final)
    return replace(rollout, trajectory=bare, history=_bare_steps(rollout.history))


def _bare_steps(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    return tuple(replace(step, observation=replace(step.observation, ui=None)) for step in steps)
