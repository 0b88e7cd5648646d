"""When the host is taken to be sick rather than its devices."""

from __future__ import annotations

import threading
import time

import pytest

from tapwise.emulators.breaker import CircuitBreaker
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits, State
from tapwise.emulators.processes import wait_until
from tapwise.errors import DeviceLost
from tests.emulators.test_farm import QUICK, Phones


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def breaker(clock: Clock, devices: int = 4, lacking: list[str] | None = None) -> CircuitBreaker:
    return CircuitBreaker(devices, lambda: lacking[0] if lacking else None, 10.0, 5.0, clock)


def test_devices_that_fail_alike_at_the_same_time_are_not_blamed(clock: Clock) -> None:
    found = breaker(clock)
    assert found.failed(0, "lease: DeviceLost") is None
    assert found.failed(0, "lease: DeviceLost") is None  # the same device again
    assert found.failed(1, "process ended") is None
    assert found.failed(1, "lease: DeviceLost") is None
    why = found.failed(2, "lease: DeviceLost")
    assert why is not None
    assert "3 devices failed alike" in why
    assert found.opened == 1


def test_failures_far_apart_or_of_a_few_devices_are_their_own(clock: Clock) -> None:
    slow = breaker(clock)
    for device in range(4):
        assert slow.failed(device, "boot: DeviceTimeout") is None
        clock.now += 6.0
    large = breaker(clock, devices=32)
    assert all(large.failed(device, "process ended") is None for device in range(15))
    assert large.failed(15, "process ended") is not None


def test_one_device_tries_at_a_time_and_its_success_closes(clock: Clock) -> None:
    found = breaker(clock)
    for device in range(3):
        found.failed(device, "boot: DeviceLost")
    assert found.trouble(1) is None  # at once
    assert found.trouble(2) is not None
    assert found.failed(1, "boot: DeviceLost") is not None
    assert found.trouble(2) is not None  # not yet
    clock.now += 5.0
    assert found.trouble(2) is None
    assert found.trouble(1) is not None
    found.recovered(2)
    assert not found.alike
    assert found.trouble(1) is None
    assert found.failed(1, "boot: DeviceLost") is None


def test_what_the_host_lacks_comes_first(clock: Clock) -> None:
    lacking = ["no disk"]
    found = breaker(clock, lacking=lacking)
    assert found.trouble(0) == "no disk"
    lacking.clear()
    assert found.trouble(0) is None


def test_a_farm_outlives_what_its_devices_share() -> None:
    """Every boot fails for much longer than the restarts would last."""
    sick = threading.Event()
    backend = Phones(lambda index: DeviceLost("the adb server is gone") if sick.is_set() else None)
    limits = FarmLimits(
        boot_timeout_s=5, watch_every_s=0.01, probe_every_s=0.02, probe_timeout_s=1, first_retry_s=0.01,
        restarts=2, host_retry_s=0.02,
    )  # fmt: skip
    with Farm(backend, 4, limits) as farm:
        farm.wait_ready(5)
        sick.set()
        for phone in list(backend.booted):
            phone.running = False

        def all_wait() -> bool:
            return all("failed alike" in one.last_error for one in farm.status())

        assert wait_until(all_wait, 5)
        until = time.monotonic() + 0.3
        assert not wait_until(lambda: any(one.state is State.DEAD for one in farm.status()), until - time.monotonic())
        sick.clear()
        farm.wait_ready(5)
        assert [one.state for one in farm.status()] == [State.READY] * 4
        with farm.lease(5):
            pass


def test_without_a_cause_in_common_the_budget_holds() -> None:
    backend = Phones(lambda index: DeviceLost("gone") if index == 0 else None)
    with Farm(backend, 4, QUICK) as farm:
        assert wait_until(lambda: farm.status()[0].state is State.DEAD, 5)
        assert all(one.state is State.READY for one in farm.status()[1:])


def test_who_asks_first_is_served_first() -> None:
    served: list[int] = []
    with Farm(Phones(), 1, QUICK) as farm:
        farm.wait_ready(5)

        def ask(number: int) -> None:
            with farm.lease(5):
                served.append(number)

        threads = []
        with farm.lease(5):
            for number in range(8):
                threads.append(threading.Thread(target=ask, args=(number,)))
                threads[-1].start()
                assert wait_until(lambda number=number: farm.waiting() == number + 1, 5)  # type: ignore[misc]
        for thread in threads:
            thread.join(5)
    assert served == list(range(8))
