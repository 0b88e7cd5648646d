"""Chat JSONL for supervised fine-tuning: `train.jsonl`, `test.jsonl` and `images/`, one row per step.

A row is {"messages": [...], "images": [path]}: `<image>` in the user's text stands for the picture, which
LLaMA-Factory (format "sharegpt", tags role and content) reads as it is; `dataset_info.json` tells it so. TRL's
SFTTrainer takes the same two columns for vision models.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tapwise.datasets.encoding import encode
from tapwise.datasets.exporters.files import save_picture
from tapwise.records import Action, Trajectory

HISTORY = 8
"""actions before the present one that the prompt repeats"""
_SPLITS = ("train", "test")
_TAGS = {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "assistant"}


def export(trajectories: Iterable[Trajectory], folder: Path) -> int:
    """Write a row for every step that was understood; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    with ExitStack() as stack:
        files = {
            split: stack.enter_context((folder / f"{split}.jsonl").open("w", encoding="utf-8")) for split in _SPLITS
        }
        for trajectory in trajectories:
            if trajectory.trainable:
                for row in rows(trajectory, folder):
                    files[trajectory.task.split].write(json.dumps(row, ensure_ascii=False) + "\n")
                    written += 1
    info = {
        f"tapwise_{split}": {
            "file_name": f"{split}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "messages", "images": "images"},
            "tags": _TAGS,
        }
        for split in _SPLITS
    }
    (folder / "dataset_info.json").write_text(json.dumps(info, indent=2) + "\n", encoding="utf-8")
    return written


def rows(trajectory: Trajectory, folder: Path) -> list[dict[str, Any]]:
    """The rows of one trajectory; places are parts of the screen, x before y."""
    made: list[dict[str, Any]] = []
    history: list[str] = []
    for step in trajectory.steps:
        answer = action_json(step.decision.action)
        if step.decision.unparsable is None:
            past = "\n".join(history[-HISTORY:]) or "none"
            prompt = f"<image>\nTask: {trajectory.task.instruction}\nEarlier actions:\n{past}\nNext action as JSON:"
            messages = [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]
            made.append({"messages": messages, "images": [save_picture(step.observation.screenshot, folder)]})
        history.append(answer if step.decision.unparsable is None else "unreadable")
    return made


def action_json(action: Action) -> str:
    """An action as one line of JSON, as stores hold it, rounded to four digits."""
    return json.dumps(_rounded(encode(action, [])), ensure_ascii=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(item) for name, item in value.items() if name != "type" or item != "Point"}
    return round(value, 4) if isinstance(value, float) else value
