"""A booted phone that is reached over ADB, directly or through the adb program."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Literal

from tapwise.emulators.adb.binary import AdbBinary
from tapwise.emulators.adb.client import DirectAdb
from tapwise.emulators.adb.transport import Transport
from tapwise.emulators.backends.base import NEW_CONNECTION, Remedy
from tapwise.emulators.device import AdbDevice
from tapwise.emulators.grpc_screen import GrpcScreen
from tapwise.emulators.screen_ways import ScreenChoice
from tapwise.emulators.snapshots import ShellSnapshots, Snapshots
from tapwise.errors import ConfigError, DeviceError, DeviceTimeout

TransportKind = Literal["direct", "binary"]
_POLL_S = 0.2


def make_transport(kind: TransportKind, address: str, server_port: int | None = None) -> Transport:
    """A transport to `address`: host:port for "direct", any adb serial for "binary". Raises ConfigError."""
    if kind == "binary":
        return AdbBinary(address, server_port=server_port)
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigError(f"phone address {address!r} is not host:port, which the direct transport needs")
    return DirectAdb(host.strip("[]"), int(port))


class AdbPhone:
    """A `BootedDevice` over ADB; `timeout_s` bounds a lessee's commands; `reads_back` as `AdbDevice` takes it.
    `reboots`: it is rebooted over ADB when a new connection does not help, since nothing here can boot it otherwise.
    `measures`: the ways to its screen are measured, and the fastest is used; `grpc_address`: where an emulator serves
    gRPC, which is one of them, or empty.

    Probes use a connection of their own, so that they overtake a lessee's command.
    """

    def __init__(
        self,
        kind: TransportKind,
        address: str,
        *,
        server_port: int | None = None,
        alive: Callable[[], bool] = lambda: True,
        end: Callable[[], None] = lambda: None,
        snapshots: Callable[[Transport], Snapshots] = lambda transport: ShellSnapshots(transport.shell),
        timeout_s: float = 30.0,
        reads_back: bool = False,
        reboots: bool = False,
        measures: bool = False,
        grpc_address: str = "",
    ) -> None:
        self._transport = make_transport(kind, address, server_port)
        self._probe_transport = make_transport(kind, address, server_port) if kind == "direct" else self._transport
        self._alive, self._reboots = alive, reboots
        self._end = end
        self._grpc = GrpcScreen(grpc_address) if grpc_address else None
        self._device = AdbDevice(
            self._transport,
            address,
            snapshots(self._transport),
            timeout_s,
            reads_back,
            measures or self._grpc is not None,
            self._grpc,
        )

    @property
    def device(self) -> AdbDevice:
        """What lessees work with."""
        return self._device

    @property
    def screen_choice(self) -> ScreenChoice | None:
        """How screenshots are taken; None where nothing was measured."""
        return self._device.screen_choice

    def alive(self) -> bool:
        """Whether the program that runs the phone, where it is ours, still runs."""
        return self._alive()

    def probe(self, timeout_s: float) -> None:
        """Run a command within the deadline and see that Android is up."""
        if not self._probe_transport.is_alive():
            self._probe_transport.connect(timeout_s)
        answer = self._probe_transport.shell("getprop sys.boot_completed", timeout_s)
        if answer.stdout.strip() != b"1":
            raise DeviceError(f"phone {self._device.serial} has not finished booting")

    def renew(self, timeout_s: float) -> None:
        """Connect anew, then probe."""
        self._transport.connect(timeout_s)
        self.probe(timeout_s)
        self._device.forget_screen_choice()

    @property
    def remedies(self) -> Sequence[Remedy]:
        """A new connection, then a reboot where that is wanted."""
        reboot = (Remedy("reboot", self.reboot, boots=True),) if self._reboots else ()
        return Remedy(NEW_CONNECTION, self.renew), *reboot

    def reboot(self, timeout_s: float) -> None:
        """Boot Android anew and wait until it is up."""
        deadline = time.monotonic() + timeout_s
        if not self._transport.is_alive():
            self._transport.connect(timeout_s)
        self._transport.reboot(timeout_s)
        while True:
            try:
                return self.renew(max(0.1, min(5.0, deadline - time.monotonic())))
            except DeviceError as error:
                if time.monotonic() >= deadline:
                    raise DeviceTimeout(f"phone {self._device.serial} has not come back in time: {error}") from error
                time.sleep(_POLL_S)

    def shut_down(self) -> None:
        """Close the connections and end the program, where it is ours."""
        self._end()
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()
        self._probe_transport.close()
        if self._grpc is not None:
            self._grpc.close()
