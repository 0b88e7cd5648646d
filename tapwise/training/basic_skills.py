"""Basic skills kept alive beside a few demonstrations: finding what is named, and typing what is asked for.

A small model that imitates a few demonstrations soon forgets how to find things on screens it has not seen, and types
the words that were typed in the demonstrations whatever the goal says. Every screen of a demonstration therefore also
asks "tap LABEL" for other things on it, as in pre-training, and every typing step is also shown with other words, in
the goal and in the answer alike.
"""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from tapwise.records import Context, Observation, Point, Tap, Task, Trajectory, TypeText, UiNode
from tapwise.training.transitions import ActionTokens, Sample, step_context

MINIMUM_HEIGHT = 0.024
"""share of the screen's height below which a label counts as fine print"""


def pointing_samples(
    trajectories: Iterable[Trajectory], model: ActionTokens, per_screen: int, rng: np.random.Generator
) -> list[Sample]:
    """`per_screen` questions for each screen that has a tree and enough labels that stand on it once."""
    samples: list[Sample] = []
    for trajectory in trajectories:
        for step in trajectory.steps:
            labels = unique_labels(step.observation)
            for index in rng.permutation(len(labels))[:per_screen]:
                label, at = labels[index]
                task = Task("pointing", f"tap {label}", "pointing", "", "pointing", (), 1, "train")
                ids = model.action_ids(model.action_text.format(Tap(at, label)))
                if model.can_say(ids):
                    samples.append(Sample(Context(task, (), step.observation), ids))
    return samples


def substitution_samples(
    trajectories: Sequence[Trajectory], model: ActionTokens, per_step: int, rng: np.random.Generator
) -> list[Sample]:
    """`per_step` variants of each step that types words of its instruction: as many other words stand in their place,
    in the instruction and in the answer. The words are drawn from the instructions and labels of all trajectories."""
    words = known_words(trajectories)
    samples: list[Sample] = []
    for trajectory in trajectories:
        goal = trajectory.task.instruction
        for index, step in enumerate(trajectory.steps):
            action = step.decision.action
            place = _place(action.text, goal) if isinstance(action, TypeText) else None
            if place is None:
                continue
            context = step_context(trajectory, index)
            for _ in range(per_step):
                other = " ".join(words[i] for i in rng.integers(len(words), size=len(place.group().split())))
                instruction = goal[: place.start()] + other + goal[place.end() :]
                task = dataclasses.replace(trajectory.task, instruction=instruction)
                ids = model.action_ids(model.action_text.format(TypeText(other)))
                if model.can_say(ids):
                    samples.append(Sample(dataclasses.replace(context, task=task), ids))
    return samples


def known_words(trajectories: Iterable[Trajectory]) -> list[str]:
    """Words in lower case of the instructions, and of the labels that stand once on a screen; sorted."""
    found: set[str] = set()
    for trajectory in trajectories:
        found.update(trajectory.task.instruction.lower().split())
        for step in trajectory.steps:
            found.update(word for label, _ in unique_labels(step.observation) for word in label.split())
    return sorted(found)


def _place(text: str, instruction: str) -> re.Match[str] | None:
    """Where an instruction names the text, if it does so exactly once and in whole words."""
    found = list(re.finditer(rf"(?<!\S){re.escape(text.lower())}(?!\S)", instruction.lower())) if text.strip() else []
    return found[0] if len(found) == 1 else None


def unique_labels(observation: Observation) -> list[tuple[str, Point]]:
    """Labels in lower case that stand once on the screen, each with its middle."""
    if observation.ui is None:
        return []
    size = observation.screenshot.size
    found = [node for node in observation.ui.walk() if _is_label(node, size.height)]
    counts = Counter(node.label.lower() for node in found)
    return [
        (node.label.lower(), Point.from_pixels(*node.centre, size)) for node in found if counts[node.label.lower()] == 1
    ]


def _is_label(node: UiNode, height: int) -> bool:
    tall = node.bounds[3] - node.bounds[1] >= MINIMUM_HEIGHT * height
    return bool(node.label) and not node.children and tall and node.label not in ("Back", "Home", "Overview")
