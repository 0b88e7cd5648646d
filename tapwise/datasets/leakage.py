"""Whether a held-out split is held out: what of one split lies in another one too."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tapwise.datasets.similarity import near_pairs
from tapwise.datasets.splits import Item, normalise
from tapwise.errors import StoreError

Kind = Literal["episode", "instruction", "near_instruction", "first_screen"]
KINDS: tuple[Kind, ...] = ("episode", "instruction", "near_instruction", "first_screen")
NEAR = 0.85
"""Similarity from which two different instructions count as nearly the same."""

_Key = Callable[[Item], str | None]

_WORDS = {
    "episode": "the same episode",
    "instruction": "the same instruction",
    "near_instruction": "nearly the same instruction",
    "first_screen": "the same first screenshot",
}


@dataclass(frozen=True, slots=True)
class Leak:
    """Something that two or more splits share.

    `what` is the episode, the normalised instruction (for nearly the same ones both, with " | " between) or the
    digest; `episodes` are those concerned, by split.
    """

    kind: Kind
    what: str
    episodes: Mapping[str, tuple[str, ...]]

    def __str__(self) -> str:
        where = "; ".join(f"{split}: {_listed(ids)}" for split, ids in self.episodes.items())
        return f"{_WORDS[self.kind]} {self.what!r} in {where}"


@dataclass(frozen=True, slots=True)
class LeakageReport:
    """All leaks between splits of the given sizes, in the order of `KINDS`."""

    sizes: Mapping[str, int]
    leaks: tuple[Leak, ...]

    def affected(self, split: str, kinds: Collection[Kind] = KINDS) -> int:
        """How many episodes of a split leak in one of these ways."""
        return len({name for leak in self.leaks if leak.kind in kinds for name in leak.episodes.get(split, ())})

    def lines(self, limit: int = 10) -> list[str]:
        """For people: how much of each split leaks in which way, then up to `limit` leaks of each kind."""
        told = []
        for kind in KINDS:
            found = [leak for leak in self.leaks if leak.kind == kind]
            if not found:
                continue
            parts = [f"{self.affected(name, (kind,))} of {size} in {name}" for name, size in self.sizes.items()]
            told.append(f"{_WORDS[kind]} in two splits: {', '.join(parts)}")
            told += [f"  {leak}" for leak in found[:limit]]
            told += [f"  and {len(found) - limit} more"] * (len(found) > limit)
        return told or ["no leak between " + ", ".join(self.sizes)]

    def check(self) -> None:
        """Raises StoreError that names the leaks, if there are any."""
        if self.leaks:
            raise StoreError(
                "the splits leak: split by instruction, or leave the shared episodes out of one side\n"
                + "\n".join(self.lines(limit=3))
            )


def find_leaks(
    splits: Mapping[str, Sequence[Item]], kinds: Collection[Kind] = KINDS, near: float = NEAR
) -> LeakageReport:
    """Look for what two splits share.

    Leave "first_screen" out of `kinds` where every episode begins on the same home screen, as on the virtual phone:
    there it says nothing. `near` is the trigram similarity (see `similarity`) of nearly the same instructions.
    """
    leaks: list[Leak] = []
    if "episode" in kinds:
        leaks += _shared("episode", splits, lambda item: item.episode)
    if "instruction" in kinds:
        leaks += _shared("instruction", splits, lambda item: normalise(item.instruction))
    if "near_instruction" in kinds:
        leaks += _near(splits, near)
    if "first_screen" in kinds:
        leaks += _shared("first_screen", splits, lambda item: item.first_screen)
    return LeakageReport({name: len(items) for name, items in splits.items()}, tuple(leaks))


def _shared(kind: Kind, splits: Mapping[str, Sequence[Item]], key: _Key) -> Iterator[Leak]:
    holders = _holders(splits, key)
    for what in sorted(holders):
        if len(holders[what]) > 1:
            yield Leak(kind, what, {name: tuple(ids) for name, ids in holders[what].items()})


def _near(splits: Mapping[str, Sequence[Item]], threshold: float) -> Iterator[Leak]:
    holders = _holders(splits, lambda item: normalise(item.instruction))
    texts = sorted(holders)
    for pair in near_pairs(texts, threshold):
        first, second = texts[pair.first], texts[pair.second]
        # Where both are in one split and nowhere else there is no leak.
        if len(holders[first].keys() | holders[second].keys()) > 1:
            together: defaultdict[str, list[str]] = defaultdict(list)
            for text in (first, second):
                for name, ids in holders[text].items():
                    together[name] += ids
            yield Leak("near_instruction", f"{first} | {second}", {name: tuple(i) for name, i in together.items()})


def _holders(splits: Mapping[str, Sequence[Item]], key: _Key) -> dict[str, dict[str, list[str]]]:
    """Episodes by key and split."""
    found: dict[str, dict[str, list[str]]] = {}
    for name, items in splits.items():
        for item in items:
            value = key(item)
            if value is not None:
                found.setdefault(value, {}).setdefault(name, []).append(item.episode)
    return found


def _listed(ids: Sequence[str], limit: int = 3) -> str:
    more = f" and {len(ids) - limit} more" if len(ids) > limit else ""
    return ", ".join(ids[:limit]) + more
