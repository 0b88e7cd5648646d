"""One stream of a link: flow control on our side, and a service that feeds it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Protocol

from tapwise.emulators.adb.protocol import Buffer, Command
from tapwise.emulators.virtual.faults import Switchboard


class Service(Protocol):
    """What stands behind a stream on the phone."""

    def opened(self, stream: Stream) -> None:
        """The stream is open; from here on it may be written to and closed."""
        ...

    def received(self, stream: Stream, data: bytes) -> None:
        """The other end wrote."""
        ...

    def closed(self, stream: Stream) -> None:
        """The other end closed the stream, or the link ended; nothing may be written any more."""
        ...


class Carrier(Protocol):
    """The link as a stream sees it."""

    max_payload: int

    def send(self, command: Command, arg0: int, arg1: int, payload: Buffer = b"") -> None:
        """Send one message."""
        ...

    def forget(self, stream: Stream) -> None:
        """The stream is over."""
        ...

    def open(self, name: str, service: Service) -> None:
        """Open a stream to the host."""
        ...

    def close(self) -> None:
        """End the connection when everything sent has left."""
        ...

    def drop(self) -> None:
        """End the connection at once."""
        ...


class Device(Protocol):
    """The phone as a link sees it."""

    crash: Callable[[], None]
    """Ends the phone."""

    @property
    def properties(self) -> dict[str, str]:
        """System properties."""
        ...

    @property
    def faults(self) -> Switchboard:
        """What goes wrong."""
        ...

    def attach(self, link: Carrier) -> None:
        """A link has come up."""
        ...

    def detach(self, link: Carrier) -> None:
        """A link is gone."""
        ...

    def service(self, name: str, link: Carrier) -> Service | None:
        """The service of a name, or None to refuse it."""
        ...


class Stream:
    """Queues what the service writes and sends one WRTE at a time, the next when the last was acknowledged."""

    def __init__(self, link: Carrier, local_id: int, remote_id: int, name: str, service: Service) -> None:
        self.link = link
        self.local_id = local_id
        self.remote_id = remote_id
        self.name = name
        self.service = service
        self.over = False
        self._queue: deque[memoryview] = deque()
        self._unacknowledged = False
        self._closing = False
        self._left: int | None = None

    def stall(self, count: int) -> None:
        """Say no more than `count` bytes, and never close."""
        self._left = count

    @property
    def queued(self) -> int:
        """Bytes that wait to be sent."""
        return sum(len(piece) for piece in self._queue)

    def write(self, *chunks: Buffer) -> None:
        """Send bytes to the other end. Chunks are not copied: whoever passed them must leave them alone."""
        pieces = (memoryview(chunk).cast("B") for chunk in chunks if len(chunk))
        if self._left is None:
            self._queue.extend(pieces)
        else:
            for piece in pieces:
                said = piece[: self._left]
                self._left -= len(said)
                if len(said):
                    self._queue.append(said)
        self._pump()

    def close(self) -> None:
        """Close once everything written has been acknowledged."""
        self._closing = self._left is None
        self._pump()

    def _pump(self) -> None:
        if self.over or self._unacknowledged:
            return
        if self._queue:
            self._unacknowledged = True
            self._transmit(self._next_payload())
        elif self._closing:
            self.end()

    def _next_payload(self) -> Buffer:
        """The next payload: a slice of a long chunk, or as many short ones as fit, joined."""
        limit = self.link.max_payload
        first = self._queue.popleft()
        if len(first) >= limit:
            if len(first) > limit:
                self._queue.appendleft(first[limit:])
            return first[:limit]
        pieces, length = [first], len(first)
        while self._queue and length + len(self._queue[0]) <= limit:
            pieces.append(self._queue.popleft())
            length += len(pieces[-1])
        return first if len(pieces) == 1 else b"".join(pieces)

    def _transmit(self, payload: Buffer) -> None:
        """The one place where a stream's bytes leave the phone."""
        self.link.send(Command.WRTE, self.local_id, self.remote_id, payload)

    def acknowledged(self) -> None:
        """The other end took the last WRTE."""
        self._unacknowledged = False
        self._pump()

    def arrived(self, data: bytes) -> None:
        """The other end wrote: the one place where a stream's bytes reach the phone."""
        self.link.send(Command.OKAY, self.local_id, self.remote_id)
        if not self._closing:
            self.service.received(self, data)

    def end(self) -> None:
        """Close at once from our side."""
        if not self.over and self._left is None:
            self.over = True
            self.link.send(Command.CLSE, self.local_id, self.remote_id)
            self.link.forget(self)

    def ended(self) -> None:
        """The other end closed, or the link is gone."""
        if not self.over:
            self.over = True
            self._queue.clear()
            self.link.forget(self)
            self.service.closed(self)
