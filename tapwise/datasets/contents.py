"""What a store's folder holds, and where each trajectory in it lies."""

from __future__ import annotations

import logging
from pathlib import Path

from tapwise.datasets.annotations import Annotations
from tapwise.datasets.episode_log import EpisodeLog
from tapwise.datasets.journal import sync_folder
from tapwise.datasets.schema import Stored, Summary, record_form, store_form
from tapwise.datasets.shards import Shard
from tapwise.errors import StoreError
from tapwise.records import Trajectory

_log = logging.getLogger(__name__)


class StoreContents:
    """The journal, shards and annotations of a folder with an index over them. Not safe to share between threads.

    writable: the caller holds the store's lock, so that torn tails and left-over files may be removed.
    skip_damage: note damage in `problems` and go on, instead of raising it as a StoreError.
    """

    def __init__(self, path: Path, *, writable: bool, keep_ui: bool, skip_damage: bool) -> None:
        self.path = path
        self.problems: list[StoreError] = []
        self.shards: list[Shard] = []
        self.places: dict[str, tuple[Shard, int] | None] = {}
        """Shard and row group of every whole trajectory, in the order of their ends; None: still in the journal."""
        self.summaries: dict[str, Summary] = {}
        """As stored, without annotations."""
        self.log: EpisodeLog | None = None
        self._written: set[str] = set()
        self._skip_damage = skip_damage
        try:
            self._load(writable, keep_ui)
        except BaseException:
            self.close()
            raise

    def summary(self, trajectory_id: str) -> Summary:
        """The light part of a trajectory with its annotation. Raises StoreError when it is unknown."""
        if trajectory_id not in self.summaries:
            raise StoreError(f"store {self.path} has no trajectory {trajectory_id!r}: `ids()` lists those it has")
        return self.annotations.onto_summary(self.summaries[trajectory_id])

    def trajectory(self, trajectory_id: str) -> Trajectory:
        """A trajectory with its annotation. Raises StoreError when it is unknown or damaged."""
        self.summary(trajectory_id)
        stored = self._stored(trajectory_id)
        try:
            record = record_form(stored)
        except ValueError as error:
            raise StoreError(
                f"trajectory {trajectory_id!r} in store {self.path} cannot be read ({error}): it was written by other"
                ' software; open the store with on_corrupt="skip" to use all else'
            ) from error
        return self.annotations.onto(record)

    def sealable(self, trajectory_id: str) -> Stored:
        """A trajectory of the journal with its annotation, as it goes into a shard. Raises StoreError when damaged.

        What this object wrote is not decoded to be checked; other software may have written the rest.
        """
        if trajectory_id in self._written and trajectory_id not in self.annotations:
            return self._stored(trajectory_id)
        return store_form(self.trajectory(trajectory_id), keep_ui=True)

    def add_finished(self, summary: Summary) -> None:
        """Take a trajectory that has just been written to the journal into the index."""
        self._index_finished(summary)
        self._written.add(summary.id)

    def add_shard(self, shard: Shard) -> None:
        """Take a sealed file into the index."""
        self.shards.append(shard)
        for group, summary in enumerate(shard.summaries):
            self.places[summary.id] = (shard, group)
            self.summaries[summary.id] = summary
            self._written.discard(summary.id)

    def replace_shard(self, old: Shard, new: Shard) -> None:
        """Put the rewritten form of a shard, with the same trajectories, in its place."""
        self.shards[self.shards.index(old)] = new
        for group, summary in enumerate(new.summaries):
            if self.places[summary.id] == (old, group):
                self.places[summary.id] = (new, group)
                self.summaries[summary.id] = summary
        old.close()

    def note_damage(self, error: StoreError) -> None:
        """Raise damage, or keep it in `problems`."""
        if not self._skip_damage:
            raise error
        self.problems.append(error)
        _log.warning("%s", error)

    def close(self) -> None:
        """Close the files."""
        for shard in self.shards:
            shard.close()
        if self.log is not None:
            self.log.close()

    def _load(self, writable: bool, keep_ui: bool) -> None:
        journal = self.path / "journal.log"
        if not writable and not self.path.is_dir():
            raise StoreError(f"store {self.path} does not exist: give the folder of a run's trajectories")
        # A writer may be at work while a reader opens. What moves goes from the journal and from the annotations into
        # the shards, so the shards come last: what moves in between is then seen twice rather than not at all.
        if writable or journal.exists():
            self.log = EpisodeLog(journal, writable=writable, keep_ui=keep_ui)
        self.annotations = Annotations(self.path / "annotations.jsonl", writable=writable)
        if writable:
            for left_over in self.path.glob(".*.tmp"):
                left_over.unlink()
            sync_folder(self.path)
        for path in sorted(self.path.glob("shard-*.parquet")):
            try:
                self.add_shard(Shard(path))
            except StoreError as error:
                self.note_damage(error)
        finished = self.log.finished() if self.log is not None else {}
        sealed = [name for name in finished if name in self.places]
        for name, summary in finished.items():
            if name not in self.places:
                self._index_finished(summary)
        for damage in (*(self.log.damage if self.log is not None else ()), *self.annotations.damage):
            self.note_damage(damage)
        if sealed and writable and self.log is not None:
            self.log.drop(sealed)

    def _index_finished(self, summary: Summary) -> None:
        self.summaries[summary.id] = summary
        self.places[summary.id] = None

    def _stored(self, trajectory_id: str) -> Stored:
        place = self.places[trajectory_id]
        if place is not None:
            return place[0].read(place[1])
        assert self.log is not None
        return self.log.read(trajectory_id)
