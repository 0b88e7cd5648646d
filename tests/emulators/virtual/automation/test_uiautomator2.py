"""The real uiautomator2 against the virtual phone, through the real adb."""

from __future__ import annotations

import gc
import io
from collections.abc import Iterator
from typing import Any

import adbutils
import numpy as np
import pytest
from PIL import Image

from tests.emulators.virtual.wire.conftest import RunningPhones, adb, phones, serial  # noqa: F401 fixtures

uiautomator2 = pytest.importorskip("uiautomator2", exc_type=ImportError)

SETTINGS = "com.android.settings"
pytestmark = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning",  # adbutils leaves sockets to the collector
    "ignore::pytest.PytestUnhandledThreadExceptionWarning",
)


@pytest.fixture(scope="module")
def device(adb: Any, serial: str) -> Iterator[Any]:  # noqa: F811
    found = adbutils.AdbClient("127.0.0.1", adb.port).device(serial)
    driver = uiautomator2.connect(found)
    yield driver
    driver.stop_uiautomator()
    del driver
    gc.collect()


@pytest.fixture
def phone(phones: RunningPhones) -> Any:  # noqa: F811
    return phones.phones[0]


def test_what_it_tells_of_the_phone(device: Any, phone: Any) -> None:
    info = device.info
    assert (info["displayWidth"], info["displayHeight"], info["sdkInt"]) == (540, 1200, 33)
    assert device.window_size() == (540, 1200)
    assert "<hierarchy" in device.dump_hierarchy()
    picture = np.asarray(device.screenshot())
    assert np.abs(picture.astype(int) - phone.frame()).mean() < 6  # JPEG


def test_apps_are_started_listed_and_stopped(device: Any) -> None:
    device.app_start(SETTINGS)
    assert device.app_current()["package"] == SETTINGS
    assert SETTINGS in device.app_list()
    device.app_stop(SETTINGS)
    assert device.app_current()["package"] != SETTINGS
    device.app_start(SETTINGS, ".Settings", stop=True)
    assert device.app_wait(SETTINGS, timeout=5)


def test_nodes_are_found_clicked_and_waited_for(device: Any, phone: Any) -> None:
    device.app_start(SETTINGS, stop=True)
    assert device(text="Network").exists
    assert not device(text="Nowhere").exists
    device(text="Network").click()
    assert device(text="Wifi").wait(timeout=3)
    assert device(text="Network").info["packageName"] == SETTINGS
    before = phone.settings.get("global", "wifi_on")
    device(text="Wifi").click()
    assert phone.settings.get("global", "wifi_on") != before
    device.press("back")
    assert device.xpath('//*[@text="Network"]').exists
    with pytest.raises(uiautomator2.UiObjectNotFoundError):
        device(text="Nowhere").click(timeout=0)


def test_text_is_typed_with_its_keyboard_and_into_a_field(device: Any) -> None:
    device.app_start("com.google.android.keep", stop=True)
    device(description="Add").click()
    title = device(className="android.widget.EditText", instance=0)
    title.click()
    device.send_keys("Café plans")
    assert title.get_text() == "Café plans"
    title.set_text("Other")
    assert title.get_text() == "Other"
    title.clear_text()
    assert "Other" not in device.dump_hierarchy()


def test_gestures_shell_and_clipboard(device: Any, phone: Any) -> None:
    device.press("home")
    device.swipe(270, 900, 270, 300)
    device.click(0.5, 0.5)
    device.long_click(270, 600, 0.6)
    device.press("home")
    assert device.shell("echo $((6 * 7))").output == "42\n"
    assert device.shell("(exit 3)").exit_code == 3
    device.set_clipboard("kept")
    assert device.clipboard == "kept"
    insert = "content insert --uri content://com.google.android.keep/notes --bind body:s:x --bind pinned:i:0"
    device.shell(f"for n in $(seq 20); do {insert} --bind title:s:Note$n; done")
    device.app_start("com.google.android.keep", stop=True)
    assert not device(text="Note1").exists
    assert device(scrollable=True).scroll.to(text="Note1")
    assert device(text="Note1").exists
    assert device(scrollable=True).scroll.toBeginning()
    assert phone.entry.scroll == 0


def test_children_are_found_by_what_they_hold(device: Any) -> None:
    device.app_start(SETTINGS, stop=True)
    frame = device(className="android.widget.FrameLayout", instance=0)
    assert frame.child_by_text("Network", className="android.widget.TextView").get_text() == "Network"
    assert frame.child_by_instance(1, className="android.widget.TextView").exists
    with pytest.raises(uiautomator2.exceptions.UiObjectNotFoundError):
        frame.child_by_text("Nowhere", className="android.widget.TextView")


def test_a_dump_is_as_deep_as_asked(device: Any) -> None:
    assert device.dump_hierarchy(max_depth=1).count("<node") == 1
    assert device.dump_hierarchy(max_depth=2).count("<node") > 1


def test_what_cannot_be_done_is_told(device: Any) -> None:
    with pytest.raises(uiautomator2.exceptions.RPCUnknownError, match="no regular expression"):
        device(textMatches="(").count  # noqa: B018
    with pytest.raises(uiautomator2.exceptions.RPCUnknownError, match="150% of the way"):
        device(className="android.widget.FrameLayout").pinch_in(percent=150)


def test_two_fingers_zoom_a_picture(device: Any) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (200, 30, 30)).save(buffer, "PNG")
    device.shell("mkdir -p /sdcard/Pictures")
    device.push(io.BytesIO(buffer.getvalue()), "/sdcard/Pictures/red.png")
    device.shell("am start -n com.simplemobiletools.gallery.pro/.activities.MainActivity")
    device(text="red.png").click()
    picture = device(className="android.widget.ImageView")
    picture.pinch_out(percent=50)
    assert picture.info["contentDescription"] == "Zoomed to 200%"
    picture.gesture((200, 300), (300, 300), (150, 300), (350, 300))
    assert picture.info["contentDescription"] == "Zoomed to 400%"
    picture.pinch_in(percent=90)
    assert picture.info["contentDescription"] == ""
    with pytest.raises(uiautomator2.exceptions.UiObjectNotFoundError):
        device(text="Nowhere").pinch_out()


def test_shade_and_turned_display(device: Any) -> None:
    device.open_notification()
    assert device(text="No notifications").exists
    device.open_quick_settings()
    assert device(text="Airplane mode").exists
    device.press("home")
    device.set_orientation("left")
    try:
        assert device.orientation == "left"
        assert device.screenshot().size == (1200, 540)
        assert device.window_size() == (1200, 540)
    finally:
        device.set_orientation("natural")
    assert device.orientation == "natural"
