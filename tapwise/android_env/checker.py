"""A conformance suite for environments: run it on a device or a suite of one's own and read the findings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tapwise.android_env.env import AndroidEnv
from tapwise.errors import EnvError, TapwiseError
from tapwise.images import decode
from tapwise.protocols import Transition
from tapwise.records import (
    Action,
    Finish,
    Key,
    Observation,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    Task,
    UiNode,
    Wait,
)

_NO_SUCH_APP = "an app that nobody installed"
_SCRIPT: tuple[Action, ...] = (Tap(Point(0.5, 0.5)), Swipe(Point(0.5, 0.7), Point(0.5, 0.3)), Press(Key.BACK))


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is called, whether it holds, and what was seen where it does not."""

    name: str
    passed: bool
    detail: str = ""


def check_env(env: AndroidEnv, task: Task, seed: int = 0) -> list[Finding]:
    """Try the environment on one task and say what holds. Takes about `task.max_steps` + 20 steps.

    Nothing is raised for a finding. Real phones fail the two determinism findings, for their clocks go on.
    """
    return [_finding(name, probe, env, task, seed) for name, probe in _PROBES.items()]


def _finding(name: str, probe: _Probe, env: AndroidEnv, task: Task, seed: int) -> Finding:
    try:
        problem = probe(env, task, seed)
    except TapwiseError as error:
        problem = f"{type(error).__name__}: {error}"
    return Finding(name, problem is None, problem or "")


def _screenshot_size(env: AndroidEnv, task: Task, seed: int) -> str | None:
    shown, told = env.reset(task, seed).screenshot.size, env.device.size()
    return None if shown == told else f"the screenshot is {shown}, but the device says {told}"


def _tree_inside(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.reset(task, seed)
    size = env.device.size()
    outside = next((node for node in env.device.ui_tree().walk() if not _inside(node, size)), None)
    return None if outside is None else f"the bounds {outside.bounds} of {outside.label!r} leave the screen {size}"


def _tree_setting(env: AndroidEnv, task: Task, seed: int) -> str | None:
    has_tree = env.reset(task, seed).ui is not None
    wanted = env.settings.with_tree
    return None if has_tree is wanted else f"with_tree is {wanted}, but the observation says {has_tree}"


def _tap_hits(env: AndroidEnv, task: Task, seed: int) -> str | None:
    """The icon of the task's app, or else the first labelled thing that can be touched, answers a tap on its middle."""
    before = env.reset(task, seed)
    size = env.device.size()
    nodes = [node for node in env.device.ui_tree().walk() if node.clickable and _name(node)]
    target = next((node for node in nodes if _name(node) == task.app), nodes[0] if nodes else None)
    if target is None:
        return f"nothing on {before.activity} is clickable and has a label"
    after = env.step(Tap(Point.from_pixels(*target.centre, size))).observation
    if after.activity != before.activity or not _same(before, after):
        return None
    return f"a tap on the middle {target.centre} of {_name(target)!r} changed nothing on {before.activity}"


def _reset_repeats(env: AndroidEnv, task: Task, seed: int) -> str | None:
    first, second = env.reset(task, seed), env.reset(task, seed)
    return None if _same(first, second) else f"two resets with seed {seed} show different pixels"


def _actions_repeat(env: AndroidEnv, task: Task, seed: int) -> str | None:
    runs = []
    for _ in range(2):
        env.reset(task, seed)
        runs.append([env.step(action).observation for action in _SCRIPT[: task.max_steps - 1]])
    for action, first, second in zip(_SCRIPT, *runs, strict=False):
        if not _same(first, second):
            return f"after {action} two runs with seed {seed} show different pixels"
    return None


def _needs_reset(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.close()
    return None if _refuses(env) else "a step before reset was accepted"


def _finish_ends(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.reset(task, seed)
    transition = env.step(Finish())
    if not transition.terminated or transition.truncated:
        return f"Finish gave terminated={transition.terminated}, truncated={transition.truncated}"
    return _reward_problem(transition) or (None if _refuses(env) else "a step after the end was accepted")


def _limit_truncates(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.reset(task, seed)
    for number in range(1, task.max_steps + 1):
        transition = env.step(Wait(0.0))
        if transition.terminated or transition.truncated is not (number == task.max_steps):
            return f"step {number} of {task.max_steps} gave {transition.terminated=}, {transition.truncated=}"
    return _reward_problem(transition) or (None if _refuses(env) else "a step after the limit was accepted")


def _starts_unsolved(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.reset(task, seed)
    solved = env.step(Finish()).info["outcome"]
    return f"the check of {task.template!r} holds before anything was done" if solved else None


def _wrong_app(env: AndroidEnv, task: Task, seed: int) -> str | None:
    env.reset(task, seed)
    refused = env.step(OpenApp(_NO_SUCH_APP)).info["refused"]
    return None if refused else f"opening {_NO_SUCH_APP!r} was not refused"


def _inside(node: UiNode, size: Size) -> bool:
    left, top, right, bottom = node.bounds
    return 0 <= left <= right <= size.width and 0 <= top <= bottom <= size.height


def _name(node: UiNode) -> str:
    return next((inner.label for inner in node.walk() if inner.label), "").lower()


def _same(first: Observation, second: Observation) -> bool:
    return np.array_equal(decode(first.screenshot), decode(second.screenshot))


def _refuses(env: AndroidEnv) -> bool:
    try:
        env.step(Wait(0.0))
    except EnvError:
        return True
    return False


def _reward_problem(transition: Transition) -> str | None:
    outcome = transition.info.get("outcome")
    if outcome is None:
        return "the last step of an episode has no outcome"
    return None if transition.reward == float(bool(outcome)) else f"{outcome=} was rewarded with {transition.reward}"


_Probe = Callable[[AndroidEnv, Task, int], str | None]
_PROBES: dict[str, _Probe] = {
    "screenshot has the device's size": _screenshot_size,
    "tree lies inside the screen": _tree_inside,
    "tree comes when asked for": _tree_setting,
    "tap hits what it aims at": _tap_hits,
    "same seed resets to the same pixels": _reset_repeats,
    "same actions lead to the same pixels": _actions_repeat,
    "step needs a reset": _needs_reset,
    "finish terminates": _finish_ends,
    "limit truncates": _limit_truncates,
    "task starts unsolved": _starts_unsolved,
    "unknown app is refused, not a fault": _wrong_app,
}
