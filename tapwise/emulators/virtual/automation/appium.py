"""Appium's UiAutomator2 server: WebDriver on port 6790, behind a blocking `am instrument`."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from PIL import Image

from tapwise.emulators.virtual.automation.acting import Acting
from tapwise.emulators.virtual.automation.elements import EDITABLE, W3C_KEY, ElementError, Elements, attributes, source
from tapwise.emulators.virtual.automation.gestures import perform, pinch_factor, type_keys
from tapwise.emulators.virtual.automation.http import Reply, Request
from tapwise.emulators.virtual.automation.nodes import Node
from tapwise.emulators.virtual.automation.windows import list_displays, list_windows
from tapwise.emulators.virtual.display import lock_rotation
from tapwise.emulators.virtual.keys import press
from tapwise.emulators.virtual.panels import SHADE
from tapwise.records import UiNode

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

PORT: Final = 6790
TARGET: Final = "io.appium.uiautomator2.server"
_SESSION: Final = "5c5c5c5c-0000-4000-8000-000000000001"
_ALIASES: Final = {
    "contentDescription": "content-desc",
    "className": "class",
    "resourceId": "resource-id",
    "resource-id": "resource-id",
    "longClickable": "long-clickable",
    "content-desc": "content-desc",
}
_OPTIONAL: Final = frozenset({"content-desc", "resource-id", "hint"})
_MOST_SWIPES: Final = 30
_TURNS: Final = {"PORTRAIT": 0, "LANDSCAPE": 1}
_DIALOG_BUTTONS: Final = (
    ("OK", "Allow", "Yes", "Continue"),
    ("Cancel", "Not now", "No thanks", "Later", "Close", "Skip"),
)

Body = Mapping[str, Any]


class AppiumServer:
    """Answers the requests of one phone; one session at a time, as on a device."""

    def __init__(self, phone: VirtualPhone) -> None:
        self._phone = phone
        self._acting = Acting(phone)
        self._elements = Elements(self._acting)
        self._settings: dict[str, Any] = {}
        self._capabilities: dict[str, Any] = {}
        self._open = False
        self._shot: tuple[object, str] | None = None
        """the last frame that was asked for, and its picture: encoding is what a screenshot costs"""
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., Any]]] = [
            (method, re.compile(path.replace("{}", "([^/]+)")), act) for method, path, act in self._table()
        ]

    def _table(self) -> list[tuple[str, str, Callable[..., Any]]]:
        element = "/element/{}"
        return [
            ("GET", "/source", lambda body: source(self._acting.nodes(), self._phone.rotation)),
            ("GET", "/screenshot", lambda body: self._screenshot(None)),
            ("POST", "/element", self._find_one),
            ("POST", "/elements", self._find_all),
            ("POST", element + "/element", lambda body, key: self._find_one({**body, "context": key})),
            ("POST", element + "/elements", lambda body, key: self._find_all({**body, "context": key})),
            ("POST", "/gestures/scroll_to", self._scroll_to),
            ("GET", "/element/active", lambda body: _reference(self._elements.active())),
            ("GET", element + "/text", lambda body, key: self._node(key).text or self._node(key).description),
            ("GET", element + "/name", lambda body, key: self._node(key).description),
            ("GET", element + "/attribute/{}", self._attribute),
            ("GET", element + "/rect", lambda body, key: _rect(self._node(key))),
            ("GET", element + "/size", lambda body, key: _part(_rect(self._node(key)), "width", "height")),
            ("GET", element + "/location", lambda body, key: _part(_rect(self._node(key)), "x", "y")),
            ("GET", element + "/screenshot", lambda body, key: self._screenshot(self._node(key))),
            ("GET", element + "/displayed", lambda body, key: bool(self._node(key))),
            ("GET", element + "/enabled", lambda body, key: self._node(key).enabled),
            ("GET", element + "/selected", lambda body, key: self._node(key).selected),
            ("POST", element + "/click", self._click),
            ("POST", element + "/clear", lambda body, key: self._type(key, "", True)),
            ("POST", element + "/value", lambda body, key: self._type(key, _text(body), bool(body.get("replace")))),
            ("POST", "/appium/element/{}/value", lambda body, key: self._type(key, _text(body), True)),
            ("GET", "/appium/element/{}/first_visible", self._first_below),
            ("POST", "/keys", lambda body: type_keys(self._phone, _text(body))),
            ("POST", "/actions", lambda body: perform(self._phone, body.get("actions") or [], self._centre)),
            ("POST", "/back", lambda body: self._phone.key_event("KEYCODE_BACK")),
            ("GET", "/window/current/size", lambda body: _part(self._window(), "width", "height")),
            ("GET", "/window/rect", lambda body: self._window()),
            ("GET", "/orientation", lambda body: self._oriented()),
            ("POST", "/orientation", self._orientation),
            ("GET", "/alert/text", self._alert_text),
            ("POST", "/alert/accept", lambda body: self._alert(body, 0)),
            ("POST", "/alert/dismiss", lambda body: self._alert(body, 1)),
            ("POST", "/appium/settings", self._set_settings),
            ("GET", "/appium/settings", lambda body: self._settings),
            ("POST", "/appium/device/press_keycode", self._press),
            ("POST", "/appium/device/long_press_keycode", self._press),
            ("POST", "/appium/device/get_clipboard", self._clipboard),
            ("POST", "/appium/device/set_clipboard", self._set_clipboard),
            ("POST", "/appium/reset_ax_cache", lambda body: None),
            ("GET", "/appium/device/info", lambda body: self._info()),
            ("GET", "/appium/device/pixel_ratio", lambda body: self._phone.density / 160),
            ("GET", "/appium/device/display_density", lambda body: self._phone.density),
            ("GET", "/rotation", lambda body: {"x": 0, "y": 0, "z": 90 * self._phone.rotation}),
            ("POST", "/rotation", self._rotate),
            ("POST", "/appium/device/open_notifications", lambda body: self._phone.panels.show(SHADE)),
            ("GET", "/appium/device/declared_orientation", lambda body: "PORTRAIT"),
            ("GET", "/appium/device/battery_info", lambda body: {"status": 2, "level": 1.0}),
            ("GET", "/appium/device/system_bars", lambda body: {"statusBar": round(24 * self._phone.density / 160)}),
            ("POST", "/appium/gestures/click", lambda body: self._at(body, self._phone.tap)),
            ("POST", "/appium/gestures/long_click", lambda body: self._at(body, self._phone.long_press)),
            ("POST", "/appium/gestures/double_click", self._double_click),
            ("POST", "/appium/gestures/drag", self._drag),
            ("POST", "/appium/gestures/swipe", lambda body: self._move(body, 1) and None),
            ("POST", "/appium/gestures/scroll", lambda body: self._move(body, -1)),
            ("POST", "/appium/gestures/fling", lambda body: self._move(body, -1)),
            ("POST", "/appium/gestures/pinch_open", lambda body: self._pinch(body, 1)),
            ("POST", "/appium/gestures/pinch_close", lambda body: self._pinch(body, -1)),
            ("POST", "/appium/list_windows", lambda body: list_windows(self._phone, body.get("filters") or {})),
            ("POST", "/appium/list_displays", lambda body: list_displays(self._phone)),
        ]

    def handle(self, request: Request) -> Reply:
        """Answer a request."""
        path = request.path.partition("?")[0].removeprefix("/wd/hub").rstrip("/")
        body = request.body if isinstance(request.body, dict) else {}
        try:
            return _value(self._top(request.method, path, body))
        except ElementError as error:
            value = {"error": error.code, "message": str(error), "stacktrace": ""}
            return Reply({"sessionId": _SESSION, "value": value}, error.status)
        except (TypeError, ValueError, KeyError) as error:
            value = {"error": "invalid argument", "message": f"{type(error).__name__}: {error}", "stacktrace": ""}
            return Reply({"sessionId": _SESSION, "value": value}, 400)

    def _top(self, method: str, path: str, body: Body) -> Any:
        match method, path:
            case "GET", "/status":
                return {"ready": True, "message": "UiAutomator2 Server is ready to accept commands"}
            case "GET", "/sessions":
                return [{"id": _SESSION, "capabilities": self._capabilities}] if self._open else []
            case "POST", "/session":
                return self._begin(body)
            case "DELETE", _ if path == f"/session/{_SESSION}":
                self._open = False
                return None
            case "GET", _ if path == f"/session/{_SESSION}":
                return self._capabilities
        rest = path.removeprefix(f"/session/{_SESSION}")
        if rest == path or not self._open:
            raise ElementError("invalid session id", "there is no such session: create one", 404)
        for wanted, pattern, act in self._routes:
            found = pattern.fullmatch(rest) if wanted == method else None
            if found is not None:
                return act(body, *found.groups())
        raise ElementError("unknown command", f"{method} {rest} is not served by this phone", 404)

    def _begin(self, body: Body) -> dict[str, Any]:
        asked = (body.get("capabilities") or {}).get("firstMatch", [{}])[0] if body.get("capabilities") else {}
        self._capabilities = {**asked, **self._info()}
        self._elements, self._open = Elements(self._acting), True
        return {"sessionId": _SESSION, "capabilities": self._capabilities}

    # --- looking -----------------------------------------------------------------------------------------

    def _node(self, key: str) -> UiNode:
        return self._elements.get(key)

    def _centre(self, key: str) -> tuple[float, float]:
        return self._node(key).centre

    def _window(self) -> dict[str, int]:
        return {"x": 0, "y": 0, "width": self._phone.size.width, "height": self._phone.size.height}

    def _info(self) -> dict[str, Any]:
        properties = self._phone.properties
        size = self._phone.size
        return {
            "androidId": "74617077697365",
            "manufacturer": properties["ro.product.manufacturer"],
            "model": properties["ro.product.model"],
            "brand": properties["ro.product.name"],
            "apiVersion": properties["ro.build.version.sdk"],
            "platformVersion": properties["ro.build.version.release"],
            "carrierName": "Android",
            "realDisplaySize": f"{size.width}x{size.height}",
            "displayDensity": self._phone.density,
            "networks": [],
            "locale": "en_US",
            "timeZone": "UTC",
            "bluetooth": {"state": "ON" if self._phone.settings.is_on("global", "bluetooth_on") else "OFF"},
        }

    def _find_one(self, body: Body) -> dict[str, str]:
        found = self._find_all(body)
        if not found:
            raise ElementError("no such element", "An element could not be located on the page using the given search")
        return found[0]

    def _find_all(self, body: Body) -> list[dict[str, str]]:
        strategy = str(body.get("strategy") or body.get("using"))
        selector = str(body.get("selector") or body.get("value"))
        return [_reference(key) for key in self._elements.find(strategy, selector, str(body.get("context") or ""))]

    def _first_below(self, body: Body, key: str) -> dict[str, str]:
        found = self._elements.find("-android uiautomator", "new UiSelector()", key)
        if not found:
            raise ElementError("no such element", "the element has no children")
        return _reference(found[0])

    def _attribute(self, body: Body, key: str, name: str) -> str | None:
        node = self._node(key)
        known = attributes(Node(0, 0, None, node))
        if name == "name":
            return node.description or node.text
        name = _ALIASES.get(name, name)
        if name not in known and name not in _OPTIONAL:
            raise ElementError("invalid argument", f"an element has no attribute {name!r}; it has {sorted(known)}", 400)
        return known.get(name)

    def _screenshot(self, part: UiNode | None) -> str:
        self._phone.poll()
        frame = self._phone.frame()
        if part is not None:
            return _png(Image.fromarray(frame).crop(part.bounds))
        if self._shot is None or self._shot[0] is not frame:
            self._shot = frame, _png(Image.fromarray(frame))
        return self._shot[1]

    # --- acting ------------------------------------------------------------------------------------------

    def _scroll_to(self, body: Body) -> None:
        """Scroll the first list on until an element shows. Raises ElementError."""
        wanted = body.get("params") or {}
        for _ in range(_MOST_SWIPES):
            lists = self._acting.find({"scrollable": True})
            if self._find_all(wanted) or not lists or not self._acting.scroll(lists[0], 1):
                break
        self._find_one(wanted)

    def _click(self, body: Body, key: str) -> None:
        self._phone.tap(*self._centre(key))

    def _type(self, key: str, text: str, replace: bool) -> None:
        node = self._node(key)
        if node.class_name != EDITABLE:
            raise ElementError("invalid element state", f"nothing can be typed into {node.class_name}", 400)
        if not node.focused:
            self._phone.tap(*node.centre)
        if replace:
            self._phone.replace_text(text)
        elif text:
            type_keys(self._phone, text)

    def _press(self, body: Body) -> None:
        press(self._phone, str(int(body["keycode"])))

    def _oriented(self) -> str:
        return "LANDSCAPE" if self._phone.rotation % 2 else "PORTRAIT"

    def _orientation(self, body: Body) -> str:
        name = body.get("orientation")
        if name not in _TURNS:
            raise ElementError("invalid argument", f"there is no orientation {name!r}; known: {', '.join(_TURNS)}", 400)
        return self._turn(_TURNS[name])

    def _rotate(self, body: Body) -> str:
        degrees = int(body.get("z", -1))
        if degrees % 90 or not 0 <= degrees < 360 or body.get("x") or body.get("y"):
            raise ElementError("invalid argument", "a rotation has x and y 0, and z 0, 90, 180 or 270", 400)
        return self._turn(degrees // 90)

    def _turn(self, quarters: int) -> str:
        lock_rotation(self._phone.settings, quarters)
        self._phone.advance(0.0)
        return self._oriented()

    def _clipboard(self, body: Body) -> str:
        return base64.b64encode(self._phone.state.clipboard.encode()).decode()

    def _set_clipboard(self, body: Body) -> None:
        self._acting.set_clipboard(base64.b64decode(str(body.get("content", ""))).decode("utf-8", "replace"))

    def _set_settings(self, body: Body) -> dict[str, Any]:
        self._settings.update(body.get("settings") or {})
        return self._settings

    def _alert_text(self, body: Body) -> str:
        return self._dialog()[0]

    def _alert(self, body: Body, which: int) -> None:
        _, buttons = self._dialog()
        wanted = [str(body["buttonLabel"])] if body.get("buttonLabel") else _DIALOG_BUTTONS[which]
        chosen = next((button for button in buttons if button.label in wanted), None)
        if chosen is None and body.get("buttonLabel"):
            raise ElementError("invalid argument", f"the dialog has no button {wanted[0]!r}", 400)
        if chosen is None:
            chosen = buttons[-1 if which == 0 else 0]
        self._phone.tap(*chosen.centre)

    def _dialog(self) -> tuple[str, list[UiNode]]:
        """The text of an open dialog, and its buttons."""
        nodes = [node.ui for node in self._acting.nodes()]
        buttons = [ui for ui in nodes if ui.class_name.endswith("Button") and ui.clickable]
        if not self._phone.is_asking() or not buttons:
            raise ElementError("no such alert", "no dialog is open")
        texts = [ui.text for ui in nodes if ui.text and not any(ui in button.walk() for button in buttons)]
        return "\n".join(texts), buttons

    def _origin(self, body: Body) -> tuple[float, float, float, float]:
        origin = body.get("origin") or {}
        key = origin.get(W3C_KEY) or origin.get("ELEMENT")
        if key:
            return tuple(map(float, self._node(key).bounds))  # type: ignore[return-value]
        area = body.get("area")
        if area:
            return area["left"], area["top"], area["left"] + area["width"], area["top"] + area["height"]
        return 0.0, 0.0, float(self._phone.size.width), float(self._phone.size.height)

    def _at(self, body: Body, act: Callable[[float, float], None]) -> None:
        left, top, right, bottom = self._origin(body)
        offset = body.get("offset")
        if offset:
            act(left + offset["x"], top + offset["y"])
        else:
            act((left + right) / 2, (top + bottom) / 2)

    def _double_click(self, body: Body) -> None:
        self._at(body, self._phone.tap)
        self._at(body, self._phone.tap)

    def _drag(self, body: Body) -> None:
        left, top, right, bottom = self._origin(body)
        start = body.get("start") or {"x": (right - left) / 2, "y": (bottom - top) / 2}
        self._phone.swipe(left + start["x"], top + start["y"], body["end"]["x"], body["end"]["y"], 1.0)

    def _pinch(self, body: Body, sign: int) -> None:
        """Two fingers within an area, apart (1) or together (-1)."""
        left, top, right, bottom = self._origin(body)
        self._phone.pinch((left + right) / 2, (top + bottom) / 2, pinch_factor(float(body["percent"])) ** sign)

    def _move(self, body: Body, sign: int) -> bool:
        """A finger's (1) or the content's (-1) movement within an area; whether the page has moved."""
        left, top, right, bottom = self._origin(body)
        share = float(body.get("percent") or 0.7) * 0.9
        across, along = (right - left) * share / 2, (bottom - top) * share / 2
        ways = {"left": (-across, 0.0), "right": (across, 0.0), "up": (0.0, -along), "down": (0.0, along)}
        dx, dy = (sign * step for step in ways[str(body["direction"]).lower()])
        x, y = (left + right) / 2, (top + bottom) / 2
        before = self._phone.entry.scroll
        self._phone.swipe(x - dx, y - dy, x + dx, y + dy, 0.3)
        return self._phone.entry.scroll != before


def _png(picture: Image.Image) -> str:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return base64.b64encode(buffer.getvalue()).decode()


def _value(value: Any) -> Reply:
    return Reply({"sessionId": _SESSION, "value": value})


def _reference(key: str) -> dict[str, str]:
    return {"ELEMENT": key, W3C_KEY: key}


def _text(body: Body) -> str:
    text = body.get("text")
    return str(text) if text is not None else "".join(map(str, body.get("value") or []))


def _rect(ui: UiNode) -> dict[str, int]:
    left, top, right, bottom = ui.bounds
    return {"x": left, "y": top, "width": right - left, "height": bottom - top}


def _part(rect: Mapping[str, int], *names: str) -> dict[str, int]:
    return {name: rect[name] for name in names}
