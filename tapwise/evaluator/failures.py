"""Why an episode failed, as far as its record tells: one kind for each, the first that applies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from tapwise.records import Action, End, Finish, LongPress, Step, Swipe, Tap, Trajectory


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
    OUT_OF_STEPS = "out of steps"
    """none of these: the step limit came first"""


_LOOP_SHARE, _LOOP_LEAST = 1 / 3, 3
_UNREADABLE_SHARE = 1 / 2
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
    return Failure.OUT_OF_STEPS


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
