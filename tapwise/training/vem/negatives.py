"""Actions that are not what an expert did, made by rule.

VEM's fork for Mind2Web makes such actions too, but a "changed value" of an action that has no value leaves it as it
was, so that expert actions are labelled bad. Here a candidate must pass a matcher: what could count as the expert's
action is never a negative. What no rule can know is whether another action would have led to the goal as well (the back
key beside an arrow that goes back): `tapwise.training.vem.forks` tries it out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, TypeVar

import numpy as np

from tapwise.matching import LARGEST_TARGET, NEAR, Matcher, match_actions
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    Trajectory,
    TypeText,
    UiNode,
)
from tapwise.training.vem.labels import StepLabel

Item = TypeVar("Item")
Rule = Literal["other_kind", "moved", "other_value"]

ATTEMPTS = 16
"""places tried for a moved touch before there is none"""
OTHER_KINDS: tuple[Action, ...] = (
    Press(Key.HOME),
    Press(Key.BACK),
    Press(Key.ENTER),
    Swipe(Point(0.5, 0.75), Point(0.5, 0.35)),
    Swipe(Point(0.5, 0.35), Point(0.5, 0.75)),
    Finish("success"),
    Finish("impossible"),
)
"""waiting is not among them: it leaves the goal where it was"""


def rule_negatives(
    trajectory: Trajectory,
    rng: np.random.Generator,
    values: Sequence[str] = (),
    *,
    matcher: Matcher = match_actions,
) -> list[StepLabel]:
    """At most one bad action for each step and rule, of an expert's trajectory.

    - "other_kind": an action of another type;
    - "moved": a touch elsewhere, outside every touchable thing under the expert's finger (of at most a tenth of the
      screen), on another thing where the accessibility tree shows any;
    - "other_value": another text to type, or app to open, out of `values`, else the expert's own text backwards; only
      where the expert's action has such a value.

    None of them matches the expert's action by `matcher`; a step for which a rule finds nothing has no such label.
    """
    found: list[StepLabel] = []
    for index, step in enumerate(trajectory.steps):
        if step.decision.unparsable is not None:
            continue
        expert, observation = step.decision.action, step.observation
        candidates: dict[Rule, list[Action]] = {
            "other_kind": _shuffled(OTHER_KINDS, rng),
            "moved": _moved(expert, observation, rng),
            "other_value": _other_values(expert, values, rng),
        }
        for rule, actions in candidates.items():
            bad = _first_other(actions, expert, observation, matcher, new_kind=rule == "other_kind")
            if bad is not None:
                explanation = "differs from the expert's action by rule"
                found.append(StepLabel(trajectory.id, index, 0.0, f"rule:{rule}", explanation, bad))
    return found


def expert_positives(trajectory: Trajectory) -> list[StepLabel]:
    """Every readable step of an expert's trajectory as a good one, to set against the negatives."""
    return [
        StepLabel(trajectory.id, index, 1.0, "rule:expert", "what the expert did")
        for index, step in enumerate(trajectory.steps)
        if step.decision.unparsable is None
    ]


def _first_other(
    candidates: Iterable[Action], expert: Action, observation: Observation, matcher: Matcher, new_kind: bool
) -> Action | None:
    for action in candidates:
        # Asked both ways, for a matcher may look only at one side's target.
        matches = matcher(action, expert, observation), matcher(expert, action, observation)
        if not any(match.same or (new_kind and match.kind) for match in matches):
            return action
    return None


def _moved(expert: Action, observation: Observation, rng: np.random.Generator) -> list[Action]:
    """Touches elsewhere. They name a target whenever the expert does: its absence would give them away."""
    if not isinstance(expert, Tap | LongPress):
        return []
    size = observation.screenshot.size
    things = [] if observation.ui is None else [node for node in observation.ui.walk() if _touchable(node)]
    avoided = [node for node in things if _holds(node, expert.at, size) and _share(node, size) <= LARGEST_TARGET]
    named = [(Point.from_pixels(*node.centre, size), _name(node)) for node in things if _share(node, size) > 0]
    places: list[tuple[Point, str | None]] = [(place, name) for place, name in named if name or expert.target is None]
    anywhere = [(Point(*rng.random(2).tolist()), expert.target) for _ in range(ATTEMPTS)]
    return [
        replace(expert, at=place, target=None if expert.target is None else name)
        for place, name in (*_shuffled(places, rng), *anywhere)
        if _clear(place, expert.at, avoided, size)
    ]


def _name(node: UiNode) -> str:
    return next((inner.label for inner in node.walk() if inner.label), "").lower()


def _clear(place: Point, expert: Point, avoided: Sequence[UiNode], size: Size) -> bool:
    far = abs(place.x - expert.x) > NEAR or abs(place.y - expert.y) > NEAR
    return far and not any(_holds(node, place, size) for node in avoided)


def _touchable(node: UiNode) -> bool:
    return node.clickable or node.long_clickable or node.checkable


def _holds(node: UiNode, point: Point, size: Size) -> bool:
    left, top, right, bottom = node.bounds
    x, y = point.to_pixels(size)
    return left <= x < right and top <= y < bottom


def _share(node: UiNode, size: Size) -> float:
    left, top, right, bottom = node.bounds
    return max(0, right - left) * max(0, bottom - top) / (size.height * size.width)


def _other_values(expert: Action, values: Sequence[str], rng: np.random.Generator) -> list[Action]:
    match expert:
        case TypeText(text=text) if text.strip():
            return [TypeText(value) for value in (*_shuffled(values, rng), text[::-1]) if value.strip()]
        case OpenApp(name=name) if name.strip():
            return [OpenApp(value) for value in _shuffled(values, rng) if value.strip()]
    return []


def _shuffled(items: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    return [items[index] for index in rng.permutation(len(items))]
