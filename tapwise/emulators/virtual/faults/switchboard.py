"""Decides at each place where something may go wrong whether it does: the same way for the same calls."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tapwise.emulators.virtual.faults.spec import FaultSpec

_LOG_LENGTH = 1000


@dataclass(frozen=True, slots=True)
class Firing:
    """A fault that happened: which, at what, as which look at it, and the host's monotonic time."""

    fault: int
    kind: str
    mode: str
    what: str
    look: int
    time_s: float


@dataclass(slots=True)
class _Armed:
    number: int
    spec: FaultSpec
    rng: random.Random
    looks: int = 0
    fired: int = 0
    first_s: float | None = None


@dataclass
class Switchboard:
    """The faults of one phone. `log` has the latest firings, oldest first; `tell` is called with each as it happens."""

    now: Callable[[], float] = time.monotonic
    tell: Callable[[Firing], None] = lambda _: None
    armed: Callable[[], None] = lambda: None
    """is called when a fault has been added"""
    log: deque[Firing] = field(default_factory=lambda: deque(maxlen=_LOG_LENGTH))
    _armed: dict[int, _Armed] = field(default_factory=dict)
    _added: int = 0

    def __bool__(self) -> bool:
        return bool(self._armed)

    def add(self, spec: FaultSpec, looks: int = 0, fired: int = 0) -> int:
        """Arm a fault, and give the number by which it can be removed.

        `looks` and `fired` say how often it was looked at and happened in an earlier run that this one goes on with.
        """
        self._added += 1
        rng = random.Random(f"{spec.seed}/{spec.kind}/{self._added}")
        for _ in range(looks):
            rng.random()
        self._armed[self._added] = _Armed(self._added, spec, rng, looks, fired)
        self.armed()
        return self._added

    def remove(self, number: int) -> bool:
        """Disarm a fault; False when there is none of that number."""
        return self._armed.pop(number, None) is not None

    def clear(self) -> None:
        """Disarm all; the log stays."""
        self._armed.clear()

    def specs(self) -> dict[int, FaultSpec]:
        """What is armed."""
        return {number: armed.spec for number, armed in self._armed.items()}

    def counts(self) -> dict[int, tuple[int, int]]:
        """Of each armed fault: how often it was looked at, and how often it happened."""
        return {number: (armed.looks, armed.fired) for number, armed in self._armed.items()}

    def fires(self, kind: str, what: str = "", *modes: str) -> FaultSpec | None:
        """Whether a fault of a kind (and of one of the modes, when any are given) happens at `what`."""
        for armed in self._armed.values():
            spec = armed.spec
            if spec.kind == kind and (not modes or spec.mode in modes) and spec.on in what and self._fires(armed):
                firing = Firing(armed.number, kind, spec.mode, what, armed.looks, self.now())
                self.log.append(firing)
                self.tell(firing)
                return spec
        return None

    def _fires(self, armed: _Armed) -> bool:
        spec, now = armed.spec, self.now()
        armed.looks += 1
        drawn = armed.rng.random()  # at every look, so that one fault's end does not move another's draws
        over = spec.seconds and armed.first_s is not None and now - armed.first_s >= spec.seconds
        if armed.looks <= spec.after or (spec.times and armed.fired >= spec.times) or over:
            return False
        if drawn >= spec.probability:
            return False
        armed.fired += 1
        armed.first_s = now if armed.first_s is None else armed.first_s
        return True
