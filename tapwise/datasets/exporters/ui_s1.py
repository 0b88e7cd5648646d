"""UI-S1's JSONL for training: `train.jsonl`, `test.jsonl` and `images/`.

Vertical swipes are turned round, as in UI-S1's own training file and as its reward expects them; the importer turns
them back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from tapwise.datasets.exporters.files import save_picture
from tapwise.datasets.importers.ui_s1_actions import write_action
from tapwise.records import Trajectory


def export(trajectories: Iterable[Trajectory], folder: Path) -> int:
    """Write the trajectories that have steps, each to its split's file; returns the steps. `is_successful` is false
    where it is not known."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with ExitStack() as stack:
        files: dict[str, TextIO] = {}
        for trajectory in trajectories:
            row = task_row(trajectory, folder) if trajectory.trainable else None
            if row is not None and row["steps"]:
                split = row["split"]
                if split not in files:
                    files[split] = stack.enter_context((folder / f"{split}.jsonl").open("w", encoding="utf-8"))
                files[split].write(json.dumps(row, ensure_ascii=False) + "\n")
                written += len(row["steps"])
    return written


def task_row(trajectory: Trajectory, folder: Path) -> dict[str, Any]:
    """One line of the file; the screenshots are written to `folder`/images. Steps whose text could not be read are left
    out: the waiting that stands for them was nobody's decision."""
    steps = []
    for step in (step for step in trajectory.steps if step.decision.unparsable is None):
        screenshot = step.observation.screenshot
        content = write_action(step.decision.action, screenshot.size, reverse_vertical=True)
        steps.append({"action_content": content, "screenshot": save_picture(screenshot, folder)})
    return {
        "goal": trajectory.task.instruction,
        "is_successful": trajectory.success is True,
        "episode_id": trajectory.id,
        "split": trajectory.task.split,
        "steps": steps,
    }
