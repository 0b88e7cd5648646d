"""Whether all that a store holds can be read, the pictures too."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.images import decode_image
from tapwise.records import Screenshot, Trajectory

_REMEMBERED = 100_000
"""pictures; what is known of them takes some 20 MB"""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was read, and what could not be: one line per problem, which names trajectory and step."""

    episodes: int
    steps: int
    interrupted: int
    problems: tuple[str, ...]


def check(store: ParquetTrajectoryStore) -> CheckReport:
    """Read every trajectory and decode every picture; one that comes again, byte for byte, is decoded once.

    Open the store with on_corrupt="skip": its damage is then reported among the problems instead of raised.
    """
    pictures = _Pictures()
    problems: list[str] = []
    episodes = steps = 0
    for trajectory in store:
        episodes += 1
        steps += len(trajectory.steps)
        for place, screenshot in _screens(trajectory):
            wrong = pictures.wrong(screenshot)
            if wrong is not None:
                problems.append(f"{trajectory.id}, {place}: {wrong}")
    interrupted = len(store.interrupted())
    return CheckReport(episodes, steps, interrupted, (*problems, *map(str, store.problems)))


class _Pictures:
    """What is wrong with pictures. Errors and sizes are remembered by the digest of the bytes."""

    def __init__(self) -> None:
        self._found: dict[bytes, tuple[int, int] | str] = {}

    def wrong(self, screenshot: Screenshot) -> str | None:
        """What is wrong with a picture; None when it can be decoded and has the size that its record says."""
        digest = hashlib.sha256(screenshot.data).digest()
        found = self._found.get(digest)
        if found is None:
            if len(self._found) >= _REMEMBERED:
                self._found.clear()
            found = self._found[digest] = _look(screenshot)
        if isinstance(found, str):
            return found
        said = screenshot.size.width, screenshot.size.height
        if found != said:
            return (
                f"the picture has {found[0]} x {found[1]} pixels, its record says {said[0]} x {said[1]}: import the"
                " episode again"
            )
        return None


def _look(screenshot: Screenshot) -> tuple[int, int] | str:
    """Width and height of a decoded picture, or why it cannot be decoded."""
    try:
        return decode_image(screenshot).size
    except ValueError as error:
        return str(error)


def _screens(trajectory: Trajectory) -> Iterator[tuple[str, Screenshot]]:
    for index, step in enumerate(trajectory.steps):
        yield f"step {index}", step.observation.screenshot
    if trajectory.final is not None:
        yield "final screen", trajectory.final.screenshot
