from __future__ import annotations

import numpy as np
import pytest

from tapwise.emulators.backends.in_process import InProcessBackend, InProcessDevice
from tapwise.emulators.farm import Farm
from tapwise.errors import CommandFailed, DeviceError, DeviceLost
from tapwise.protocols import Device
from tapwise.records import Size

SMALL = Size(640, 320)


@pytest.fixture
def device() -> InProcessDevice:
    return InProcessBackend(SMALL, seed=1).boot(0, 1).device


def test_it_is_a_device(device: InProcessDevice) -> None:
    assert isinstance(device, Device)
    assert device.size() == SMALL
    assert device.screenshot().shape == (640, 320, 3)
    assert device.serial == "in-process-0"


def test_the_picture_follows_the_apps(device: InProcessDevice) -> None:
    before, counter = device.screenshot(), device.frame_counter()
    device.open_app("settings")
    assert device.foreground().startswith("com.android.settings/")
    assert not np.array_equal(device.screenshot(), before)
    assert device.frame_counter() != counter
    device.press("KEYCODE_HOME")
    assert np.array_equal(device.screenshot(), before)


def test_what_the_tree_shows_can_be_touched(device: InProcessDevice) -> None:
    device.open_app("Settings")
    shown = device.ui_tree()
    row = next(node for node in shown.walk() if node.clickable and node.label)
    x, y = row.centre
    device.tap(int(x), int(y))
    assert device.ui_tree() != shown


def test_apps_start_by_package_too_and_unknown_ones_are_named(device: InProcessDevice) -> None:
    device.open_app("com.android.settings")
    assert device.foreground().startswith("com.android.settings/")
    with pytest.raises(DeviceError, match="'Nothing' is not installed"):
        device.open_app("Nothing")


def test_its_shell_is_the_phones(device: InProcessDevice) -> None:
    device.shell("settings put system screen_brightness 7")
    assert device.shell("settings get system screen_brightness") == "7\n"
    assert device.phone.settings.get("system", "screen_brightness") == "7"
    with pytest.raises(CommandFailed, match="status 3"):
        device.shell("exit 3")


def test_text_that_adb_could_not_type_is_refused_here_too(device: InProcessDevice) -> None:
    device.type_text("lost without a focused field\n")
    with pytest.raises(DeviceError, match="control characters"):
        device.type_text("\x07")


def test_snapshots(device: InProcessDevice) -> None:
    device.save_snapshot("clean")
    device.shell("settings put system screen_brightness 7")
    device.load_snapshot("clean")
    assert device.shell("settings get system screen_brightness") != "7\n"
    with pytest.raises(DeviceError, match="keeps none so named"):
        device.load_snapshot("other")


def test_seeds_make_worlds_and_worlds_repeat() -> None:
    first, second = (InProcessBackend(SMALL, seed=5).boot(index, 1).device for index in (1, 1))
    assert first.phone.state_hash() == second.phone.state_hash()
    assert first.phone.state_hash() != InProcessBackend(SMALL, seed=5).boot(2, 1).device.phone.state_hash()


def test_in_a_farm_they_are_lent_and_shut_down() -> None:
    with Farm(InProcessBackend(SMALL), 2) as farm, farm.lease(5) as device:
        assert device.screenshot().shape == (640, 320, 3)
        kept = device
    with pytest.raises(DeviceLost, match="was shut down"):
        kept.screenshot()
