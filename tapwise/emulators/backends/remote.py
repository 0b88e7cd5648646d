"""Phones that somebody else runs: reached, never started or ended."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.emulators.backends.adb_phone import AdbPhone, TransportKind
from tapwise.errors import ConfigError, DeviceError


class RemoteBackend:
    """Phones at given addresses: host:port for the direct transport, any serial for the adb program.

    `grpc_addresses` are the host:port of each phone's gRPC, where it is an emulator that serves one, or empty:
    screenshots are taken over it where that is fastest.
    """

    name = "remote"

    def __init__(
        self,
        addresses: Sequence[str],
        transport: TransportKind = "direct",
        server_port: int | None = None,
        *,
        reads_back: bool = True,
        grpc_addresses: Sequence[str] = (),
    ) -> None:
        if len(set(addresses)) != len(addresses):
            raise ConfigError("remote phones: an address is given twice; each phone serves one worker")
        if grpc_addresses and len(grpc_addresses) != len(addresses):
            raise ConfigError("remote phones: give a gRPC address for each address, empty where there is none")
        self._addresses = tuple(addresses)
        self._grpc_addresses = tuple(grpc_addresses) or ("",) * len(self._addresses)
        self._transport = transport
        self._server_port = server_port
        self._reads_back = reads_back

    def boot(self, index: int, timeout_s: float) -> AdbPhone:
        """Connect to the phone and wait until Android is up."""
        if index >= len(self._addresses):
            raise ConfigError(
                f"the farm wants {index + 1} remote phones and {len(self._addresses)} addresses are given:"
                " add addresses or make the farm smaller"
            )
        phone = AdbPhone(
            self._transport,
            self._addresses[index],
            server_port=self._server_port,
            reads_back=self._reads_back,
            reboots=True,
            measures=True,
            grpc_address=self._grpc_addresses[index],
        )
        try:
            phone.renew(timeout_s)
            phone.device.size()
        except DeviceError:
            phone.shut_down()
            raise
        return phone
