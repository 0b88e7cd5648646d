"""The trajectory store: a journal for what has just happened, Parquet shards for the rest, annotations beside both.

A store is a folder:
    journal.log          steps and trajectories since the last sealing
    shard-000001.parquet ...
    annotations.jsonl    values, advantages and verdicts that were added later
    lock                 held by the one process that writes
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Literal

from tapwise.datasets.annotations import Annotation, Annotations, annotation_of
from tapwise.datasets.episode_log import EpisodeLog
from tapwise.datasets.journal import sync_folder
from tapwise.datasets.schema import Interrupted, Stored, Summary, record_form, store_form
from tapwise.datasets.shards import Shard, write_shard
from tapwise.errors import StoreError
from tapwise.records import End, Fault, Provenance, Step, Task, Trajectory, Verdict

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
        seal_bytes: int = 128 * 2**20,
    ) -> None:
        self.path = Path(path)
        self._writable = mode == "write"
        self._sync: Sync = sync
        self._skip = on_corrupt == "skip"
        self._seal_bytes = seal_bytes
        self._guard = threading.RLock()
        self._problems: list[StoreError] = []
        self._shards: list[Shard] = []
        self._places: dict[str, tuple[Shard, int] | None] = {}
        self._summaries: dict[str, Summary] = {}
        self._lock_file = self._take_lock() if self._writable else None
        self._log: EpisodeLog | None = None
        self._closed = False
        try:
            self._load(keep_ui)
        except BaseException:
            self.close()
            raise

    # --- writing -----------------------------------------------------------------------------------------

    def begin(self, trajectory_id: str, task: Task, provenance: Provenance) -> EpisodeWriter:
        """Start an episode that is stored step by step. Raises StoreError when the id is taken."""
        with self._guard:
            log = self._writer()
            self._check_free(trajectory_id)
            log.begin(trajectory_id, task, provenance)
            return EpisodeWriter(self, trajectory_id, 0)

    def resume(self, trajectory_id: str) -> EpisodeWriter:
        """Go on with an interrupted episode. Raises StoreError when there is none of that id."""
        with self._guard:
            log = self._writer()
            if trajectory_id not in log.interrupted_ids():
                raise StoreError(
                    f"store {self.path} has no interrupted episode {trajectory_id!r}: `interrupted()` lists those"
                    " it has"
                )
            return EpisodeWriter(self, trajectory_id, log.adopt(trajectory_id))

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
            self._annotations.add(trajectory_id, annotation, sync=self._sync == "step")

    def seal(self) -> Path | None:
        """Move all whole trajectories from the journal into a new shard; returns it, or None when there were none.

        The journal is shortened only once the shard is on the disk, so that nothing is lost at any moment.
        """
        with self._guard:
            log = self._writer()
            sealed: list[str] = []
            waiting = [name for name, place in self._places.items() if place is None]
            if not waiting:
                return None
            path = self._next_shard()
            write_shard(path, self._to_seal(waiting, sealed))
            shard = Shard(path)
            self._shards.append(shard)
            for group, name in enumerate(sealed):
                self._places[name] = (shard, group)
            log.drop(sealed)
            self._annotations.compact(self._places)
            return path

    def interrupted(self) -> list[Interrupted]:
        """Episodes that have steps or a beginning but no end, and that this store object is not writing."""
        with self._guard:
            episodes: list[Interrupted] = []
            if self._log is None:
                return episodes
            for name in self._log.interrupted_ids():
                try:
                    episodes.append(self._log.interrupted(name))
                except StoreError as error:
                    self._damage(error)
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
        return tuple(self._problems)

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, trajectory_id: object) -> bool:
        return trajectory_id in self._places

    def __iter__(self) -> Iterator[Trajectory]:
        """All trajectories in the order of their ends, one in memory at a time."""
        return self.select(lambda _: True)

    def ids(self) -> list[str]:
        """Ids of the whole trajectories in the order of their ends."""
        with self._guard:
            return list(self._places)

    def get(self, trajectory_id: str) -> Trajectory:
        """One trajectory with its annotations. Raises StoreError when it is unknown or damaged."""
        with self._guard:
            self._summary(trajectory_id)
            return self._annotations.onto(self._record(trajectory_id))

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
                self._damage(error)
            else:
                yield trajectory

    def shards(self) -> list[Path]:
        """The sealed files in order, as `datasets.load_dataset("parquet", data_files=...)` takes them."""
        with self._guard:
            return [shard.path for shard in self._shards]

    def close(self) -> None:
        """Close the files and give the lock back; episodes being written are found interrupted on the next opening."""
        with self._guard:
            if self._closed:
                return
            self._closed = True
            for shard in self._shards:
                shard.close()
            if self._log is not None:
                self._log.close()
            if self._lock_file is not None:
                os.close(self._lock_file)

    def __enter__(self) -> ParquetTrajectoryStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    # --- within ------------------------------------------------------------------------------------------

    def _take_lock(self) -> int:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(
                f"store {self.path} cannot be opened ({error.strerror}): check the folder's rights"
            ) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise StoreError(
                f'store {self.path} is being written elsewhere: close it there, or open it here with mode="read"'
            ) from None
        return handle

    def _load(self, keep_ui: bool) -> None:
        journal = self.path / "journal.log"
        if not self._writable and not self.path.is_dir():
            raise StoreError(f"store {self.path} does not exist: give the folder of a run's trajectories")
        # The journal comes first: what a writer seals in between is then seen twice rather than not at all.
        if self._writable or journal.exists():
            self._log = EpisodeLog(journal, writable=self._writable, keep_ui=keep_ui)
        if self._writable:
            for left_over in self.path.glob(".*.tmp"):
                left_over.unlink()
            sync_folder(self.path)
        for path in sorted(self.path.glob("shard-*.parquet")):
            self._load_shard(path)
        self._annotations = Annotations(self.path / "annotations.jsonl", writable=self._writable)
        finished = self._log.finished() if self._log is not None else {}
        sealed = [name for name in finished if name in self._places]
        for name, summary in finished.items():
            if name not in self._places:
                self._places[name] = None
                self._summaries[name] = summary
        for damage in (*(self._log.damage if self._log is not None else ()), *self._annotations.damage):
            self._damage(damage)
        if sealed and self._writable and self._log is not None:
            self._log.drop(sealed)

    def _load_shard(self, path: Path) -> None:
        try:
            shard = Shard(path)
        except StoreError as error:
            self._damage(error)
            return
        self._shards.append(shard)
        for group, summary in enumerate(shard.summaries):
            self._places[summary.id] = (shard, group)
            self._summaries[summary.id] = summary

    def _damage(self, error: StoreError) -> None:
        if not self._skip:
            raise error
        self._problems.append(error)
        _log.warning("%s", error)

    def _writer(self) -> EpisodeLog:
        if self._closed or not self._writable or self._log is None:
            state = "closed" if self._closed else 'open with mode="read"'
            raise StoreError(f'store {self.path} is {state}: open it with mode="write" to change it')
        return self._log

    def _check_free(self, trajectory_id: str) -> None:
        log = self._writer()
        if trajectory_id in self._places or trajectory_id in log.unfinished():
            raise StoreError(
                f"store {self.path} already has a trajectory {trajectory_id!r}: give each episode its own id"
            )

    def _summary(self, trajectory_id: str) -> Summary:
        if self._closed:
            raise StoreError(f"store {self.path} is closed: open it again")
        if trajectory_id not in self._summaries:
            raise StoreError(f"store {self.path} has no trajectory {trajectory_id!r}: `ids()` lists those it has")
        return self._annotations.onto_summary(self._summaries[trajectory_id])

    def _stored(self, trajectory_id: str) -> Stored:
        place = self._places[trajectory_id]
        if place is not None:
            return place[0].read(place[1])
        assert self._log is not None
        return self._log.read(trajectory_id)

    def _record(self, trajectory_id: str) -> Trajectory:
        stored = self._stored(trajectory_id)
        try:
            return record_form(stored)
        except ValueError as error:
            raise StoreError(
                f"trajectory {trajectory_id!r} in store {self.path} cannot be read ({error}): it was written by other"
                ' software; open the store with on_corrupt="skip" to use all else'
            ) from error

    def _to_seal(self, waiting: list[str], sealed: list[str]) -> Iterator[Stored]:
        for name in waiting:
            try:
                trajectory = self.get(name)
            except StoreError as error:
                self._damage(error)
                continue
            sealed.append(name)
            yield store_form(trajectory, keep_ui=True)

    def _next_shard(self) -> Path:
        numbers = [int(path.stem.removeprefix("shard-")) for path in self.path.glob("shard-*.parquet")]
        return self.path / f"shard-{max(numbers, default=0) + 1:06d}.parquet"

    def _step(self, trajectory_id: str, step: Step) -> None:
        with self._guard:
            self._writer().step(trajectory_id, step, sync=self._sync == "step")

    def _finish(self, trajectory: Trajectory) -> None:
        with self._guard:
            log = self._writer()
            self._summaries[trajectory.id] = log.finish(trajectory, sync=self._sync != "never")
            self._places[trajectory.id] = None
            if log.size > self._seal_bytes:
                self._seal_early()

    def _seal_early(self) -> None:
        try:
            self.seal()
        except StoreError as error:
            # The trajectory just written is durable in the journal; the next one tries to seal again.
            _log.warning("%s", error)


class EpisodeWriter:
    """Stores one episode as it happens; made by `ParquetTrajectoryStore.begin` and `.resume`."""

    def __init__(self, store: ParquetTrajectoryStore, trajectory_id: str, steps: int) -> None:
        self.trajectory_id = trajectory_id
        self.steps = steps
        """Steps stored so far."""
        self._store = store
        self._finished = False

    def step(self, step: Step) -> None:
        """Store the next step; on return it survives the death of this process. Raises StoreError."""
        self._check_open()
        self._store._step(self.trajectory_id, step)
        self.steps += 1

    def finish(self, trajectory: Trajectory) -> None:
        """Store the end. The trajectory given is what counts, also where its steps differ from those stored before;
        screenshots that are stored already are not written again. Raises StoreError.
        """
        self._check_open()
        if trajectory.id != self.trajectory_id:
            raise StoreError(
                f"episode {self.trajectory_id!r} cannot end as trajectory {trajectory.id!r}: use the id it began with"
            )
        self._store._finish(trajectory)
        self._finished = True

    def _check_open(self) -> None:
        if self._finished:
            raise StoreError(f"episode {self.trajectory_id!r} has ended already: begin another one under a new id")
