"""The trajectory store: a journal for what has just happened, Parquet shards for the rest, annotations beside both.

A store is a folder:
    journal.log          steps and trajectories since the last sealing
    shard-000001.parquet ...
    annotations.jsonl    values, advantages and verdicts that were added later
    lock                 held by the one process that writes
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from tapwise.datasets import sealing
from tapwise.datasets.annotations import Annotation, annotation_of
from tapwise.datasets.contents import StoreContents
from tapwise.datasets.episode_log import EpisodeLog
from tapwise.datasets.episode_writer import EpisodeWriter
from tapwise.datasets.lock import take_lock
from tapwise.datasets.schema import Interrupted, Summary
from tapwise.errors import StoreError
from tapwise.records import End, Fault, Provenance, Step, Task, Trajectory, Verdict

__all__ = ["EpisodeWriter", "ParquetTrajectoryStore", "Sync"]

_log = logging.getLogger(__name__)

Sync = Literal["step", "episode", "never"]


class ParquetTrajectoryStore:
    """Trajectories at rest; safe to share between threads, and written by one process at a time.

    mode: "write" creates the folder when needed and takes its lock; "read" touches nothing, may run beside a writer,
        and shows the store as it was when opened.
    sync: whatever is written survives the death of the process as soon as the call returns. To survive the death
        of the machine it must be forced to the disk: after every "step", at the end of every "episode", or "never"
        (only on sealing).
    keep_ui: keep accessibility trees, which are left out by default.
    on_corrupt: "raise" a StoreError for damage, or "skip" what is damaged and list it in `problems`.
    seal_bytes: the journal is sealed into a shard when it grows beyond this.
    """

    def __init__(
        self,
        path: Path | str,
        *,
        mode: Literal["write", "read"] = "write",
        sync: Sync = "episode",
        keep_ui: bool = False,
        on_corrupt: Literal["raise", "skip"] = "raise",
        seal_bytes: int = 64 * 2**20,
    ) -> None:
        self.path = Path(path)
        self._writable = mode == "write"
        self._sync: Sync = sync
        self._seal_bytes = seal_bytes
        self._guard = threading.RLock()
        self._closed = False
        self._lock_file = take_lock(self.path) if self._writable else None
        try:
            self._contents = StoreContents(
                self.path, writable=self._writable, keep_ui=keep_ui, skip_damage=on_corrupt == "skip"
            )
        except BaseException:
            self._unlock()
            raise

    # --- writing -----------------------------------------------------------------------------------------

    def begin(self, trajectory_id: str, task: Task, provenance: Provenance) -> EpisodeWriter:
        """Start an episode that is stored step by step. Raises StoreError when the id is taken."""
        with self._guard:
            log = self._writer()
            self._check_free(trajectory_id)
            log.begin(trajectory_id, task, provenance)
            return self._episode(trajectory_id, 0)

    def resume(self, trajectory_id: str) -> EpisodeWriter:
        """Go on with an interrupted episode. Raises StoreError when there is none of that id."""
        with self._guard:
            log = self._writer()
            if trajectory_id not in log.interrupted_ids():
                raise StoreError(
                    f"store {self.path} has no interrupted episode {trajectory_id!r}: `interrupted()` lists those"
                    " it has"
                )
            return self._episode(trajectory_id, log.adopt(trajectory_id))

    def append(self, trajectory: Trajectory) -> None:
        """Store a whole trajectory; it is durable on return. Raises StoreError when the id is taken."""
        with self._guard:
            self._writer()
            self._check_free(trajectory.id)
            self._finish(trajectory)

    def annotate(
        self,
        trajectory_id: str,
        *,
        values: Sequence[float | None] | None = None,
        advantages: Sequence[float | None] | None = None,
        verdicts: Sequence[Verdict] | None = None,
    ) -> None:
        """Put values and advantages (one per step) and verdicts in the place of those stored; None leaves them.

        Screenshots are not rewritten. Raises StoreError for an unknown id or a wrong number of values.
        """
        with self._guard:
            self._writer()
            annotation = annotation_of(values, advantages, verdicts)
            if annotation == Annotation():
                return
            annotation.check(trajectory_id, self._summary(trajectory_id).steps)
            self._contents.annotations.add(trajectory_id, annotation, sync=self._sync == "step")

    def seal(self) -> Path | None:
        """Move all whole trajectories from the journal into a new shard; returns it, or None when there were none.

        The journal is shortened only once the shard is on the disk, so that nothing is lost at any moment.
        """
        with self._guard:
            return sealing.seal(self._contents, self._writer())

    def compact(self) -> list[Path]:
        """Seal, then write all annotations into the columns of the shards; returns the shards written anew.

        Afterwards `datasets.load_dataset("parquet", data_files=store.shards())` shows values, advantages and verdicts.
        Without it they are merged on reading by this class only. Raises StoreError.
        """
        with self._guard:
            return sealing.compact(self._contents, self._writer())

    def interrupted(self) -> list[Interrupted]:
        """Episodes that have steps or a beginning but no end, and that this store object is not writing."""
        with self._guard:
            episodes: list[Interrupted] = []
            log = self._contents.log
            if log is None:
                return episodes
            for name in log.interrupted_ids():
                try:
                    episodes.append(log.interrupted(name))
                except StoreError as error:
                    self._contents.note_damage(error)
            return episodes

    def close_interrupted(self) -> list[Trajectory]:
        """Turn every interrupted episode into an ABORTED trajectory (boundary "env", type "Interrupted")."""
        with self._guard:
            self._writer()
            closed = []
            for episode in self.interrupted():
                fault = Fault("env", "Interrupted", f"the run ended after {len(episode.steps)} steps of this episode")
                closed.append(
                    Trajectory(episode.id, episode.task, episode.steps, End.ABORTED, episode.provenance, fault=fault)
                )
                self._finish(closed[-1])
            return closed

    # --- reading -----------------------------------------------------------------------------------------

    @property
    def problems(self) -> tuple[StoreError, ...]:
        """The damage met so far; always empty with on_corrupt="raise"."""
        return tuple(self._contents.problems)

    def __len__(self) -> int:
        return len(self._contents.places)

    def __contains__(self, trajectory_id: object) -> bool:
        return trajectory_id in self._contents.places

    def __iter__(self) -> Iterator[Trajectory]:
        """All trajectories in the order of their ends, one in memory at a time."""
        return self.select(lambda _: True)

    def ids(self) -> list[str]:
        """Ids of the whole trajectories in the order of their ends."""
        with self._guard:
            return list(self._contents.places)

    def get(self, trajectory_id: str) -> Trajectory:
        """One trajectory with its annotations. Raises StoreError when it is unknown or damaged."""
        with self._guard:
            self._check_open()
            return self._contents.trajectory(trajectory_id)

    def summary(self, trajectory_id: str) -> Summary:
        """The light part of one trajectory. Raises StoreError when it is unknown."""
        with self._guard:
            return self._summary(trajectory_id)

    def scan(self, predicate: Callable[[Summary], bool] = lambda _: True) -> Iterator[Summary]:
        """Summaries of the trajectories that satisfy the predicate; reads no screenshot and no step."""
        for name in self.ids():
            with self._guard:
                summary = self._summary(name)
            if predicate(summary):
                yield summary

    def select(self, predicate: Callable[[Summary], bool]) -> Iterator[Trajectory]:
        """The trajectories whose summaries satisfy the predicate, one in memory at a time."""
        for summary in self.scan(predicate):
            try:
                trajectory = self.get(summary.id)
            except StoreError as error:
                self._contents.note_damage(error)
            else:
                yield trajectory

    def shards(self) -> list[Path]:
        """The sealed files in order, as `datasets.load_dataset("parquet", data_files=...)` takes them."""
        with self._guard:
            return [shard.path for shard in self._contents.shards]

    def close(self) -> None:
        """Close the files and give the lock back; episodes being written are found interrupted on the next opening."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            self._contents.close()
            self._unlock()

    def __enter__(self) -> ParquetTrajectoryStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- within ------------------------------------------------------------------------------------------

    def _unlock(self) -> None:
        if self._lock_file is not None:
            os.close(self._lock_file)

    def _check_open(self) -> None:
        if self._closed:
            raise StoreError(f"store {self.path} is closed: open it again")

    def _writer(self) -> EpisodeLog:
        if self._closed or not self._writable or self._contents.log is None:
            state = "closed" if self._closed else 'open with mode="read"'
            raise StoreError(f'store {self.path} is {state}: open it with mode="write" to change it')
        return self._contents.log

    def _check_free(self, trajectory_id: str) -> None:
        log = self._writer()
        if trajectory_id in self._contents.places or trajectory_id in log.unfinished():
            raise StoreError(
                f"store {self.path} already has a trajectory {trajectory_id!r}: give each episode its own id"
            )

    def _summary(self, trajectory_id: str) -> Summary:
        self._check_open()
        return self._contents.summary(trajectory_id)

    def _episode(self, trajectory_id: str, steps: int) -> EpisodeWriter:
        return EpisodeWriter(trajectory_id, steps, self._step, self._finish)

    def _step(self, trajectory_id: str, step: Step) -> None:
        with self._guard:
            self._writer().step(trajectory_id, step, sync=self._sync == "step")

    def _finish(self, trajectory: Trajectory) -> None:
        with self._guard:
            log = self._writer()
            self._contents.add_finished(log.finish(trajectory, sync=self._sync != "never"))
            if log.size > self._seal_bytes:
                self._seal_early()

    def _seal_early(self) -> None:
        try:
            self.seal()
        except StoreError as error:
            # The trajectory just written is durable in the journal; the next one tries to seal again.
            _log.warning("%s", error)
