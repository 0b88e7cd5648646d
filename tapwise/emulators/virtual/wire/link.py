"""One transport: the handshake and the streams that share a TCP connection from a host."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, cast

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.adb.protocol import Buffer, Command, Message
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.emulators.virtual.wire.services import Reply
from tapwise.emulators.virtual.wire.stream import Device, Service, Stream

FEATURES: Final = (
    *("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir", "apex", "abb", "abb_exec"),
    *("fixed_push_symlink_timestamp", "remount_shell"),
)
_JOIN_BELOW: Final = 65536
_AUTH_TOKEN: Final = 1
_TOKEN_LENGTH: Final = 20
_BANNER_PROPERTIES: Final = ("ro.product.name", "ro.product.model", "ro.product.device")


class Link(asyncio.Protocol):
    """An asyncio protocol that speaks adbd's side. Bytes that are not ADB end the connection."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self.max_payload = adb.MAX_PAYLOAD
        self._with_checksum = False
        self._connected = False
        self._decoder = adb.Decoder()
        self._streams: dict[int, Stream] = {}
        self._opening: dict[int, tuple[str, Service]] = {}
        self._next_id = 1
        self._transport: asyncio.Transport | None = None
        self._deaf = False
        self._rejected = False
        self._late = 0
        self._ready_s = 0.0

    # --- asyncio -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        sock = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.device.attach(self)

    def connection_lost(self, error: Exception | None) -> None:
        self.device.detach(self)
        self._transport = None
        for stream in list(self._streams.values()):
            stream.ended()
        for _, service in self._opening.values():
            service.closed(Stream(self, 0, 0, "", service))
        self._opening.clear()

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        try:
            for message in self._decoder.feed(data):
                self._take(message)
        except adb.ProtocolError:
            self.drop()

    def _take(self, message: Message) -> None:
        fault = self.device.faults.fires("slow", message.command.name)
        if fault is None and not self._late:
            self._dispatch(message)
            return
        self._late += 1  # those behind a late one keep their place

        def dispatch() -> None:
            self._late -= 1
            if self._transport is not None:
                self._dispatch(message)

        loop = asyncio.get_running_loop()
        self._ready_s = max(self._ready_s, loop.time() + (fault.delay if fault else 0.0))
        loop.call_at(self._ready_s, dispatch)

    # --- sending -----------------------------------------------------------------------------------------

    def send(self, command: Command, arg0: int, arg1: int, payload: Buffer = b"") -> None:
        """Send one message; a long payload is handed to the socket as it is."""
        if self._transport is None or self._transport.is_closing():
            return
        total = adb.checksum(payload) if self._with_checksum else 0
        header = adb.encode_header(command, arg0, arg1, len(payload), total)
        if len(payload) < _JOIN_BELOW:
            self._transport.write(header + payload)
        else:
            self._transport.write(header)
            self._transport.write(payload)

    def drop(self) -> None:
        """End the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection when everything sent has left."""
        if self._transport is not None:
            self._transport.close()

    def forget(self, stream: Stream) -> None:
        """The stream is over."""
        self._streams.pop(stream.local_id, None)

    def open(self, name: str, service: Service) -> None:
        """Open a stream to the host, as `reverse:` needs; the service is told when the host accepts or refuses."""
        local_id = self._new_id()
        self._opening[local_id] = name, service
        self.send(Command.OPEN, local_id, 0, name.encode() + b"\0")

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id - 1

    # --- receiving ---------------------------------------------------------------------------------------

    def _dispatch(self, message: Message) -> None:
        handlers: dict[Command, Callable[[Message], None]] = {
            Command.CNXN: self._on_connect,
            Command.OPEN: self._on_open,
            Command.OKAY: self._on_okay,
            Command.WRTE: self._on_write,
            Command.CLSE: self._on_close,
        }
        if message.command is Command.AUTH and self._rejected:
            self._ask_for_a_key()
            return
        handler = handlers.get(message.command)
        if handler is None or (message.command is not Command.CNXN and not self._connected):
            return  # AUTH and STLS answer questions that this phone never asks
        handler(message)

    def _ask_for_a_key(self) -> None:
        """Whatever key is offered, ask for another one."""
        self.send(Command.AUTH, _AUTH_TOKEN, 0, bytes(_TOKEN_LENGTH))

    def _on_connect(self, message: Message) -> None:
        faults = self.device.faults
        if faults.fires("offline", "connect", "silent"):
            return
        self._rejected = faults.fires("unauthorized", "connect") is not None
        if self._rejected:
            self._ask_for_a_key()
            return
        for stream in list(self._streams.values()):
            stream.ended()
        self._connected = True
        self._with_checksum = message.arg0 < adb.VERSION
        self.max_payload = max(min(message.arg1, adb.MAX_PAYLOAD), 4096)
        properties = self.device.properties
        shown = {key: properties.get(key, "") for key in _BANNER_PROPERTIES}
        version = adb.VERSION_WITH_CHECKSUM if self._with_checksum else adb.VERSION
        self.send(Command.CNXN, version, adb.MAX_PAYLOAD, adb.encode_banner("device", shown, FEATURES))

    def _on_open(self, message: Message) -> None:
        name = message.payload.rstrip(b"\0").decode("utf-8", "surrogateescape")
        if self.device.faults and self._fails(name, message.arg0):
            return
        service = self.device.service(name, self)
        if service is None:
            self.send(Command.CLSE, 0, message.arg0)  # any other first number would leave the host waiting
            return
        self._begin(Stream(self, self._new_id(), message.arg0, name, service), acknowledge=True)

    def _fails(self, name: str, remote_id: int) -> bool:
        """Whether a fault takes the place of the service."""
        faults = self.device.faults
        if faults.fires("crash", name):
            self.device.crash()
        elif faults.fires("offline", name, "drop"):
            self.drop()
        elif faults.fires("closed", name):
            self.send(Command.CLSE, 0, remote_id)
        elif fault := faults.fires("hang", name):
            self._hang(fault, name, remote_id)
        else:
            return False
        return True

    def _hang(self, fault: FaultSpec, name: str, remote_id: int) -> None:
        if fault.mode == "deaf":
            self._deaf = True
            return
        service = self.device.service(name, self) if fault.mode == "stall" else None
        stream = Stream(self, self._new_id(), remote_id, name, service or Reply())
        stream.stall(fault.bytes if service is not None else 0)
        self._begin(stream, acknowledge=True)

    def _begin(self, stream: Stream, *, acknowledge: bool) -> None:
        self._streams[stream.local_id] = stream
        if acknowledge:
            self.send(Command.OKAY, stream.local_id, stream.remote_id)
        stream.service.opened(stream)

    def _on_okay(self, message: Message) -> None:
        opening = self._opening.pop(message.arg1, None)
        if opening is not None:
            name, service = opening
            self._begin(Stream(self, message.arg1, message.arg0, name, service), acknowledge=False)
            return
        stream = self._streams.get(message.arg1)
        if stream is not None:
            stream.acknowledged()

    def _on_write(self, message: Message) -> None:
        stream = self._streams.get(message.arg1)
        if stream is None:
            self.send(Command.CLSE, 0, message.arg0)
        else:
            stream.arrived(message.payload)

    def _on_close(self, message: Message) -> None:
        opening = self._opening.pop(message.arg1, None)
        if opening is not None:
            name, service = opening
            service.closed(Stream(self, message.arg1, 0, name, service))
            return
        stream = self._streams.get(message.arg1)
        if stream is not None:
            self.send(Command.CLSE, stream.local_id, stream.remote_id)
            stream.ended()
