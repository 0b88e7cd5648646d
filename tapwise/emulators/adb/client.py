"""Our own ADB client: straight to the phone's port, without the adb program or its server."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath

from tapwise.emulators.adb import protocol
from tapwise.emulators.adb.link import Deadline, Link, Stream
from tapwise.emulators.adb.protocol import ShellDecoder, ShellId
from tapwise.emulators.adb.transport import ShellResult
from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout

_REGULAR_FILE = 0o100644


class DirectAdb:
    """A `Transport` over one persistent TCP connection.

    Thread-safe: one stream is open at a time, others wait for it within their own deadline. The connection is made
    by the first command. A command that misses its deadline, or loses the link, closes the connection; commands
    then raise DeviceLost until `connect` is called, so that no caller talks unawares to a phone that restarted.
    """

    def __init__(self, host: str, port: int) -> None:
        self.address = f"{host}:{port}"
        self._host = host
        self._port = port
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._lost = False

    def connect(self, timeout_s: float = 5.0) -> None:
        """Make a fresh connection. Raises DeviceLost, DeviceTimeout, or DeviceError when unauthorized."""
        deadline = Deadline(timeout_s)
        with self._exclusively(deadline):
            self._connect(deadline)

    def shell(self, command: str, timeout_s: float = 30.0) -> ShellResult:
        """Run a command; the streams and the exit status come back apart (`shell,v2`)."""
        deadline = Deadline(timeout_s)
        with self._service(f"shell,v2,raw:{command}", deadline) as stream:
            packets = ShellDecoder().feed(stream.read_all(deadline))
        parts: dict[ShellId, list[bytes]] = {ShellId.STDOUT: [], ShellId.STDERR: [], ShellId.EXIT: []}
        for packet in packets:
            parts.setdefault(packet.id, []).append(packet.data)
        if not parts[ShellId.EXIT] or not parts[ShellId.EXIT][-1]:
            raise DeviceLost(f"phone at {self.address} ended {command!r} without an exit status")
        stdout, stderr = b"".join(parts[ShellId.STDOUT]), b"".join(parts[ShellId.STDERR])
        return ShellResult(stdout, stderr, parts[ShellId.EXIT][-1][0])

    def exec_out(self, command: str, timeout_s: float = 30.0, expected_size: int = 0) -> bytearray:
        """A command's raw standard output, without framing or exit status."""
        deadline = Deadline(timeout_s)
        with self._service(f"exec:{command}", deadline) as stream:
            return stream.read_all(deadline, expected_size)

    def push(self, data: bytes, path: PurePosixPath | str, timeout_s: float = 60.0) -> None:
        """Write a file on the phone with today's time and mode 0644. Raises DeviceError when the phone cannot."""
        deadline = Deadline(timeout_s)
        pending = bytearray()
        size = protocol.SYNC_MAX_DATA
        records = [
            protocol.encode_sync(protocol.SEND, f"{path},{_REGULAR_FILE}".encode()),
            *(protocol.encode_sync(protocol.DATA, data[at : at + size]) for at in range(0, len(data), size)),
            protocol.SYNC_RECORD.pack(protocol.DONE, int(time.time())),
        ]
        with self._service("sync:", deadline) as stream:
            stream.write(b"".join(records), pending, deadline)
            self._read_sync_record(stream, pending, deadline, str(path))
            stream.close(deadline)

    def pull(self, path: PurePosixPath | str, timeout_s: float = 60.0) -> bytes:
        """Read a file from the phone. Raises DeviceError when there is none."""
        deadline = Deadline(timeout_s)
        pending = bytearray()
        pieces = []
        with self._service("sync:", deadline) as stream:
            stream.write(protocol.encode_sync(protocol.RECV, str(path).encode()), pending, deadline)
            while True:
                record_id, piece = self._read_sync_record(stream, pending, deadline, str(path))
                if record_id == protocol.DONE:
                    break
                pieces.append(piece)
            stream.close(deadline)
        return b"".join(pieces)

    def reboot(self, timeout_s: float = 10.0) -> None:
        """Ask the phone to boot anew, which ends the connection."""
        deadline = Deadline(timeout_s)
        with contextlib.suppress(DeviceLost), self._service("reboot:", deadline) as stream:
            stream.read_all(deadline)
        self.close()

    def is_alive(self) -> bool:
        """Whether the connection stands or has not been needed yet."""
        link = self._link
        return not self._lost and (link is None or link.is_open())

    def close(self) -> None:
        """Close the connection at once; a command under way in another thread then raises DeviceLost."""
        self._lost = True
        if self._link is not None:
            self._link.interrupt()
        if self._lock.acquire(blocking=False):  # else the thread that was interrupted closes it
            try:
                if self._link is not None:
                    self._link.close()
            finally:
                self._lock.release()

    def _connect(self, deadline: Deadline) -> Link:
        if self._link is not None:
            self._link.close()
            self._link = None
        link = Link(self._host, self._port, deadline)
        if "shell_v2" not in link.features:
            link.close()
            raise DeviceError(f"phone at {self.address} does not offer shell_v2, so exit statuses would be lost")
        self._link = link
        self._lost = False
        return link

    @contextmanager
    def _exclusively(self, deadline: Deadline) -> Iterator[None]:
        if not self._lock.acquire(timeout=deadline.remaining()):
            raise DeviceTimeout(f"phone at {self.address} was busy with another command for {deadline.timeout_s:g} s")
        try:
            yield
        finally:
            self._lock.release()

    @contextmanager
    def _service(self, service: str, deadline: Deadline) -> Iterator[Stream]:
        with self._exclusively(deadline):
            if self._lost:
                raise DeviceLost(f"connection to phone {self.address} is closed: call connect() to make a new one")
            link = self._link or self._connect(deadline)
            try:
                yield link.open_stream(service, deadline)
            except BaseException as error:  # whatever cut a stream short, the next bytes would not be ours
                if type(error) is not DeviceError:  # a plain refusal leaves the link in order
                    self._lost = True
                raise
            finally:
                if self._lost:
                    link.close()

    def _read_sync_record(
        self, stream: Stream, pending: bytearray, deadline: Deadline, path: str
    ) -> tuple[bytes, bytes]:
        record_id, length = protocol.SYNC_RECORD.unpack(
            stream.read_exactly(protocol.SYNC_RECORD.size, pending, deadline)
        )
        data = stream.read_exactly(length, pending, deadline) if record_id in (protocol.DATA, protocol.FAIL) else b""
        if record_id == protocol.FAIL:
            stream.close(deadline)
            reason = data.decode("utf-8", "replace")
            raise DeviceError(f"file {path!r} on phone {self.address} cannot be transferred: {reason}")
        if record_id not in (protocol.DATA, protocol.DONE, protocol.SYNC_OKAY):
            raise protocol.ProtocolError(f"phone at {self.address} sent sync record {record_id!r} for {path!r}")
        return record_id, data
