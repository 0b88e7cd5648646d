"""Which texts are nearly the same, without comparing every pair.

The similarity of two texts is the Jaccard index of their sets of character trigrams: shared trigrams over all trigrams
of both, 1 for equal sets. Texts are padded with a space on either side. The search is exact: it is the prefix filter of
Bayardo, Ma and Srikant, "Scaling up all pairs similarity search" (WWW 2007), for the Jaccard index.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple


class Near(NamedTuple):
    """Two texts by their indices, `first` < `second`, and their similarity in (0, 1]."""

    first: int
    second: int
    similarity: float


def similarity(first: str, second: str) -> float:
    """Jaccard index of the texts' trigrams, in [0, 1]."""
    return _jaccard(_trigrams(first), _trigrams(second))


def near_pairs(texts: Sequence[str], threshold: float) -> Iterator[Near]:
    """All pairs of texts whose similarity is at least `threshold`. Raises ValueError unless it lies in (0, 1]."""
    if not 0.0 < threshold <= 1.0:
        raise ValueError(f"threshold is {threshold}, but it must lie in (0, 1]")
    grams = [_trigrams(text) for text in texts]
    frequency = Counter(gram for each in grams for gram in each)
    # Two sets that overlap enough share one of their rarest grams; only those are indexed.
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for index, each in enumerate(grams):
        rarest = sorted(each, key=lambda gram: (frequency[gram], gram))
        # The margin keeps a product such as 0.7 * 10 from being rounded up to 8.
        prefix = rarest[: len(each) - math.ceil(threshold * len(each) - 1e-9) + 1]
        candidates = {other for gram in prefix for other in holders[gram]}
        for other in sorted(candidates):
            found = _jaccard(grams[other], each)
            if found >= threshold:
                yield Near(other, index, found)
        for gram in prefix:
            holders[gram].append(index)


def near_groups(texts: Sequence[str], threshold: float) -> list[list[int]]:
    """Indices of texts that hang together by pairs of at least that similarity; every index is in one group."""
    home = list(range(len(texts)))

    def root(index: int) -> int:
        while home[index] != index:
            home[index] = home[home[index]]
            index = home[index]
        return index

    for pair in near_pairs(texts, threshold):
        first, second = sorted((root(pair.first), root(pair.second)))
        home[second] = first
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for index in range(len(texts)):
        groups[root(index)].append(index)
    return list(groups.values())


def _trigrams(text: str) -> frozenset[str]:
    padded = f" {text} "
    return frozenset(padded[start : start + 3] for start in range(max(len(padded) - 2, 1)))


def _jaccard(first: frozenset[str], second: frozenset[str]) -> float:
    shared = len(first & second)
    return shared / (len(first) + len(second) - shared)
