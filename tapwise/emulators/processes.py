"""Programs that we own: each in its own process group, ended with it, and reaped by a later run after a crash.

A record (pid, start time, boot) is kept per program in a directory. A later start ends the programs whose owner
is gone. The start time is compared first, so a pid that the kernel has given to somebody else is never touched.
Children that leave the group are known by a mark in their environment, and end with the program too.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from tapwise.errors import ConfigError, DeviceError

_POLL_S = 0.005
LOG_LIMIT = 1 << 20
"""bytes of a program's standard error that are kept; beyond them only the end is"""
_LOG_KEPT = 1 << 16
_MARK = "TAPWISE_PROCESS"
"""the variable by which a program's children are known wherever they go"""
_SHARED = frozenset({"adb", "netsimd"})
"""servers of the whole host, which an emulator starts when there are none; other emulators use them too"""


@dataclass(frozen=True, slots=True)
class Identity:
    """One process for good: its pid, its start in clock ticks since boot, and the boot."""

    pid: int
    started: int
    boot: str

    def is_running(self) -> bool:
        """Whether this very process still runs; a zombie does not."""
        return identify(self.pid) == self

    def has_ended(self) -> bool:
        """The opposite."""
        return not self.is_running()


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None when there is none, or where the system has no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return None
    fields = stat.rpartition(")")[2].split()  # the program's name may hold spaces and parentheses
    if fields[0] in "ZX":
        return None
    return Identity(pid, int(fields[19]), boot)


def wait_until(condition: Callable[[], bool], timeout_s: float) -> bool:
    """Look at a condition until it holds or the deadline passes; returns whether it held."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_S)
    return True


def end_group(pid: int, has_ended: Callable[[], bool], grace_s: float) -> None:
    """Ask a process group to end, and end it hard when its leader has not ended after `grace_s` seconds.

    The caller must not have reaped the leader yet, or must have checked its identity: only then is the group ours.
    """
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
        os.killpg(pid, signal.SIGCONT)  # a stopped process does not see SIGTERM
        wait_until(has_ended, grace_s)
        os.killpg(pid, signal.SIGKILL)  # also the children that outlived their leader


def _marked(mark: str) -> list[Identity]:
    """The processes that carry a mark, but for servers that others use."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for folder in Path("/proc").glob("[0-9]*") if mark else ():
        with contextlib.suppress(OSError):  # gone meanwhile, or somebody else's
            identity = identify(int(folder.name))
            if identity is None or wanted not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            if (folder / "comm").read_text(encoding="utf-8", errors="replace").strip() not in _SHARED:
                found.append(identity)
    return found


def end_strays(mark: str) -> list[int]:
    """End the children of a program that left its group, at once; returns their pids."""
    strays = _marked(mark)
    for identity in strays:
        if identity.is_running():
            with contextlib.suppress(OSError):
                os.kill(identity.pid, signal.SIGKILL)
    wait_until(lambda: all(identity.has_ended() for identity in strays), 1.0)  # until then they hold their ports
    return [identity.pid for identity in strays]


class OwnedProcess:
    """A running program in a process group of its own. Made by `ProcessRegistry.start`."""

    def __init__(self, process: subprocess.Popen[bytes], record: Path, log: Path, mark: str) -> None:
        self._process = process
        self._mark = mark
        self._record = record
        self._log = log

    @property
    def pid(self) -> int:
        """The process id, which is also the id of its group."""
        return self._process.pid

    @property
    def stdin(self) -> IO[bytes]:
        """The program's standard input."""
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def stdout(self) -> IO[bytes]:
        """The program's standard output."""
        assert self._process.stdout is not None
        return self._process.stdout

    def owns(self, pid: int) -> bool:
        """Whether a process is the program, or a child of it."""
        with contextlib.suppress(OSError):
            if os.getpgid(pid) == self.pid:
                return True
        return any(identity.pid == pid for identity in _marked(self._mark))

    def alive(self) -> bool:
        """Whether the program still runs. Who asks now and then also keeps its log within bounds."""
        with contextlib.suppress(OSError):
            if self._log.stat().st_size > LOG_LIMIT:
                _keep_end(self._log)
        return not self._has_ended()

    def error_output(self) -> str:
        """The last 2000 characters that the program wrote to its standard error."""
        try:
            return self._log.read_text(encoding="utf-8", errors="replace")[-2000:].strip()
        except OSError:
            return ""

    def end(self, grace_s: float = 2.0) -> None:
        """End the program and its group: politely, then hard after `grace_s` seconds. Harmless when repeated."""
        if self._process.returncode is None:
            end_group(self.pid, self._has_ended, grace_s)
            self._process.wait()
            end_strays(self._mark)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        self._record.unlink(missing_ok=True)
        self._log.unlink(missing_ok=True)

    def _has_ended(self) -> bool:
        if self._process.returncode is not None:
            return True
        if hasattr(os, "waitid"):  # look without reaping: an unreaped leader keeps its group id from being reused
            try:
                return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
            except ChildProcessError:
                return True
        return self._process.poll() is not None


@dataclass(frozen=True, slots=True)
class _Record:
    process: Identity
    owner: Identity
    log: str
    mark: str = ""


class ProcessRegistry:
    """Starts programs and remembers them in a directory, so that a crash of ours leaves none behind for long."""

    def __init__(self, directory: Path | None = None) -> None:
        self._directory = directory or Path(tempfile.gettempdir()) / f"tapwise-{os.getuid()}"

    def start(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> OwnedProcess:
        """Start a program with pipes on its standard input and output. Raises DeviceError when it cannot start."""
        self._prepare()
        created, log = tempfile.mkstemp(suffix=".log", dir=self._directory)
        os.close(created)
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND)  # it then goes on at the end of a file that was cut
        mark = secrets.token_hex(8)
        try:
            process = subprocess.Popen(
                list(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=descriptor,
                start_new_session=True,
                env={**(os.environ if environment is None else environment), _MARK: mark},
            )
        except OSError as error:
            Path(log).unlink()
            raise DeviceError(
                f"program {command[0]!r} cannot be started: {error}; check that it is installed"
            ) from error
        finally:
            os.close(descriptor)
        record = self._directory / f"{process.pid}.json"
        identity, owner = identify(process.pid), identify(os.getpid())
        if identity is not None and owner is not None:
            _write_record(record, _Record(identity, owner, Path(log).name, mark))
        return OwnedProcess(process, record, Path(log), mark)

    def leftovers(self) -> list[int]:
        """Programs that still run though their owners are gone; nothing is done to them."""
        records = (_read_record(path) for path in sorted(self._directory.glob("*.json")))
        return [
            record.process.pid
            for record in records
            if record is not None and not record.owner.is_running() and record.process.is_running()
        ]

    def reap_leftovers(self, grace_s: float = 1.0) -> list[int]:
        """End the programs of owners that are gone; returns their pids."""
        self._prepare()
        reaped = []
        for path in sorted(self._directory.glob("*.json")):
            record = _read_record(path)
            if record is not None and record.owner.is_running():
                continue
            if record is not None and record.process.is_running():
                end_group(record.process.pid, record.process.has_ended, grace_s)
                reaped.append(record.process.pid)
            reaped += end_strays(record.mark) if record is not None else []
            path.unlink(missing_ok=True)
            if record is not None:
                (self._directory / record.log).unlink(missing_ok=True)
        return reaped

    def _prepare(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._directory.stat().st_uid != os.getuid():  # its records would have us end what somebody else chose
            raise ConfigError(f"folder {self._directory} belongs to another user: remove it, or set TMPDIR to your own")


def _keep_end(log: Path) -> None:
    """Cut a log down to its end, while its program may be writing: a line of that moment can be lost."""
    with log.open("r+b") as file:
        file.seek(-_LOG_KEPT, os.SEEK_END)
        end = file.read()
        file.truncate(0)
    with log.open("ab") as file:
        file.write(end)


def _write_record(path: Path, record: _Record) -> None:
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(asdict(record)), encoding="utf-8")
    partial.replace(path)


def _read_record(path: Path) -> _Record | None:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        process, owner = Identity(**data["process"]), Identity(**data["owner"])
        return _Record(process, owner, Path(data["log"]).name, str(data.get("mark", "")))
    except (OSError, ValueError, KeyError, TypeError):
        return None  # written by another version, or gone meanwhile
