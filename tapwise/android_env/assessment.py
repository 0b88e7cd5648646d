"""How far an episode came, and what it did beside its goal, measured against what an expert changes.

The device must be a virtual phone, whose shell tells the lasting changes since a snapshot.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from tapwise.android_env.env import AndroidEnv, lasting_changes
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.errors import EnvError
from tapwise.records import Task

_START, _END = "tapwise_assessed_start", "tapwise_assessed_end"


@dataclass(frozen=True, slots=True)
class Assessment:
    """What an episode came to.

    success: the episode's outcome. progress: in [0, 1]; 1 on success, else the share of the expert's
    lasting changes that were made too. side_effects: lasting changes that the expert does not make, in words.
    missing: changes of the expert's that were not made, in words; empty on success, which may come another way.
    """

    success: bool
    progress: float
    side_effects: tuple[str, ...]
    missing: tuple[str, ...]


def assess(env: AndroidEnv, task: Task, seed: int, success: bool) -> Assessment:
    """Assess the episode of `task` in world `seed` that has just ended on the device of `env`, which sees trees.

    `success` is the episode's outcome.

    The expert plays the same task in the same world; then the phone is brought back to where the episode ended.
    Raises EnvError when the expert does not solve the task, DeviceError when the device does not do what is asked.
    """
    env.device.save_snapshot(_END)
    expected = _expert_changes(env, task, seed)
    env.device.load_snapshot(_END)
    found = _changes(env)
    missing = () if success else _lines(expected - found)
    progress = 1.0 if success else (expected & found).total() / max(1, expected.total())
    return Assessment(success, progress, _lines(found - expected), missing)


def _expert_changes(env: AndroidEnv, task: Task, seed: int) -> Counter[str]:
    env.reset(task, seed)
    env.device.save_snapshot(_START)
    played = run_episode(env, ScriptedExpert(env.suite), task, seed)
    if played.outcome is not True:
        raise EnvError(
            f"the expert did not solve {task.id!r} in world {seed} ({played.fault or played.end.value}), so that there"
            " is nothing to compare with: try tapwise tasks lint"
        )
    return _changes(env)


def _changes(env: AndroidEnv) -> Counter[str]:
    return Counter(lasting_changes(env.device, _START))


def _lines(changes: Counter[str]) -> tuple[str, ...]:
    return tuple(sorted(changes.elements()))
