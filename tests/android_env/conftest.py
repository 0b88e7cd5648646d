"""A phone of one launcher and one settings app, in memory, and a suite of tasks for it."""

from __future__ import annotations

import copy
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from tapwise.android_env import AndroidEnv, EnvSettings, ScriptedExpert, Suite, Template
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell
from tapwise.errors import CommandFailed, DeviceError
from tapwise.records import Action, Finish, Size, TypeText, UiNode

HOME = "fake.launcher/.Home"
SETTINGS = "fake.settings/.Settings"


@dataclass
class PhoneState:
    """What a snapshot keeps."""

    foreground: str = HOME
    settings: dict[str, str] = field(default_factory=lambda: {"bluetooth": "0", "wifi": "0"})
    name: str = ""
    focused: bool = False
    noise: bool = False
    loading: int = 0
    seed: str = "none"
    clock_s: float = 0.0


class FakePhone:
    """A `Device`. Opening settings shows a loading page for `load_polls` looks; seed 13 brings a noise dialog."""

    def __init__(self, counts_frames: bool = True, snapshots: bool = True, load_polls: int = 2) -> None:
        self.serial = "fake-1"
        self.state = PhoneState()
        self.fails: Callable[[str], Exception | None] = lambda call: None
        self.calls: list[str] = []
        self._counts_frames = counts_frames
        self._can_snapshot = snapshots
        self._load_polls = load_polls
        self._kept: dict[str, PhoneState] = {}

    def size(self) -> Size:
        return Size(300, 200)

    def frame_counter(self) -> int | None:
        self._call("frame_counter")
        if not self._counts_frames:
            return None
        self._poll()
        return zlib.crc32(self._draw().tobytes())

    def screenshot(self) -> NDArray[np.uint8]:
        self._call("screenshot")
        if not self._counts_frames:
            self._poll()
        return self._draw()

    def ui_tree(self) -> UiNode:
        self._call("ui_tree")
        return UiNode(package=self.state.foreground, bounds=(0, 0, 200, 300), children=tuple(self._nodes()))

    def foreground(self) -> str:
        return self.state.foreground

    def tap(self, x: int, y: int) -> None:
        self._call(f"tap {x} {y}")
        if self.state.loading:
            return
        hits = [n for n in self._nodes() if n.bounds[0] <= x < n.bounds[2] and n.bounds[1] <= y < n.bounds[3]]
        if hits:
            self._touch(hits[-1])

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        self._call(f"swipe {x1} {y1} {x2} {y2} {duration_s:g}")

    def type_text(self, text: str) -> None:
        self._call(f"type {text}")
        if not text.isascii():
            raise DeviceError(f"cannot type {text!r}")
        if self.state.focused:
            self.state.name += text

    def press(self, keycode: str) -> None:
        self._call(f"press {keycode}")
        if keycode in ("KEYCODE_HOME", "KEYCODE_BACK"):
            self.state.foreground, self.state.focused, self.state.loading = HOME, False, 0

    def open_app(self, name: str) -> None:
        self._call(f"open {name}")
        if name.lower() != "settings":
            raise CommandFailed(f"open-app {name}", 1, f"no app is called {name}")
        self._open_settings()

    def shell(self, command: str) -> str:
        self._call(f"shell {command}")
        match command.split():
            case ["setprop", "debug.tapwise.seed", seed]:
                self.state.seed, self.state.noise = seed, seed == "13"
            case ["settings", "put", "global", key, value]:
                self.state.settings[key] = value
            case ["settings", "get", "global", key]:
                return self.state.settings.get(key, "null") + "\n"
            case ["fake-name"]:
                return self.state.name
            case ["sleep", seconds]:
                self.state.clock_s += float(seconds)
                self.state.loading = 0
            case ["am", "force-stop", package]:
                if self.state.foreground.startswith(package):
                    self.state.foreground = HOME
                self.state.name = ""
            case _:
                raise CommandFailed(command, 127, "inaccessible or not found")
        return ""

    def save_snapshot(self, name: str) -> None:
        self._call(f"save {name}")
        if not self._can_snapshot:
            raise DeviceError("this phone keeps no snapshots")
        self._kept[name] = copy.deepcopy(self.state)

    def load_snapshot(self, name: str) -> None:
        self._call(f"load {name}")
        if name not in self._kept:
            raise DeviceError(f"there is no snapshot {name}")
        self.state = copy.deepcopy(self._kept[name])

    def _call(self, call: str) -> None:
        self.calls.append(call)
        failure = self.fails(call)
        if failure is not None:
            raise failure

    def _poll(self) -> None:
        self.state.loading = max(0, self.state.loading - 1)

    def _open_settings(self) -> None:
        self.state.foreground, self.state.loading = SETTINGS, self._load_polls

    def _touch(self, node: UiNode) -> None:
        match node.label:
            case "Not now":
                self.state.noise = False
            case "Settings":
                self._open_settings()
            case "Bluetooth" | "Wifi":
                key = node.label.lower()
                self.state.settings[key] = "0" if self.state.settings[key] == "1" else "1"
            case "Device name":
                self.state.focused = True

    def _nodes(self) -> list[UiNode]:
        if self.state.noise:
            return [
                UiNode(text="Rate this phone", bounds=(20, 100, 180, 130)),
                UiNode(text="Not now", resource_id="fake:id/noise_dismiss", bounds=(20, 140, 180, 180), clickable=True),
            ]
        if self.state.foreground == HOME:
            return [UiNode(text="Settings", bounds=(10, 200, 60, 250), clickable=True)]
        if self.state.loading:
            return [UiNode(resource_id="fake:id/loading", bounds=(80, 100, 80 + 10 * self.state.loading, 120))]
        switch = self.state.settings
        field_label = UiNode(
            text=self.state.name,
            description="Device name",
            class_name="android.widget.EditText",
            bounds=(0, 180, 200, 230),
            clickable=True,
            focused=self.state.focused,
        )
        return [
            UiNode(text="Bluetooth", bounds=(0, 40, 200, 90), clickable=True, checked=switch["bluetooth"] == "1"),
            UiNode(text="Wifi", bounds=(0, 100, 200, 150), clickable=True, checked=switch["wifi"] == "1"),
            field_label,
        ]

    def _draw(self) -> NDArray[np.uint8]:
        pixels = np.full((300, 200, 3), zlib.crc32(self.state.seed.encode()) % 200, dtype=np.uint8)
        for node in self._nodes():
            left, top, right, bottom = node.bounds
            shade = zlib.crc32(f"{node.label} {node.checked} {node.focused}".encode())
            pixels[top:bottom, left:right] = (shade & 255, shade >> 8 & 255, shade >> 16 & 255)
        return pixels


def _toggle_set_up(params: Params) -> list[str]:
    return [f"settings put global {params['what']} {'0' if params['state'] == 'on' else '1'}"]


def _toggle_check(shell: Shell, params: Params) -> bool:
    return shell(f"settings get global {params['what']}").strip() == ("1" if params["state"] == "on" else "0")


def _toggle_expert(screen: Screen, params: Params) -> Action:
    if screen.package != "fake.settings":
        return screen.tap("settings")
    switch = screen.find(params["what"])
    assert switch is not None
    return Finish() if switch.checked is (params["state"] == "on") else screen.tap(switch)


def _name_expert(screen: Screen, params: Params) -> Action:
    if screen.package != "fake.settings":
        return screen.tap("settings")
    if screen.typed(params["name"]):
        return Finish()
    return TypeText(params["name"]) if screen.field_focused else screen.tap("device name")


TOGGLE = Template(
    name="settings.toggle",
    suite="general",
    app="settings",
    instructions=("turn {what} {state}", "switch {what} {state} in the settings", "make sure that {what} is {state}"),
    params={"what": ("bluetooth", "wifi"), "state": ("on", "off")},
    max_steps=8,
    setup=_toggle_set_up,
    check=_toggle_check,
    expert=_toggle_expert,
)
NAME = Template(
    name="settings.name",
    suite="general",
    app="settings",
    instructions=("call this phone {name}", "change the device name to {name}"),
    params={"name": ("anna", "bob", "my phone")},
    max_steps=8,
    setup=lambda params: (),
    check=lambda shell, params: shell("fake-name") == params["name"],
    expert=_name_expert,
)


@pytest.fixture(scope="session")
def toggle() -> Template:
    return TOGGLE


@pytest.fixture(scope="session")
def suite() -> Suite:
    return Suite("fake", [TOGGLE, NAME])


@pytest.fixture
def phone() -> FakePhone:
    return FakePhone()


@pytest.fixture
def make_phone() -> type[FakePhone]:
    return FakePhone


@pytest.fixture
def env(phone: FakePhone, suite: Suite) -> AndroidEnv:
    return AndroidEnv(phone, suite, EnvSettings(with_tree=True))


@pytest.fixture
def expert(suite: Suite) -> ScriptedExpert:
    return ScriptedExpert(suite)
