"""A pool of supervised devices, lent one at a time."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from tapwise.emulators.backends.base import Backend
from tapwise.emulators.breaker import CircuitBreaker
from tapwise.emulators.farm_status import DeviceStatus, FarmLimits, State
from tapwise.emulators.host import host_trouble
from tapwise.emulators.supervisor import Supervisor
from tapwise.errors import ConfigError, DeviceError, FarmError
from tapwise.protocols import Device


class Farm:
    """`size` devices from a backend. They boot in the background as soon as the farm is made.

    While `host_trouble` says what the host lacks, nothing is booted, and no device is blamed for it; nor when several
    devices fail alike at the same time.

    Thread-safe. A fault of one device costs the lease that was on it, nothing else. Use as a context manager, or
    call `close`.
    """

    def __init__(
        self,
        backend: Backend,
        size: int,
        limits: FarmLimits | None = None,
        host_trouble: Callable[[], str | None] = host_trouble,
    ) -> None:
        if size < 1:
            raise ConfigError(f"a farm of {size} devices is of no use: give 1 or more")
        limits = limits or FarmLimits()
        self._changed = threading.Condition()
        self._closed = False
        boot_permits = threading.Semaphore(limits.boots_at_once)
        breaker = CircuitBreaker(size, host_trouble, limits.alike_window_s, limits.host_retry_s)
        self._waiting: deque[object] = deque()
        self._supervisors = [
            Supervisor(backend, index, limits, self._changed, boot_permits, breaker) for index in range(size)
        ]
        for supervisor in self._supervisors:
            supervisor.start()

    @contextmanager
    def lease(self, timeout_s: float = 120.0, task: str | None = None) -> Iterator[Device]:
        """Work with a device that nobody else has; the one that rested longest. Who asked first is served first.

        `task` is shown in the status. A DeviceError that leaves the block, alone or as another error's cause, marks
        the device sick; so does `report`. Raises FarmError when the farm is closed, every device is dead, or none
        became ready within `timeout_s` seconds.
        """
        supervisor, generation, device = self._acquire(timeout_s, task)
        fault: DeviceError | None = None
        try:
            yield device
        except BaseException as error:
            fault = _device_fault(error)
            raise
        finally:
            supervisor.take_back(generation, fault)

    def report(self, device: Device, fault: DeviceError) -> None:
        """Tell of a fault that is handled inside the lease: the device is seen to once the lease ends."""
        with self._changed:
            for supervisor in self._supervisors_of(device):
                supervisor.fault = fault

    def use_for(self, device: Device, task: str) -> None:
        """Tell what a leased device does from now on, for the status."""
        with self._changed:
            for supervisor in self._supervisors_of(device):
                supervisor.task = task

    def _supervisors_of(self, device: Device) -> list[Supervisor]:
        """The supervisor of a device; none when the device has been booted anew."""
        return [one for one in self._supervisors if one.booted is not None and one.booted.device is device]

    def status(self) -> list[DeviceStatus]:
        """Every device at this moment, in a fixed order."""
        with self._changed:
            return [supervisor.status() for supervisor in self._supervisors]

    def waiting(self) -> int:
        """How many wait for a device."""
        with self._changed:
            return len(self._waiting)

    def wait_ready(self, timeout_s: float = 120.0, count: int | None = None) -> None:
        """Wait until `count` devices (default: all) are up, leased or not.

        Raises FarmError that says what is wrong with each when they are not within `timeout_s` seconds, or when too
        many are dead for that.
        """
        wanted = len(self._supervisors) if count is None else count
        with self._changed:

            def up() -> int:
                return sum(one.state in (State.READY, State.LEASED) for one in self._supervisors)

            def lost() -> bool:
                dead = sum(one.state is State.DEAD for one in self._supervisors)
                return self._closed or len(self._supervisors) - dead < wanted

            self._changed.wait_for(lambda: up() >= wanted or lost(), timeout_s)
            if up() < wanted:
                raise FarmError(f"{up()} of {wanted} devices are up:\n{self._describe()}")

    def close(self) -> None:
        """End every device; harmless when repeated. Commands under way raise DeviceLost.

        Waits for boots under way, which have a deadline of their own (`FarmLimits.boot_timeout_s`).
        """
        with self._changed:
            self._closed = True
        for supervisor in self._supervisors:
            supervisor.close()
        for supervisor in self._supervisors:
            supervisor.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _acquire(self, timeout_s: float, task: str | None) -> tuple[Supervisor, int, Device]:
        deadline, ticket = time.monotonic() + timeout_s, object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                return self._wait_for_turn(ticket, deadline, timeout_s, task)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _wait_for_turn(
        self, ticket: object, deadline: float, timeout_s: float, task: str | None
    ) -> tuple[Supervisor, int, Device]:
        """Wait until the ticket is the first and a device is ready; `changed` is held."""
        while True:
            if self._closed:
                raise FarmError("the farm is closed: it lends no devices any more")
            for supervisor in sorted(self._supervisors, key=lambda one: one.since_s):
                booted = supervisor.lend(task) if self._waiting[0] is ticket else None
                if booted is not None:
                    return supervisor, supervisor.generation, booted.device
            if all(supervisor.state is State.DEAD for supervisor in self._supervisors):
                raise FarmError(f"every device of the farm is dead:\n{self._describe()}")
            if not self._changed.wait(max(0.0, deadline - time.monotonic())) and time.monotonic() >= deadline:
                raise FarmError(f"no device became ready within {timeout_s:g} s:\n{self._describe()}")

    def _describe(self) -> str:
        return "\n".join(f"  {supervisor.status()}" for supervisor in self._supervisors)


def _device_fault(error: BaseException) -> DeviceError | None:
    """The device's fault behind an error: itself, or what it was raised from."""
    seen: BaseException | None = error
    while seen is not None and not isinstance(seen, DeviceError):
        seen = seen.__cause__
    return seen
