"""Every picture of a store is looked at, and the same one once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tapwise.datasets import ParquetTrajectoryStore, checking
from tapwise.images import decode_image, encode
from tapwise.records import Screenshot, Size, Trajectory

Maker = Callable[..., Trajectory]
BLACK, WHITE = (encode(np.full((8, 4, 3), shade, np.uint8), "png") for shade in (0, 255))


def showing(trajectory: Trajectory, *screens: Screenshot) -> Trajectory:
    """The trajectory with the given screenshots, of its steps and its end."""
    seen = [
        replace(step, observation=replace(step.observation, screenshot=screen))
        for step, screen in zip(trajectory.steps, screens, strict=False)
    ]
    final = trajectory.final
    assert final is not None
    return replace(trajectory, steps=tuple(seen), final=replace(final, screenshot=screens[-1]))


@pytest.fixture
def looked_at(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bytes of each picture that was decoded."""
    seen: list[bytes] = []

    def look(screenshot: Screenshot) -> object:
        seen.append(screenshot.data)
        return decode_image(screenshot)

    monkeypatch.setattr(checking, "decode_image", look)
    return seen


def test_the_same_picture_is_decoded_once(make: Maker, tmp_path: Path, looked_at: list[bytes]) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        for name in "abc":
            store.append(showing(make(name), BLACK, WHITE, BLACK))
        report = checking.check(store)
    assert (report.episodes, report.steps, report.interrupted, report.problems) == (3, 6, 0, ())
    assert sorted(looked_at) == sorted([BLACK.data, WHITE.data])


def test_each_place_of_a_wrong_picture_is_told(make: Maker, tmp_path: Path, looked_at: list[bytes]) -> None:
    torn, other_size = replace(WHITE, data=b"torn"), replace(BLACK, size=Size(9, 4))
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(showing(make("a"), torn, BLACK, BLACK))
        store.append(showing(make("b"), torn, BLACK, other_size))
        problems = checking.check(store).problems
    assert [one.split(":")[0] for one in problems] == ["a, step 0", "b, step 0", "b, final screen"]
    assert "4 x 8 pixels, its record says 4 x 9" in problems[2]
    assert len(looked_at) == 2


def test_what_is_remembered_is_bounded(
    make: Maker, tmp_path: Path, looked_at: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "_REMEMBERED", 1)
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(showing(make("a"), BLACK, WHITE, BLACK))
        assert checking.check(store).problems == ()
    assert len(looked_at) == 3
