"""A client of the emulator's console, and snapshots through it."""

from __future__ import annotations

import secrets
import socket
import time
from collections.abc import Callable
from pathlib import Path

from tapwise.emulators.adb.transport import ShellResult
from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout

TOKEN_FILE = ".emulator_console_auth_token"  # noqa: S105 the name of a file
_MARK = "/data/local/tmp/tapwise_snapshot"
_LONGEST_ANSWER = 1 << 20


class Console:
    """Asks the console of one emulator, with a connection for each question."""

    def __init__(self, port: int, home: Path, host: str = "127.0.0.1") -> None:
        self._port = port
        self._home = home
        self._host = host

    def ask(self, command: str, timeout_s: float) -> str:
        """The answer without its OK. Raises DeviceError for KO, DeviceLost, DeviceTimeout."""
        deadline = time.monotonic() + timeout_s
        try:
            with socket.create_connection((self._host, self._port), timeout_s) as connection:
                greeting = self._read(connection, deadline)
                if "Authentication required" in greeting:
                    connection.sendall(f"auth {self._token()}\n".encode())
                    self._read(connection, deadline)
                connection.sendall(command.encode() + b"\n")
                answer = self._read(connection, deadline)
        except TimeoutError:
            raise DeviceTimeout(f"console {self._port} did not answer {command!r} within {timeout_s:g} s") from None
        except OSError as error:
            raise DeviceLost(f"console {self._port} cannot be reached ({error}): the emulator has ended") from None
        return answer

    def _token(self) -> str:
        try:
            return (self._home / TOKEN_FILE).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise DeviceError(f"console {self._port} wants the token in ~/{TOKEN_FILE}, which is not there") from error

    def _read(self, connection: socket.socket, deadline: float) -> str:
        """To the line that is OK or begins with KO."""
        text = b""
        while True:
            connection.settimeout(max(0.001, deadline - time.monotonic()))
            piece = connection.recv(65536)
            text += piece
            lines = text.decode("utf-8", "replace").splitlines(keepends=True)
            last = next((line for line in lines if line.startswith("KO") and line.endswith("\n")), "")
            if last:
                raise DeviceError(f"console {self._port}: {last.strip()}")
            if any(line.strip() == "OK" or line.startswith("OK:") for line in lines if line.endswith("\n")):
                return "".join(line for line in lines if line.strip() != "OK")
            if not piece or len(text) > _LONGEST_ANSWER:
                raise DeviceLost(f"console {self._port} closed the connection: {text[-200:]!r}")


class ConsoleSnapshots:
    """Snapshots of an emulator, each proved to have loaded: a mark that was saved with it must be there again."""

    def __init__(self, console: Console, shell: Callable[[str], ShellResult], timeout_s: float = 120.0) -> None:
        self._console = console
        self._shell = shell
        self._timeout_s = timeout_s
        self._marks: dict[str, str] = {}

    def save(self, name: str) -> None:
        """Keep the phone's state under a name. Raises DeviceError when it cannot be kept."""
        mark = secrets.token_hex(8)
        self._run(f"echo {mark} > {_MARK}")
        self._console.ask(f"avd snapshot save {name}", self._timeout_s)
        self._marks[name] = mark

    def load(self, name: str) -> None:
        """Bring the state back. Raises DeviceError when there is none of that name, or another state came."""
        if name in self._marks:
            self._run(f"rm -f {_MARK}")
        self._console.ask(f"avd snapshot load {name}", self._timeout_s)
        wanted = self._marks.get(name)
        if wanted is not None and (found := self._run(f"cat {_MARK}", must=False)) != wanted:
            raise DeviceError(
                f"snapshot {name!r} did not load: its mark is {found or 'missing'} instead of {wanted}; save it anew"
            )

    def _run(self, command: str, must: bool = True) -> str:
        result = self._shell(command)
        if must and result.exit_code != 0:
            raise DeviceError(f"{command!r} failed on the phone: {result.stderr.decode('utf-8', 'replace').strip()}")
        return result.stdout.decode("utf-8", "replace").strip()
