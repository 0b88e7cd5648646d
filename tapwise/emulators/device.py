"""An Android phone behind any ADB transport."""

from __future__ import annotations

import re
import shlex

import numpy as np
from numpy.typing import NDArray

from tapwise.emulators import screen
from tapwise.emulators.adb.transport import ShellResult, Transport
from tapwise.emulators.foreground import COMMANDS, find_foreground
from tapwise.emulators.grpc_screen import GrpcScreen
from tapwise.emulators.read_back import type_and_read_back
from tapwise.emulators.screen_ways import ScreenChoice, ScreenWays, is_plain
from tapwise.emulators.snapshots import Snapshots
from tapwise.emulators.text_input import odd_characters, type_by_keyboard, typing_commands
from tapwise.emulators.ui_dump import read_ui_dump
from tapwise.errors import CommandFailed, DeviceError
from tapwise.records import Size, UiNode

_DUMP_FILE = "/sdcard/tapwise_window_dump.xml"
_NOT_FOUND = 127


class AdbDevice:
    """A `tapwise.protocols.Device` over a transport, real phones and virtual ones alike.

    `timeout_s` bounds each command; the phone's answer to a swipe may take the swipe's duration longer. Nothing
    that a model wrote reaches the phone's shell unquoted. `reads_back`: typed text is read from its field and mended
    where characters are missing, which costs two dumps of the tree each time. `measures`: the first screenshot measures
    the ways to the screen, among them the emulator's gRPC where `grpc` leads to one, and the fastest is used; without
    it, frames are raw, and PNG where raw ones cannot be read.
    """

    def __init__(
        self,
        transport: Transport,
        serial: str,
        snapshots: Snapshots,
        timeout_s: float = 30.0,
        reads_back: bool = False,
        measures: bool = False,
        grpc: GrpcScreen | None = None,
    ) -> None:
        self._transport = transport
        self._serial = serial
        self._snapshots = snapshots
        self._timeout_s = timeout_s
        self._reads_back = reads_back
        self._size: Size | None = None
        self._raw_frames: bool | None = None
        self._counts_frames: bool | None = None
        self._has_launcher_names = True
        own = {"raw": self._raw, "png": self._png}
        self._ways = ScreenWays(own, {"grpc": grpc.screenshot} if grpc is not None else {}) if measures else None

    @property
    def serial(self) -> str:
        """The name that adb knows the phone by."""
        return self._serial

    @property
    def transport(self) -> Transport:
        """The way to the phone."""
        return self._transport

    @property
    def screen_choice(self) -> ScreenChoice | None:
        """How screenshots are taken; None before the first one, and where nothing is measured."""
        return self._ways.choice if self._ways is not None else None

    def forget_screen_choice(self) -> None:
        """Measure anew at the next screenshot."""
        if self._ways is not None:
            self._ways.forget()

    def size(self) -> Size:
        """Size of the screen: `wm size` once, then that of the latest screenshot, which follows rotations."""
        if self._size is None:
            sizes = dict(re.findall(r"^(Physical|Override) size: (\d+x\d+)", self.shell("wm size"), re.MULTILINE))
            text = sizes.get("Override") or sizes.get("Physical")
            if text is None:
                raise DeviceError(f"phone {self._serial} does not tell its size with `wm size`")
            width, height = (int(side) for side in text.split("x"))
            self._size = Size(height, width)
        return self._size

    def screenshot(self) -> NDArray[np.uint8]:
        """Pixels of the screen. One that is torn, or of one colour, is asked for once more; torn again, it raises
        DeviceError."""
        try:
            pixels = self._frame()
            if is_plain(pixels):
                pixels = self._frame()
        except DeviceError as error:
            if type(error) is not DeviceError:  # lost or timed out: asking again would hide it
                raise
            pixels = self._frame()
        self._size = Size(*pixels.shape[:2])
        return pixels

    def frame_counter(self) -> int | None:
        """A number that grows with each redraw; None on phones whose SurfaceFlinger does not count for everybody."""
        if self._counts_frames is False:
            return None
        rows = self.shell("dumpsys SurfaceFlinger --latency").split("\n", 1)[-1].strip().splitlines()
        numbers = rows[0].split() if len(rows) == 1 else []
        self._counts_frames = len(numbers) == 3 and all(number.isdecimal() for number in numbers)
        return int(numbers[0]) if self._counts_frames else None

    def ui_tree(self) -> UiNode:
        """The accessibility tree; never that of an earlier dump. Raises DeviceError when uiautomator fails twice."""
        try:
            return read_ui_dump(self._text_of("uiautomator dump /dev/tty"))
        except DeviceError as error:
            if type(error) is not DeviceError:
                raise
        commands = f"rm -f {_DUMP_FILE}; uiautomator dump {_DUMP_FILE}; cat {_DUMP_FILE} 2>/dev/null"
        return read_ui_dump(self._text_of(commands))

    def foreground(self) -> str:
        """The foreground activity as "package/activity", empty while none has the focus (during a start)."""
        for command in COMMANDS:
            found = find_foreground(self._run(command).stdout.decode("utf-8", "replace"))
            if found is not None:
                return found
        return ""

    def tap(self, x: int, y: int) -> None:
        """Touch a pixel."""
        self.shell(f"input tap {int(x)} {int(y)}")

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        """Move a finger; equal end points and a long duration make a long press."""
        milliseconds = max(0, round(duration_s * 1000))
        self._checked(f"input swipe {int(x1)} {int(y1)} {int(x2)} {int(y2)} {milliseconds}", extra_s=duration_s)

    def type_text(self, text: str) -> None:
        """Type into the focused field; a line end is the enter key. Text beyond ASCII goes through the ADBKeyboard app,
        and raises DeviceError where that is not installed."""
        if self._reads_back:
            type_and_read_back(text, self._type_plainly, self.ui_tree, self.press)
        else:
            self._type_plainly(text)

    def _type_plainly(self, text: str) -> None:
        if odd_characters(text):
            type_by_keyboard(text, self.shell)
            return
        for command in typing_commands(text):
            self.shell(command)

    def press(self, keycode: str) -> None:
        """Send a key event by its Android name."""
        self.shell(f"input keyevent {shlex.quote(keycode)}")

    def open_app(self, name: str) -> None:
        """Start an app by launcher name (virtual phones) or by package name. Raises DeviceError when there is none."""
        if self._has_launcher_names:
            command = f"tapwise-phone open-app {shlex.quote(name)}"
            result = self._run(command)
            if result.exit_code == 0:
                return
            if result.exit_code != _NOT_FOUND:
                raise CommandFailed(command, result.exit_code, _complaint(result))
            self._has_launcher_names = False
        package = self._package(name)
        result = self._run(f"monkey -p {shlex.quote(package)} -c android.intent.category.LAUNCHER 1")
        if result.exit_code != 0 or b"No activities found" in result.stdout + result.stderr:
            raise DeviceError(f"app {name!r} cannot be started on phone {self._serial}: {_complaint(result)}")

    def shell(self, command: str) -> str:
        """A command's standard output. Raises CommandFailed when it ends with a non-zero status."""
        return self._checked(command).decode("utf-8", "replace")

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state of the phone under a name."""
        self._snapshots.save(name)

    def load_snapshot(self, name: str) -> None:
        """Bring back the state kept under a name."""
        self._snapshots.load(name)
        self._size = None

    def _run(self, command: str, extra_s: float = 0.0) -> ShellResult:
        return self._transport.shell(command, self._timeout_s + extra_s)

    def _checked(self, command: str, extra_s: float = 0.0) -> bytes:
        result = self._run(command, extra_s)
        if result.exit_code != 0:
            raise CommandFailed(command, result.exit_code, _complaint(result))
        return result.stdout

    def _text_of(self, command: str) -> str:
        return self._transport.exec_out(command, self._timeout_s).decode("utf-8", "replace")

    def _frame(self) -> NDArray[np.uint8]:
        if self._ways is not None:
            return self._ways.grab()
        if self._raw_frames is False:
            return self._png()
        try:
            pixels = self._raw()
        except DeviceError as error:
            if type(error) is not DeviceError:
                raise
            pixels = self._png()
            self._raw_frames = bool(self._raw_frames)  # a phone whose first frame is malformed uses another format
            return pixels
        self._raw_frames = True
        return pixels

    def _raw(self) -> NDArray[np.uint8]:
        return screen.read_raw(self._transport.exec_out("screencap", self._timeout_s, screen.raw_length(self.size())))

    def _png(self) -> NDArray[np.uint8]:
        return screen.read_png(self._transport.exec_out("screencap -p", self._timeout_s))

    def _package(self, name: str) -> str:
        if "." in name:
            return name
        wanted = re.sub(r"\W", "", name).lower()
        packages: list[str] = re.findall(r"^package:(\S+)", self.shell("pm list packages"), re.MULTILINE)
        matches = [package for package in packages if package.rpartition(".")[2].lower() == wanted]
        if len(matches) != 1:
            found = f"{len(matches)} packages are called so" if matches else "no package is called so"
            raise DeviceError(f"app {name!r} is not known on phone {self._serial}: {found}; give the package name")
        return matches[0]


def _complaint(result: ShellResult) -> str:
    return (result.stderr + result.stdout).decode("utf-8", "replace").strip()
