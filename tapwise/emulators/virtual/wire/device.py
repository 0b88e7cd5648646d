"""A phone as the wire sees it: its links, and the service behind each name."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import TYPE_CHECKING

from tapwise.emulators.virtual.faults import Switchboard
from tapwise.emulators.virtual.shell.session import PhoneShell
from tapwise.emulators.virtual.wire.forward import DevicePorts, Dialled, reverse_reply
from tapwise.emulators.virtual.wire.install import Install, exec_words, streamed_size
from tapwise.emulators.virtual.wire.services import Reboot, Reply
from tapwise.emulators.virtual.wire.shell import RawShell, ShellV2
from tapwise.emulators.virtual.wire.stream import Carrier, Service
from tapwise.emulators.virtual.wire.sync import Sync

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone


class WireDevice:
    """Shared by all links to one phone."""

    def __init__(self, phone: VirtualPhone) -> None:
        self.phone = phone
        self.shell = PhoneShell(phone)
        self.ports = DevicePorts(phone.listeners)
        self.links: set[Carrier] = set()
        self.crash: Callable[[], None] = self._drop_all
        """what becomes of the phone when it crashes"""

    @property
    def properties(self) -> dict[str, str]:
        """System properties of the phone."""
        return self.phone.properties

    def attach(self, link: Carrier) -> None:
        """A link has come up."""
        self.links.add(link)

    def detach(self, link: Carrier) -> None:
        """A link is gone, and with it the reverses that it had set up."""
        self.links.discard(link)
        self.ports.drop_reverses(link)

    @property
    def faults(self) -> Switchboard:
        """What goes wrong."""
        return self.phone.faults

    def _drop_all(self) -> None:
        for link in list(self.links):
            link.drop()

    def reboot(self) -> None:
        """Stop every app, show the launcher, drop all links."""
        for package in self.phone.apps:
            self.phone.force_stop(package)
        self.phone.key_event("KEYCODE_HOME")
        self.phone.forwarder.stop()
        for link in list(self.links):
            link.close()

    def service(self, name: str, link: Carrier) -> Service | None:
        """The service of a name, or None to refuse it."""
        kind, _, rest = name.partition(":")
        if kind.startswith("shell,"):
            options = kind.split(",")[1:]
            if "v2" not in options:
                return RawShell(self.shell, rest)
            return ShellV2(self.shell, rest, terminal="pty" in options)
        if kind in ("abb", "abb_exec"):
            return self._binder(rest.split("\0"), framed=kind == "abb")
        match kind:
            case "shell" | "exec":
                size = streamed_size(exec_words(rest)) if kind == "exec" else None
                return RawShell(self.shell, rest) if size is None else Install(self.phone, size)
            case "sync":
                return Sync(self.phone)
            case "tcp":
                port = rest.rpartition(":")[2]
                listener = self.ports.find(int(port)) if port.isdecimal() else None
                return None if listener is None else Dialled(listener)
            case "reverse":
                reply = reverse_reply(self.ports, link, rest)
                return None if reply is None else Reply(reply)
            case "reboot":
                return Reboot(self.reboot)
            case "root":
                return Reply(b"adbd is already running as root\n")
            case "remount":
                return Reply(b"remount succeeded\n")
            case "framebuffer":
                return Reply(*self.shell.screen.framebuffer())
        return None

    def _binder(self, words: list[str], *, framed: bool) -> Service:
        """`abb:` and `abb_exec:`: a system service called by words, without a shell."""
        size = streamed_size(words)
        if size is not None:
            return Install(self.phone, size)
        command = shlex.join(["cmd", *filter(None, words)])
        return ShellV2(self.shell, command) if framed else RawShell(self.shell, command)
