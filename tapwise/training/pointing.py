"""Pointing kept alive: questions about the screens of the demonstrations, answered from their accessibility trees.

A small model that imitates a few demonstrations soon forgets how to find things on screens it has not seen. Every
screen of a demonstration therefore also asks "tap LABEL" for other things on it, as in pre-training.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np

from tapwise.records import Context, Observation, Point, Tap, Task, Trajectory, UiNode
from tapwise.training.transitions import ActionTokens, Sample

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
