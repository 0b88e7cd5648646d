"""Talking to the worker: a line there, a line back, with deadlines, in a process group that ends with us."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from tapwise.errors import EnvError

_SCRIPT = Path(__file__).with_name("worker.py")
_END_S = 10.0
_ERROR_TAIL = 2000


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """How the worker is started.

    python: the interpreter that AndroidWorld is installed in. path: a folder that holds the package `android_world`,
    such as a checkout, where it is not installed; empty otherwise.
    """

    python: str
    path: str = ""

    def environment(self) -> dict[str, str]:
        """The worker's environment: none of our own packages."""
        own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return own | ({"PYTHONPATH": self.path} if self.path else {})


class Worker:
    """A worker process; one request at a time. It ends by itself when this process does."""

    def __init__(self, command: WorkerCommand) -> None:
        """Raises EnvError when the interpreter cannot be started."""
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            self._process = subprocess.Popen(
                [command.python, "-c", _SCRIPT.read_text(encoding="utf-8") + "\n\nmain()\n"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                env=command.environment(),
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise EnvError(
                f"AndroidWorld's worker cannot be started ({error}): give the Python that AndroidWorld is installed in"
            ) from error
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        threading.Thread(target=self._listen, name="android-world", daemon=True).start()
        self.broken = False
        """whether it has ended or does not answer any more"""

    def ask(self, do: str, timeout_s: float, **request: Any) -> Mapping[str, Any]:
        """The answer to a request. Raises EnvError for one that says what went wrong, or that does not come."""
        if self.broken:
            raise EnvError("AndroidWorld's worker has ended: start another one")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **request}).encode() + b"\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=timeout_s)
        except (OSError, queue.Empty):
            line = b""
        if not line:
            self.broken = True
            raise EnvError(
                f"AndroidWorld's worker did not answer {do!r} within {timeout_s:g} s, or ended: {self._said()}"
            )
        answer: Mapping[str, Any] = json.loads(line)
        if "error" in answer:
            raise EnvError(f"AndroidWorld could not do {do!r}: {answer['error']}\n{answer.get('trace', '')}".rstrip())
        return answer

    def close(self) -> None:
        """End it: by the end of its input, and else by its process group."""
        self.broken = True
        with contextlib.suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()
        try:
            self._process.wait(_END_S)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._errors.close()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(b"")
        self._process.stdout.close()

    def _said(self) -> str:
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - _ERROR_TAIL))
        return self._errors.read().decode("utf-8", "replace").strip() or "it said nothing"
