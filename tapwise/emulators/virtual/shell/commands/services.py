"""System services: settings, svc, service, cmd, getprop and setprop."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual.panels import QUICK_SETTINGS, SHADE
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.packages import pm
from tapwise.emulators.virtual.state import Notification

_NAMESPACES: Final = ("global", "secure", "system")
_SERVICES: Final = (
    "activity",
    "alarm",
    "notification",
    "battery",
    "clipboard",
    "display",
    "input",
    "package",
    "settings",
    "window",
    "wifi",
    "phone",
)
_SHELL: Final = "com.android.shell"
_BOOTED: Final = frozenset({"sys.boot_completed", "dev.bootcomplete"})
_RADIOS: Final = {"wifi": "wifi_on", "bluetooth": "bluetooth_on", "data": "mobile_data", "nfc": "nfc_on"}


def _settings(call: Invocation) -> int:
    words = list(call.arguments)
    if "--user" in words:
        at = words.index("--user")
        del words[at : at + 2]
    verb = words[0] if words else "(none)"
    count = {"get": 3, "put": 4, "delete": 3, "list": 2}.get(verb)
    if count is None:
        raise CommandError(f"Invalid command: {verb}", 255)
    if len(words) < count:
        raise CommandError("Bad arguments", 255)
    namespace = words[1].lower()
    if namespace not in _NAMESPACES:
        raise CommandError(f"Invalid namespace '{words[1]}'", 255)
    settings = call.phone.settings
    match verb:
        case "get":
            value = settings.get(namespace, words[2])
            call.out.line("null" if value is None else value)
        case "put":
            settings.put(namespace, words[2], words[3])
            call.phone.advance(0.0)  # whatever shows the setting is drawn anew
        case "delete":
            call.out.line(f"Deleted {int(settings.delete(namespace, words[2]))} rows")
            call.phone.advance(0.0)
        case _:
            for key, value in settings.items(namespace):
                call.out.line(f"{key}={value}")
    return 0


def _switch(call: Invocation, radio: str, word: str) -> int:
    if word not in ("enable", "disable"):
        raise CommandError(f"svc: {radio} can be told enable or disable, not {word!r}")
    call.phone.settings.put("global", _RADIOS[radio], "1" if word == "enable" else "0")
    call.phone.advance(0.0)
    return 0


def _svc(call: Invocation) -> int:
    service, word = call.operand(0), call.operand(1)
    if service == "power":
        return 0
    if service not in _RADIOS:
        raise CommandError(f"svc: unknown service {service}; known here: {', '.join(_RADIOS)}, power")
    return _switch(call, service, word)


def _service(call: Invocation) -> int:
    if call.operand(0) == "list":
        call.out.line(f"Found {len(_SERVICES)} services:")
        for number, name in enumerate(_SERVICES):
            call.out.line(f"{number}\t{name}: []")
        return 0
    if call.arguments[0] == "call":
        name = call.operand(1)
        call.out.line(
            "Result: Parcel(00000000    '....')" if name in _SERVICES else f"service: Service {name} does not exist"
        )
        return 0 if name in _SERVICES else 10
    if call.arguments[0] != "check":
        raise CommandError(f"service: unknown command {call.arguments[0]}; list, check and call exist here", 10)
    name = call.operand(1)
    call.out.line(f"Service {name}: {'found' if name in _SERVICES else 'not found'}")
    return 0


def _cmd(call: Invocation) -> int:
    """`cmd SERVICE ...`: services that have a command of their own are asked through it."""
    service, words = call.operand(0), call.arguments[1:]
    if service == "package":
        return pm(Invocation(call.shell, "pm", words, call.streams))
    if service in ("activity", "window", "settings", "input"):
        name = {"activity": "am", "window": "wm"}.get(service, service)
        return call.shell.run_words([name, *words], call.streams)
    if service == "uimode" and words[:1] == ["night"]:
        return _night_mode(call, words[1:])
    if service == "connectivity" and words[:1] == ["airplane-mode"]:
        return _airplane_mode(call, words[1:])
    if service == "wifi" and words[:1] == ["set-wifi-enabled"] and words[1:]:
        return _switch(call, "wifi", "enable" if words[1] in ("enabled", "1", "true") else "disable")
    if service == "bluetooth_manager" and words[:1] in (["enable"], ["disable"]):
        return _switch(call, "bluetooth", words[0])
    if service == "clipboard":
        if words[:1] == ["set"]:
            call.phone.state.clipboard = " ".join(words[1:])
        else:
            call.out.line(call.phone.state.clipboard)
        return 0
    if service == "wifi" and words[:1] == ["status"]:
        on = call.phone.settings.is_on("global", "wifi_on")
        call.out.line(f"Wifi is {'enabled' if on else 'disabled'}")
        return 0
    if service == "location":
        return _location(call, words)
    if service == "statusbar":
        return _status_bar(call, words)
    if service == "notification":
        return _notification(call, words)
    if service in ("overlay", "appops", "deviceidle", "jobscheduler"):
        return 0
    raise CommandError(f"cmd: Can't find service: {service}", 20)


def _location(call: Invocation, words: list[str]) -> int:
    match words:
        case ["is-location-enabled"]:
            call.out.line("false" if call.phone.settings.is_on("secure", "location_mode", "0") else "true")
        case ["set-location-enabled", ("true" | "false") as value]:
            call.phone.settings.put("secure", "location_mode", "3" if value == "true" else "0")
            call.phone.advance(0.0)
        case _:
            raise CommandError("cmd location: is-location-enabled | set-location-enabled true|false", 255)
    return 0


def _status_bar(call: Invocation, words: list[str]) -> int:
    phone = call.phone
    match words[:1]:
        case ["expand-notifications"]:
            phone.panels.show(SHADE)
        case ["expand-settings"]:
            phone.panels.show(QUICK_SETTINGS)
        case ["collapse"]:
            phone.panels.close()
        case ["get-status-icons"]:
            call.out.write("battery\nmobile\nwifi\nbluetooth\n")
        case _:
            raise CommandError(f"Unknown command: {' '.join(words)}", 255)
    return 0


def _notification(call: Invocation, words: list[str]) -> int:
    """`cmd notification post [-t TITLE] TAG TEXT` and `list`; other words change nothing here."""
    if words[:1] == ["list"]:
        for posted in call.phone.state.notifications:
            call.out.line(f"0|{posted.package}|1|{posted.tag or 'null'}|10100")
    if words[:1] != ["post"]:
        return 0
    options, rest = Invocation(call.shell, "post", words[1:], call.streams).options(flags="v", valued="tSiIc")
    if len(rest) < 2:
        raise CommandError("usage: cmd notification post [-t TITLE] TAG TEXT", 255)
    posted = Notification(_SHELL, rest[0], options.get("t", ""), " ".join(rest[1:]))
    call.phone.panels.notify(posted)
    call.out.line(f"posting:\n  {posted.title}: {posted.text}")
    return 0


def _night_mode(call: Invocation, words: list[str]) -> int:
    names = {"0": "auto", "1": "no", "2": "yes"}
    if words:
        value = {name: number for number, name in names.items()}.get(words[0])
        if value is None:
            raise CommandError(f"Error: Invalid mode {words[0]}", 255)
        call.phone.settings.put("secure", "ui_night_mode", value)
        call.phone.advance(0.0)
    mode = call.phone.settings.get("secure", "ui_night_mode") or "1"
    call.out.line(f"Night mode: {names.get(mode, mode)}")
    return 0


def _airplane_mode(call: Invocation, words: list[str]) -> int:
    if words[:1] in (["enable"], ["disable"]):
        call.phone.settings.put("global", "airplane_mode_on", "1" if words[0] == "enable" else "0")
        call.phone.advance(0.0)
    else:
        call.out.line("enabled" if call.phone.settings.get("global", "airplane_mode_on") == "1" else "disabled")
    return 0


def _getprop(call: Invocation) -> int:
    properties = call.phone.properties
    if not call.arguments:
        for key, value in sorted(properties.items()):
            call.out.line(f"[{key}]: [{value}]")
        return 0
    default = call.arguments[1] if len(call.arguments) > 1 else ""
    if call.arguments[0] in _BOOTED and call.phone.faults.fires("boot", call.arguments[0]):
        call.out.line("")
        return 0
    call.out.line(properties.get(call.arguments[0], default))
    return 0


def _setprop(call: Invocation) -> int:
    call.phone.set_property(call.operand(0), call.operand(1))
    return 0


COMMANDS: Final[CommandTable] = {
    "cmd": _cmd,
    "getprop": _getprop,
    "service": _service,
    "setprop": _setprop,
    "settings": _settings,
    "svc": _svc,
}
