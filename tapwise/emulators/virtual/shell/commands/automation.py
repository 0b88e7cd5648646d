"""Programs that test tools start on a phone, and the keyboard that they type with: app_process, ime."""

from __future__ import annotations

from functools import partial
from typing import Final

from tapwise.emulators.virtual.automation import appium
from tapwise.emulators.virtual.automation.http import HttpConnection
from tapwise.emulators.virtual.automation.uiautomator2 import DEFAULT_PORT, MAIN_CLASS, Uiautomator2Server
from tapwise.emulators.virtual.keyboards import ADB_KEYBOARD, APPIUM_IME, LATIN_IME, UNICODE_IME
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_KEYBOARDS: Final = (
    LATIN_IME,
    ADB_KEYBOARD,
    "com.github.uiautomator/.AdbKeyboard",
    APPIUM_IME,
    UNICODE_IME,
)


def _app_process(call: Invocation) -> int:
    if MAIN_CLASS not in call.arguments:
        raise CommandError(f"app_process: of Java programs only {MAIN_CLASS} runs on a virtual phone", 255)
    words = call.arguments[call.arguments.index(MAIN_CLASS) + 1 :]
    port = call.integer(words[words.index("-p") + 1]) if "-p" in words[:-1] else DEFAULT_PORT
    listeners = call.phone.listeners
    if port in listeners:
        raise CommandError("java.lang.IllegalStateException: UiAutomationService already registered!", 255)
    listeners[port] = partial(HttpConnection, Uiautomator2Server(call.phone).handle)
    call.out.line("[server] INFO: [UiAutomator2Server] Starting Server")
    call.shell.stay(lambda: listeners.pop(port, None) and None)
    return 0


def instrument(call: Invocation, words: list[str]) -> int:
    """`am instrument -w ... PACKAGE/RUNNER`: of the installed ones, Appium's server runs, until it is ended."""
    name = words[-1] if words else ""
    package, _, runner = name.partition("/")
    apk = call.phone.state.packages.get(package)
    target = next((target for known, target in apk.instrumentation if known == runner), "") if apk else ""
    if not target:
        call.out.line(
            f"INSTRUMENTATION_STATUS: Error=Unable to find instrumentation info for: ComponentInfo{{{name}}}\n"
            f"INSTRUMENTATION_STATUS_CODE: -1\nandroid.util.AndroidException: INSTRUMENTATION_FAILED: {name}"
        )
        return 1
    if target != appium.TARGET:
        raise CommandError(f"INSTRUMENTATION_FAILED: {name}: of instrumentations only Appium's runs here")
    listeners = call.phone.listeners
    listeners[appium.PORT] = partial(HttpConnection, appium.AppiumServer(call.phone).handle)
    call.shell.stay(lambda: listeners.pop(appium.PORT, None) and None)
    return 0


def _ime(call: Invocation) -> int:
    match call.arguments:
        case ["list", *options]:
            for name in _KEYBOARDS:
                call.out.line(name if "-s" in options else f"{name}:\n  mId={name}")
        case ["enable" | "disable", name] if name in _KEYBOARDS:
            call.out.line(f"Input method {name}: now {call.arguments[0]}d for user #0")
        case ["set", name] if name in _KEYBOARDS:
            call.phone.settings.put("secure", "default_input_method", name)
            call.out.line(f"Input method {name} selected for user #0")
        case ["reset"]:
            call.phone.settings.put("secure", "default_input_method", _KEYBOARDS[0])
            call.out.line("Reset current and enabled IMEs for user #0")
        case [("enable" | "disable" | "set"), name]:
            call.err.line(f"Unknown input method {name} cannot be {call.arguments[0]} for user #0")
        case _:
            raise CommandError("ime <command>: list [-a] [-s] | enable ID | disable ID | set ID | reset", 255)
    return 0


COMMANDS: Final[CommandTable] = {"app_process": _app_process, "ime": _ime}
