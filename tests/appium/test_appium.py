"""The real Appium server and its UiAutomator2 driver against the virtual phone, driven by Appium-Python-Client.

Needs the npm packages that `make test-appium` installs; the folder is named by TAPWISE_APPIUM.
"""

from __future__ import annotations

import base64
import contextlib
import io
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.emulators.backends.appium import AppiumBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits
from tapwise.errors import CommandFailed, DeviceError
from tapwise.protocols import Device
from tapwise.records import Size
from tests.emulators.virtual.emulator.conftest import (
    BUNDLED,
    PROGRAM,
    Emulator,
    Host,
    console_port,
    free_ports,
    listens,
    wait_for,
)

pytestmark = [
    pytest.mark.appium,
    pytest.mark.timeout(240),
    pytest.mark.filterwarnings("ignore"),  # the client's own
]
SETTINGS = "com.android.settings"
NOTES = "com.google.android.keep"
GALLERY = "com.simplemobiletools.gallery.pro"


@dataclass
class Running:
    """A session with a phone, and the means to see the phone itself."""

    driver: Any
    host: Host
    emulator: Emulator
    url: str
    adb_port: int
    system_port: int

    def shell(self, command: str) -> str:
        return self.host.call("-s", self.emulator.serial, "shell", command).stdout


def end(process: subprocess.Popen[Any]) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(20)


@pytest.fixture(scope="module")
def packages() -> Path:
    folder = Path(os.environ.get("TAPWISE_APPIUM", ".appium")).resolve()
    if not (folder / "node_modules" / ".bin" / "appium").exists():
        pytest.fail(f"{folder} has no Appium: make test-appium installs it")
    return folder


@pytest.fixture(scope="module")
def running(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    webdriver = pytest.importorskip("appium.webdriver")
    options = pytest.importorskip("appium.options.android").UiAutomator2Options()
    home = tmp_path_factory.mktemp("home")
    server_port, appium_port, system_port = free_ports(3)
    tools = home / "sdk" / "platform-tools"
    tools.mkdir(parents=True)
    (tools / "adb").symlink_to(BUNDLED)
    java = shutil.which("java")
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("ANDROID_", "ADB_"))},
        "HOME": str(home),
        "ANDROID_HOME": str(home / "sdk"),
        "ANDROID_ADB_SERVER_PORT": str(server_port),
        "ADB_MDNS": "0",
        **({"JAVA_HOME": str(Path(java).resolve().parents[1])} if java else {}),
    }
    host = Host(home, BUNDLED, server_port, environment)
    log = (home / "log").open("wb")
    started = [
        subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder,
                         start_new_session=True)
        for command, folder in (
            ([str(BUNDLED), "-P", str(server_port), "nodaemon", "server"], home),
            ([str(packages / "node_modules/.bin/appium"), "-p", str(appium_port), "--address", "127.0.0.1",
              "--allow-insecure", "uiautomator2:adb_shell"], packages),
        )
    ]  # fmt: skip
    port = console_port()
    process = host.emulate("-avd", "tapwise", "-port", str(port), "-no-snapshot", "-skin", "540x1200", "-dpi-device",
                           "210")  # fmt: skip
    emulator = Emulator(process, port)
    try:
        wait_for(lambda: f"{emulator.serial}\tdevice" in host.call("devices").stdout, "adb lists the phone")
        wait_for(lambda: listens(appium_port), "Appium listens", 60)
        options.udid = emulator.serial
        options.set_capability("appium:adbPort", server_port)
        options.set_capability("appium:systemPort", system_port)
        began = time.monotonic()
        driver = webdriver.Remote(f"http://127.0.0.1:{appium_port}", options=options)
        print(f"session in {time.monotonic() - began:.2f} s")
        yield Running(driver, host, emulator, f"http://127.0.0.1:{appium_port}", server_port, system_port)
        with contextlib.suppress(Exception):  # the last test ends it
            driver.quit()
    except BaseException:
        print((home / "log").read_text(errors="replace")[-6000:])
        raise
    finally:
        emulator.end(signal.SIGKILL)
        assert process.stdout is not None
        process.stdout.close()
        for one in started:
            end(one)
        log.close()
        assert PROGRAM


def by(kind: str) -> str:
    from appium.webdriver.common.appiumby import AppiumBy

    return str(getattr(AppiumBy, kind))


def test_apps_are_started_and_told(running: Running) -> None:
    driver = running.driver
    driver.activate_app(SETTINGS)
    assert driver.current_package == SETTINGS
    assert driver.get_window_size() == {"width": 540, "height": 1200}
    assert Image.open(io.BytesIO(driver.get_screenshot_as_png())).size == (540, 1200)
    assert "android.widget.TextView" in driver.page_source
    driver.terminate_app(SETTINGS)
    assert driver.current_package != SETTINGS


@pytest.mark.parametrize(
    ("kind", "selector"),
    [
        ("XPATH", '//*[@text="Network"]'),
        ("ANDROID_UIAUTOMATOR", 'new UiSelector().text("Network")'),
        ("ANDROID_UIAUTOMATOR", 'new UiScrollable(new UiSelector().scrollable(true)).scrollIntoView('
                                'new UiSelector().textContains("etwor"))'),
    ],
)  # fmt: skip
def test_elements_are_found_and_clicked(running: Running, kind: str, selector: str) -> None:
    driver = running.driver
    driver.activate_app(SETTINGS)
    element = driver.find_element(by(kind), selector)
    assert (element.text, element.is_displayed(), element.is_enabled()) == ("Network", True, True)
    assert element.rect["width"] > 0
    element.click()
    switch = driver.find_elements(by("CLASS_NAME"), "android.widget.Switch")
    assert switch
    before = running.shell("settings get global wifi_on")
    driver.find_element(by("XPATH"), '//*[@text="Wifi"]').click()
    assert running.shell("settings get global wifi_on") != before
    driver.back()
    driver.back()


def test_what_is_not_there_is_not_found(running: Running) -> None:
    from selenium.common.exceptions import InvalidSelectorException, NoSuchElementException

    with pytest.raises(NoSuchElementException):
        running.driver.find_element(by("ACCESSIBILITY_ID"), "Nowhere")
    with pytest.raises(InvalidSelectorException):
        running.driver.find_element(by("XPATH"), "//*[")
    assert running.driver.find_elements(by("ID"), "nothing") == []


def test_text_is_typed_replaced_and_saved(running: Running) -> None:
    driver = running.driver
    driver.activate_app(NOTES)
    driver.find_element(by("ACCESSIBILITY_ID"), "Add").click()
    fields = driver.find_elements(by("CLASS_NAME"), "android.widget.EditText")
    fields[0].click()
    fields[0].send_keys("Appium note")
    assert driver.switch_to.active_element.text == "Appium note"
    fields[0].clear()
    fields[0].send_keys("Second note")
    driver.find_element(by("ACCESSIBILITY_ID"), "Save").click()
    assert "Second note" in running.shell("content query --uri content://com.google.android.keep/notes")


def test_gestures_keys_and_the_clipboard(running: Running) -> None:
    driver = running.driver
    driver.press_keycode(3)
    driver.swipe(270, 900, 270, 300, 300)
    driver.tap([(270, 600)])
    driver.set_clipboard_text("kept")
    assert driver.get_clipboard_text() == "kept"
    driver.execute_script("mobile: clickGesture", {"x": 270, "y": 600})
    driver.execute_script("mobile: swipeGesture", {
        "left": 100, "top": 300, "width": 300, "height": 500, "direction": "up", "percent": 0.75})  # fmt: skip
    driver.press_keycode(3)
    assert driver.orientation == "PORTRAIT"


def test_any_text_is_typed_and_the_keyboard_is_hidden(running: Running) -> None:
    driver = running.driver
    driver.terminate_app(NOTES)
    driver.activate_app(NOTES)
    driver.find_element(by("ACCESSIBILITY_ID"), "Add").click()
    field = driver.find_element(by("CLASS_NAME"), "android.widget.EditText")
    field.click()
    driver.execute_script("mobile: type", {"text": "世界 & co"})
    assert field.text == "世界 & co"
    assert driver.switch_to.active_element.id == field.id
    assert driver.is_keyboard_shown()
    driver.hide_keyboard()
    assert not driver.is_keyboard_shown()
    assert driver.contexts == ["NATIVE_APP"]


def test_two_fingers_zoom_a_picture(running: Running) -> None:
    from selenium.webdriver.common.actions import interaction
    from selenium.webdriver.common.actions.action_builder import ActionBuilder
    from selenium.webdriver.common.actions.pointer_input import PointerInput

    driver = running.driver
    buffer = io.BytesIO()
    Image.new("RGB", (400, 400), (200, 30, 30)).save(buffer, "PNG")
    driver.push_file("/sdcard/Download/red.png", base64.b64encode(buffer.getvalue()).decode())
    driver.activate_app(GALLERY)
    driver.find_element(by("XPATH"), '//*[@text="red.png"]').click()
    picture = driver.find_element(by("CLASS_NAME"), "android.widget.ImageView")

    def zoom() -> str:
        return str(picture.get_attribute("content-desc"))

    driver.execute_script("mobile: pinchOpenGesture", {"elementId": picture.id, "percent": 0.5})
    assert zoom() == "Zoomed to 200%"
    place = picture.rect
    area = {"left": place["x"], "top": place["y"], "width": place["width"], "height": place["height"]}
    driver.execute_script("mobile: pinchOpenGesture", {**area, "percent": 0.5, "speed": 4000})
    assert zoom() == "Zoomed to 400%"
    first = PointerInput(interaction.POINTER_TOUCH, "first")
    actions = ActionBuilder(driver, mouse=first)
    second = actions.add_pointer_input(interaction.POINTER_TOUCH, "second")
    middle = picture.rect["y"] + picture.rect["height"] // 2
    for finger, start, end in ((first, 70, 170), (second, 470, 370)):
        finger.create_pointer_move(0, start, middle, "viewport")
        finger.create_pointer_down(button=0)
        finger.create_pointer_move(300, end, middle, "viewport")
        finger.create_pointer_up(0)
    actions.perform()
    assert zoom() == "Zoomed to 200%"
    driver.execute_script("mobile: pinchCloseGesture", {"elementId": picture.id, "percent": 0.9})
    assert zoom() == "null"  # as the driver writes what is not there
    driver.back()
    driver.back()


def test_windows_and_displays_are_listed(running: Running) -> None:
    driver = running.driver
    driver.activate_app(SETTINGS)
    windows = driver.execute_script("mobile: listWindows", {"filters": {"displayId": 0}, "skipScreenshots": True})
    assert [window["packageName"] for window in windows] == ["com.android.systemui", SETTINGS]
    (own,) = driver.execute_script("mobile: listWindows", {"filters": {"packageName": "com.android.set*"}})
    assert own["rect"] == {"left": 0, "top": 0, "right": 540, "bottom": 1200}
    (display,) = driver.execute_script("mobile: listDisplays", {})
    assert (display["metrics"]["widthPixels"], display["metrics"]["densityDpi"]) == (540, 210)


def test_the_phone_is_moved_and_tells_where_it_is(running: Running) -> None:
    driver = running.driver
    driver.set_location(52.52, 13.405, 34)
    assert driver.location == {"latitude": 52.52, "longitude": 13.405, "altitude": 34.0}
    driver.execute_script("mobile: setGeolocation", {"latitude": -33.9, "longitude": 18.4})
    found = driver.execute_script("mobile: getGeolocation", {})
    assert (found["latitude"], found["longitude"]) == (-33.9, 18.4)
    driver.execute_script("mobile: refreshGpsCache", {"timeoutMs": 5000})
    enabled = driver.execute_script("mobile: isGpsEnabled", {})
    driver.toggle_location_services()
    assert driver.execute_script("mobile: isGpsEnabled", {}) is not enabled
    driver.toggle_location_services()
    assert running.host.call("-s", running.emulator.serial, "emu", "avd", "name").stdout.startswith("tapwise")


def test_calls_are_quick(running: Running) -> None:
    driver = running.driver
    driver.activate_app(SETTINGS)
    for name, call in (
        ("find", lambda: driver.find_element(by("XPATH"), '//*[@text="Network"]')),
        ("source", lambda: driver.page_source),
        ("screenshot", lambda: driver.get_screenshot_as_png()),
        ("tap", lambda: driver.tap([(270, 1190)])),
    ):
        times = []
        for _ in range(5):
            began = time.monotonic()
            call()
            times.append(time.monotonic() - began)
        print(f"{name} {1e3 * sorted(times)[2]:.0f} ms")
        assert sorted(times)[2] < 2


def test_the_documented_loop_runs(running: Running) -> None:
    """The code of the page about the phone, with the ports of this test. From here on the fixture's session is gone,
    since a phone has one at a time."""
    running.driver.quit()
    page = (Path(__file__).parents[2] / "docs" / "virtual_phone.md").read_text(encoding="utf-8")
    code = page.partition("### A loop in DigiRL's style")[2].partition("```py\n")[2].partition("```")[0]
    ports = {"appium:adbPort": running.adb_port, "appium:systemPort": running.system_port}
    for theirs, ours in (
        ('"emulator-5570"', repr(running.emulator.serial)),
        ('"http://127.0.0.1:6652"', repr(running.url)),
        ("options.new_command_timeout", f"options.load_capabilities({ports})\noptions.new_command_timeout"),
    ):
        assert theirs in code
        code = code.replace(theirs, ours)
    names: dict[str, Any] = {}
    exec(code, names)
    assert names["screen"].size == (540, 1200)
    assert "brightbuy" in running.shell("content query --uri content://browser/page")


def test_a_farm_reaches_phones_through_appium(running: Running) -> None:
    """The fixture's session has ended in the test before."""
    capabilities = {"appium:adbPort": running.adb_port, "appium:systemPort": running.system_port}
    backend = AppiumBackend([f"{running.url}#{running.emulator.serial}"], capabilities)
    with Farm(backend, 1, FarmLimits(boot_timeout_s=120)) as farm, farm.lease(120) as device:
        assert isinstance(device, Device)
        assert device.size() == Size(1200, 540)
        device.open_app("com.android.chrome")
        assert device.foreground().startswith("com.android.chrome/")
        x, y = next(node for node in device.ui_tree().walk() if node.class_name.endswith("EditText")).centre
        device.tap(int(x), int(y))
        device.type_text("Grüße, 日本")
        assert next(node for node in device.ui_tree().walk() if node.focused).text == "Grüße, 日本"
        device.press("KEYCODE_HOME")
        before = device.screenshot()
        assert before.shape == (1200, 540, 3)
        device.swipe(270, 1000, 270, 300, 0.3)
        assert device.shell("echo out; echo more").split() == ["out", "more"]
        with pytest.raises(CommandFailed, match="status 3"):
            device.shell("exit 3")
        with pytest.raises(DeviceError, match="not known"):
            device.press("KEYCODE_NONE")
        with pytest.raises(DeviceError):
            device.open_app("com.none")
        with pytest.raises(DeviceError, match="Appium"):
            device.save_snapshot("base")
        suite = load_suite("general")
        env = AndroidEnv(device, suite, EnvSettings(with_tree=True))
        assert run_episode(env, ScriptedExpert(suite), suite.tasks("train")[0], 3).outcome is True
