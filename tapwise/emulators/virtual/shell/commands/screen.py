"""What is on the screen: screencap, uiautomator, wm."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual.hierarchy import hierarchy
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_TREE_ERRORS: Final = {
    "busy": "ERROR: could not get idle state.",
    "null": "ERROR: null root node returned by UiTestAutomationBridge.",
}
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
    text = hierarchy(call.phone.tree())
    if target == "/dev/tty":
        call.out.write(text)
    else:
        call.phone.files.write(call.path(target), text.encode(), call.phone.clock.now())
    call.out.line(f"UI hierchary dumped to: {target}")  # the misspelling is Android's own, and clients look for it
    return 0


def _wm(call: Invocation) -> int:
    size = call.phone.size
    match call.operand(0), call.arguments[1:]:
        case "size", []:
            call.out.line(f"Physical size: {size.width}x{size.height}")
        case "density", []:
            call.out.line(f"Physical density: {call.phone.density}")
        case (("size" | "density"), ["reset"]):
            pass
        case (("size" | "density"), [value]):
            raise CommandError(f"wm: this phone's screen is fixed and cannot become {value}; start it with --size")
        case "dismiss-keyguard" | "user-rotation" | "fixed-to-user-rotation", _:
            pass
        case subcommand, _:
            raise CommandError(f"wm: unknown command {subcommand}", 255)
    return 0


COMMANDS: Final[CommandTable] = {"screencap": _screencap, "uiautomator": _uiautomator, "wm": _wm}
