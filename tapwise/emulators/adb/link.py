"""The host's end of one ADB connection: messages over a socket, one stream at a time, a deadline on every wait."""

from __future__ import annotations

import contextlib
import select
import socket
import time
from typing import Final

from tapwise.emulators.adb.protocol import (
    HEADER_LENGTH,
    MAX_PAYLOAD,
    VERSION,
    Buffer,
    Command,
    Header,
    decode_banner,
    decode_header,
    encode_banner,
    encode_header,
)
from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout

_FEATURES: Final = ("shell_v2", "cmd", "stat_v2", "ls_v2", "fixed_push_mkdir")
_READ_AHEAD: Final = 64 * 1024


class Deadline:
    """A moment of the monotonic clock that waits must not pass."""

    __slots__ = ("_at", "timeout_s")

    def __init__(self, timeout_s: float) -> None:
        self.timeout_s = timeout_s
        self._at = time.monotonic() + timeout_s

    def remaining(self) -> float:
        """Seconds left. Raises DeviceTimeout when there are none."""
        left = self._at - time.monotonic()
        if left <= 0.0:
            raise DeviceTimeout(f"no answer within {self.timeout_s:g} s")
        return left


class Collector:
    """A growing byte buffer that a socket reads into directly."""

    def __init__(self, expected_size: int = 0) -> None:
        self._buffer = bytearray(expected_size)
        self._length = 0

    def room(self, size: int) -> memoryview:
        """Space for the next `size` bytes, which the caller fills."""
        end = self._length + size
        if end > len(self._buffer):
            self._buffer.extend(bytes(max(end, 2 * len(self._buffer)) - len(self._buffer)))
        view = memoryview(self._buffer)[self._length : end]
        self._length = end
        return view

    def result(self) -> bytearray:
        """All bytes collected; the collector is spent."""
        del self._buffer[self._length :]
        return self._buffer


class Link:
    """One connection to a device's ADB port. Not thread-safe: the client that owns it holds a lock."""

    def __init__(self, host: str, port: int, deadline: Deadline) -> None:
        self.address: Final = f"{host}:{port}"
        self._ahead = bytearray(_READ_AHEAD)
        self._start = self._end = 0
        self._next_stream = 1
        try:
            self._socket = socket.create_connection((host, port), timeout=deadline.remaining())
        except TimeoutError:
            raise DeviceTimeout(
                f"phone at {self.address} did not accept a connection in {deadline.timeout_s:g} s"
            ) from None
        except OSError as error:
            raise DeviceLost(f"phone at {self.address} cannot be reached: {error}; is it running?") from error
        try:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._shake_hands(deadline)
        except BaseException:  # an interrupt, too, must leave no socket behind
            self.close()
            raise

    def close(self) -> None:
        """Close the socket; harmless when repeated."""
        self._socket.close()

    def interrupt(self) -> None:
        """End the connection under a thread that waits on it; that thread then raises DeviceLost."""
        with contextlib.suppress(OSError):  # not connected any more
            self._socket.shutdown(socket.SHUT_RDWR)

    def is_open(self) -> bool:
        """Whether the other end has not closed the connection, as far as the kernel knows."""
        poller = select.poll()
        try:
            poller.register(self._socket, select.POLLIN)
            return not poller.poll(0) or self._socket.recv(1, socket.MSG_PEEK) != b""
        except (OSError, ValueError):  # ended, or closed on our side
            return False

    def open_stream(self, service: str, deadline: Deadline) -> Stream:
        """Open a stream to a service such as `exec:ls`. Raises DeviceError when the device refuses it."""
        number = self._next_stream
        self._next_stream = number % 0x7FFFFFFF + 1
        self.send(Command.OPEN, number, 0, service.encode() + b"\0", deadline)
        header = self.next_for(number, deadline)
        if header.command is Command.OKAY:
            return Stream(self, number, header.arg0, service)
        raise DeviceError(f"phone at {self.address} refused the service {service.partition(':')[0]!r}")

    def send(self, command: Command, arg0: int, arg1: int, payload: Buffer, deadline: Deadline) -> None:
        """Send one message."""
        self._socket.settimeout(deadline.remaining())
        try:
            self._socket.sendall(b"".join((encode_header(command, arg0, arg1, len(payload)), payload)))
        except TimeoutError:
            raise self._timed_out(deadline) from None
        except OSError as error:
            raise DeviceLost(f"connection to phone {self.address} ended while writing: {error}") from error

    def next_for(self, stream: int, deadline: Deadline) -> Header:
        """The next message for a stream; its payload is still to be read. Others are answered or dropped."""
        while True:
            header = self.receive(deadline)
            if header.command is Command.OPEN:  # a reverse connection, which nobody here asked for
                self.read(header.length, deadline)
                self.send(Command.CLSE, 0, header.arg0, b"", deadline)
            elif header.arg1 == stream and header.command in (Command.OKAY, Command.WRTE, Command.CLSE):
                return header
            elif header.command is Command.CNXN or header.command is Command.AUTH:
                raise DeviceLost(f"phone at {self.address} started the connection anew: connect again")
            else:
                self.read(header.length, deadline)

    def receive(self, deadline: Deadline) -> Header:
        """The next message's header."""
        return decode_header(self.read(HEADER_LENGTH, deadline))

    def read(self, size: int, deadline: Deadline) -> bytearray:
        """Exactly `size` bytes."""
        data = bytearray(size)
        self.read_into(memoryview(data), deadline)
        return data

    def read_into(self, target: memoryview, deadline: Deadline) -> None:
        """Fill `target`: from what was read ahead, then straight from the socket."""
        filled = 0
        wanted = len(target)
        while filled < wanted:
            held = self._end - self._start
            if held == 0 and wanted - filled >= _READ_AHEAD:
                filled += self._receive_into(target[filled:], deadline)
                continue
            if held == 0:
                self._start, self._end = 0, self._receive_into(memoryview(self._ahead), deadline)
                held = self._end
            taken = min(held, wanted - filled)
            target[filled : filled + taken] = self._ahead[self._start : self._start + taken]
            self._start += taken
            filled += taken

    def _receive_into(self, target: memoryview, deadline: Deadline) -> int:
        self._socket.settimeout(deadline.remaining())
        try:
            count = self._socket.recv_into(target)
        except TimeoutError:
            raise self._timed_out(deadline) from None
        except OSError as error:
            raise DeviceLost(f"connection to phone {self.address} ended while reading: {error}") from error
        if count == 0:
            raise DeviceLost(f"phone at {self.address} closed the connection")
        return count

    def _timed_out(self, deadline: Deadline) -> DeviceTimeout:
        return DeviceTimeout(f"phone at {self.address} did not answer within {deadline.timeout_s:g} s")

    def _shake_hands(self, deadline: Deadline) -> None:
        self.send(Command.CNXN, VERSION, MAX_PAYLOAD, encode_banner("host", {}, _FEATURES), deadline)
        header = self.receive(deadline)
        payload = self.read(header.length, deadline)
        if header.command is Command.AUTH:
            raise DeviceError(
                f"unauthorized: phone at {self.address} wants a key that it trusts. Allow this computer in the phone's"
                " USB-debugging dialog and use the adb transport, or start the phone with ro.adb.secure=0"
            )
        if header.command is Command.STLS:
            raise DeviceError(f"phone at {self.address} wants TLS (wireless debugging): use the adb transport for it")
        if header.command is not Command.CNXN:
            raise DeviceLost(f"phone at {self.address} answered {header.command.name} to the greeting")
        if header.arg0 < VERSION:
            raise DeviceError(f"phone at {self.address} speaks ADB {header.arg0:#x}, older than Android 9: use adb")
        self.max_payload = min(header.arg1, MAX_PAYLOAD)
        _, self.properties, self.features = decode_banner(bytes(payload))


class Stream:
    """One open stream of a link."""

    def __init__(self, link: Link, own_id: int, peer_id: int, service: str) -> None:
        self._link = link
        self._own_id = own_id
        self._peer_id = peer_id
        self._service = service
        self._closed = False

    def read_into(self, collector: Collector, deadline: Deadline) -> bool:
        """Append the next piece of data; False when the device has closed the stream."""
        header = self._link.next_for(self._own_id, deadline)
        if header.command is Command.WRTE:
            with collector.room(header.length) as room:
                self._link.read_into(room, deadline)
            self._link.send(Command.OKAY, self._own_id, self._peer_id, b"", deadline)
        elif header.command is Command.CLSE:
            self._finish(deadline)
        return not self._closed

    def read_all(self, deadline: Deadline, expected_size: int = 0) -> bytearray:
        """All data up to the stream's end."""
        collector = Collector(expected_size)
        while self.read_into(collector, deadline):
            pass
        return collector.result()

    def read_exactly(self, size: int, pending: bytearray, deadline: Deadline) -> bytes:
        """The next `size` bytes; what arrives beyond them stays in `pending`, which is passed to each call."""
        while len(pending) < size:
            collector = Collector()
            if not self.read_into(collector, deadline):
                raise DeviceLost(f"phone at {self._link.address} ended the {self._service!r} stream too early")
            pending += collector.result()
        data = bytes(pending[:size])
        del pending[:size]
        return data

    def write(self, data: bytes, pending: bytearray, deadline: Deadline) -> None:
        """Send data in pieces, each acknowledged; what the device says meanwhile is added to `pending`."""
        for start in range(0, len(data), self._link.max_payload):
            piece = memoryview(data)[start : start + self._link.max_payload]
            self._link.send(Command.WRTE, self._own_id, self._peer_id, piece, deadline)
            while (header := self._link.next_for(self._own_id, deadline)).command is Command.WRTE:
                pending += self._link.read(header.length, deadline)
                self._link.send(Command.OKAY, self._own_id, self._peer_id, b"", deadline)
            if header.command is Command.CLSE:
                self._finish(deadline)
                raise DeviceLost(f"phone at {self._link.address} closed the {self._service!r} stream while we wrote")

    def close(self, deadline: Deadline) -> None:
        """Close this end; what the device still sends for it is dropped."""
        if not self._closed:
            self._finish(deadline)

    def _finish(self, deadline: Deadline) -> None:
        self._closed = True
        with contextlib.suppress(DeviceLost):  # a phone that reboots is gone before it can be told
            self._link.send(Command.CLSE, self._own_id, self._peer_id, b"", deadline)
