"""Programs that listen on ports inside a phone; no socket of the host is opened for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Connection(Protocol):
    """One connection to a listener."""

    @property
    def ended(self) -> bool:
        """Whether the listener closes the connection after its last answer."""
        ...

    def received(self, data: bytes) -> bytes:
        """Answer what arrived; empty for no answer yet."""
        ...


Listener = Callable[[], Connection]
"""Called for each new connection."""
