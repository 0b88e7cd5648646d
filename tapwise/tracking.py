"""Where metrics go: a JSON-lines file that every run has."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path


class JsonlTracker:
    """Appends one JSON object per call to a file, flushed at once so that a killed run keeps its curve."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8")

    def log(self, metrics: Mapping[str, float | int | str], step: int) -> None:
        """Write `metrics` with the step and the wall-clock time."""
        self._file.write(json.dumps({"step": step, "time": time.time(), **metrics}) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()
