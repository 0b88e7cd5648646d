"""The emulator's gRPC: status, screenshots, touches, keys, texts, the machine's state, snapshots.

Served in the event loop of the phone, so that nothing happens to it at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import grpc
import numpy as np
from PIL import Image

from tapwise.emulators.protos import Method, load
from tapwise.emulators.virtual.automation.gestures import Touch, two_fingers
from tapwise.emulators.virtual.emulator.machine import Machine
from tapwise.errors import ConfigError, TapwiseError

_PNG, _RGBA, _RGB = 0, 1, 2
_SHUTDOWN, _TERMINATE, _RESET, _RUNNING = 5, 7, 9, 1
_KEY_UP = 1
_MOUSE = -1
_EVDEV, _XKB = 1, 2
_XKB_OFFSET: Final = 8
_STREAM_EVERY_S: Final = 0.02
_NAMED_KEYS: Final = {
    "GoHome": "KEYCODE_HOME",
    "GoBack": "KEYCODE_BACK",
    "AppSwitch": "KEYCODE_APP_SWITCH",
    "Enter": "KEYCODE_ENTER",
    "Backspace": "KEYCODE_DEL",
}
_EVDEV_KEYS: Final = {
    14: "KEYCODE_DEL",
    28: "KEYCODE_ENTER",
    102: "KEYCODE_HOME",
    158: "KEYCODE_BACK",
    172: "KEYCODE_HOME",
    580: "KEYCODE_APP_SWITCH",
}
_EVDEV_ROWS: Final = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'"), (44, "zxcvbnm,./"), (57, " "))
_EVDEV_LETTERS: Final = {first + n: letter for first, row in _EVDEV_ROWS for n, letter in enumerate(row)}


class Servicer:
    """What each call does; a method of the call's name takes the request and gives the reply's fields."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._started = time.monotonic()
        self._fingers: dict[int, tuple[tuple[int, int], tuple[int, int], float]] = {}
        """of each finger that is down: where it came down, where it is, and since when"""
        self._lifted: list[Touch] = []
        """what the fingers did that came down with those that are still down"""

    # --- EmulatorController ------------------------------------------------------------------------------

    def get_status(self, _: Any) -> dict[str, Any]:
        """Booted: a virtual phone always is."""
        uptime_ms = round(1e3 * (time.monotonic() - self._started))
        return {"version": "33.1.24.0", "uptime": uptime_ms, "booted": True}

    def get_screenshot(self, request: Any) -> dict[str, Any]:
        """The screen as PNG, RGBA or RGB, scaled down to fit the size that is asked for, if any."""
        phone = self._machine.phone
        phone.poll()
        pixels = phone.frame()
        height, width = pixels.shape[:2]
        scale = min(
            1.0,
            (request.width or width) / width,
            (request.height or height) / height,
        )
        if scale < 1.0:
            wanted = (max(1, round(width * scale)), max(1, round(height * scale)))
            pixels = np.asarray(Image.fromarray(pixels).resize(wanted, Image.Resampling.BILINEAR))
            height, width = pixels.shape[:2]
        shape = {"format": request.format, "width": width, "height": height, "display": request.display}
        return {
            "format": shape,
            "width": width,
            "height": height,
            "image": _encoded(pixels, request.format),
            "seq": phone.frame_counter(),
            "timestampUs": time.time_ns() // 1000,
        }

    def send_touch(self, request: Any) -> dict[str, Any]:
        """Fingers: down, moved, and up when their pressure is 0."""
        for touch in request.touches:
            self._pointer(touch.identifier, touch.x, touch.y, down=touch.pressure > 0)
        return {}

    def send_mouse(self, request: Any) -> dict[str, Any]:
        """The mouse is a finger while a button is held."""
        self._pointer(_MOUSE, request.x, request.y, down=request.buttons != 0)
        return {}

    def _pointer(self, finger: int, x: int, y: int, *, down: bool) -> None:
        if down:
            start, _, since = self._fingers.get(finger, ((x, y), (x, y), time.monotonic()))
            self._fingers[finger] = start, (x, y), since
        elif finger in self._fingers:
            start, _, since = self._fingers.pop(finger)
            self._lifted.append(Touch(start, (x, y), time.monotonic() - since))
            if not self._fingers:
                touches, self._lifted = self._lifted, []
                self._touched(touches)

    def _touched(self, touches: list[Touch]) -> None:
        """One finger, two at a time, or more, of which the phone feels the first."""
        phone, first = self._machine.phone, touches[0]
        if len(touches) == 2:
            two_fingers(phone, first, touches[1])
        else:
            phone.swipe(*first.start, *first.end, first.held_s)

    def send_key(self, request: Any) -> dict[str, Any]:
        """A text, a named key, or a code of the kernel or of X; other codes are ignored."""
        phone = self._machine.phone
        if request.text:
            phone.type_text(request.text)
        elif request.eventType != _KEY_UP:
            code = request.keyCode - (_XKB_OFFSET if request.codeType == _XKB else 0)
            known = _EVDEV_KEYS.get(code, "") if request.codeType in (_EVDEV, _XKB) else ""
            name = _NAMED_KEYS.get(request.key, known)
            if name:
                phone.key_event(name)
            elif len(request.key) == 1:
                phone.type_text(request.key)
            elif request.codeType in (_EVDEV, _XKB) and code in _EVDEV_LETTERS:
                phone.type_text(_EVDEV_LETTERS[code])
        return {}

    def send_sms(self, request: Any) -> dict[str, Any]:
        """A text arrives."""
        if not request.srcAddress:
            return {"response": 2}
        self._machine.receive_sms(request.srcAddress, request.text)
        return {"response": 0}

    def get_vm_state(self, _: Any) -> dict[str, Any]:
        """Always running."""
        return {"state": _RUNNING}

    def set_vm_state(self, request: Any) -> dict[str, Any]:
        """End, or start anew; the other states make no difference to a phone that only moves when touched."""
        if request.state in (_SHUTDOWN, _TERMINATE):
            self._machine.end()
        elif request.state == _RESET:
            self._machine.phone.go_home()
        return {}

    # --- SnapshotService ---------------------------------------------------------------------------------

    def list_snapshots(self, _: Any) -> dict[str, Any]:
        """Every snapshot."""
        phone = self._machine.phone
        names = phone.snapshot_names()
        return {"snapshots": [{"snapshot_id": name, "size": len(phone.saved_snapshot(name))} for name in names]}

    def load_snapshot(self, request: Any) -> dict[str, Any]:
        """Bring a state back; `err` says why it was not."""
        name = request.snapshot_id
        return self._result(name, self._machine.load_snapshot(name), "there is no such snapshot")

    def save_snapshot(self, request: Any) -> dict[str, Any]:
        """Keep the present state."""
        self._machine.save_snapshot(request.snapshot_id)
        return self._result(request.snapshot_id, True, "")

    def delete_snapshot(self, request: Any) -> dict[str, Any]:
        """Forget a state."""
        name = request.snapshot_id
        return self._result(name, self._machine.delete_snapshot(name), "there is no such snapshot")

    def _result(self, name: str, success: bool, error: str) -> dict[str, Any]:
        return {"snapshot_id": name, "success": success, "err": b"" if success else error.encode()}


def _encoded(pixels: np.ndarray, form: int) -> bytes:
    if form == _RGB:
        return pixels.tobytes()
    if form == _RGBA:
        opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
        return np.concatenate([pixels, opaque], axis=2).tobytes()
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


@contextlib.asynccontextmanager
async def serve_grpc(machine: Machine, host: str, port: int) -> AsyncIterator[int]:
    """Serve until left, and give the port. Raises ConfigError when it is taken."""
    servicer = Servicer(machine)
    server = grpc.aio.server(options=[("grpc.max_send_message_length", -1), ("grpc.so_reuseport", 0)])
    _, services = load("tapwise.emulators", "emulator.proto")
    for name, methods in services.items():
        handlers = {method: _handler(servicer, method, form) for method, form in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
    try:
        bound = server.add_secure_port(f"{host}:{port}", grpc.local_server_credentials())
    except RuntimeError as error:
        raise ConfigError(f"-grpc {port}: the port of {host} cannot be had: {error}") from None
    await server.start()
    try:
        yield bound
    finally:
        await server.stop(None)


def _handler(servicer: Servicer, name: str, form: Method) -> Any:
    codec: Mapping[str, Any] = {
        "request_deserializer": form.request.FromString,
        "response_serializer": form.reply.SerializeToString,
    }
    if form.streams:

        async def stream(request: Any, context: Any) -> AsyncIterator[Any]:
            last = -1
            while True:
                counter = servicer._machine.phone.frame_counter()
                if counter != last:
                    last = counter
                    yield form.reply(**servicer.get_screenshot(request))
                await asyncio.sleep(_STREAM_EVERY_S)

        return grpc.unary_stream_rpc_method_handler(stream, **codec)
    work = getattr(servicer, _snake(name))

    async def call(request: Any, context: Any) -> Any:
        try:
            return form.reply(**work(request))
        except TapwiseError as error:
            await context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))

    return grpc.unary_unary_rpc_method_handler(call, **codec)


def _snake(name: str) -> str:
    """getStatus and GetStatus become get_status."""
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
