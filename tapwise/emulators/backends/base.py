"""The seam between the farm and where its phones come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from tapwise.emulators.screen_ways import ScreenChoice
from tapwise.protocols import Device

NEW_CONNECTION = "new connection"


class Remedy(NamedTuple):
    """Something to try on a phone at fault before it is booted anew. `apply` is given seconds, those of a probe, or
    those of a boot where it `boots`, and raises DeviceError when it does not help."""

    name: str
    apply: Callable[[float], None]
    boots: bool = False


class BootedDevice(Protocol):
    """One phone that runs, as its supervisor sees it."""

    @property
    def device(self) -> Device:
        """What lessees work with."""
        ...

    @property
    def screen_choice(self) -> ScreenChoice | None:
        """How screenshots are taken, where there was a choice."""
        ...

    def alive(self) -> bool:
        """Whether it still exists, as far as can be told at once, without asking the phone."""
        ...

    def probe(self, timeout_s: float) -> None:
        """Ask the phone something, beside whatever a lessee is doing. Raises DeviceError when it does not answer."""
        ...

    @property
    def remedies(self) -> Sequence[Remedy]:
        """What heals it, gentlest first: each after another fault in a row, or when the one before did not help. Only
        applied while nobody leases the phone."""
        ...

    def shut_down(self) -> None:
        """End it and free what it held; a command under way raises DeviceLost. Harmless when repeated."""
        ...


class Backend(Protocol):
    """A source of phones. `boot` is called from several threads at once, with different indices."""

    @property
    def name(self) -> str:
        """As recipes write it."""
        ...

    def boot(self, index: int, timeout_s: float) -> BootedDevice:
        """Bring up phone number `index` and return it ready for use.

        Raises DeviceError when it fails (the farm tries again), ConfigError when trying again is of no use.
        """
        ...
