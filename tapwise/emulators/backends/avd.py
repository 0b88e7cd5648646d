"""Emulators: Google's `emulator`, or a program that takes its command line, once per phone."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tapwise.emulators.adb.transport import Transport
from tapwise.emulators.avd_files import avd_folder, avd_home, clear_stale_locks
from tapwise.emulators.backends.adb_phone import AdbPhone, TransportKind
from tapwise.emulators.backends.output import Output
from tapwise.emulators.console import Console, ConsoleSnapshots
from tapwise.emulators.port_owners import port_owners
from tapwise.emulators.processes import OwnedProcess, ProcessRegistry, wait_until
from tapwise.errors import ConfigError, DeviceError, DeviceTimeout

FIRST_PORT, LAST_PORT = 5554, 65534
GRPC_ABOVE_CONSOLE = 3000
_WRONG_CALL = ("Unknown AVD name", "Broken AVD", "unknown option", "No AVD specified")
"""what the program says of calls that fail again however often they are tried"""
_AVD_IN_USE = "multiple emulators with the same AVD"
"""what it says while another one holds the AVD, or left a lock behind when it was killed"""
_PORT_TRIES = 50
_KILL_S = 5.0


@dataclass(frozen=True, slots=True)
class AvdSettings:
    """How emulators are started.

    avd: the AVD's name. program: the emulator. snapshot: a snapshot to start from, which must load; empty: a cold
    boot. read_only: all phones share the AVD, each over a layer of its own; without it a farm of one is all that the
    AVD allows. window, gpu: as the program takes them. grpc: serve it, 3000 above the console's port,
    and take screenshots over it where that is fastest. reads_back: as
    `AdbDevice` takes it. options: further ones. first_port: where to look for free pairs of ports from; those up to
    5585 are taken by every adb server that starts on the host.
    """

    avd: str
    program: str = "emulator"
    snapshot: str = ""
    read_only: bool = True
    window: bool = False
    gpu: str = "auto"
    grpc: bool = False
    reads_back: bool = True
    options: tuple[str, ...] = ()
    first_port: int = 5654


class AvdBackend:
    """Starts an emulator per phone, waits until Android has booted, and ends it with its process group.

    With the direct transport phones are reached on their ADB port; with "binary" through the adb server at
    `server_port`, under the name emulator-PORT that the emulator gives itself there.
    """

    name = "avd"

    def __init__(
        self,
        settings: AvdSettings,
        transport: TransportKind = "direct",
        *,
        server_port: int | None = None,
        environment: Mapping[str, str] | None = None,
        registry: ProcessRegistry | None = None,
    ) -> None:
        self._settings = settings
        self._transport: TransportKind = transport
        self._server_port = server_port
        self._environment = dict(os.environ if environment is None else environment)
        if server_port is not None:
            self._environment["ANDROID_ADB_SERVER_PORT"] = str(server_port)
        self._registry = registry or ProcessRegistry()
        self._registry.reap_leftovers()
        self._ports = _Ports(settings.first_port)

    def boot(self, index: int, timeout_s: float) -> AdbPhone:
        """Start an emulator and wait until it has booted. Raises ConfigError for a call that can never work."""
        deadline = time.monotonic() + timeout_s
        held = contextlib.ExitStack()
        try:
            console_port = held.enter_context(self._ports.pair())
            process = self._registry.start(self._command(console_port), self._environment)
            said = Output(process.stdout)
            held.callback(said.join)
            held.callback(process.end)
            phone = self._phone(console_port, process, held)
            held.callback(phone.close)
            self._wait_for_boot(phone, process, said, deadline)
            self._check_port(console_port + 1, process)
        except BaseException:  # whatever went wrong, neither process nor port may stay behind
            held.close()
            raise
        return phone

    def _command(self, console_port: int) -> list[str]:
        settings = self._settings
        start = ["-snapshot", settings.snapshot, "-no-snapshot-save"] if settings.snapshot else ["-no-snapshot"]
        return [
            *(settings.program, "-avd", settings.avd, "-ports", f"{console_port},{console_port + 1}"),
            *("-no-audio", "-no-boot-anim", "-gpu", settings.gpu),
            *(() if settings.window else ("-no-window",)),
            *(("-read-only",) if settings.read_only else ()),
            *(("-grpc", str(console_port + GRPC_ABOVE_CONSOLE)) if settings.grpc else ()),
            *start,
            *settings.options,
        ]

    def _phone(self, console_port: int, process: OwnedProcess, held: contextlib.ExitStack) -> AdbPhone:
        direct = self._transport == "direct"
        address = f"127.0.0.1:{console_port + 1}" if direct else f"emulator-{console_port}"
        console = Console(console_port, Path(self._environment.get("HOME", "/")))

        def end() -> None:
            with contextlib.suppress(DeviceError):
                console.ask("kill", _KILL_S)
                wait_until(lambda: not process.alive(), _KILL_S)
            held.close()

        def snapshots(transport: Transport) -> ConsoleSnapshots:
            return ConsoleSnapshots(console, transport.shell)

        return AdbPhone(
            self._transport,
            address,
            server_port=self._server_port,
            alive=process.alive,
            end=end,
            snapshots=snapshots,
            reads_back=self._settings.reads_back,
            measures=True,
            grpc_address=f"127.0.0.1:{console_port + GRPC_ABOVE_CONSOLE}" if self._settings.grpc else "",
        )

    def _wait_for_boot(self, phone: AdbPhone, process: OwnedProcess, said: Output, deadline: float) -> None:
        """Ask until Android says that it has booted: a listing, or a fixed wait, would prove nothing."""
        last: DeviceError | None = None
        while time.monotonic() < deadline:
            if not process.alive():
                self._refuse(process, said)
            try:
                phone.renew(min(5.0, max(0.1, deadline - time.monotonic())))
            except DeviceError as error:
                last = error
                wait_until(lambda: not process.alive(), 0.1)
                continue
            self._check_snapshot(said)
            return
        raise DeviceTimeout(f"emulator of AVD {self._settings.avd!r} did not boot in time ({last}): {said.tail()}")

    def _check_port(self, port: int, process: OwnedProcess) -> None:
        """An emulator that could not have its ADB port runs on without it: then somebody else's phone has answered."""
        owners = port_owners(port)
        if owners and not any(process.owns(pid) for pid in owners):
            raise DeviceError(
                f"emulator of AVD {self._settings.avd!r} did not get port {port} for ADB: process"
                f" {', '.join(map(str, sorted(owners)))}, which is not it, answers there"
            )

    def _check_snapshot(self, said: Output) -> None:
        name = self._settings.snapshot
        if name and not wait_until(lambda: "Successfully loaded snapshot" in said.tail(), 1.0):
            raise DeviceError(f"emulator booted without its snapshot {name!r}: {said.tail()[-500:]}")

    def _refuse(self, process: OwnedProcess, said: Output) -> None:
        said.join()
        told = f"{said.tail()}\n{process.error_output()}".strip()
        words = f"emulator of AVD {self._settings.avd!r} ended while it started: {told[-1000:] or 'it said nothing'}"
        if any(wrong in told for wrong in _WRONG_CALL):
            raise ConfigError(words)
        if _AVD_IN_USE in told:
            cleared = clear_stale_locks(avd_folder(self._settings.avd, avd_home(self._environment)))
            if cleared:
                words += f"; its owner was gone, and {', '.join(map(str, cleared))} is removed: try again"
        raise DeviceError(words)


class _Ports:
    """Pairs of ports for consoles and ADB, never given twice at a time; those that others hold are passed over."""

    def __init__(self, first: int) -> None:
        if first % 2 or not FIRST_PORT <= first <= LAST_PORT:
            raise ConfigError(f"first_port {first} must be an even number from {FIRST_PORT} on")
        self._first = first
        self._held: set[int] = set()
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def pair(self) -> Iterator[int]:
        """The console's port; ADB's is the next one."""
        with self._lock:
            port = self._choose()
            self._held.add(port)
        try:
            yield port
        finally:
            with self._lock:
                self._held.discard(port)

    def _choose(self) -> int:
        for port in range(self._first, min(self._first + 2 * (_PORT_TRIES + 200), LAST_PORT), 2):
            if port not in self._held and _is_free(port) and _is_free(port + 1):
                return port
        raise DeviceError(f"there is no free pair of ports from {self._first} on: end other emulators")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
