"""Episodes in a journal: begun, stepped, finished; which of them are whole and which were interrupted.

Frames: "begin" (task and provenance), "step" (one step with its screenshot), "finish" (the whole trajectory; its
screenshots are references to step frames where those hold the same bytes).
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from tapwise.datasets.encoding import decode, encode
from tapwise.datasets.journal import Entry, Journal
from tapwise.datasets.schema import (
    VERSION,
    Interrupted,
    Stored,
    Summary,
    blob_index,
    lighten,
    store_form,
    summarise,
    total_reward,
)
from tapwise.errors import StoreError
from tapwise.records import Provenance, Step, Task, Trajectory


@dataclass(slots=True)
class _Episode:
    """Offsets of an episode's frames; `pictures` are digests of the steps' screenshots."""

    begin: int | None = None
    steps: list[int] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)
    finish: int | None = None
    summary: Summary | None = None

    def offsets(self) -> list[int]:
        first = [] if self.begin is None else [self.begin]
        return first + self.steps + ([] if self.finish is None else [self.finish])


class EpisodeLog:
    """The journal of one store. Not safe to share between threads.

    `damage` holds what was found wrong on opening; episodes that need a lost frame are left out.
    """

    def __init__(self, path: Path, *, writable: bool, keep_ui: bool) -> None:
        self._journal = Journal(path, writable=writable)
        self._keep_ui = keep_ui
        self._open: dict[str, _Episode] = {}
        self._finished: dict[str, _Episode] = {}
        self._live: set[str] = set()
        try:
            for entry in self._journal.replay():
                self._replay(entry)
        except StoreError:
            self._journal.close()
            raise
        self.damage = self._journal.damage

    @property
    def size(self) -> int:
        """Bytes in the journal."""
        return self._journal.size

    def finished(self) -> dict[str, Summary]:
        """The whole trajectories in the order of their ends."""
        return {name: episode.summary for name, episode in self._finished.items() if episode.summary is not None}

    def unfinished(self) -> list[str]:
        """Ids of the episodes without an end, in the order of their beginnings."""
        return list(self._open)

    def interrupted_ids(self) -> list[str]:
        """Ids of the episodes without an end that nobody here is writing."""
        return [name for name in self._open if name not in self._live]

    def begin(self, trajectory_id: str, task: Task, provenance: Provenance) -> None:
        """Note the start of an episode."""
        head = {"kind": "begin", "schema": VERSION, "id": trajectory_id}
        head |= {"task": encode(task, []), "provenance": encode(provenance, [])}
        offset = self._journal.append(head, sync=False)
        self._open[trajectory_id] = _Episode(begin=offset)
        self._live.add(trajectory_id)

    def adopt(self, trajectory_id: str) -> int:
        """Take an interrupted episode over; returns how many steps it has."""
        self._live.add(trajectory_id)
        return len(self._open[trajectory_id].steps)

    def step(self, trajectory_id: str, step: Step, *, sync: bool) -> None:
        """Add a step to an episode that began."""
        episode = self._open[trajectory_id]
        blobs: list[bytes] = []
        record = encode(step if self._keep_ui else lighten(step), blobs)
        head = {"kind": "step", "id": trajectory_id, "index": len(episode.steps), "step": record}
        offset = self._journal.append(head, blobs, sync=sync)
        episode.steps.append(offset)
        episode.pictures.append(_digest(step.observation.screenshot.data))

    def finish(self, trajectory: Trajectory, *, sync: bool) -> Summary:
        """Add the end of an episode, with or without a beginning."""
        stored = store_form(trajectory, self._keep_ui)
        episode = self._open.get(trajectory.id, _Episode())
        known = {picture: index for index, picture in enumerate(episode.pictures)}
        own: list[bytes] = []
        sources: list[tuple[str, int]] = []
        for blob in stored.blobs:
            index = known.get(_digest(blob)) if known else None
            sources.append(("own", len(own)) if index is None else ("step", index))
            if index is None:
                own.append(blob)
        head = {"kind": "finish", "schema": VERSION, "id": trajectory.id, "header": stored.header}
        head |= {"steps": stored.steps, "final": stored.final, "pictures": sources}
        episode.finish = self._journal.append(head, own, sync=sync)
        episode.summary = summarise(stored.header, len(stored.steps), total_reward(stored.steps))
        self._open.pop(trajectory.id, None)
        self._live.discard(trajectory.id)
        self._finished[trajectory.id] = episode
        return episode.summary

    def read(self, trajectory_id: str) -> Stored:
        """A whole trajectory. Raises StoreError when a frame of it is damaged."""
        episode = self._finished[trajectory_id]
        assert episode.finish is not None
        entry = self._journal.read(episode.finish)
        try:
            blobs = [self._picture(episode, entry, source, index) for source, index in entry.head["pictures"]]
            return Stored(entry.head["header"], entry.head["steps"], entry.head["final"], blobs)
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise self._wrong(entry, error) from error

    def interrupted(self, trajectory_id: str) -> Interrupted:
        """What is known of an episode without an end. Raises StoreError when a frame of it is damaged."""
        episode = self._open[trajectory_id]
        assert episode.begin is not None
        entry = self._journal.read(episode.begin)
        try:
            task = decode(Task, entry.head["task"], ())
            provenance = decode(Provenance, entry.head["provenance"], ())
            steps = []
            for offset in episode.steps:
                entry = self._journal.read(offset)
                steps.append(decode(Step, entry.head["step"], entry.blobs))
        except (KeyError, TypeError, ValueError) as error:
            raise self._wrong(entry, error) from error
        return Interrupted(trajectory_id, task, provenance, tuple(steps))

    def drop(self, trajectory_ids: Collection[str]) -> None:
        """Forget finished trajectories that are durable elsewhere, and shorten the file."""
        for name in trajectory_ids:
            self._finished.pop(name, None)
        episodes = [*self._finished.values(), *self._open.values()]
        moved = self._journal.keep(sorted(offset for episode in episodes for offset in episode.offsets()))
        for episode in episodes:
            episode.begin = None if episode.begin is None else moved[episode.begin]
            episode.steps = [moved[offset] for offset in episode.steps]
            episode.finish = None if episode.finish is None else moved[episode.finish]

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()

    def _picture(self, episode: _Episode, finish: Entry, source: str, index: int) -> bytes:
        if source == "own":
            return finish.blobs[index]
        step = self._journal.read(episode.steps[index])
        return step.blobs[blob_index(step.head["step"]["observation"])]

    def _replay(self, entry: Entry) -> None:
        try:
            if entry.head.get("schema", VERSION) > VERSION:
                raise StoreError(
                    f"journal {self._journal.path} was written by a newer tapwise (schema {entry.head['schema']}, this"
                    f" one reads up to {VERSION}): upgrade tapwise"
                )
            self._replay_known(entry)
        except (KeyError, TypeError, ValueError) as error:
            self._journal.damage.append(self._wrong(entry, error))

    def _replay_known(self, entry: Entry) -> None:
        kind, name = entry.head["kind"], entry.head["id"]
        if kind == "begin":
            self._open[name] = _Episode(begin=entry.offset)
        elif kind == "step":
            episode = self._open.get(name)
            # A step after a lost frame does not continue the episode; what lies before the gap stays usable.
            if episode is not None and entry.head["index"] == len(episode.steps):
                picture = self._journal.read(entry.offset).blobs[blob_index(entry.head["step"]["observation"])]
                episode.steps.append(entry.offset)
                episode.pictures.append(_digest(picture))
        elif kind == "finish":
            episode = self._open.get(name, _Episode())
            if any(source == "step" and index >= len(episode.steps) for source, index in entry.head["pictures"]):
                raise ValueError(f"trajectory {name!r} needs a step that is lost")
            steps = entry.head["steps"]
            summary = summarise(entry.head["header"], len(steps), total_reward(steps))
            self._open.pop(name, None)
            self._finished[name] = dataclasses.replace(episode, finish=entry.offset, summary=summary)
        else:
            raise ValueError(f"entries of kind {kind!r} are unknown")

    def _wrong(self, entry: Entry, error: Exception) -> StoreError:
        detail = f"no field {error}" if isinstance(error, KeyError) else str(error)
        return StoreError(
            f"journal {self._journal.path}, entry at byte {entry.offset}: {detail}; it was written by other software or"
            ' is damaged: open the store with on_corrupt="skip" to use all else'
        )


def _digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=20).digest()
