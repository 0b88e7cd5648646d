"""Why an episode failed, as far as its record tells: one kind for each, the first that applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from itertools import pairwise

from tapwise.records import Action, End, Finish, LongPress, Step, Swipe, Tap, Trajectory, TypeText


class Failure(StrEnum):
    """Kinds of failure, in the order in which they are looked for."""

    ABORTED = "aborted"
    """a fault of ours or the device's: says nothing about the policy"""
    UNREADABLE = "unreadable"
    """half of the decisions or more could not be read as an action"""
    FALSE_COMPLETION = "false completion"
    """the policy said that the task is done, and it is not"""
    GAVE_UP = "gave up"
    """the policy said that the task cannot be done, and it can"""
    LOOP = "loop"
    """one action in one place makes up a third of the steps or more, and at least three"""
    WRONG_APP = "wrong app"
    """the app that the task is about never was in the foreground"""
    LOST_INPUT = "lost input"
    """text was typed and the screen stayed the very same: no field had the focus, or the device swallowed it"""
    MISSED_TARGETS = "missed targets"
    """half of the touches or more, and at least two, left the very same screen: they met nothing"""
    OUT_OF_STEPS = "out of steps"
    """none of these: the step limit came first"""


_LOOP_SHARE, _LOOP_LEAST = 1 / 3, 3
_UNREADABLE_SHARE = 1 / 2
_MISSED_SHARE, _MISSED_LEAST = 1 / 2, 2
_PLACES = 20
"""points of the screen that count as the same place: a twentieth of each side"""


def failure_of(trajectory: Trajectory, packages: Mapping[str, str] | None = None) -> Failure | None:
    """The kind of an episode's failure; None for a success.

    `packages` gives the package of each app by the name that tasks have for it, in lower case; of an app that is not
    in it, nobody can say that it was not opened.
    """
    if trajectory.end is End.ABORTED:
        return Failure.ABORTED
    if trajectory.success:
        return None
    steps = trajectory.steps
    if steps and sum(step.decision.unparsable is not None for step in steps) >= _UNREADABLE_SHARE * len(steps):
        return Failure.UNREADABLE
    last = steps[-1].decision.action if steps else None
    if isinstance(last, Finish):
        return Failure.GAVE_UP if last.status == "impossible" else Failure.FALSE_COMPLETION
    if steps and max(Counter(map(_place, steps)).values()) >= max(_LOOP_LEAST, _LOOP_SHARE * len(steps)):
        return Failure.LOOP
    package = (packages or {}).get(trajectory.task.app.lower())
    if package is not None and package not in _visited(trajectory):
        return Failure.WRONG_APP
    if any(isinstance(action, TypeText) and action.text for action in _without_effect(trajectory)):
        return Failure.LOST_INPUT
    touches = sum(isinstance(step.decision.action, (Tap, LongPress)) for step in steps)
    missed = sum(isinstance(action, (Tap, LongPress)) for action in _without_effect(trajectory))
    if missed >= max(_MISSED_LEAST, _MISSED_SHARE * touches):
        return Failure.MISSED_TARGETS
    return Failure.OUT_OF_STEPS


def _without_effect(trajectory: Trajectory) -> list[Action]:
    """The actions after which the picture was the same, byte for byte; a clock that goes on hides one now and then."""
    seen = [step.observation.screenshot.data for step in trajectory.steps]
    if trajectory.final is not None:
        seen.append(trajectory.final.screenshot.data)
    actions = (step.decision.action for step in trajectory.steps)
    return [action for action, (before, after) in zip(actions, pairwise(seen), strict=False) if before == after != b""]


def _visited(trajectory: Trajectory) -> set[str]:
    seen = [step.observation for step in trajectory.steps]
    if trajectory.final is not None:
        seen.append(trajectory.final)
    return {observation.activity.partition("/")[0] for observation in seen}


def _place(step: Step) -> tuple[str, str]:
    """Where, and what: actions at nearly the same point are the same."""
    return step.observation.activity, _rounded(step.decision.action)


def _rounded(action: Action) -> str:
    match action:
        case Tap(point) | LongPress(point):
            return f"{type(action).__name__} {_cell(point.x)} {_cell(point.y)}"
        case Swipe(start, end):
            return f"Swipe {_cell(start.x)} {_cell(start.y)} {_cell(end.x)} {_cell(end.y)}"
    return repr(action)


def _cell(value: float) -> int:
    return min(_PLACES - 1, int(value * _PLACES))
