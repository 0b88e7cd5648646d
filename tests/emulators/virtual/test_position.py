from __future__ import annotations

import pytest

from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.position import PROPERTY, move, position
from tapwise.emulators.virtual.shell.session import PhoneShell


def out(shell: PhoneShell, command: str) -> str:
    return b"".join(shell.run(command).stdout).decode()


def test_a_phone_is_somewhere_and_is_moved() -> None:
    phone = VirtualPhone()
    assert position(phone) == (37.421998, -122.084, 5.0)
    move(phone, 52.52, 13.405)
    assert position(phone) == (52.52, 13.405, 0.0)
    kept = phone.snapshot()
    move(phone, -33.9, 18.4, 1085.6)
    assert position(phone) == (-33.9, 18.4, 1085.6)
    phone.restore(kept)
    assert position(phone) == (52.52, 13.405, 0.0)
    phone.set_property(PROPERTY, "somewhere")
    assert position(phone) == (37.421998, -122.084, 5.0)
    for wrong in ((90.1, 0.0), (0.0, -180.1), (float("nan"), 0.0)):
        with pytest.raises(ValueError, match="no place on earth"):
            move(phone, *wrong)


def test_appium_s_helper_moves_and_tells_it() -> None:
    phone = VirtualPhone()
    shell = PhoneShell(phone)
    service = "am start-foreground-service -e longitude {} -e latitude {} io.appium.settings/.LocationService"
    shell.run(service.format("13.405", "52.52"))
    shell.run(service.format("east", "north"))
    told = "am broadcast -n io.appium.settings/.receivers.LocationInfoReceiver -a io.appium.settings.location"
    assert 'result=-1, data="52.52 13.405 0.0"' in out(shell, told)
    assert out(shell, "logcat -d -v raw -s LocationTracker").count("\n") == 1
    shell.run(f"{told} --ez forceUpdate true")
    assert "successfully retrieved" in out(shell, "logcat -d -v raw -s LocationTracker")


def test_location_is_switched() -> None:
    shell = PhoneShell(VirtualPhone())
    assert out(shell, "cmd location is-location-enabled") == "true\n"
    shell.run("cmd location set-location-enabled false")
    assert out(shell, "cmd location is-location-enabled; settings get secure location_mode") == "false\n0\n"
    assert shell.run("cmd location fly").status == 255
