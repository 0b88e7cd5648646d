"""android_env's accessibility forwarder, which is there without being installed: what it was told, and its log."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from tapwise.emulators.virtual.log import Entry

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

PACKAGE: Final = "com.google.androidenv.accessibilityforwarder"
SERVICE: Final = f"{PACKAGE}/{PACKAGE}.AccessibilityForwarder"
HOST: Final = "10.0.2.2"
"""the host's loopback, as an emulator sees it"""
_ENABLED: Final = "enabled_accessibility_services"
_ACTIONS: Final = "accessibility_forwarder.intent.action."
_LOOPBACK: Final = (HOST, "127.0.0.1", "localhost")
_TAG: Final = "AndroidRLTask"
_PROCESS: Final = 1900


class Forwarder:
    """The service on one phone. Whoever can send sets `notice`, which is called when there may be news."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._sends_trees = False
        self._host = HOST
        self._port = 0
        self.notice: Callable[[], None] | None = None

    def hear(self, action: str, extras: Mapping[str, str]) -> bool:
        """Take a broadcast; False when it is none of the service's."""
        if not action.startswith(_ACTIONS):
            return False
        match action.removeprefix(_ACTIONS):
            case "ENABLE_ACCESSIBILITY_TREE_LOGS":
                self._sends_trees = True
            case "DISABLE_ACCESSIBILITY_TREE_LOGS":
                self._sends_trees = False
            case "SET_GRPC":
                port = extras.get("port", "")
                self._host = extras.get("host", HOST)
                self._port = int(port) if port.isascii() and port.isdecimal() else 0
                self.say("I", f"Setting gRPC endpoint to {self._host}:{self._port}.")
            case _:
                self.say("W", f"Unknown action: {action}")
        self.look()
        return True

    def look(self) -> None:
        """The phone has changed."""
        if self.notice is not None:
            self.notice()

    def stop(self) -> None:
        """End the service's process, which forgets all that it was told."""
        self._sends_trees, self._port = False, 0

    @property
    def configured(self) -> bool:
        """Whether it was told to send trees, and to which port."""
        return self._sends_trees and 0 < self._port < 65536

    @property
    def enabled(self) -> bool:
        """Whether the settings have it among the services that run."""
        listed = self._phone.settings.get("secure", _ENABLED) or ""
        return SERVICE in listed.split(":")

    @property
    def port(self) -> int:
        """The port of the host's loopback to send to."""
        return self._port

    def obstacle(self) -> str:
        """Why the host cannot be reached; empty when it can be. Only the host's loopback ever is."""
        settings = self._phone.settings
        if settings.is_on("global", "airplane_mode_on") and not settings.is_on("global", "wifi_on"):
            return "UNAVAILABLE: Network is unreachable"
        return "" if self._host in _LOOPBACK else f"UNAVAILABLE: No route to host {self._host}"

    def failed(self, why: str) -> None:
        """Log that a forest did not arrive, in the words that android_env's clients look for."""
        self.say("W", "gRPC StatusException; are you sure networking is turned on?")
        self.say("I", f"extra: exception [{f'io.grpc.StatusException: {why}'!r}]")

    def say(self, priority: str, message: str) -> None:
        """Write a line of log."""
        self._phone.log.write(Entry(self._phone.state.now_s, _PROCESS, priority, _TAG, message))
