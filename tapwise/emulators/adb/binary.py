"""The adb program as a transport: slower than our own client, and able to reach whatever adb reaches."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tapwise.emulators.adb.transport import ShellResult
from tapwise.errors import ConfigError, DeviceError, DeviceLost, DeviceTimeout

_LOST = (
    "not found",
    "offline",
    "no devices",
    "closed",
    "protocol fault",
    "cannot connect",
    "failed to",
    "reset by peer",
)


def find_adb() -> Path:
    """The adb program: the one inside the adbutils wheel, else the one on PATH. Raises ConfigError without one."""
    package = importlib.util.find_spec("adbutils")
    for place in (package.submodule_search_locations or []) if package is not None else []:
        program = Path(place) / "binaries" / "adb"
        if os.access(program, os.X_OK):
            return program
    on_path = shutil.which("adb")
    if on_path is None:
        raise ConfigError(
            "adb is neither in the adbutils package nor on PATH: install it (`pip install adbutils`, or your system's"
            " package android-tools-adb), give its path, or use the direct transport"
        )
    return Path(on_path)


class AdbBinary:
    """A `Transport` through the adb program and its server.

    Each command is one process in a group of its own, ended when it misses its deadline; so threads may share the
    transport. The server is started by adb when none runs and is never stopped: others may use it.
    """

    def __init__(self, serial: str, adb_path: Path | None = None, server_port: int | None = None) -> None:
        self.serial = serial
        self._adb = adb_path if adb_path is not None else find_adb()
        if not os.access(self._adb, os.X_OK):
            raise ConfigError(f"adb program {self._adb} is missing or cannot be run: give the path of one that can")
        self._server = [] if server_port is None else ["-P", str(server_port)]
        self._closed = False

    def connect(self, timeout_s: float = 5.0) -> None:
        """Attach the phone to the adb server; a serial host:port is taken off first, which heals an offline entry."""
        self._closed = False
        if ":" in self.serial:
            self._run([*self._server, "disconnect", self.serial], timeout_s)
            result = self._run([*self._server, "connect", self.serial], timeout_s)
            if not result.stdout.startswith((b"connected to", b"already connected to")):
                raise self._failure("connect", result)
        result = self._run([*self._server, "-s", self.serial, "wait-for-device"], timeout_s)
        if result.exit_code != 0:
            raise self._failure("wait-for-device", result)

    def shell(self, command: str, timeout_s: float = 30.0) -> ShellResult:
        """Run a command; the streams and the exit status come back apart."""
        result = self._device(["shell", command], timeout_s)
        if result.exit_code == 1 and _is_adb_failure(result.stderr):
            raise self._failure("shell", result)
        return result

    def exec_out(self, command: str, timeout_s: float = 30.0, expected_size: int = 0) -> bytes:
        """A command's raw standard output; `expected_size` is not used here."""
        result = self._device(["exec-out", command], timeout_s)
        if result.exit_code != 0:
            raise self._failure("exec-out", result)
        return result.stdout

    def push(self, data: bytes, path: PurePosixPath | str, timeout_s: float = 60.0) -> None:
        """Write a file on the phone."""
        with tempfile.NamedTemporaryFile() as file:
            file.write(data)
            file.flush()
            result = self._device(["push", file.name, str(path)], timeout_s)
        if result.exit_code != 0:
            raise self._failure(f"push to {path}", result)

    def pull(self, path: PurePosixPath | str, timeout_s: float = 60.0) -> bytes:
        """Read a file from the phone."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "pulled"
            result = self._device(["pull", str(path), str(target)], timeout_s)
            if result.exit_code != 0 or not target.is_file():
                raise self._failure(f"pull of {path}", result)
            return target.read_bytes()

    def reboot(self, timeout_s: float = 10.0) -> None:
        """Ask the phone to boot anew."""
        result = self._device(["reboot"], timeout_s)
        if result.exit_code != 0:
            raise self._failure("reboot", result)

    def is_alive(self) -> bool:
        """Whether the transport was not closed; the adb server's list tells nothing about a hung phone."""
        return not self._closed

    def close(self) -> None:
        """Use the transport no more; a host:port phone is taken off the adb server."""
        if not self._closed:
            self._closed = True
            if ":" in self.serial:
                with contextlib.suppress(DeviceError):  # the server may be gone already
                    self._run([*self._server, "disconnect", self.serial], 5.0)

    def _device(self, arguments: Sequence[str], timeout_s: float) -> ShellResult:
        if self._closed:
            raise DeviceLost(f"adb transport to phone {self.serial} is closed: call connect() to open it again")
        return self._run([*self._server, "-s", self.serial, *arguments], timeout_s)

    def _run(self, arguments: Sequence[str], timeout_s: float) -> ShellResult:
        process = subprocess.Popen(
            [str(self._adb), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            try:
                stdout, stderr = process.communicate(timeout=timeout_s)
            except subprocess.TimeoutExpired:
                raise DeviceTimeout(
                    f"phone {self.serial} did not answer `adb {' '.join(arguments)[:200]}` within {timeout_s:g} s"
                ) from None
            finally:
                if process.returncode is None:  # a missed deadline or an interrupt
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        return ShellResult(stdout, stderr, process.returncode)

    def _failure(self, what: str, result: ShellResult) -> DeviceError:
        text = (result.stderr + result.stdout).decode("utf-8", "replace").strip() or f"status {result.exit_code}"
        message = f"adb {what} failed on phone {self.serial}: {text[:400]}"
        if "unauthorized" in text:
            return DeviceError(f"{message}; unlock the phone and allow this computer in its USB-debugging dialog")
        if what.startswith(("push", "pull")) and "remote" in text:
            return DeviceError(message)
        return DeviceLost(message) if any(word in text.lower() for word in _LOST) else DeviceError(message)


def _is_adb_failure(stderr: bytes) -> bool:
    """adb's own complaints, as opposed to those of the command that ran on the phone."""
    return stderr.startswith((b"error: ", b"adb: "))
