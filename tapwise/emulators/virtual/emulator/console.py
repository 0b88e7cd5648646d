"""The emulator's console: a line of text in, an answer and OK or KO back. `adb emu ...` speaks to it.

adb prints what follows the second OK of a connection, so that greeting and authentication give one each.
"""

from __future__ import annotations

import asyncio
import hmac
import secrets
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tapwise.emulators.virtual.emulator.machine import Machine
from tapwise.emulators.virtual.position import move
from tapwise.errors import ConfigError, TapwiseError

TOKEN_FILE: Final = ".emulator_console_auth_token"  # noqa: S105 the name of a file
_LINE_LIMIT: Final = 1 << 16
_HELP: Final = """Android console commands:
    help                 this text
    ping                 check if the emulator is alive
    quit|exit            end this connection
    kill                 end the emulator
    auth TOKEN           prove who you are
    avd name|path|status|snapshot
    event text|mouse     send input
    geo fix              set the position
    gsm call|cancel|list phone calls
    network status
    power display|capacity|ac|status
    sms send NUMBER TEXT receive a text
"""


class Refused(Exception):
    """What stands behind KO."""


def read_token(home: Path) -> str:
    """The token that clients must know, made when there is none; empty, for no authentication, where it cannot be
    kept or the user has emptied the file."""
    path = home / TOKEN_FILE
    try:
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text(secrets.token_urlsafe(16))
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


class Console:
    """Serves one emulator's console."""

    def __init__(self, machine: Machine, home: Path) -> None:
        self._machine = machine
        self._home = home
        self._calls: dict[str, str] = {}
        self._battery = {"ac": "online", "capacity": "100", "status": "Charging"}
        self._finger: tuple[int, int] | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until it quits."""
        token = read_token(self._home)  # each time anew, since tools empty the file to be let in
        known = not token
        writer.write(b"Android Console: Authentication required\r\n" if token else b"Android Console\r\n")
        if token:
            writer.write(
                b"Android Console: type 'auth <auth_token>' to authenticate\r\nAndroid Console: you can find your"
                b" <auth_token> in\r\n'" + str(self._home / TOKEN_FILE).encode() + b"'\r\n"
            )
        writer.write(b"OK\r\n")
        if known:
            writer.write(b"Android Console: type 'help' for a list of commands\r\nOK\r\n")
        try:
            while line := await reader.readline():
                words = line.decode("utf-8", "replace").strip()
                verb, _, rest = words.partition(" ")
                if verb in ("quit", "exit"):
                    break
                if verb == "auth":
                    known = self._authenticate(token, rest.strip(), writer)
                elif not known and verb not in ("help", "ping", "avd name"):
                    writer.write(b"KO: unknown command, try 'help'\r\n")
                elif words:
                    writer.write(self._answer(words))
                await writer.drain()
                if verb == "kill" and known:
                    break
        except (ConnectionError, ValueError):  # gone, or a line without an end
            pass
        finally:
            writer.close()

    def _authenticate(self, token: str, said: str, writer: asyncio.StreamWriter) -> bool:
        if hmac.compare_digest(said.encode(), token.encode()) or not token:
            writer.write(b"Android Console: type 'help' for a list of commands\r\nOK\r\n")
            return True
        writer.write(b"KO: authentication token does not match ~/" + TOKEN_FILE.encode() + b"\r\n")
        return False

    def _answer(self, words: str) -> bytes:
        if words == "kill":
            self._machine.end()
            return b"OK: killing emulator, bye bye\r\n"
        try:
            text = self._do(words)
        except Refused as refusal:
            return f"KO: {refusal}\r\n".encode()
        except TapwiseError as error:
            return f"KO: {error}\r\n".encode()
        return "".join(f"{line}\r\n" for line in text.splitlines()).encode() + b"OK\r\n"

    def _do(self, words: str) -> str:
        verb, _, rest = words.partition(" ")
        commands: dict[str, Callable[[str], str]] = {
            "avd": self._avd,
            "event": self._event,
            "geo": self._geo,
            "gsm": self._gsm,
            "help": lambda _: _HELP,
            "network": lambda _: "Current network status:\n  download speed:          0 bits/s (0.0 KB/s)",
            "ping": lambda _: "I am alive!",
            "power": self._power,
            "rotate": self._rotate,
            "sms": self._sms,
        }
        if verb not in commands:
            raise Refused("unknown command, try 'help'")
        return commands[verb](rest.strip())

    # --- avd ---------------------------------------------------------------------------------------------

    def _avd(self, rest: str) -> str:
        machine = self._machine
        match rest.split():
            case ["name"]:
                return machine.avd.name
            case ["path"]:
                return str(machine.avd.folder)
            case ["status"]:
                return "virtual device is running"
            case ["discoverypath"]:
                return ""
            case ["snapshot", "list"]:
                names = machine.phone.snapshot_names()
                if not names:
                    return "There is no snapshot available."
                rows = [f"{number:<10}{name:<24}" for number, name in enumerate(names, 1)]
                return "List of snapshots present on all disks:\n" + f"{'ID':<10}{'TAG':<24}\n" + "\n".join(rows)
            case ["snapshot", "save", name]:
                machine.save_snapshot(name)
                return ""
            case ["snapshot", "load", name]:
                if not machine.load_snapshot(name):
                    raise Refused(f"Device 'cache' does not have the requested snapshot '{name}'")
                return ""
            case ["snapshot", "del" | "delete" | "remove", name]:
                if not machine.delete_snapshot(name):
                    raise Refused(f"there is no snapshot '{name}'")
                return ""
        raise Refused("missing sub-command: name, path, status or snapshot list|save|load|del NAME")

    # --- what happens to the phone -----------------------------------------------------------------------

    def _event(self, rest: str) -> str:
        phone = self._machine.phone
        match rest.split(" ", 1):
            case ["text", text]:
                phone.type_text(text)
                return ""
            case ["mouse", numbers] if len(numbers.split()) == 4 and all(map(str.isdecimal, numbers.split())):
                x, y, _, buttons = map(int, numbers.split())
                if buttons and self._finger is None:
                    self._finger = x, y
                elif not buttons and self._finger is not None:
                    phone.swipe(*self._finger, x, y, 0.1)
                    self._finger = None
                return ""
        raise Refused("usage: event text TEXT | event mouse X Y DEVICE BUTTONS")

    def _rotate(self, rest: str) -> str:
        phone = self._machine.phone
        phone.hold(phone.state.display.held + 1)
        return ""

    def _geo(self, rest: str) -> str:
        match rest.split():
            case ["fix", longitude, latitude, *further]:
                try:
                    altitude = float(further[0]) if further else 0.0
                    move(self._machine.phone, float(latitude), float(longitude), altitude)
                except ValueError as error:
                    raise Refused(f"{error}; usage: geo fix LONGITUDE LATITUDE [ALTITUDE]") from None
                return ""
        raise Refused("usage: geo fix LONGITUDE LATITUDE [ALTITUDE]")

    def _sms(self, rest: str) -> str:
        match rest.split(" ", 2):
            case ["send", number, text] if text.strip():
                self._machine.receive_sms(number, _unquoted(text))
                return ""
        raise Refused("missing argument, try 'sms send <phonenumber> <text message>'")

    def _gsm(self, rest: str) -> str:
        match rest.split():
            case ["list"]:
                return "\n".join(f"inbound from {number} : {state}" for number, state in self._calls.items())
            case ["call", number]:
                self._calls[number] = "incoming"
                return ""
            case ["accept", number] if number in self._calls:
                self._calls[number] = "active"
                return ""
            case ["cancel", number] if number in self._calls:
                del self._calls[number]
                return ""
        raise Refused("usage: gsm list | gsm call NUMBER | gsm accept NUMBER | gsm cancel NUMBER")

    def _power(self, rest: str) -> str:
        match rest.split():
            case ["display"]:
                return "\n".join(f"{name}: {value}" for name, value in self._battery.items())
            case [name, value] if name in self._battery:
                self._battery[name] = value
                return ""
        raise Refused("usage: power display | power ac on|off | power capacity PERCENT | power status STATUS")


def _unquoted(text: str) -> str:
    """The text, without the quotes that a caller may have put around it."""
    try:
        words = shlex.split(text)
    except ValueError:
        return text
    return words[0] if len(words) == 1 else text


async def start_console(console: Console, host: str, port: int) -> asyncio.Server:
    """Listen. Raises ConfigError when the port is taken."""
    try:
        return await asyncio.start_server(console.serve, host, port, limit=_LINE_LIMIT)
    except OSError as error:
        raise ConfigError(f"console port {port} of {host} cannot be had: {error.strerror or error}") from None
