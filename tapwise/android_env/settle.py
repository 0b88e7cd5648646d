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
    """Whether the screen came to rest within the budget, and how many looks that took."""

    settled: bool
    polls: int


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
    deadline = now() + budget.seconds
    before: int | bytes | None = None
    equal = 0
    for polls in range(1, budget.polls + 1):
        counter = device.frame_counter()
        look = device.screenshot().tobytes() if counter is None else counter
        equal = equal + 1 if look == before else 1
        if equal >= budget.equal_in_a_row:
            return Settled(True, polls)
        if now() >= deadline:
            return Settled(False, polls)
        before = look
        if counter is None and polls < budget.polls:
            wait(budget.back_off_s)
    return Settled(False, budget.polls)
