"""What a device needs of the way to it, whichever way that is."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple, Protocol


class ShellResult(NamedTuple):
    """What a shell command left behind."""

    stdout: bytes
    stderr: bytes
    exit_code: int


class Transport(Protocol):
    """A way to one phone. Every method keeps its deadline (seconds).

    Raises `DeviceTimeout` when the phone does not answer in time, `DeviceLost` when the connection ended, and
    plain `DeviceError` when the phone refuses.
    """

    def connect(self, timeout_s: float = 5.0) -> None:
        """Establish the connection, or replace the one there was."""
        ...

    def shell(self, command: str, timeout_s: float = 30.0) -> ShellResult:
        """Run a command in the phone's shell."""
        ...

    def exec_out(self, command: str, timeout_s: float = 30.0, expected_size: int = 0) -> bytes | bytearray:
        """A command's raw standard output; `expected_size` (bytes) is a hint that spares copies."""
        ...

    def push(self, data: bytes, path: PurePosixPath | str, timeout_s: float = 60.0) -> None:
        """Write a file on the phone."""
        ...

    def pull(self, path: PurePosixPath | str, timeout_s: float = 60.0) -> bytes:
        """Read a file from the phone."""
        ...

    def reboot(self, timeout_s: float = 10.0) -> None:
        """Ask the phone to boot anew; the connection is gone then."""
        ...

    def is_alive(self) -> bool:
        """Whether the connection stands, as far as this side knows. A hung phone looks alive: ask it something."""
        ...

    def close(self) -> None:
        """Give up the connection; harmless when repeated."""
        ...
