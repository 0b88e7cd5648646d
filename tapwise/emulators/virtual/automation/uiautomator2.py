"""The server of openatx's uiautomator2: JSON-RPC on port 9008, behind `app_process ... com.wetest.uia2.Main`."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from tapwise.emulators.virtual.automation.acting import Acting, NotFound
from tapwise.emulators.virtual.automation.gestures import Touch, pinch_factor, two_fingers
from tapwise.emulators.virtual.automation.http import Reply, Request
from tapwise.emulators.virtual.automation.nodes import Node
from tapwise.emulators.virtual.automation.selectors import Selector, SelectorError
from tapwise.emulators.virtual.display import ORIENTATIONS, lock_rotation
from tapwise.emulators.virtual.panels import QUICK_SETTINGS, SHADE
from tapwise.records import UiNode

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

DEFAULT_PORT: Final = 9008
MAIN_CLASS: Final = "com.wetest.uia2.Main"
_STEP_S: Final = 0.005
_LOOK_S: Final = 0.05
_NOT_FOUND, _UNKNOWN_METHOD, _FAILED = -32002, -32601, -32001
_KEYS: Final = {"home", "back", "menu", "enter", "search", "power", "recent", "delete", "del", "volume_up"}
_DOWN, _UP = 0, 1


class Uiautomator2Server:
    """Answers the requests of one phone."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._acting = Acting(phone)
        self._toast = ""
        self._finger: tuple[float, float] | None = None
        self._methods: dict[str, Callable[..., Any]] = {
            "childByDescription": partial(self._child_with, lambda ui: ui.description),
            "childByInstance": self._child_by_instance,
            "childByText": partial(self._child_with, lambda ui: ui.text),
            "clearInputText": self._acting.clear_focused,
            "clearLastToast": self._forget_toast,
            "clearLastTraversedText": lambda: None,
            "clearTextField": lambda selector: self._set_text(selector, ""),
            "click": self._click,
            "count": lambda selector: len(self._acting.find(selector)),
            "deviceInfo": self._device_info,
            "drag": lambda x1, y1, x2, y2, steps: self._swipe(x1, y1, x2, y2, steps),
            "dragTo": self._drag_to,
            "dumpWindowHierarchy": lambda compressed=False, depth=50, *_: self._acting.dump(int(depth)),
            "exist": lambda selector: bool(self._acting.find(selector)),
            "flingBackward": lambda selector, vertical: self._scroll(selector, vertical, -1),
            "flingForward": lambda selector, vertical: self._scroll(selector, vertical, 1),
            "flingToBeginning": lambda selector, vertical, times=50: self._to_end(selector, vertical, times, -1),
            "flingToEnd": lambda selector, vertical, times=50: self._to_end(selector, vertical, times, 1),
            "gesture": self._gesture,
            "freezeRotation": self._freeze_rotation,
            "getClipboard": lambda: self._phone.state.clipboard,
            "getLastToast": lambda: self._phone.state.toast or self._toast or None,
            "getLastTraversedText": lambda: None,
            "getText": lambda selector: self._acting.one(selector).ui.text,
            "injectInputEvent": self._inject,
            "longClick": lambda selector: self._on(selector, self._phone.long_press),
            "makeToast": self._make_toast,
            "objInfo": lambda selector: self._info(self._acting.one(selector)),
            "objInfoOfAllInstances": lambda selector: [self._info(node) for node in self._acting.find(selector)],
            "openNotification": lambda: self._show(SHADE),
            "openQuickSettings": lambda: self._show(QUICK_SETTINGS),
            "pasteClipboard": lambda: self._phone.type_text(self._phone.state.clipboard),
            "pinchIn": lambda selector, percent, steps=0: self._pinch(selector, percent, -1),
            "pinchOut": lambda selector, percent, steps=0: self._pinch(selector, percent, 1),
            "pressKey": self._press_key,
            "pressKeyCode": lambda code, meta=0: self._acting.press_code(code),
            "scrollBackward": lambda selector, vertical, steps=0: self._scroll(selector, vertical, -1),
            "scrollForward": lambda selector, vertical, steps=0: self._scroll(selector, vertical, 1),
            "scrollTo": self._scroll_to,
            "scrollToBeginning": lambda selector, vertical, times=50, steps=0: self._to_end(
                selector, vertical, times, -1
            ),
            "scrollToEnd": lambda selector, vertical, times=50, steps=0: self._to_end(selector, vertical, times, 1),
            "setClipboard": lambda label, text: self._acting.set_clipboard(text),
            "setOrientation": self._set_orientation,
            "setText": self._set_text,
            "sleep": lambda: None,
            "swipe": self._swipe,
            "swipePoints": self._swipe_points,
            "takeScreenshot": self._screenshot,
            "waitForExists": lambda selector, milliseconds: self._wait(selector, milliseconds, True),
            "waitUntilGone": lambda selector, milliseconds: self._wait(selector, milliseconds, False),
            "wakeUp": lambda: None,
        }

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        path = request.path.partition("?")[0]
        if path == "/ping":
            return Reply("pong")
        if path == "/info":
            return Reply(self._device_info())
        if not path.startswith("/jsonrpc/") or not isinstance(request.body, dict):
            return Reply("not found", 404)
        return Reply({"jsonrpc": "2.0", "id": request.body.get("id", 1), **self._call(request.body)})

    def _call(self, body: Mapping[str, Any]) -> dict[str, Any]:
        name, params = str(body.get("method")), body.get("params") or []
        method = self._methods.get(name)
        if method is None:
            return _error(_UNKNOWN_METHOD, f"method {name!r} is not served by this phone")
        try:
            return {"result": method(**params) if isinstance(params, dict) else method(*params)}
        except NotFound as error:
            return _error(_NOT_FOUND, f"androidx.test.uiautomator.UiObjectNotFoundException: {error}")
        except (SelectorError, TypeError, ValueError) as error:
            return _error(_FAILED, f"java.lang.IllegalArgumentException: {error}")

    # --- looking -----------------------------------------------------------------------------------------

    def _device_info(self) -> dict[str, Any]:
        phone = self._phone
        scale = phone.density / 160
        return {
            "currentPackageName": phone.window_package(),
            "displayHeight": phone.size.height,
            "displayRotation": phone.rotation,
            "displaySizeDpX": round(phone.size.width / scale),
            "displaySizeDpY": round(phone.size.height / scale),
            "displayWidth": phone.size.width,
            "productName": phone.properties["ro.product.name"],
            "screenOn": True,
            "sdkInt": int(phone.properties["ro.build.version.sdk"]),
            "naturalOrientation": phone.rotation in (0, 2),
        }

    def _screenshot(self, scale: float = 1, quality: int = 80) -> str:
        self._phone.poll()
        picture = Image.fromarray(self._phone.frame())
        if scale != 1:
            picture = picture.resize((round(picture.width * scale), round(picture.height * scale)))
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=max(1, min(95, int(quality))))
        return base64.b64encode(buffer.getvalue()).decode()

    def _info(self, node: Node) -> dict[str, Any]:
        ui = node.ui
        left, top, right, bottom = ui.bounds
        bounds = {"left": left, "top": top, "right": right, "bottom": bottom}
        return {
            "bounds": bounds,
            "visibleBounds": bounds,
            "childCount": len(ui.children),
            "className": ui.class_name,
            "contentDescription": ui.description,
            "packageName": ui.package,
            "resourceName": ui.resource_id,
            "text": ui.text,
            "checkable": ui.checkable,
            "checked": ui.checked,
            "clickable": ui.clickable,
            "enabled": ui.enabled,
            "focusable": ui.focusable,
            "focused": ui.focused,
            "longClickable": ui.long_clickable,
            "scrollable": ui.scrollable,
            "selected": ui.selected,
        }

    def _wait(self, selector: Selector, milliseconds: float, there: bool) -> bool:
        """Let the phone's own time pass until a node has come or gone; the host does not wait."""
        for _ in range(1 + int(min(milliseconds, 60_000) / 1000 / _LOOK_S)):
            if bool(self._acting.find(selector)) == there:
                return True
            self._phone.advance(_LOOK_S)
        return False

    # --- acting ------------------------------------------------------------------------------------------

    def _click(self, where: Any, y: float | None = None, milliseconds: float = 0) -> bool:
        if y is None:
            return self._on(where, self._phone.tap)
        press = self._phone.long_press if milliseconds >= 500 else self._phone.tap
        press(float(where), float(y))
        return True

    def _pinch(self, selector: Selector, percent: float, sign: int) -> bool:
        factor = pinch_factor(float(percent) / 100) ** sign
        return self._on(selector, lambda x, y: self._phone.pinch(x, y, factor))

    def _gesture(self, selector: Selector, *points: Any) -> bool:
        """Two fingers, each from one of the first two points to one of the next two."""
        self._acting.one(selector)
        starts_and_ends = [(float(point["x"]), float(point["y"])) for point in points[:4]]
        first, second = (Touch(starts_and_ends[n], starts_and_ends[n + 2]) for n in (0, 1))
        two_fingers(self._phone, first, second)
        return True

    def _on(self, selector: Selector, act: Callable[[float, float], None]) -> bool:
        act(*self._acting.one(selector).ui.centre)
        return True

    def _swipe(self, x1: Any, y1: Any, x2: float, y2: float, steps: float = 55) -> bool:
        if isinstance(x1, Mapping):  # (selector, direction, percent, steps)
            return self._acting.swipe_in(self._acting.one(x1), str(y1), float(x2))
        self._phone.swipe(float(x1), float(y1), float(x2), float(y2), max(1, steps) * _STEP_S)
        return True

    def _swipe_points(self, points: list[float], steps: int = 55) -> bool:
        if len(points) < 4 or len(points) % 2:
            raise ValueError("a way needs two points at least, x and y of each")
        return self._swipe(points[0], points[1], points[-2], points[-1], steps * (len(points) // 2 - 1))

    def _drag_to(self, selector: Selector, where: Any, y: Any = 0, steps: int = 100) -> bool:
        x1, y1 = self._acting.one(selector).ui.centre
        x2, y2 = self._acting.one(where).ui.centre if isinstance(where, Mapping) else (float(where), float(y))
        return self._swipe(x1, y1, x2, y2, steps)

    def _inject(self, action: int, x: float, y: float, meta: int = 0) -> bool:
        if action == _DOWN:
            self._finger = x, y
        elif action == _UP and self._finger is not None:
            self._phone.swipe(*self._finger, x, y, 0.1)
            self._finger = None
        return True

    def _set_text(self, selector: Selector, text: str) -> bool:
        self._on(selector, self._phone.tap)
        self._acting.clear_focused()
        if text:
            self._phone.type_text(text)
        return True

    def _child_with(
        self, read: Callable[[UiNode], str], within: Selector, child: Selector, text: str, scroll: bool = False
    ) -> Selector:
        """The selector of the first child that holds a text, itself or below; searched over the list when asked."""
        if scroll:
            self._scroll_to(within, _step(within, child))
        for number, node in enumerate(self._acting.find(_step(within, child))):
            if any(read(below) == text for below in node.ui.walk()):
                return _step(within, {**child, "instance": number})
        raise NotFound(f"no child holds {text!r}")

    def _child_by_instance(self, within: Selector, child: Selector, number: int) -> Selector:
        return _step(within, {**child, "instance": int(number)})

    def _show(self, panel: str) -> bool:
        self._phone.panels.show(panel)
        return True

    def _freeze_rotation(self, frozen: bool = True) -> None:
        if frozen:
            lock_rotation(self._phone.settings, self._phone.rotation)
        else:
            self._phone.settings.put("system", "accelerometer_rotation", "1")
        self._phone.advance(0.0)

    def _set_orientation(self, name: str) -> None:
        turn = next((turn for known, turn in ORIENTATIONS.items() if name in (known, known[0])), None)
        if turn is None:
            raise ValueError(f"there is no orientation {name!r}; known: {', '.join(ORIENTATIONS)}")
        lock_rotation(self._phone.settings, turn)
        self._phone.advance(0.0)

    def _press_key(self, name: str) -> bool:
        if name.lower() not in _KEYS:
            raise ValueError(f"there is no key {name!r}")
        return self._acting.press_named(name.lower())

    def _scroll(self, selector: Selector, vertical: bool, forward: int) -> bool:
        """One screenful on; whether there may be more."""
        return self._acting.scroll(self._acting.one(selector), forward) if vertical else False

    def _to_end(self, selector: Selector, vertical: bool, times: int, forward: int) -> bool:
        for _ in range(min(int(times), 100)):
            if not self._scroll(selector, vertical, forward):
                break
        return True

    def _scroll_to(self, selector: Selector, wanted: Selector, vertical: bool = True, most: int = 50) -> bool:
        self._to_end(selector, vertical, 50, -1)
        for _ in range(min(int(most), 50)):
            if self._acting.find(wanted):
                return True
            if not self._scroll(selector, vertical, 1):
                break
        return bool(self._acting.find(wanted))

    def _make_toast(self, text: str, milliseconds: float = 0) -> bool:
        self._toast = text
        return True

    def _forget_toast(self) -> None:
        self._toast = ""


def _step(within: Selector, child: Selector) -> dict[str, Any]:
    """A selector for a child of what another one names."""
    kinds, inner = within.get("childOrSibling") or [], within.get("childOrSiblingSelector") or []
    return {**within, "childOrSibling": [*kinds, "child"], "childOrSiblingSelector": [*inner, child]}


def _error(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message, "data": message}}
