"""What a judge may spend: calls and money, with a hard stop."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tapwise.errors import ConfigError, TapwiseError


class Spent(TapwiseError):
    """The budget does not reach for another call."""


@dataclass(slots=True)
class Call:
    """A call under way; whoever makes it says what it cost, in the currency of the prices."""

    cost: float = 0.0


class Budget:
    """A number of calls, and a sum; safe to share between threads. None is no limit.

    A call is refused once the calls are used up, or once what was spent, and what the calls under way may cost at the
    dearest so far, reaches the sum. Calls that were answered count, those that failed do not. Raises ConfigError for
    limits below 0.
    """

    def __init__(self, calls: int | None = None, cost: float | None = None) -> None:
        if (calls or 0) < 0 or (cost or 0) < 0:
            raise ConfigError(f"a budget of {calls} calls and {cost}: neither may be below 0")
        self._most_calls, self._most_cost = calls, cost
        self._guard = threading.Lock()
        self._under_way = 0
        self._dearest = 0.0
        self.calls = 0
        """calls that were answered"""
        self.cost = 0.0
        """what they cost"""

    @contextmanager
    def call(self) -> Iterator[Call]:
        """Make a call within; raises Spent when there is nothing left for it."""
        with self._guard:
            if self._most_calls is not None and self.calls + self._under_way >= self._most_calls:
                raise Spent(f"the budget of {self._most_calls} calls is used up")
            if self._most_cost is not None and self.cost + self._under_way * self._dearest >= self._most_cost:
                raise Spent(f"the budget of {self._most_cost:g} is used up")
            self._under_way += 1
        made = Call()
        try:
            yield made
        except BaseException:
            with self._guard:
                self._under_way -= 1
            raise
        with self._guard:
            self._under_way -= 1
            self.calls += 1
            self.cost += made.cost
            self._dearest = max(self._dearest, made.cost)
