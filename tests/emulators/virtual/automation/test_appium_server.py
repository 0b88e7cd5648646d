"""Appium's server on the phone, spoken to over HTTP within the process."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("lxml", exc_type=ImportError)

from tapwise.emulators.virtual.apps.contacts import Contact
from tapwise.emulators.virtual.automation.appium import AppiumServer
from tapwise.emulators.virtual.automation.elements import W3C_KEY as ELEMENT_KEY
from tapwise.emulators.virtual.automation.http import HttpConnection
from tapwise.emulators.virtual.phone import LAUNCHER, VirtualPhone

UIAUTOMATOR = "-android uiautomator"
SETTINGS, KEEP, CONTACTS = "com.android.settings", "com.google.android.keep", "com.google.android.contacts"
GALLERY = "com.simplemobiletools.gallery.pro"


class Driver:
    """What Appium's driver sends."""

    def __init__(self, seed: int = 5) -> None:
        self.phone = VirtualPhone(seed=seed)
        self._connection = HttpConnection(AppiumServer(self.phone).handle)
        self.base = ""
        self.base = "/session/" + self.ok("POST", "/session", capabilities={"firstMatch": [{"a": 1}]})["sessionId"]

    def send(self, verb: str, path: str, **parameters: Any) -> tuple[int, Any]:
        body = json.dumps(parameters).encode() if verb == "POST" else b""
        head = f"{verb} {self.base}{path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
        answer = self._connection.received(head.encode() + body)
        status, _, content = answer.partition(b"\r\n\r\n")
        return int(status.split()[1]), json.loads(content)["value"]

    def ok(self, verb: str, path: str, **parameters: Any) -> Any:
        status, value = self.send(verb, path, **parameters)
        assert status == 200, value
        return value

    def error(self, verb: str, path: str, **parameters: Any) -> str:
        status, value = self.send(verb, path, **parameters)
        assert status >= 400
        return str(value["error"])

    def find(self, strategy: str, selector: str, context: str = "") -> str:
        found = self.ok("POST", "/element", strategy=strategy, selector=selector, context=context, multiple=False)
        return str(found[ELEMENT_KEY])

    def by_text(self, text: str) -> str:
        return self.find(UIAUTOMATOR, f'new UiSelector().text("{text}")')

    def get(self, element: str, what: str) -> Any:
        return self.ok("GET", f"/element/{element}/{what}")


@pytest.fixture
def driver() -> Driver:
    return Driver()


def open_note(driver: Driver) -> str:
    driver.phone.open(KEEP)
    driver.ok("POST", f"/element/{driver.find('accessibility id', 'Add')}/click")
    return driver.find("class name", "android.widget.EditText")


def test_every_strategy_finds_the_same_element(driver: Driver) -> None:
    element = driver.by_text("Settings")
    assert driver.find("xpath", "//android.widget.TextView[@text='Settings'] | //*[@text='Settings']") == element
    described = driver.find("accessibility id", "Home")
    assert driver.get(described, "attribute/content-desc") == "Home"
    field = open_note(driver)
    name = driver.get(field, "attribute/resource-id")
    assert driver.find("id", name) == driver.find("id", name.partition("/")[2]) == field
    assert driver.error("POST", "/element", strategy="id", selector="nothing") == "no such element"
    assert driver.ok("POST", "/elements", strategy="id", selector="nothing") == []


def test_elements_are_clicked_and_described(driver: Driver) -> None:
    element = driver.by_text("Settings")
    rect = driver.get(element, "rect")
    assert rect["width"] > 0
    assert driver.get(element, "attribute/bounds").startswith(f"[{rect['x']},{rect['y']}]")
    assert driver.get(element, "attribute/displayed") == "true"
    assert driver.error("GET", f"/element/{element}/attribute/colour") == "invalid argument"
    driver.ok("POST", f"/element/{element}/click")
    assert driver.phone.foreground().startswith(SETTINGS)
    driver.ok("POST", "/back")
    assert driver.phone.foreground().startswith(LAUNCHER)


def test_an_element_that_has_gone_is_stale_and_one_that_comes_back_is_not(driver: Driver) -> None:
    element = driver.by_text("Clock")
    driver.phone.open(SETTINGS)
    assert driver.error("GET", f"/element/{element}/text") == "stale element reference"
    driver.phone.go_home()
    assert driver.get(element, "text") == "Clock"
    assert driver.error("GET", "/element/made-up/text") == "no such element"


def test_text_is_typed_replaced_and_cleared(driver: Driver) -> None:
    field = open_note(driver)
    driver.ok("POST", f"/element/{field}/value", text="Grüße")
    driver.ok("POST", f"/element/{field}/value", text=" 世界", replace=False)
    assert driver.get(field, "text") == "Grüße 世界"
    assert driver.ok("GET", "/element/active")[ELEMENT_KEY] == field
    driver.ok("POST", f"/element/{field}/value", text="new", replace=True)
    assert driver.get(field, "text") == "new"
    driver.ok("POST", f"/element/{field}/clear")
    driver.ok("POST", "/keys", value=["ab", "\ue003", "c"])
    assert driver.get(field, "text") == "ac"
    label = driver.find("accessibility id", "Home")
    assert driver.error("POST", f"/element/{label}/value", text="x") == "invalid element state"


def pointer(*actions: dict[str, Any]) -> dict[str, Any]:
    return {"type": "pointer", "id": "finger", "parameters": {"pointerType": "touch"}, "actions": list(actions)}


DOWN, UP = {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0}


def move(x: float, y: float, **more: Any) -> dict[str, Any]:
    return {"type": "pointerMove", "x": x, "y": y, **more}


def test_w3c_actions_tap_hold_and_swipe(driver: Driver) -> None:
    held: list[tuple[float, float]] = []
    driver.phone.long_press = lambda x, y: held.append((x, y))  # type: ignore[method-assign]
    element = driver.by_text("Settings")
    on_it = move(0, 0, origin={ELEMENT_KEY: element})
    driver.ok("POST", "/actions", actions=[pointer(on_it, DOWN, {"type": "pause", "duration": 900}, UP)])
    assert held == [driver_middle(driver, element)]
    driver.ok("POST", "/actions", actions=[pointer(on_it, DOWN, UP)])
    assert driver.phone.foreground().startswith(SETTINGS)
    tap = pointer(move(1, 1), DOWN, UP)
    twice = pointer(move(1, 1), DOWN, UP, DOWN, UP)
    for wrong in ([tap, tap, tap], [tap, twice], [tap, pointer(move(9, 9), DOWN)], "tap"):
        assert driver.error("POST", "/actions", actions=wrong) == "invalid argument"


def open_picture(driver: Driver) -> str:
    """A picture of four colours in the gallery, and the field that shows it."""
    picture, buffer = Image.new("RGB", (400, 400), (200, 30, 30)), io.BytesIO()
    picture.paste((30, 200, 30), (150, 150, 250, 250))
    picture.save(buffer, "PNG")
    driver.phone.files.make_directory("/sdcard/Pictures", parents=True, exist_ok=True)
    driver.phone.files.write("/sdcard/Pictures/square.png", buffer.getvalue(), driver.phone.clock.now())
    driver.phone.open(GALLERY, "picture", "/sdcard/Pictures/square.png")
    return driver.find("class name", "android.widget.ImageView")


def page(driver: Driver) -> Any:
    """The picture of the screen without the status bar, whose clock goes on."""
    return driver.phone.frame()[60:]


def greenness(driver: Driver) -> float:
    """Which share of the screen the inner square covers."""
    return float((driver.phone.frame() == (30, 200, 30)).all(axis=-1).mean())


def test_pinches_zoom_a_picture_and_give_it_back(driver: Driver) -> None:
    element = open_picture(driver)
    before, small = page(driver), greenness(driver)
    driver.ok("POST", "/appium/gestures/pinch_open", origin={ELEMENT_KEY: element}, percent=0.5, speed=2500)
    assert driver.get(element, "attribute/content-desc") == "Zoomed to 200%"
    assert greenness(driver) > 2.5 * small
    x, y = driver_middle(driver, element)
    together = [
        pointer(move(x - 200, y), DOWN, move(x - 100, y, duration=300), UP),
        pointer(move(x + 200, y), DOWN, move(x + 100, y, duration=300), UP),
    ]
    driver.ok("POST", "/actions", actions=together)
    assert (page(driver) == before).all()
    driver.ok("POST", "/appium/gestures/pinch_close", origin={ELEMENT_KEY: element}, percent=1)
    assert (page(driver) == before).all()
    area = {"left": 0, "top": 900, "width": 300, "height": 200}  # below the picture
    driver.ok("POST", "/appium/gestures/pinch_open", area=area, percent=0.5)
    assert (page(driver) == before).all()
    for percent in (-0.1, 1.5, "half"):
        assert driver.error("POST", "/appium/gestures/pinch_open", percent=percent) == "invalid argument"


def test_two_fingers_side_by_side_are_as_one(driver: Driver) -> None:
    assert "Calendar" not in driver.ok("GET", "/source")
    up = [pointer(move(x, 900), DOWN, move(x, 300, duration=300), UP) for x in (200, 300)]
    driver.ok("POST", "/actions", actions=up)
    assert "Calendar" in driver.ok("GET", "/source")  # the drawer, which is under a swipe upwards


def test_windows_and_displays_are_listed(driver: Driver) -> None:
    def packages(**filters: Any) -> list[str]:
        listed = driver.ok("POST", "/appium/list_windows", filters=filters, skipScreenshots=True)
        return [window["packageName"] for window in listed]

    assert packages() == ["com.android.systemui", LAUNCHER]
    driver.ok("POST", f"/element/{open_note(driver)}/click")
    assert packages() == ["com.android.systemui", "com.google.android.inputmethod.latin", KEEP]
    assert packages(packageName="com.google.*", displayId=0) == ["com.google.android.inputmethod.latin", KEEP]
    assert packages(windowId="1", packageName=None) == [KEEP]
    assert packages(displayId=3) == []
    (keyboard,) = driver.ok("POST", "/appium/list_windows", filters={"windowId": 3})
    assert keyboard["rect"]["right"] == 540
    assert 600 < keyboard["rect"]["top"] < keyboard["rect"]["bottom"] <= 1200
    (display,) = driver.ok("POST", "/appium/list_displays")
    assert (display["id"], display["isDefault"], display["metrics"]["heightPixels"]) == (0, True, 1200)
    assert keyboard["physicalDisplayId"] == display["physicalId"]


@pytest.mark.parametrize(
    "actions",
    [
        [pointer(move(float("nan"), 1), DOWN, UP)],
        [pointer(move(1, 1, origin=5), DOWN, UP)],
        [pointer(move(1, 1), DOWN, {"type": "pause", "duration": "long"}, UP)],
        [3],
    ],
)
def test_actions_that_make_no_sense_are_refused(driver: Driver, actions: list[Any]) -> None:
    before = driver.phone.state_hash()
    assert driver.error("POST", "/actions", actions=actions) == "invalid argument"
    assert driver.phone.state_hash() == before


def driver_middle(driver: Driver, element: str) -> tuple[float, float]:
    rect = driver.get(element, "rect")
    return rect["x"] + rect["width"] / 2, rect["y"] + rect["height"] / 2


def long_list(driver: Driver) -> str:
    people = driver.phone.state.apps[CONTACTS].data.contacts  # type: ignore[attr-defined]
    people.extend(Contact(900 + n, f"Person {n:02}", f"555 {n}") for n in range(40))
    driver.phone.open(CONTACTS)
    return driver.find(UIAUTOMATOR, "new UiSelector().scrollable(true)")


def test_lists_scroll_by_gesture_and_into_view(driver: Driver) -> None:
    box = long_list(driver)
    origin = {ELEMENT_KEY: box}
    assert driver.ok("POST", "/appium/gestures/scroll", origin=origin, direction="down", percent=0.5) is True
    assert driver.phone.entry.scroll > 0
    assert driver.ok("POST", "/appium/gestures/scroll", origin=origin, direction="up", percent=1) is True
    assert driver.ok("POST", "/appium/gestures/scroll", origin=origin, direction="up", percent=1) is False
    source = 'new UiScrollable(new UiSelector().scrollable(true)).scrollIntoView(new UiSelector().text("Person 39"))'
    assert driver.get(driver.find(UIAUTOMATOR, source), "text") == "Person 39"
    wanted = {"strategy": UIAUTOMATOR, "selector": 'new UiSelector().text("Nobody")'}
    assert driver.error("POST", "/gestures/scroll_to", params=wanted) == "no such element"
    x, y = driver_middle(driver, box)
    driver.ok("POST", "/actions", actions=[pointer(move(x, y - 100), DOWN, move(x, y + 300, duration=200), UP)])
    assert driver.error("POST", "/element", strategy="xpath", selector="//*[@text='Person 39']") == "no such element"


@pytest.mark.parametrize(
    "call",
    [
        '.scrollTextIntoView("Person 39")',
        '.setMaxSearchSwipes(20).scrollIntoView(new UiSelector().textContains("son 39"))',
        '.getChildByText(new UiSelector().className("android.widget.TextView"), "Person 39", true)',
    ],
)
def test_a_list_is_searched_in_every_way_of_uiscrollable(driver: Driver, call: str) -> None:
    long_list(driver)
    source = f"new UiScrollable(new UiSelector().scrollable(true).instance(0)){call};"
    assert driver.get(driver.find(UIAUTOMATOR, source), "text") == "Person 39"


def test_a_scrolled_row_is_found_again_where_it_went(driver: Driver) -> None:
    box = long_list(driver)
    row = driver.by_text("Person 05")
    before = driver.get(row, "rect")["y"]
    driver.ok("POST", "/appium/gestures/scroll", origin={ELEMENT_KEY: box}, direction="down", percent=0.3)
    assert driver.get(row, "text") == "Person 05"
    assert driver.get(row, "rect")["y"] < before


def test_children_are_found_below_their_element(driver: Driver) -> None:
    box = long_list(driver)
    below = driver.ok("POST", "/elements", strategy="xpath", selector=".//*[@text='Person 01']", context=box)
    assert len(below) == 1
    (child,) = driver.ok("POST", "/elements", strategy="xpath", selector="./*[1]", context=box)
    assert driver.get(child[ELEMENT_KEY], "attribute/index") == "0"
    outside = {"strategy": "accessibility id", "selector": "Home"}
    assert driver.ok("POST", f"/element/{box}/elements", **outside) == []
    assert driver.ok("POST", "/elements", **outside) != []


def test_source_screenshot_and_window(driver: Driver) -> None:
    source = driver.ok("GET", "/source")
    assert source.startswith("<?xml")
    assert "<android.widget.FrameLayout" in source
    assert driver.find("xpath", "//*[@displayed='true' and @text='Settings']")
    size = driver.phone.size
    picture = Image.open(io.BytesIO(base64.b64decode(driver.ok("GET", "/screenshot"))))
    assert picture.size == (size.width, size.height)
    element = driver.by_text("Settings")
    rect = driver.get(element, "rect")
    cropped = Image.open(io.BytesIO(base64.b64decode(driver.get(element, "screenshot"))))
    assert cropped.size == (rect["width"], rect["height"])
    assert driver.ok("GET", "/window/rect") == {"x": 0, "y": 0, "width": size.width, "height": size.height}
    assert driver.ok("GET", "/orientation") == "PORTRAIT"
    assert driver.ok("POST", "/orientation", orientation="LANDSCAPE") == "LANDSCAPE"
    assert driver.ok("GET", "/window/rect") == {"x": 0, "y": 0, "width": size.height, "height": size.width}
    assert driver.ok("GET", "/rotation") == {"x": 0, "y": 0, "z": 90}
    assert 'rotation="1"' in driver.ok("GET", "/source")
    assert driver.ok("POST", "/rotation", x=0, y=0, z=0) == "PORTRAIT"
    assert driver.error("POST", "/rotation", x=0, y=0, z=45) == "invalid argument"
    assert driver.error("POST", "/orientation", orientation="ASKEW") == "invalid argument"


def test_clipboard_settings_and_keys(driver: Driver) -> None:
    copied = base64.b64encode("später".encode()).decode()
    driver.ok("POST", "/appium/device/set_clipboard", content=copied, contentType="plaintext")
    assert driver.ok("POST", "/appium/device/get_clipboard") == copied
    driver.ok("POST", "/appium/settings", settings={"waitForIdleTimeout": 0})
    assert driver.ok("GET", "/appium/settings")["waitForIdleTimeout"] == 0
    driver.phone.open(SETTINGS)
    driver.ok("POST", "/appium/device/press_keycode", keycode=3)
    assert driver.phone.foreground().startswith(LAUNCHER)


def test_dialogs_are_alerts(driver: Driver) -> None:
    assert driver.error("GET", "/alert/text") == "no such alert"
    driver.phone.open(KEEP)
    driver.ok("POST", f"/element/{driver.by_text('Groceries')}/click")
    delete = driver.find("accessibility id", "Delete")
    driver.ok("POST", f"/element/{delete}/click")
    assert driver.ok("GET", "/alert/text")
    driver.ok("POST", "/alert/dismiss")
    assert driver.error("GET", "/alert/text") == "no such alert"
    driver.ok("POST", f"/element/{delete}/click")
    assert driver.error("POST", "/alert/accept", buttonLabel="Maybe") == "invalid argument"
    driver.ok("POST", "/alert/accept")
    assert driver.ok("POST", "/elements", strategy="xpath", selector="//*[@text='Groceries']") == []


def test_sessions_end_and_unknown_things_are_named(driver: Driver) -> None:
    assert driver.error("GET", "/no/such/thing") == "unknown command"
    assert driver.error("POST", "/element", strategy="xpath", selector="//*[") == "invalid selector"
    assert driver.error("POST", "/element", strategy=UIAUTOMATOR, selector="rubbish(") == "invalid selector"
    assert driver.error("POST", "/appium/gestures/wave") == "unknown command"
    driver.ok("DELETE", "")
    assert driver.error("GET", "/source") == "invalid session id"
    driver.base = ""
    assert driver.ok("GET", "/sessions") == []
    assert driver.ok("GET", "/status")["ready"] is True
