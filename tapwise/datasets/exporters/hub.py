"""A folder that the Hugging Face Hub takes as a data set: `README.md` and `data/SPLIT-NNNNN.parquet`.

The Parquet files are shards of tapwise's own form, one row per step, with images as `Image` features; `tapwise data
import hub FOLDER` reads them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from tapwise.datasets.schema import Stored, store_form
from tapwise.datasets.shards import write_shard
from tapwise.records import Trajectory

SHARD_BYTES = 256 * 2**20
_CARD = """---
configs:
- config_name: default
  data_files:
{files}
---
# Trajectories of an Android agent

{episodes} episodes, {steps} steps. One row per step ("kind" is "step") with the screenshot, the instruction and the
action as JSON, and one more ("final") for the screen after the last action. Written by tapwise.
"""


class _Part:
    """One split's files: trajectories are collected until a shard is full."""

    def __init__(self, folder: Path, split: str) -> None:
        self._folder, self._split = folder, split
        self._waiting: list[Stored] = []
        self._bytes = self.files = 0

    def add(self, stored: Stored) -> None:
        self._waiting.append(stored)
        self._bytes += sum(map(len, stored.blobs))
        if self._bytes >= SHARD_BYTES:
            self.flush()

    def flush(self) -> None:
        if self._waiting:
            write_shard(self._folder / f"{self._split}-{self.files:05d}.parquet", self._waiting)
            self._waiting, self._bytes, self.files = [], 0, self.files + 1


def export(trajectories: Iterable[Trajectory], folder: Path) -> int:
    """Write the trajectories that may be learned from; returns the steps. Raises StoreError when a file cannot be
    written."""
    data = folder / "data"
    data.mkdir(parents=True, exist_ok=True)
    parts = {split: _Part(data, split) for split in ("train", "test")}
    episodes = steps = 0
    for trajectory in trajectories:
        if not trajectory.trainable:  # an import could not tell an aborted episode from a failed one
            continue
        parts[trajectory.task.split].add(store_form(trajectory, keep_ui=True))
        episodes += 1
        steps += len(trajectory.steps)
    for part in parts.values():
        part.flush()
    listed = "\n".join(_listed(parts))
    (folder / "README.md").write_text(_CARD.format(files=listed, episodes=episodes, steps=steps), encoding="utf-8")
    return steps


def _listed(parts: dict[str, _Part]) -> Iterator[str]:
    for split, part in parts.items():
        if part.files:
            yield f"  - split: {split}\n    path: data/{split}-*.parquet"
