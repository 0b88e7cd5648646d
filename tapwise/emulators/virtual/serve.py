"""Serving virtual phones over TCP: in a running event loop, or as a program of its own."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from socket import socket
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.automation.forest_sender import ForestSender
from tapwise.emulators.virtual.control import serve_control
from tapwise.emulators.virtual.reboots import Reboots
from tapwise.emulators.virtual.wire.device import WireDevice
from tapwise.emulators.virtual.wire.forward import Echo
from tapwise.emulators.virtual.wire.link import Link
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

ECHO_PORT = 7
"""Port of every phone on which an echo listens, so that forwarding can be tried."""


class PhoneServer:
    """Phones on ports of one address, in the event loop that calls it."""

    def __init__(self) -> None:
        self.devices: list[WireDevice] = []
        self.ports: list[int] = []
        self._servers: list[asyncio.Server] = []
        self._senders: list[ForestSender] = []
        self._reboots: list[Reboots] = []

    async def start(
        self, phones: Sequence[VirtualPhone], host: str = "127.0.0.1", ports: Sequence[int] | None = None
    ) -> list[int]:
        """Listen and give the ports, one per phone; without `ports`, or where one is 0, any free port.

        Raises ConfigError when a port is taken; no port is then held.
        """
        for phone, port in zip(phones, ports if ports is not None else [0] * len(phones), strict=True):
            device = WireDevice(phone)
            phone.listeners.setdefault(ECHO_PORT, Echo)
            try:
                server = await _listen(device, host, port)
            except ConfigError:
                await self.close()
                raise
            self.devices.append(device)
            self._senders.append(ForestSender(phone))
            self._reboots.append(Reboots(device))
            self._servers.append(server)
            self.ports.append(server.sockets[0].getsockname()[1])
        return self.ports

    @property
    def sockets(self) -> list[socket]:
        """What is listened on."""
        return [one for server in self._servers for one in server.sockets]

    async def close(self) -> None:
        """Stop listening and drop all links."""
        for server in self._servers:
            server.close()
        for device in self.devices:
            for link in list(device.links):
                link.drop()
        for reboots in self._reboots:
            reboots.close()
        for sender in self._senders:
            await sender.close()
        for server in self._servers:
            await server.wait_closed()
        self._servers, self._senders, self._reboots, self.devices, self.ports = [], [], [], [], []


async def _listen(device: WireDevice, host: str, port: int) -> asyncio.Server:
    def new_link() -> Link:
        return Link(device)

    try:
        return await asyncio.get_running_loop().create_server(new_link, host, port, reuse_address=True)
    except OverflowError:
        raise ConfigError(f"port {port} does not exist: choose one from 1 to 65535, or --port 0 for any") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"port {port} of {host} is taken by another program: choose another one, or --port 0"
            ) from None
        raise ConfigError(f"cannot listen on port {port} of {host}: {error.strerror or error}") from None


def serve_forever(
    phones: Sequence[VirtualPhone],
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    announce: Callable[[str], None],
    end_with_stdin: bool = False,
    control_port: int | None = None,
) -> None:
    """Serve phones until SIGTERM, SIGINT or, with `end_with_stdin`, the end of standard input.

    Phone k listens on `port` + 2k, or on any free port when it is 0; `control_port` takes faults over HTTP. When all
    are ready, `announce` gets one line of JSON with the phones' addresses. Raises ConfigError when a port cannot be
    had. A crash, which is one of the faults, ends the process with status 139, as a broken emulator's does.
    """
    asyncio.run(_serve(phones, host, port, announce, end_with_stdin, control_port))


async def _serve(
    phones: Sequence[VirtualPhone],
    host: str,
    port: int,
    announce: Callable[[str], None],
    end_with_stdin: bool,
    control_port: int | None,
) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    server = PhoneServer()
    await server.start(phones, host, [port + 2 * number if port else 0 for number in range(len(phones))])
    for device in server.devices:
        device.crash = _crash
    control = None if control_port is None else await serve_control(phones, control_port)
    if end_with_stdin:
        _watch_stdin(loop, stop)
    entries = [
        {
            "serial": f"{host}:{number}",
            "port": number,
            "seed": phone.state.seed,
            "size": f"{phone.size.width}x{phone.size.height}",
        }
        for phone, number in zip(phones, server.ports, strict=True)
    ]
    told = {"phones": entries, "pid": os.getpid()}
    if control is not None:
        told["control_port"] = control.sockets[0].getsockname()[1]
    announce(json.dumps(told))
    await stop.wait()
    if control is not None:
        control.close()
    await server.close()


def _crash() -> None:
    os._exit(139)


def _watch_stdin(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    descriptor = sys.stdin.fileno()

    def readable() -> None:
        if not os.read(descriptor, 4096):
            loop.remove_reader(descriptor)
            stop.set()

    try:
        loop.add_reader(descriptor, readable)
    except OSError as error:
        raise ConfigError(
            f"--end-with-stdin needs a pipe or terminal as standard input, and this one cannot be watched: {error}"
        ) from None
