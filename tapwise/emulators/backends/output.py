"""What a program that runs a phone says on its standard output."""

from __future__ import annotations

import contextlib
import os
import threading
from typing import IO

_TAIL = 4000


class Output:
    """Reads what the program says, so that it never waits for a reader; keeps the last of it."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._text = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # closed under us when the program is ended
            while piece := os.read(self._pipe.fileno(), 65536):
                self._text = (self._text + piece.decode("utf-8", "replace"))[-_TAIL:]

    def tail(self) -> str:
        """The last that was said."""
        return self._text

    def join(self) -> None:
        """Wait until the program has said all."""
        self._thread.join(2.0)
