"""What is on the screen: screencap, uiautomator, wm."""

from __future__ import annotations

import re
from typing import Final

from tapwise.emulators.virtual.display import lock_rotation
from tapwise.emulators.virtual.hierarchy import hierarchy
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_TREE_ERRORS: Final = {
    "busy": "ERROR: could not get idle state.",
    "null": "ERROR: null root node returned by UiTestAutomationBridge.",
}
_SIZE: Final = re.compile(r"(\d{1,5})x(\d{1,5})")
_LEAST_PIXELS: Final = 200
_MOST_PIXELS: Final = 4096
_LEAST_DENSITY: Final = 72
_MOST_DENSITY: Final = 1000
_DEFAULT_DUMP: Final = "/sdcard/window_dump.xml"


def _screencap(call: Invocation) -> int:
    options, names = call.options(flags="phj", valued="d")
    as_png = "p" in options or (bool(names) and names[0].endswith(".png"))
    data = call.shell.screen.screenshot(png=as_png)
    if names:
        call.phone.files.write(call.path(names[0]), bytes(data), call.phone.clock.now())
    else:
        call.out.write(data)
    return 0


def _uiautomator(call: Invocation) -> int:
    if call.operand(0) != "dump":
        raise CommandError(f"uiautomator: unknown command {call.arguments[0]}; only dump exists here")
    names = [argument for argument in call.arguments[1:] if not argument.startswith("--")]
    target = names[0] if names else _DEFAULT_DUMP
    fault = call.phone.faults.fires("tree", target)
    if fault is not None:
        if fault.mode in _TREE_ERRORS:
            call.out.line(_TREE_ERRORS[fault.mode])  # with exit status 0 and the old file left, as on Android
        elif fault.mode == "stale" and target != "/dev/tty":
            call.out.line(f"UI hierchary dumped to: {target}")
        return 0
    call.phone.poll()
    text = hierarchy(call.phone.tree(), call.phone.rotation)
    if target == "/dev/tty":
        call.out.write(text)
    else:
        call.phone.files.write(call.path(target), text.encode(), call.phone.clock.now())
    call.out.line(f"UI hierchary dumped to: {target}")  # the misspelling is Android's own, and clients look for it
    return 0


def _wm(call: Invocation) -> int:
    words = call.arguments[1:]
    match call.operand(0):
        case "size":
            _size(call, words)
        case "density":
            _density(call, words)
        case "user-rotation" | "set-user-rotation":
            _user_rotation(call, words)
        case "dismiss-keyguard" | "fixed-to-user-rotation":
            pass
        case subcommand:
            raise CommandError(f"wm: unknown command {subcommand}", 255)
    return 0


def _size(call: Invocation, words: list[str]) -> None:
    phone = call.phone
    if not words:
        call.out.line(f"Physical size: {phone.physical_size.width}x{phone.physical_size.height}")
        if phone.state.display.size is not None:
            width, height = phone.state.display.size
            call.out.line(f"Override size: {width}x{height}")
        return
    if words == ["reset"]:
        phone.state.display.size = None
    else:
        found = _SIZE.fullmatch(words[0])
        if found is None:
            raise CommandError(f"Error: bad size {words[0]}", 255)
        width, height = int(found[1]), int(found[2])
        if not all(_LEAST_PIXELS <= side <= _MOST_PIXELS for side in (width, height)):
            raise CommandError(
                f"Error: size {words[0]}: each side needs {_LEAST_PIXELS} to {_MOST_PIXELS} pixels here", 255
            )
        phone.state.display.size = width, height
    phone.advance(0.0)


def _density(call: Invocation, words: list[str]) -> None:
    phone = call.phone
    if not words:
        call.out.line(f"Physical density: {phone.physical_density}")
        if phone.state.display.density is not None:
            call.out.line(f"Override density: {phone.state.display.density}")
        return
    if words == ["reset"]:
        phone.state.display.density = None
    elif words[0].isdecimal() and _LEAST_DENSITY <= int(words[0]) <= _MOST_DENSITY:
        phone.state.display.density = int(words[0])
    else:
        raise CommandError(f"Error: density must be {_LEAST_DENSITY} to {_MOST_DENSITY}, not {words[0]}", 255)
    phone.advance(0.0)


def _user_rotation(call: Invocation, words: list[str]) -> None:
    settings = call.phone.settings
    match words:
        case []:
            locked = not settings.is_on("system", "accelerometer_rotation")
            call.out.line(f"lock {settings.get('system', 'user_rotation') or 0}" if locked else "free")
        case ["free"]:
            settings.put("system", "accelerometer_rotation", "1")
        case ["lock"]:
            lock_rotation(settings, call.phone.rotation)
        case ["lock", ("0" | "1" | "2" | "3") as rotation]:
            lock_rotation(settings, int(rotation))
        case _:
            raise CommandError(f"Error: expected free or lock [0-3], but got: {' '.join(words)}", 255)
    call.phone.advance(0.0)


COMMANDS: Final[CommandTable] = {"screencap": _screencap, "uiautomator": _uiautomator, "wm": _wm}
