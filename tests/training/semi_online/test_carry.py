"""Rollouts that wait in a checkpoint."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from tapwise.android_env.replay import ReplayEnv
from tapwise.android_env.replay_episode import without_thought
from tapwise.records import UiNode
from tapwise.training.semi_online.algorithm import SemiOnline, policy_samples
from tapwise.training.semi_online.carry import pack, unpack
from tapwise.training.semi_online.config import SemiOnlineConfig
from tapwise.training.semi_online.filter import DynamicFilter
from tapwise.training.semi_online.rollout import RolloutDriver, RolloutGroup

MakeEnv = Callable[..., ReplayEnv]


def groups(make_env: MakeEnv, make_policy: Any) -> list[RolloutGroup]:
    driver = RolloutDriver(make_policy({("t", 1, 0)}), without_thought(str), rollouts=2, batch_size=4)
    return list(driver.groups([make_env("t"), make_env("u")]))


def test_what_a_checkpoint_keeps_teaches_the_same(make_env: MakeEnv, make_policy: Any) -> None:
    made = groups(make_env, make_policy)
    file = io.BytesIO()
    torch.save(pack(made), file)
    file.seek(0)
    loaded = unpack(torch.load(file, weights_only=True))
    assert loaded == made
    annotate = SemiOnline(SemiOnlineConfig()).annotate
    assert policy_samples(annotate(loaded)) == policy_samples(annotate(made))
    assert policy_samples(annotate(made)), "nothing was taught"


def test_pictures_are_kept_once_and_trees_not_at_all(make_env: MakeEnv, make_policy: Any) -> None:
    made = groups(make_env, make_policy)
    packed = pack(made)
    pictures = {
        step.observation.screenshot.data for group in made for rollout in group.rollouts for step in rollout.history
    }
    assert len(packed["pictures"]) <= len(pictures) + 2  # the final screens beside those of the steps
    assert len(packed["order"]) > len(packed["pictures"])
    rollout = made[0].rollouts[0]
    node = UiNode(text="secret")
    steps = tuple(replace(s, observation=replace(s.observation, ui=node)) for s in rollout.trajectory.steps)
    with_tree = replace(made[0], rollouts=(replace(rollout, trajectory=replace(rollout.trajectory, steps=steps)),))
    assert "secret" not in pack([with_tree])["groups"]
    assert unpack(pack([with_tree]))[0].rollouts[0] == rollout


def test_restored_groups_are_taken_first() -> None:
    filtered: DynamicFilter[str] = DynamicFilter(2, threshold=0.1)
    filtered.offer("gone", np.array([0.0, 1.0]))
    filtered.restore(["old"])
    filtered.offer("new", np.array([0.0, 1.0]))
    assert filtered.take() == ["old", "new"]
