"""The whole life of emulators, with our launcher in the place of Google's: the backend does not know the difference."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tapwise.emulators.backends.avd import AvdBackend, AvdSettings
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits
from tapwise.emulators.processes import ProcessRegistry, wait_until
from tapwise.emulators.virtual.emulator.program import install
from tapwise.errors import ConfigError, DeviceError, FarmError

LIMITS = FarmLimits(boot_timeout_s=20, probe_every_s=0.5, probe_timeout_s=1.0, watch_every_s=0.05, first_retry_s=0.05)
FIRST_PORT = 21654 + 40 * (os.getpid() % 200)


class Host:
    """A home with AVDs, and the program."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.program = str(install(folder / "bin"))
        self.registry = ProcessRegistry(folder / "processes")
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("ANDROID_")},
            "HOME": str(self.home),
            "ANDROID_ADB_SERVER_PORT": "1",  # no adb server is told of these phones
        }

    def avd(self, name: str, **config: str) -> None:
        folder = self.home / ".android/avd" / f"{name}.avd"
        folder.mkdir(parents=True)
        (folder.parent / f"{name}.ini").write_text(f"path={folder}\n")
        lines = {"hw.lcd.width": "270", "hw.lcd.height": "600", "hw.lcd.density": "105", **config}
        (folder / "config.ini").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))

    def backend(self, avd: str = "small", **settings: object) -> AvdBackend:
        chosen = AvdSettings(avd, self.program, first_port=FIRST_PORT, **settings)  # type: ignore[arg-type]
        return AvdBackend(chosen, environment=self.environment, registry=self.registry)

    def processes(self) -> list[Path]:
        return list((self.home.parent / "processes").glob("*.json"))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    found = Host(tmp_path)
    found.avd("small")
    yield found
    assert found.processes() == []


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def test_phones_of_one_avd_are_booted_leased_and_ended(host: Host) -> None:
    with Farm(host.backend(), 3, LIMITS) as farm:
        farm.wait_ready(60)
        serials = {status.serial for status in farm.status()}
        assert len(serials) == 3
        with farm.lease(10) as device:
            assert device.screenshot().shape == (600, 270, 3)
            device.tap(100, 300)
        ports = [int(serial.rpartition(":")[2]) for serial in serials]
    assert all(is_free(port) and is_free(port - 1) for port in ports)


def test_snapshots_are_proved_to_have_loaded(host: Host) -> None:
    phone = host.backend().boot(0, 20)
    try:
        device = phone.device
        device.save_snapshot("one")
        device.shell("settings put global wifi_on 0")
        device.load_snapshot("one")
        assert device.shell("settings get global wifi_on") == "1\n"
        with pytest.raises(DeviceError, match="does not have the requested snapshot"):
            device.load_snapshot("nothing")
    finally:
        phone.shut_down()


def test_another_state_than_the_one_asked_for_is_found_out(host: Host) -> None:
    host.avd("wrong", **{"tapwise.faults": "snapshot:on=load,mode=wrong"})
    phone = host.backend("wrong").boot(0, 20)
    try:
        phone.device.save_snapshot("one")
        with pytest.raises(DeviceError, match="did not load: its mark is missing"):
            phone.device.load_snapshot("one")
    finally:
        phone.shut_down()


def test_a_boot_from_a_snapshot_must_load_it(host: Host) -> None:
    phone = host.backend(read_only=False).boot(0, 20)
    phone.device.shell("settings put global wifi_on 0")
    phone.device.save_snapshot("ready")
    phone.shut_down()
    again = host.backend(snapshot="ready").boot(0, 20)
    assert again.device.shell("settings get global wifi_on") == "0\n"
    again.shut_down()
    with pytest.raises(DeviceError, match="booted without its snapshot 'none'"):
        host.backend(snapshot="none").boot(0, 20)


def test_a_killed_emulator_is_booted_anew(host: Host) -> None:
    with Farm(host.backend(), 1, LIMITS) as farm:
        farm.wait_ready(30)
        (record,) = host.processes()
        os.killpg(int(record.stem), signal.SIGKILL)
        assert wait_until(lambda: bool(farm.status()[0].restarts), 20)
        farm.wait_ready(30)
        with farm.lease(10) as device:
            assert device.shell("getprop sys.boot_completed") == "1\n"


def test_one_that_crashes_is_replaced_and_costs_its_own_lease(host: Host) -> None:
    host.avd("fragile", **{"tapwise.faults": "crash:on=broken_command"})
    with Farm(host.backend("fragile"), 2, LIMITS) as farm:
        farm.wait_ready(30)
        with pytest.raises(DeviceError), farm.lease(10) as device:
            device.shell("broken_command")
        farm.wait_ready(30)
        assert sum(sum(status.restarts.values()) for status in farm.status()) == 1


def test_a_boot_without_end_is_given_up_in_time(host: Host) -> None:
    host.avd("endless", **{"tapwise.faults": "boot"})
    with pytest.raises(DeviceError, match="did not boot in time"):
        host.backend("endless").boot(0, 2)


def test_wrong_calls_are_not_tried_again(host: Host) -> None:
    with pytest.raises(ConfigError, match="Unknown AVD name"):
        host.backend("nowhere").boot(0, 10)
    with pytest.raises(ConfigError, match="unknown option: -frobnicate"):
        host.backend(options=("-frobnicate",)).boot(0, 10)
    with Farm(host.backend("nowhere"), 1, LIMITS) as farm, pytest.raises(FarmError, match="Unknown AVD name"):
        farm.wait_ready(20)


def test_an_avd_that_is_not_shared_boots_once(host: Host) -> None:
    first = host.backend(read_only=False).boot(0, 20)
    with pytest.raises(DeviceError, match="same AVD"):
        host.backend(read_only=False).boot(1, 10)
    first.shut_down()


def test_a_taken_port_is_passed_over(host: Host) -> None:
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", FIRST_PORT + 1))
        taken.listen()
        phone = host.backend().boot(0, 20)
        assert phone.device.serial != f"127.0.0.1:{FIRST_PORT + 1}"
        phone.shut_down()


def test_what_a_killed_owner_left_is_ended_by_the_next(host: Host, tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tapwise.emulators.backends.avd import AvdBackend, AvdSettings\n"
        "from tapwise.emulators.processes import ProcessRegistry\n"
        f"settings = AvdSettings('small', {host.program!r}, first_port={FIRST_PORT})\n"
        f"backend = AvdBackend(settings, registry=ProcessRegistry(Path({str(tmp_path / 'processes')!r})))\n"
        "phone = backend.boot(0, 20)\n"
        "print(phone.device.serial, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=host.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as owner:
        assert owner.stdout is not None
        port = int(owner.stdout.readline().rpartition(":")[2])
        owner.kill()
    assert not is_free(port)
    host.backend()
    assert wait_until(lambda: is_free(port), 10)
