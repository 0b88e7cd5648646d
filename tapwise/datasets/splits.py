"""Train, validation and test splits, by a hash of the instruction or by given ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from tapwise.datasets.similarity import near_groups
from tapwise.errors import StoreError
from tapwise.records import Trajectory

FRACTIONS: Mapping[str, float] = {"train": 0.8, "validation": 0.1, "test": 0.1}

_NO_WORD = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Item:
    """What splitting needs to know of an episode. `first_screen` is a digest of its first screenshot, or None."""

    episode: str
    instruction: str
    first_screen: str | None = None

    @classmethod
    def of(cls, trajectory: Trajectory) -> Item:
        """The item of a trajectory."""
        shots = [step.observation.screenshot for step in trajectory.steps[:1]]
        digest = hashlib.sha256(shots[0].data).hexdigest() if shots else None
        return cls(trajectory.id, trajectory.task.instruction, digest)


def normalise(instruction: str) -> str:
    """An instruction without what does not change its meaning: case, punctuation, spacing, compatibility forms.

    One of signs only stays as it is, so that such instructions do not all become the same.
    """
    folded = unicodedata.normalize("NFKC", instruction).casefold()
    return _NO_WORD.sub(" ", folded).strip() or folded.strip()


def split_by_instruction(
    items: Sequence[Item], fractions: Mapping[str, float] = FRACTIONS, seed: int = 0, near: float | None = None
) -> dict[str, list[Item]]:
    """Split so that the same instruction, up to case and punctuation, never lies in two splits.

    The split of an instruction depends on the instruction, the fractions and the seed alone, so that it is the same
    in every data set and stays when items are added. With `near`, instructions of at least that similarity (see
    `similarity`) are kept together too; then a new item may join two groups and move one of them. Fractions hold for
    distinct instructions on average, not exactly. Raises ValueError for fractions that do not add up to 1.
    """
    _check_fractions(fractions)
    texts = sorted({normalise(item.instruction) for item in items})
    keys = dict(zip(texts, texts, strict=True))
    if near is not None:
        for group in near_groups(texts, near):
            keys |= dict.fromkeys((texts[index] for index in group), texts[min(group)])
    split: dict[str, list[Item]] = {name: [] for name in fractions}
    for item in items:
        split[_bucket(keys[normalise(item.instruction)], fractions, seed)].append(item)
    return split


def split_by_ids(items: Sequence[Item], given: Mapping[str, Collection[str]]) -> dict[str, list[Item]]:
    """Split by published lists of episode ids; episodes in none of them are left out.

    Raises StoreError that names the first id that two lists share, or that no item has.
    """
    home: dict[str, str] = {}
    for name, ids in given.items():
        for episode in ids:
            if home.setdefault(episode, name) != name:
                raise StoreError(
                    f"episode {episode!r} is in the splits {home[episode]!r} and {name!r}: take it out of one of them"
                )
    known = {item.episode for item in items}
    missing = next((episode for episode in home if episode not in known), None)
    if missing is not None:
        raise StoreError(
            f"split {home[missing]!r} names episode {missing!r}, which is not in the data: import it, or take it out"
        )
    split: dict[str, list[Item]] = {name: [] for name in given}
    for item in items:
        if item.episode in home:
            split[home[item.episode]].append(item)
    return split


def _bucket(key: str, fractions: Mapping[str, float], seed: int) -> str:
    digest = hashlib.sha256(f"{seed}\0{key}".encode("utf-8", "surrogatepass")).digest()
    position = int.from_bytes(digest[:8], "big") / 2**64
    reached = 0.0
    for name, fraction in fractions.items():
        reached += fraction
        if position < reached:
            return name
    return next(name for name in reversed(list(fractions)) if fractions[name] > 0.0)  # rounding left a little over


def _check_fractions(fractions: Mapping[str, float]) -> None:
    total = sum(fractions.values())
    if not fractions or any(not 0.0 <= share <= 1.0 for share in fractions.values()) or abs(total - 1.0) > 1e-9:
        raise ValueError(f"the fractions {dict(fractions)} add up to {total:g}: give shares in [0, 1] that add up to 1")
