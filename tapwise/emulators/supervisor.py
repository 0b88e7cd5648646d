"""One device of a farm and the thread that looks after it."""

from __future__ import annotations

import threading
import time
from collections import Counter

from tapwise.emulators.backends.base import Backend, BootedDevice
from tapwise.emulators.breaker import CircuitBreaker
from tapwise.emulators.farm_status import DeviceStatus, FarmLimits, RestartBudget, State
from tapwise.emulators.processes import wait_until
from tapwise.errors import ConfigError, DeviceError

_GONE = "process ended"


class Supervisor:
    """Boots a device, watches it, mends it: the phone's own remedies in order, a new boot, quarantine, giving up.

    Every attribute without underscore is guarded by `changed`, the condition that the whole farm shares and that is
    notified at each change of state. Boots, probes and shut-downs happen outside of it.
    """

    def __init__(
        self,
        backend: Backend,
        index: int,
        limits: FarmLimits,
        changed: threading.Condition,
        boot_permits: threading.Semaphore,
        breaker: CircuitBreaker,
    ) -> None:
        self.state = State.BOOTING
        self.since_s = time.monotonic()
        self.booted: BootedDevice | None = None
        self.generation = 0
        self.task: str | None = None
        self.fault: DeviceError | None = None
        self._backend = backend
        self._index = index
        self._limits = limits
        self._changed = changed
        self._boot_permits = boot_permits
        self._breaker = breaker
        self._budget = RestartBudget(limits.restarts, limits.restart_window_s)
        self._serial = f"{backend.name}-{index}"
        self._restarts: Counter[str] = Counter()
        self._mended: Counter[str] = Counter()
        self._last_error = ""
        self._strikes = 0
        self._failed_boots = 0
        self._probe_at_s = 0.0
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"farm-{self._serial}", daemon=True)

    def start(self) -> None:
        """Begin to look after the device."""
        self._thread.start()

    def close(self) -> None:
        """End the device at once; `changed` must not be held. Call `join` afterwards."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def join(self) -> None:
        """Wait until the device has ended."""
        self._thread.join()

    def status(self) -> DeviceStatus:
        """A snapshot; `changed` must be held."""
        since_s = time.monotonic() - self.since_s
        choice = self.booted.screen_choice if self.booted is not None else None
        return DeviceStatus(
            self._serial,
            self.state,
            dict(self._restarts),
            dict(self._mended),
            self.task,
            since_s,
            self._last_error,
            choice.to_json() if choice is not None else None,
        )

    def lend(self, task: str | None) -> BootedDevice | None:
        """Lease the device if it is ready and its process still runs; `changed` must be held."""
        if self.state is not State.READY or self.booted is None:
            return None
        if not self.booted.alive():
            return None  # its own thread restarts it
        self.fault = None
        self.task = task
        self._enter(State.LEASED)
        return self.booted

    def take_back(self, generation: int, fault: DeviceError | None) -> None:
        """End the lease of a generation; one whose device was restarted meanwhile has ended already."""
        with self._changed:
            if generation != self.generation or self.state is not State.LEASED:
                return
            self.fault = fault or self.fault
            if self.fault is None:
                self._strikes = 0
                self.task = None
                self._enter(State.READY)
            else:
                self._enter(State.SICK)

    def _enter(self, state: State) -> None:
        self.state = state
        self.since_s = time.monotonic()
        self._changed.notify_all()

    def _run(self) -> None:
        try:
            while not self._closing:
                if self.state is State.BOOTING:
                    self._boot()
                elif self.state is State.SICK:
                    self._mend()
                elif self.state is State.DEAD:
                    break
                else:
                    self._watch()
        except Exception as error:  # a bug in a backend must not leave lessees waiting for a thread that is gone
            self._give_up(error)
            raise
        finally:
            with self._changed:
                booted, self.booted = self.booted, None
            if booted is not None:
                booted.shut_down()

    def _boot(self) -> None:
        try:
            with self._boot_permits:
                if self._closing:
                    return
                trouble = self._breaker.trouble(self._index)
                booted = self._backend.boot(self._index, self._limits.boot_timeout_s) if trouble is None else None
        except ConfigError as error:
            self._breaker.failed(self._index, f"boot: {type(error).__name__}")
            self._give_up(error)
            return
        except DeviceError as error:
            self._boot_failed(error)
            return
        if booted is None:
            self._wait_for_host(trouble or "")
            return
        self._breaker.recovered(self._index)
        with self._changed:
            self.booted = booted
            self._serial = booted.device.serial
            self._failed_boots = 0
            self._probe_at_s = time.monotonic() + self._limits.probe_every_s
            self._enter(State.READY)

    def _wait_for_host(self, trouble: str) -> None:
        """Look again after a while; that costs no restart, since no device is to blame."""
        with self._changed:
            self._last_error = trouble
            self._enter(State.QUARANTINED)
            waits = self._breaker.alike
            self._changed.wait_for(
                lambda: self._closing or (waits and not self._breaker.alike), self._limits.host_retry_s
            )
            self._enter(State.BOOTING)

    def _boot_failed(self, error: DeviceError) -> None:
        cause = f"boot: {type(error).__name__}"
        if (trouble := self._breaker.failed(self._index, cause)) is not None:
            self._wait_for_host(f"{trouble}; {error}")
            return
        wait_s = min(self._limits.first_retry_s * 2**self._failed_boots, self._limits.longest_retry_s)
        self._failed_boots += 1
        with self._changed:
            self._last_error = str(error)
            self._enter(State.QUARANTINED)
            self._changed.wait_for(lambda: self._closing, wait_s)
        self._restart(cause, error, counted=True)

    def _watch(self) -> None:
        with self._changed:
            state = self.state
            self._changed.wait_for(lambda: self._closing or self.state is not state, self._limits.watch_every_s)
            booted = self.booted
            if self._closing or booted is None or self.state not in (State.READY, State.LEASED):
                return
        if not booted.alive():
            self._restart(_GONE, DeviceError(f"device {self._serial}: its process ended"))
        elif time.monotonic() >= self._probe_at_s:
            try:
                booted.probe(self._limits.probe_timeout_s)
            except DeviceError as error:
                self._restart(f"probe: {type(error).__name__}", error)
            self._probe_at_s = time.monotonic() + self._limits.probe_every_s

    def _mend(self) -> None:
        with self._changed:
            booted, fault = self.booted, self.fault
            self._last_error = str(fault)
        assert booted is not None
        assert fault is not None
        self._strikes += 1
        cause = f"lease: {type(fault).__name__}"
        if not booted.alive():
            self._restart(_GONE, fault)
        else:
            healed = self._remedied(booted)
            if not healed:  # a process that is killed loses its connections a little before it is gone
                gone = wait_until(lambda: not booted.alive(), self._limits.watch_every_s)
                self._restart(_GONE if gone else cause, fault)
                return
            with self._changed:
                self._mended[healed] += 1
                self.task = None
                self._enter(State.READY)

    def _remedied(self, booted: BootedDevice) -> str:
        """Try what heals a phone, each fault in a row beginning one further; the name of what helped, or empty."""
        for remedy in booted.remedies[self._strikes - 1 :]:
            try:
                remedy.apply(self._limits.boot_timeout_s if remedy.boots else self._limits.probe_timeout_s)
            except DeviceError:
                continue
            return remedy.name
        return ""

    def _restart(self, cause: str, error: Exception, *, counted: bool = False) -> None:
        """Take the device away from whoever has it and boot it anew, unless the budget is spent.

        `counted`: the breaker knows of the failure already.
        """
        trouble = None if counted else self._breaker.failed(self._index, cause)
        with self._changed:
            if self._closing:
                return
            booted, self.booted = self.booted, None
            self.generation += 1
            self.task = None
            self._strikes = 0
            self._last_error = str(error)
            self._restarts[cause] += 1
            allowed = trouble is not None or self._budget.spend(time.monotonic())
            self._enter(State.BOOTING if allowed else State.DEAD)
        if booted is not None:
            booted.shut_down()

    def _give_up(self, error: Exception) -> None:
        with self._changed:
            self.generation += 1
            self.task = None
            self._last_error = f"{type(error).__name__}: {error}"
            self._enter(State.DEAD)
