"""An Android phone behind an Appium server, for phones that are reachable only so, such as those of device clouds."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tapwise.emulators import screen
from tapwise.emulators.text_input import type_lines
from tapwise.emulators.ui_dump import read_ui_dump
from tapwise.errors import CommandFailed, DeviceError, DeviceLost, DeviceTimeout
from tapwise.records import Size, UiNode

if TYPE_CHECKING:
    from appium.webdriver.webdriver import WebDriver

_EXIT = re.compile(r"exited with code (\d+)")
_NOT_ALLOWED = ("adb_shell", "not enabled", "potentially insecure")


class AppiumDevice:
    """A `tapwise.protocols.Device` over a session of Appium's UiAutomator2 driver. Made by `AppiumBackend`.

    Text may be of any characters. `shell` needs a server that allows it (`appium --allow-insecure
    uiautomator2:adb_shell`); without it tasks cannot be set up by commands. There are no snapshots.
    """

    def __init__(self, driver: WebDriver, serial: str) -> None:
        self._driver = driver
        self._serial = serial

    @property
    def serial(self) -> str:
        """The phone's udid, else the server's address."""
        return self._serial

    def size(self) -> Size:
        """Size of the screen as it is turned now."""
        with self._at_work("size"):
            told = self._driver.get_window_size()
        return Size(int(told["height"]), int(told["width"]))

    def screenshot(self) -> NDArray[np.uint8]:
        """The screen's pixels."""
        with self._at_work("screenshot"):
            data = self._driver.get_screenshot_as_png()
        return screen.read_png(data)

    def frame_counter(self) -> int | None:
        """None: Appium does not count frames."""
        return None

    def ui_tree(self) -> UiNode:
        """The accessibility tree, as the session's page source."""
        with self._at_work("source"):
            text = self._driver.page_source
        return read_ui_dump(text)

    def foreground(self) -> str:
        """The foreground activity as "package/activity"."""
        with self._at_work("foreground"):
            package, activity = self._driver.current_package, self._driver.current_activity
        return f"{package}/{activity}" if package and activity else ""

    def tap(self, x: int, y: int) -> None:
        """Touch a pixel."""
        self._mobile("clickGesture", x=int(x), y=int(y))

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        """Move a finger; equal end points and a long duration make a long press."""
        milliseconds = max(0, round(duration_s * 1000))
        if (int(x1), int(y1)) == (int(x2), int(y2)):
            self._mobile("longClickGesture", x=int(x1), y=int(y1), duration=milliseconds)
            return
        with self._at_work("swipe"):
            self._driver.swipe(int(x1), int(y1), int(x2), int(y2), milliseconds)

    def type_text(self, text: str) -> None:
        """Type into the focused field; a line end is the enter key."""
        type_lines(text, lambda line: self._mobile("type", text=line), lambda: self.press("KEYCODE_ENTER"))

    def press(self, keycode: str) -> None:
        """Send a key event by its Android name. Raises DeviceError for a name that Appium does not know."""
        from appium.webdriver.extensions.android.nativekey import AndroidKey

        code = getattr(AndroidKey, keycode.removeprefix("KEYCODE_"), None)
        if code is None:
            raise DeviceError(f"key {keycode!r} is not known to Appium")
        self._mobile("pressKey", keycode=int(code))

    def open_app(self, name: str) -> None:
        """Start an app by its package name. Raises DeviceError when it is not installed."""
        with self._at_work(f"start of {name}"):
            self._driver.activate_app(name)

    def shell(self, command: str) -> str:
        """A command's standard output. Raises CommandFailed when it ends with a non-zero status."""
        try:
            return str(self._mobile("shell", command=command, args=[]) or "")
        except DeviceError as error:
            if type(error) is not DeviceError:
                raise
            if any(word in str(error) for word in _NOT_ALLOWED):
                raise DeviceError(
                    f"Appium's server does not let phone {self._serial} run shell commands: start it with"
                    " --allow-insecure uiautomator2:adb_shell"
                ) from error
            if status := _EXIT.search(str(error)):
                raise CommandFailed(command, int(status[1]), str(error)[:400]) from error
            raise

    def save_snapshot(self, name: str) -> None:
        """Raises DeviceError: Appium keeps no snapshots."""
        raise DeviceError(f"snapshot {name!r} cannot be kept: phone {self._serial} is reached by Appium")

    def load_snapshot(self, name: str) -> None:
        """Raises DeviceError: Appium keeps no snapshots."""
        raise DeviceError(f"snapshot {name!r} cannot be loaded: phone {self._serial} is reached by Appium")

    def _mobile(self, extension: str, /, **arguments: Any) -> Any:
        with self._at_work(extension):
            return self._driver.execute_script(f"mobile: {extension}", arguments)

    @contextlib.contextmanager
    def _at_work(self, what: str) -> Iterator[None]:
        with appium_errors(f"Appium's {what} failed on phone {self._serial}"):
            yield


@contextlib.contextmanager
def appium_errors(what: str) -> Iterator[None]:
    """Errors of the Appium client within the block as DeviceErrors that begin with `what`."""
    from selenium.common.exceptions import (
        InvalidSessionIdException,
        NoSuchWindowException,
        TimeoutException,
        WebDriverException,
    )
    from urllib3.exceptions import HTTPError, MaxRetryError, ReadTimeoutError

    try:
        yield
    except (ReadTimeoutError, TimeoutException) as error:
        raise DeviceTimeout(f"{what}: {error}") from error
    except MaxRetryError as error:
        kind = DeviceTimeout if isinstance(error.reason, ReadTimeoutError) else DeviceLost
        raise kind(f"{what}: {error}") from error
    except (HTTPError, OSError, InvalidSessionIdException, NoSuchWindowException) as error:
        raise DeviceLost(f"{what}: {error}") from error
    except WebDriverException as error:
        text = (error.msg or str(error)).strip()
        lost = "instrumentation process is not running" in text or "socket hang up" in text
        raise (DeviceLost if lost else DeviceError)(f"{what}: {text[:600]}") from error
