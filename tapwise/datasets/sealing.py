"""Moving trajectories from the journal into shards, and annotations into the columns of the shards.

Both write the new file first and drop the old form after it is on the disk: a death in between leaves things stored
twice, which opening a store resolves, and never not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from tapwise.datasets.contents import StoreContents
from tapwise.datasets.episode_log import EpisodeLog
from tapwise.datasets.schema import Stored, store_form
from tapwise.datasets.shards import Shard, write_shard
from tapwise.errors import StoreError


def seal(contents: StoreContents, log: EpisodeLog) -> Path | None:
    """Move all whole trajectories from the journal into a new shard; None when there are none. Raises StoreError."""
    waiting = [name for name, place in contents.places.items() if place is None]
    if not waiting:
        return None
    sealed: list[str] = []
    path = _next_shard(contents.path)
    write_shard(path, _readable(contents, waiting, sealed))
    contents.add_shard(Shard(path))
    log.drop(sealed)
    contents.annotations.compact(contents.places)
    return path


def compact(contents: StoreContents, log: EpisodeLog) -> list[Path]:
    """Seal, then write annotations into the columns of the shards that hold their trajectories, one shard at a time.

    Also brings shards that lack columns of the present layout up to it, so that all of a store's shards can be loaded
    as one table. Returns the shards that were written anew; screenshots are copied as they are. A shard that cannot be
    read whole stays as it is, with its annotations beside it. Raises StoreError when the disk is full.
    """
    rewritten: list[Shard] = []
    older = list(contents.shards)
    sealed = [] if seal(contents, log) is None else contents.shards[-1:]  # these were written with their annotations
    for shard in older:
        names = [summary.id for summary in shard.summaries]
        stale = not shard.current or any(name in contents.annotations for name in names)
        # A trajectory that another shard holds too is only read from there; such a file is a copy made by hand.
        owned = all(contents.places[name] == (shard, group) for group, name in enumerate(names))
        if stale and owned and (fresh := _rewritten(contents, shard, names)) is not None:
            rewritten.append(fresh)
    carried = {summary.id for shard in (*sealed, *rewritten) for summary in shard.summaries}
    contents.annotations.drop(carried)
    return [shard.path for shard in rewritten]


def _rewritten(contents: StoreContents, shard: Shard, names: Sequence[str]) -> Shard | None:
    """The shard's successor, in its place on the disk and in the index; None when it cannot be read whole."""
    try:
        for name in names:
            contents.trajectory(name)
    except StoreError as error:
        contents.note_damage(error)
        return None
    write_shard(shard.path, (store_form(contents.trajectory(name), keep_ui=True) for name in names))
    fresh = Shard(shard.path)
    contents.replace_shard(shard, fresh)
    return fresh


def _readable(contents: StoreContents, waiting: Sequence[str], sealed: list[str]) -> Iterator[Stored]:
    """The trajectories that are not damaged; their ids are appended to `sealed`."""
    for name in waiting:
        try:
            stored = contents.sealable(name)
        except StoreError as error:
            contents.note_damage(error)
            continue
        sealed.append(name)
        yield stored


def _next_shard(folder: Path) -> Path:
    numbers = [int(path.stem.removeprefix("shard-")) for path in folder.glob("shard-*.parquet")]
    return folder / f"shard-{max(numbers, default=0) + 1:06d}.parquet"
