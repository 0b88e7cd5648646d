"""TFRecord shards as Android in the Wild has them, raw pixels and one record per step, and `splits.json` beside them.

AitW has no counterpart of `Wait`, `OpenApp`, `LongPress` and RECENTS; such a step is written with the unused action
type 2, and the importer reads it as unparsable.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from tapwise import images
from tapwise.datasets.formats.example import Writable, write_example
from tapwise.datasets.formats.tfrecord import write_records
from tapwise.datasets.importers.aitw import SUBSETS
from tapwise.datasets.importers.aitw_actions import (
    COMPLETE,
    DUAL_POINT,
    IMPOSSIBLE,
    PRESS_BACK,
    PRESS_ENTER,
    PRESS_HOME,
    TYPE,
)
from tapwise.records import Action, Finish, Key, Point, Press, Step, Swipe, Tap, Trajectory, TypeText

EPISODES_PER_SHARD = 100
NO_COUNTERPART = 2
_KEYS = {Key.BACK: PRESS_BACK, Key.HOME: PRESS_HOME, Key.ENTER: PRESS_ENTER}


def export(trajectories: Iterable[Trajectory], folder: Path, *, level: int = 6) -> int:
    """Write shards named `SUBSET-00000-of-many`, by the tasks' templates; returns the steps.

    `splits.json` has the form of AitW's split files, and is what `tapwise data import aitw --splits` takes. `level` is
    that of the GZIP compression.
    """
    folder.mkdir(parents=True, exist_ok=True)
    splits: dict[str, list[str]] = {"train": [], "validation": [], "test": []}
    written = shard = 0
    wanted = (trajectory for trajectory in trajectories if trajectory.trainable)
    while batch := list(islice(wanted, EPISODES_PER_SHARD)):
        by_subset: dict[str, list[Trajectory]] = {}
        for trajectory in batch:
            template = trajectory.task.template
            by_subset.setdefault(template if template in SUBSETS else "general", []).append(trajectory)
            splits[trajectory.task.split].append(episode_id(trajectory))
        for subset, episodes in by_subset.items():
            records = (record for trajectory in episodes for record in step_records(trajectory))
            written += write_records(folder / f"{subset}-{shard:05d}-of-many", records, level=level)
            shard += 1
    (folder / "splits.json").write_text(json.dumps(splits) + "\n", encoding="utf-8")
    return written


def episode_id(trajectory: Trajectory) -> str:
    """The trajectory's id without "aitw/SUBSET/" in front."""
    return trajectory.id.removeprefix(f"aitw/{trajectory.task.template}/")


def step_records(trajectory: Trajectory) -> Iterator[bytes]:
    """The tf.Example of every step."""
    for index, step in enumerate(trajectory.steps):
        yield write_example(step_features(trajectory, step, index))


def step_features(trajectory: Trajectory, step: Step, index: int) -> dict[str, Writable]:
    """The features of one step; places are (y, x)."""
    pixels = images.decode(step.observation.screenshot)
    kind, touch, lift, text = action_fields(step.decision.action)
    features: dict[str, Writable] = {
        "episode_id": [episode_id(trajectory).encode()],
        "episode_length": [len(trajectory.steps)],
        "step_id": [index],
        "goal_info": [trajectory.task.instruction.encode("utf-8", "replace")],
        "current_activity": [step.observation.activity.encode("utf-8", "replace")],
        "device_type": [trajectory.provenance.device.encode("utf-8", "replace")],
        "image/encoded": [pixels.tobytes()],
        "image/height": [pixels.shape[0]],
        "image/width": [pixels.shape[1]],
        "image/channels": [pixels.shape[2]],
        "results/action_type": [kind],
        "results/yx_touch": _yx(touch),
        "results/yx_lift": _yx(lift),
        "results/type_action": [text.encode("utf-8", "replace")],
    }
    tree = step.observation.ui
    nodes = [] if tree is None else [node for node in tree.walk() if node.label or not node.children]
    if nodes:
        scale = np.array([pixels.shape[0], pixels.shape[1]] * 2, np.float32)
        boxes = [[top, left, bottom - top, right - left] for left, top, right, bottom in (one.bounds for one in nodes)]
        features["image/ui_annotations_positions"] = (np.array(boxes, np.float32) / scale).reshape(-1)
        features["image/ui_annotations_text"] = [node.label.encode("utf-8", "replace") for node in nodes]
        features["image/ui_annotations_ui_types"] = [node.class_name.encode("utf-8", "replace") for node in nodes]
    return features


def action_fields(action: Action) -> tuple[int, Point | None, Point | None, str]:
    """Action type, touch, lift (None where there is no gesture) and typed text."""
    match action:
        case Tap(at=at):
            return DUAL_POINT, at, at, ""
        case Swipe(start=start, end=end):
            return DUAL_POINT, start, end, ""
        case TypeText(text=text):
            return TYPE, None, None, text
        case Press(key=key) if key in _KEYS:
            return _KEYS[key], None, None, ""
        case Finish(status=status):
            return (COMPLETE if status == "success" else IMPOSSIBLE), None, None, ""
        case _:
            return NO_COUNTERPART, None, None, ""


def _yx(at: Point | None) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    return np.array([-1.0, -1.0] if at is None else [at.y, at.x], np.float32)
