"""The phone's ports: what `adb forward` reaches, and what `adb reverse` sends back to the host.

The ports exist only inside the phone; no socket of the host is opened for them.
"""

from __future__ import annotations

from collections.abc import Callable

from tapwise.emulators.virtual.listening import Listener
from tapwise.emulators.virtual.wire.stream import Carrier, Stream

_FIRST_FREE_PORT = 40000


class Echo:
    """A connection that answers with what it got."""

    ended = False

    def received(self, data: bytes) -> bytes:
        """The same bytes."""
        return data


class DevicePorts:
    """Listeners of the phone, and ports that lead back to a host."""

    def __init__(self, listeners: dict[int, Listener]) -> None:
        self._listeners = listeners
        self._reverses: dict[int, tuple[Carrier, str]] = {}

    def find(self, port: int) -> Listener | None:
        """Who listens on a port."""
        return self._listeners.get(port)

    def reverse(self, link: Carrier, port: int, host_name: str) -> int:
        """Lead a port of the phone (0: any) to a service of the host and say which port it is."""
        while port == 0 or port in self._listeners:
            port = max(_FIRST_FREE_PORT, *self._listeners, *self._reverses) + 1
        self._reverses[port] = link, host_name
        return port

    def reverses(self, link: Carrier) -> dict[int, str]:
        """Ports that lead to a host, with the host's service."""
        return {port: name for port, (owner, name) in self._reverses.items() if owner is link}

    def drop_reverses(self, link: Carrier, port: int | None = None) -> bool:
        """Forget one reverse of a link, or all; False when there was none."""
        mine = [number for number in self.reverses(link) if port in (None, number)]
        for number in mine:
            del self._reverses[number]
        return bool(mine)

    def dial(self, port: int, connection: Dialler) -> None:
        """Connect from inside the phone to a reversed port. ConnectionRefusedError when nothing is there."""
        if port not in self._reverses:
            raise ConnectionRefusedError(f"nothing listens on port {port} of the phone")
        link, host_name = self._reverses[port]
        link.open(host_name, connection)


class Dialler:
    """A connection from the phone to the host: sends `request` and gives `reply` each piece of the answer."""

    def __init__(self, request: bytes, reply: Callable[[bytes], None], closed: Callable[[], None]) -> None:
        self._request = request
        self._reply = reply
        self._closed = closed

    def opened(self, stream: Stream) -> None:
        """The host accepted."""
        stream.write(self._request)

    def received(self, stream: Stream, data: bytes) -> None:
        """The host answered."""
        self._reply(data)

    def closed(self, stream: Stream) -> None:
        """The host refused or closed."""
        self._closed()


class Dialled:
    """A stream from the host to a listener of the phone."""

    def __init__(self, listener: Listener) -> None:
        self._connection = listener()

    def opened(self, stream: Stream) -> None:
        """Wait for data."""

    def received(self, stream: Stream, data: bytes) -> None:
        """Hand data to the listener's connection and its answer back."""
        stream.write(self._connection.received(data))
        if self._connection.ended:
            stream.close()

    def closed(self, stream: Stream) -> None:
        """Nothing is held."""


def reverse_reply(ports: DevicePorts, link: Carrier, request: str) -> bytes | None:
    """The answer to a `reverse:` request, or None for one that is not understood."""
    verb, _, rest = request.partition(":")
    if verb == "list-forward":
        text = "".join(f"host tcp:{port} {name}\n" for port, name in sorted(ports.reverses(link).items())).encode()
        return b"%04x" % len(text) + text
    if verb == "killforward-all":
        ports.drop_reverses(link)
        return b"OKAY"
    if verb == "killforward":
        done = ports.drop_reverses(link, _port(rest))
        return b"OKAY" if done else _failure(f"listener '{rest}' not found")
    if verb == "forward":
        local, _, remote = rest.removeprefix("norebind:").partition(";")
        wanted = _port(local)
        if wanted is None or not remote:
            return _failure(f"only tcp:PORT can be reversed, not {local!r}")
        if rest.startswith("norebind:") and wanted in ports.reverses(link):
            return _failure(f"cannot rebind existing socket '{local}'")
        port = b"%d" % ports.reverse(link, wanted, remote)
        return b"OKAY" + (b"%04x" % len(port) + port if wanted == 0 else b"")
    return None


def _port(name: str) -> int | None:
    kind, _, number = name.partition(":")
    return int(number) if kind == "tcp" and number.isdecimal() else None


def _failure(reason: str) -> bytes:
    return b"FAIL%04x" % len(reason) + reason.encode()
