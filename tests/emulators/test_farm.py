"""The farm over a scripted backend: states, budgets, causes and who pays for a fault."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import cast

import pytest

from tapwise.emulators.backends.base import Remedy
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits, RestartBudget, State
from tapwise.emulators.screen_ways import ScreenChoice
from tapwise.errors import ConfigError, DeviceError, DeviceLost, DeviceTimeout, EnvError, FarmError
from tapwise.protocols import Device

QUICK = FarmLimits(
    boot_timeout_s=5, watch_every_s=0.01, probe_every_s=0.02, probe_timeout_s=1, first_retry_s=0.01, restarts=3
)


class Phone:
    """Both the booted device and the device: dies, hangs and heals when told."""

    def __init__(self, serial: str) -> None:
        self.serial = serial
        self.device = cast(Device, self)
        self.running = True
        self.hung = False
        self.renewable = True
        self.renewed = 0
        self.reboots = False
        self.rebooted = 0
        self.screen_choice: ScreenChoice | None = None

    def alive(self) -> bool:
        return self.running

    def probe(self, timeout_s: float) -> None:
        if self.hung:
            raise DeviceTimeout("no answer")

    @property
    def remedies(self) -> Sequence[Remedy]:
        reboot = (Remedy("reboot", self.reboot, boots=True),) if self.reboots else ()
        return Remedy("new connection", self.renew), *reboot

    def reboot(self, timeout_s: float) -> None:
        assert timeout_s == QUICK.boot_timeout_s
        self.rebooted += 1
        if not self.renewable:
            raise DeviceLost("gone")

    def renew(self, timeout_s: float) -> None:
        self.renewed += 1
        if not self.renewable:
            raise DeviceLost("gone")

    def shut_down(self) -> None:
        self.running = False


class Phones:
    name = "scripted"

    def __init__(self, fails: Callable[[int], Exception | None] = lambda index: None) -> None:
        self.fails = fails
        self.booted: list[Phone] = []
        self.permits = threading.Event()
        self.permits.set()

    def boot(self, index: int, timeout_s: float) -> Phone:
        self.permits.wait(timeout_s)
        error = self.fails(index)
        if error is not None:
            raise error
        phone = Phone(f"phone-{index}")
        self.booted.append(phone)
        return phone


@contextmanager
def farm_of(size: int, backend: Phones | None = None, limits: FarmLimits = QUICK) -> Iterator[tuple[Farm, Phones]]:
    backend = backend or Phones()
    with Farm(backend, size, limits) as farm:
        yield farm, backend
    assert not any(phone.running for phone in backend.booted)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.002)


def phone_of(device: Device) -> Phone:
    return cast(Phone, device)


def test_devices_boot_and_are_lent_one_at_a_time() -> None:
    with farm_of(2) as (farm, _):
        farm.wait_ready(5)
        with farm.lease(5, task="a") as one, farm.lease(5, task="b") as two:
            assert {one.serial, two.serial} == {"phone-0", "phone-1"}
            assert [(status.state, status.task is None) for status in farm.status()] == [(State.LEASED, False)] * 2
            with (
                pytest.raises(FarmError, match=r"no device became ready within 0.05 s:\n  phone-0 leased"),
                farm.lease(0.05),
            ):
                pass
        assert [(status.state, status.task) for status in farm.status()] == [(State.READY, None)] * 2


def test_the_status_says_what_a_lease_is_used_for_now() -> None:
    with farm_of(2) as (farm, _):
        farm.wait_ready(5)
        with farm.lease(5, task="a") as device, farm.lease(5, task="b"):
            farm.use_for(device, "c")
            assert {status.serial: status.task for status in farm.status()}[device.serial] == "c"
            assert sorted(str(status.task) for status in farm.status()) == ["b", "c"]


def test_the_device_that_rested_longest_is_next() -> None:
    with farm_of(3) as (farm, _):
        farm.wait_ready(5)
        served = []
        for _ in range(6):
            with farm.lease(5) as device:
                served.append(device.serial)
        assert served[:3] == served[3:]
        assert len(set(served)) == 3


def test_a_waiting_lessee_gets_the_device_that_comes_back() -> None:
    with farm_of(1) as (farm, _):
        got = threading.Event()

        def second() -> None:
            with farm.lease(5):
                got.set()

        with farm.lease(5):
            thread = threading.Thread(target=second)
            thread.start()
            assert not got.is_set()
        assert got.wait(5)
        thread.join(5)


def test_a_lease_that_ends_with_a_device_error_is_mended_by_a_new_connection_first() -> None:
    with farm_of(1) as (farm, backend):
        with pytest.raises(DeviceTimeout), farm.lease(5) as device:
            raise DeviceTimeout("slow")
        with farm.lease(5) as device:
            assert phone_of(device).renewed == 1
        (status,) = farm.status()
        assert (status.mended, dict(status.restarts), status.last_error) == ({"new connection": 1}, {}, "slow")
        assert len(backend.booted) == 1


def test_a_second_fault_in_a_row_is_a_restart_by_cause() -> None:
    with farm_of(1) as (farm, backend):
        for _ in range(2):
            with pytest.raises(DeviceTimeout), farm.lease(5):
                raise DeviceTimeout("slow")
        with farm.lease(5) as device:
            assert phone_of(device) is backend.booted[1]
        assert dict(farm.status()[0].restarts) == {"lease: DeviceTimeout": 1}


def test_a_connection_that_cannot_be_renewed_is_a_restart() -> None:
    with farm_of(1) as (farm, backend):
        farm.wait_ready(5)
        backend.booted[0].renewable = False
        with pytest.raises(DeviceLost), farm.lease(5):
            raise DeviceLost("gone")
        with farm.lease(5) as device:
            assert phone_of(device) is backend.booted[1]
        assert dict(farm.status()[0].restarts) == {"lease: DeviceLost": 1}


def test_the_device_is_seen_to_when_its_fault_is_another_errors_cause_or_is_reported() -> None:
    with farm_of(1) as (farm, _):
        with pytest.raises(EnvError), farm.lease(5) as device:
            raise EnvError("set-up failed") from DeviceError("no answer")
        with farm.lease(5) as device:
            assert phone_of(device).renewed == 1
        with farm.lease(5) as device:
            farm.report(device, DeviceError("torn"))
        with farm.lease(5) as device:
            assert phone_of(device).renewed == 2


def test_other_errors_leave_the_device_well() -> None:
    with farm_of(1) as (farm, backend):
        with pytest.raises(ValueError, match="ours"), farm.lease(5):
            raise ValueError("ours")
        assert farm.status()[0].state is State.READY
        assert backend.booted[0].renewed == 0


def test_a_phone_that_dies_costs_only_its_own_lease() -> None:
    with farm_of(3) as (farm, backend):
        farm.wait_ready(5)
        lost: list[str] = []
        with farm.lease(5) as kept:

            def use() -> None:
                with farm.lease(5) as device:
                    phone_of(device).running = False
                    lost.append(device.serial)
                    eventually(lambda: len(backend.booted) == 4)
                    raise DeviceLost("gone")

            with pytest.raises(DeviceLost):
                use()
            farm.wait_ready(5)
            assert phone_of(kept).running
            assert phone_of(kept).renewed == 0
        restarts = {status.serial: dict(status.restarts) for status in farm.status()}
        assert restarts.pop(lost[0]) == {"process ended": 1}
        assert set(map(bool, restarts.values())) == {False}
        assert [status.state for status in farm.status()] == [State.READY] * 3


def test_a_dead_phone_is_never_lent() -> None:
    with farm_of(1, limits=FarmLimits(watch_every_s=0.05)) as (farm, backend):
        farm.wait_ready(5)
        backend.booted[0].running = False
        with farm.lease(5) as device:
            assert phone_of(device) is backend.booted[1]


def test_a_hung_phone_is_found_by_a_probe_even_while_leased() -> None:
    with farm_of(1) as (farm, backend):
        with farm.lease(5) as device:
            phone_of(device).hung = True
            eventually(lambda: not phone_of(device).running)
        with farm.lease(5) as device:
            assert phone_of(device) is backend.booted[1]
        assert dict(farm.status()[0].restarts) == {"probe: DeviceTimeout": 1}


def test_a_failed_boot_is_quarantined_and_tried_again() -> None:
    failures = iter([DeviceError("no memory"), DeviceTimeout("slow boot")])
    backend = Phones(lambda index: next(failures, None))
    with farm_of(1, backend) as (farm, _):
        farm.wait_ready(5)
        (status,) = farm.status()
        assert dict(status.restarts) == {"boot: DeviceError": 1, "boot: DeviceTimeout": 1}


def test_a_farm_whose_every_device_is_out_of_budget_says_why() -> None:
    with farm_of(2, Phones(lambda index: DeviceError("port in use"))) as (farm, _):
        causes = r"every device of the farm is dead:(\n.*boot: DeviceError x4.*port in use){2}"
        with pytest.raises(FarmError, match=causes), farm.lease(5):
            pass
        with pytest.raises(FarmError, match="0 of 2 devices are up"):
            farm.wait_ready(5)
        assert {status.state for status in farm.status()} == {State.DEAD}


def test_one_device_out_of_budget_leaves_the_others_at_work() -> None:
    backend = Phones(lambda index: DeviceError("broken") if index == 0 else None)
    with farm_of(2, backend) as (farm, _):
        eventually(lambda: farm.status()[0].state is State.DEAD)
        with farm.lease(5) as device:
            assert device.serial == "phone-1"
        farm.wait_ready(5, count=1)


def test_a_wrong_option_is_not_tried_again() -> None:
    boots = []

    def fails(index: int) -> Exception:
        boots.append(index)
        return ConfigError("adb is missing")

    with farm_of(1, Phones(fails)) as (farm, _):
        with pytest.raises(FarmError, match="ConfigError: adb is missing"), farm.lease(5):
            pass
        assert boots == [0]


def test_a_sick_host_costs_no_device_its_restarts() -> None:
    trouble: list[str | None] = ["the host's disk has 3 MiB free"]
    backend = Phones()
    limits = replace(QUICK, restarts=0, host_retry_s=0.01)
    with Farm(backend, 2, limits, lambda: trouble[0]) as farm:
        eventually(lambda: [one.state for one in farm.status()] == [State.QUARANTINED] * 2)
        with pytest.raises(FarmError, match="disk has 3 MiB"):
            farm.wait_ready(0.1)
        assert backend.booted == []
        trouble[0] = None
        farm.wait_ready(5)
        assert [dict(one.restarts) for one in farm.status()] == [{}, {}]


def test_a_sick_host_does_not_hold_up_the_end() -> None:
    began = time.monotonic()
    with Farm(Phones(), 1, replace(QUICK, host_retry_s=60), lambda: "no memory") as farm:
        eventually(lambda: farm.status()[0].state is State.QUARANTINED)
    assert time.monotonic() - began < 10


def test_closing_frees_those_who_wait() -> None:
    backend = Phones()
    backend.permits.clear()
    farm = Farm(backend, 1, QUICK)
    caught: list[FarmError] = []

    def wait() -> None:
        try:
            with farm.lease(5):
                pass
        except FarmError as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    closer = threading.Thread(target=farm.close)
    closer.start()
    thread.join(2)
    assert "closed" in str(caught[0])
    backend.permits.set()
    closer.join(5)
    assert not any(phone.running for phone in backend.booted)
    farm.close()


def test_options_are_checked() -> None:
    with pytest.raises(ConfigError, match="give 1 or more"):
        Farm(Phones(), 0)
    with pytest.raises(ConfigError, match="probe_every_s = 0"):
        FarmLimits(probe_every_s=0)


def test_the_budget_is_a_sliding_window() -> None:
    budget = RestartBudget(2, 10.0)
    assert [budget.spend(at) for at in (0.0, 1.0, 2.0, 10.5, 10.6, 11.5)] == [True, True, False, True, False, True]


def test_faults_in_a_row_climb_the_phones_remedies_and_end_in_a_new_boot() -> None:
    with farm_of(1) as (farm, backend):
        farm.wait_ready(5)
        backend.booted[0].reboots = True

        def fail() -> None:
            with pytest.raises(DeviceTimeout), farm.lease(5):
                raise DeviceTimeout("slow")
            eventually(lambda: farm.status()[0].state is State.READY)

        for mended in ({"new connection": 1}, {"new connection": 1, "reboot": 1}):
            fail()
            assert farm.status()[0].mended == mended
        assert (backend.booted[0].renewed, backend.booted[0].rebooted) == (1, 1)
        fail()
        assert dict(farm.status()[0].restarts) == {"lease: DeviceTimeout": 1}
        assert len(backend.booted) == 2


def test_a_remedy_that_does_not_help_makes_room_for_the_next() -> None:
    with farm_of(1) as (farm, backend):
        farm.wait_ready(5)
        phone = backend.booted[0]
        phone.reboots, phone.renewable = True, False
        with pytest.raises(DeviceTimeout), farm.lease(5):
            raise DeviceTimeout("slow")
        eventually(lambda: len(backend.booted) == 2)
        assert (phone.renewed, phone.rebooted) == (1, 1)
