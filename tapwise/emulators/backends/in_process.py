"""Virtual phones in this very process: no wire, no process to start; for tests, pre-training and benchmarks."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tapwise.emulators.backends.base import NEW_CONNECTION, Remedy
from tapwise.emulators.text_input import type_lines
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.commands import COMMANDS
from tapwise.emulators.virtual.shell.interpreter import Interpreter
from tapwise.emulators.virtual.shell.screen import ScreenReader
from tapwise.emulators.virtual.shell.streams import Streams
from tapwise.errors import CommandFailed, DeviceError, DeviceLost
from tapwise.records import Size, UiNode


class InProcessDevice:
    """A `tapwise.protocols.Device` straight on a virtual phone. Thread-safe: one call at a time.

    It behaves like the same phone behind ADB; only its pictures are not copied: do not write
    to them.
    """

    def __init__(self, phone: VirtualPhone, serial: str = "in-process-0") -> None:
        self._phone = phone
        self._serial = serial
        self._screen = ScreenReader(phone)
        self._lock = threading.Lock()
        self._closed = False

    @property
    def serial(self) -> str:
        """A name of ours; adb knows nothing of this phone."""
        return self._serial

    @property
    def phone(self) -> VirtualPhone:
        """The phone itself."""
        return self._phone

    def close(self) -> None:
        """Refuse every further call with DeviceLost, as a phone that was shut down does."""
        self._closed = True

    def closed(self) -> bool:
        """Whether the phone was shut down."""
        return self._closed

    def size(self) -> Size:
        """Size of the screen."""
        return self._phone.size

    def screenshot(self) -> NDArray[np.uint8]:
        """The screen's pixels, read-only."""
        with self._at_work():
            self._phone.poll()
            return self._phone.frame()

    def frame_counter(self) -> int | None:
        """Grows whenever the picture has changed."""
        with self._at_work():
            self._phone.poll()
            return self._phone.frame_counter()

    def ui_tree(self) -> UiNode:
        """The accessibility tree."""
        with self._at_work():
            self._phone.poll()
            return self._phone.tree()

    def foreground(self) -> str:
        """The foreground activity."""
        with self._at_work():
            return self._phone.foreground()

    def tap(self, x: int, y: int) -> None:
        """Touch a pixel."""
        with self._at_work():
            self._phone.tap(x, y)

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        """Move a finger."""
        with self._at_work():
            self._phone.swipe(x1, y1, x2, y2, duration_s)

    def type_text(self, text: str) -> None:
        """Type any text but control characters; a line end is the enter key."""
        type_lines(text, self._type_line, lambda: self.press("KEYCODE_ENTER"))

    def _type_line(self, line: str) -> None:
        with self._at_work():
            self._phone.type_text(line)

    def press(self, keycode: str) -> None:
        """Send a key event."""
        with self._at_work():
            self._phone.key_event(keycode)

    def open_app(self, name: str) -> None:
        """Start an app by launcher name or package name. Raises DeviceError when there is none."""
        with self._at_work():
            labels = {app.label.casefold(): package for package, app in self._phone.apps.items()}
            if not self._phone.start(labels.get(name.casefold(), name)):
                raise DeviceError(f"app {name!r} is not installed on phone {self._serial}: apps are {sorted(labels)}")

    def shell(self, command: str) -> str:
        """Run a command in the phone's own shell. Raises CommandFailed on a non-zero status."""
        streams = Streams()
        with self._at_work():
            status = Interpreter(self._phone, self._screen, COMMANDS).run(command, streams)
        output = streams.stdout.value().decode("utf-8", "replace")
        if status != 0:
            raise CommandFailed(command, status, streams.stderr.value().decode("utf-8", "replace") + output)
        return output

    def save_snapshot(self, name: str) -> None:
        """Keep the whole state under a name."""
        with self._at_work():
            self._phone.save_snapshot(name)

    def load_snapshot(self, name: str) -> None:
        """Bring the state back. Raises DeviceError when there is none of that name."""
        with self._at_work():
            try:
                self._phone.load_snapshot(name)
            except KeyError:
                raise DeviceError(
                    f"snapshot {name!r} cannot be loaded: phone {self._serial} keeps none so named"
                ) from None

    def _at_work(self) -> threading.Lock:
        if self._closed:
            raise DeviceLost(f"phone {self._serial} was shut down")
        return self._lock


class InProcessPhone:
    """A `BootedDevice` with no process or connection behind it."""

    def __init__(self, device: InProcessDevice) -> None:
        self._device = device

    @property
    def device(self) -> InProcessDevice:
        """What lessees work with."""
        return self._device

    @property
    def screen_choice(self) -> None:
        """There is one way only."""

    def alive(self) -> bool:
        """Until the phone was shut down."""
        return not self._device.closed()

    def probe(self, timeout_s: float) -> None:
        """Nothing to ask: a lessee that works with the phone must not be disturbed."""

    @property
    def remedies(self) -> Sequence[Remedy]:
        """None but to go on: there is no connection."""
        return (Remedy(NEW_CONNECTION, self.probe),)

    def shut_down(self) -> None:
        """Further calls on the device raise DeviceLost."""
        self._device.close()


class InProcessBackend:
    """Virtual phones as plain objects; phone `index` gets the seed `seed + index`."""

    name = "in-process"

    def __init__(self, size: Size = Size(1200, 540), seed: int = 0, noise: Noise = Noise()) -> None:
        self._size = size
        self._seed = seed
        self._noise = noise

    def boot(self, index: int, timeout_s: float) -> InProcessPhone:
        """Make a phone."""
        phone = VirtualPhone(size=self._size, seed=self._seed + index, noise=self._noise)
        return InProcessPhone(InProcessDevice(phone, f"in-process-{index}"))
