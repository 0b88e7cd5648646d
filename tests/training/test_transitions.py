"""Samples cut out of trajectories."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from tapwise import images
from tapwise.records import Context, Observation, Task
from tapwise.training.transitions import Sample, balance_templates

SCREEN = Observation(images.encode(np.zeros((4, 4, 3), np.uint8)), "", True, 0.0)


def samples(**counts: int) -> list[Sample]:
    return [
        Sample(Context(Task("t", "do it", "general", "app", name, (), 10, "train"), (), SCREEN), (number,))
        for name, count in counts.items()
        for number in range(count)
    ]


def shares(found: list[Sample]) -> dict[str, float]:
    counts = Counter(sample.context.task.template for sample in found)
    return {name: count / len(found) for name, count in counts.items()}


@pytest.mark.parametrize(("balance", "rare"), [(0.5, 1 / 11), (1.0, 1 / 2)])
def test_rare_templates_get_a_larger_share(balance: float, rare: float) -> None:
    given = samples(easy=10_000, hard=100)
    found = balance_templates(given, balance, np.random.default_rng(0))
    assert len(found) == len(given)
    assert shares(found)["hard"] == pytest.approx(rare, abs=0.02)


def test_without_balance_samples_stay_as_they_are() -> None:
    given = samples(easy=5, hard=1)
    assert balance_templates(given, 0.0, np.random.default_rng(0)) == given
    assert balance_templates([], 1.0, np.random.default_rng(0)) == []
