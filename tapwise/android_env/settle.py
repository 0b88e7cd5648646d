"""Waiting until the screen has stopped moving, by looking at it rather than at the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from pydantic import Field

from tapwise.config import Config
from tapwise.protocols import Device


class SettleBudget(Config):
    """How long to look before the screen is taken as it is."""

    seconds: float = Field(default=3.0, gt=0)
    """Host time."""

    polls: int = Field(default=30, ge=2)
    """Looks at the screen."""

    equal_in_a_row: int = Field(default=2, ge=2)
    """Looks without a difference that count as settled."""

    back_off_s: float = Field(default=0.05, ge=0)
    """Wait between two looks at a device that cannot count its frames."""


class Settled(NamedTuple):
    """Whether the screen came to rest within the budget, and how many looks that took.

    `moved_s` is the newest moment, in seconds since the first look, after which the screen was still seen to change; 0
    when it never was. `moving`: the budget's last look differed from the one before, so that whoever looks at the
    screen now looks early.
    """

    settled: bool
    polls: int
    moved_s: float = 0.0
    moving: bool = False


def settle(
    device: Device,
    budget: SettleBudget,
    now: Callable[[], float] = time.monotonic,
    wait: Callable[[float], None] = time.sleep,
) -> Settled:
    """Look at the screen until it stays as it is, or until the budget is spent.

    A device that counts its frames is asked for the count without pause; of any other, whole pictures are
    compared, with a short `wait` between them. Raises DeviceError when the device fails.
    """
    started = now()
    deadline = started + budget.seconds
    before: int | bytes | None = None
    look_s = before_s = started
    moved_s = 0.0
    equal = 0
    for polls in range(1, budget.polls + 1):
        counter = device.frame_counter()
        look = device.screenshot().tobytes() if counter is None else counter
        equal = equal + 1 if look == before else 1
        if equal == 1 and polls > 1:
            moved_s = before_s - started
        if equal >= budget.equal_in_a_row:
            return Settled(True, polls, moved_s)
        before, before_s, look_s = look, look_s, now()
        if look_s >= deadline:
            break
        if counter is None and polls < budget.polls:
            wait(budget.back_off_s)
            look_s = now()
    return Settled(False, polls, moved_s, equal == 1)
