"""Which of an episode's screenshots a judge is shown: the last one, those on which the most changed, or all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tapwise import images
from tapwise.errors import ConfigError
from tapwise.records import Screenshot, Trajectory

SMALL = (54, 120)
"""width and height to which screens are reduced before they are compared"""
GREATEST = 255.0


@dataclass(frozen=True, slots=True)
class Frames:
    """A choice of screenshots. `final` is the last one; `key` is at most `most` screenshots, the last one and those
    before which the screen changed most; `steps` is every one."""

    mode: Literal["final", "key", "steps"] = "final"
    most: int = 1

    @classmethod
    def parse(cls, text: str) -> Frames:
        """From `final`, `key:K` or `steps`. Raises ConfigError for anything else."""
        if text == "final":
            return cls()
        if text == "steps":
            return cls("steps")
        mode, _, most = text.partition(":")
        if mode == "key" and most.isdecimal() and int(most) >= 1:
            return cls("key", int(most))
        raise ConfigError(f"frames {text!r}: write final, key:K with K at least 1 (such as key:4), or steps")

    def __str__(self) -> str:
        return f"key:{self.most}" if self.mode == "key" else self.mode

    def choose(self, shots: Sequence[Screenshot]) -> list[int]:
        """The indices of the chosen ones among an episode's screenshots, in their order; none of none.

        Of equal changes the earlier counts as larger, and a screen that is the same as the one before is no key frame,
        so that fewer than `most` may be chosen. The choice depends on the pictures alone.
        """
        last = len(shots) - 1
        if self.mode == "steps" or last < 1:
            return list(range(len(shots)))
        if self.mode == "final":
            return [last]
        sizes = changes(shots)
        largest = sorted((index for index in range(1, last) if sizes[index] > 0), key=lambda index: -sizes[index])
        return [*sorted(largest[: self.most - 1]), last]


FINAL = Frames()


def screenshots(trajectory: Trajectory) -> list[Screenshot]:
    """All screenshots of an episode: those before each action, and the one after the last."""
    shots = [step.observation.screenshot for step in trajectory.steps]
    return shots if trajectory.final is None else [*shots, trajectory.final.screenshot]


def changes(shots: Sequence[Screenshot]) -> list[float]:
    """How much each screen differs from the one before: the mean difference of brightness, in [0, 1]; 0 of the first.

    A picture that cannot be read, or is of another shape, as when the display was turned, differs wholly from its
    neighbours unless its bytes are theirs.
    """
    small = [_small(shot) for shot in shots]
    found = [0.0] if shots else []
    for index in range(1, len(shots)):
        before, now = small[index - 1], small[index]
        if shots[index].data == shots[index - 1].data:
            found.append(0.0)
        elif before is None or now is None or shots[index].size != shots[index - 1].size:
            found.append(1.0)
        else:
            found.append(float(np.abs(now - before).mean()) / GREATEST)
    return found


def _small(shot: Screenshot) -> NDArray[np.int16] | None:
    try:
        picture = images.decode_at_least(shot, SMALL[0] * SMALL[1])
    except ValueError:
        return None
    return np.asarray(picture.convert("L").resize(SMALL, Image.Resampling.BOX)).astype(np.int16)
