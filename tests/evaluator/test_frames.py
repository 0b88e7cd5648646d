"""Which screens a judge is shown."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from tapwise import images
from tapwise.errors import ConfigError
from tapwise.evaluator.frames import Frames, changes
from tapwise.records import Screenshot, Size


def shot(bright: int = 0, rows: int = 0, kind: Literal["png", "jpeg"] = "png") -> Screenshot:
    """A screen whose topmost `rows` of 240 are as bright as told, the rest black."""
    pixels = np.zeros((240, 108, 3), np.uint8)
    pixels[:rows] = bright
    return images.encode(pixels, kind)


SAME, LITTLE, MUCH = shot(), shot(255, 10), shot(255, 200)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_the_one_big_change_in_the_middle_is_chosen(kind: Literal["png", "jpeg"]) -> None:
    rows = [0, 2, 4, 6, 200, 202, 204, 206, 208]
    shots = [shot(255, each, kind) for each in rows]
    assert Frames.parse("key:2").choose(shots) == [4, 8]
    assert Frames.parse("key:2").choose(shots) == [4, 8]


def test_the_largest_changes_come_in_the_order_of_the_episode() -> None:
    shots = [SAME, LITTLE, SAME, MUCH, MUCH, LITTLE, LITTLE]
    assert Frames("key", 1).choose(shots) == [6]
    assert Frames("key", 3).choose(shots) == [3, 5, 6]
    assert Frames("key", 4).choose(shots) == [1, 3, 5, 6]  # of the two equal changes the earlier
    assert Frames("key", 99).choose(shots) == [1, 2, 3, 5, 6]  # neither the start nor what stayed the same


def test_final_and_every_step() -> None:
    shots = [SAME, MUCH, LITTLE]
    assert Frames.parse("final").choose(shots) == [2]
    assert Frames.parse("steps").choose(shots) == [0, 1, 2]
    for frames in ("final", "key:3", "steps"):
        assert Frames.parse(frames).choose([]) == []
        assert Frames.parse(frames).choose([MUCH]) == [0]
        assert str(Frames.parse(frames)) == frames


def test_changes_are_mean_differences_and_whole_where_screens_cannot_be_compared() -> None:
    broken = Screenshot(b"no picture", "png", Size(240, 108))
    turned = images.encode(np.zeros((108, 240, 3), np.uint8), "png")
    found = changes([SAME, SAME, MUCH, broken, broken, SAME, turned])
    assert found == pytest.approx([0, 0, 200 / 240, 1, 0, 1, 1])
    assert changes([]) == []


@pytest.mark.parametrize("text", ["", "key", "key:0", "key:-1", "key:x", "last", "steps:3"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="key:4"):
        Frames.parse(text)
