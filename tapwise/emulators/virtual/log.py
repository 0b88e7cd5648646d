"""The phone's log, of which `logcat` shows what is asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

_LENGTH = 2000

Hear = Callable[["Entry"], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: virtual seconds since the epoch, process, priority (V, D, I, W, E or F), tag and words."""

    time_s: float
    process: int
    priority: str
    tag: str
    message: str


class Log:
    """The latest lines, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=_LENGTH)
        self._listeners: list[Hear] = []

    def entries(self) -> list[Entry]:
        """All lines that are kept."""
        return list(self._entries)

    def write(self, entry: Entry) -> None:
        """Add a line."""
        self._entries.append(entry)
        for hear in list(self._listeners):
            hear(entry)

    def clear(self) -> None:
        """Forget all lines."""
        self._entries.clear()

    def listen(self, hear: Hear) -> Callable[[], None]:
        """Be told of every further line, until what is given is called."""
        self._listeners.append(hear)
        return lambda: self._listeners.remove(hear)
