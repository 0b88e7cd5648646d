"""Starting and stopping apps: am and monkey."""

from __future__ import annotations

import base64
import contextlib
from dataclasses import dataclass, field
from typing import Final

from tapwise.emulators.virtual.keyboards import ADB_KEYBOARD
from tapwise.emulators.virtual.log import Entry
from tapwise.emulators.virtual.position import move, position
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.automation import instrument

_VIEW: Final = "android.intent.action.VIEW"
_TYPE_TEXT: Final = frozenset({"ADB_INPUT_B64", "ADB_INPUT_TEXT"})
_READ_CLIPBOARD: Final = frozenset({"clipper.get", "io.appium.settings.clipboard.get"})
_READ_POSITION: Final = "io.appium.settings.location"
_MOCK_POSITION: Final = "io.appium.settings/.LocationService"
_REFRESHED: Final = "The current location has been successfully retrieved from Location Manager"
_APPIUM_PROCESS: Final = 1901
_KEYBOARD_PREFIX: Final = "ADB_KEYBOARD_"
_SETTINGS_PREFIX: Final = "android.settings."
_SETTINGS: Final = "com.android.settings"
_EXTRAS: Final = frozenset({"--es", "-e", "--ei", "--ez", "--el", "--ef", "--eu", "--esn", "--eia", "--esa"})
_VALUED: Final = frozenset({"-f", "--user", "--display", "--windowingMode", "-t", "--activity-type", "--stack"})


@dataclass(slots=True)
class Intent:
    """An intent as written on the command line."""

    action: str = ""
    data: str = ""
    component: str = ""
    package: str = ""
    categories: list[str] = field(default_factory=list)
    extras: dict[str, str] = field(default_factory=dict)
    wait: bool = False
    stop_first: bool = False

    def __str__(self) -> str:
        parts = [f"act={self.action}"] if self.action else []
        parts += [f"cat=[{','.join(self.categories)}]"] if self.categories else []
        parts += [f"dat={self.data}"] if self.data else []
        parts += [f"pkg={self.package}"] if self.package else []
        parts += [f"cmp={self.component}"] if self.component else []
        parts += ["(has extras)"] if self.extras else []
        return f"Intent {{ {' '.join(parts)} }}"


def _intent(call: Invocation, words: list[str]) -> Intent:
    intent = Intent()
    rest = list(words)

    def value(option: str) -> str:
        if not rest:
            raise CommandError(
                f"\nException occurred while executing '{call.arguments[0]}':\nArgument expected after \"{option}\"",
                255,
            )
        return rest.pop(0)

    while rest:
        word = rest.pop(0)
        match word:
            case "-a":
                intent.action = value(word)
            case "-d":
                intent.data = value(word)
            case "-n":
                intent.component = value(word)
            case "-p":
                intent.package = value(word)
            case "-c":
                intent.categories.append(value(word))
            case "-W":
                intent.wait = True
            case "-S":
                intent.stop_first = True
            case _ if word in _EXTRAS:
                key = value(word)
                intent.extras[key] = "" if word == "--esn" else value(word)
            case _ if word in _VALUED:
                value(word)
            case _ if not word.startswith("-"):
                _positional(intent, word)
    return intent


def _positional(intent: Intent, word: str) -> None:
    if ":" in word:
        intent.data = word
        intent.action = intent.action or _VIEW
    elif "/" in word:
        intent.component = word
    else:
        intent.package = word


def _full(component: str) -> str:
    package, _, activity = component.partition("/")
    return f"{package}/{package}{activity}" if activity.startswith(".") else component


def _start(call: Invocation, words: list[str]) -> int:
    intent = _intent(call, words)
    call.out.line(f"Starting: {intent}")
    if intent.stop_first:
        call.phone.force_stop((intent.component or intent.package).partition("/")[0])
    before = call.phone.foreground()
    if not _act(call, intent):
        if intent.component:
            name = _full(intent.component)
            call.out.line("Error type 3")
            call.out.line(f"Error: Activity class {{{name}}} does not exist.")
        else:
            call.out.line(f"Error: Activity not started, unable to resolve {intent}")
        return 0 if not intent.wait else 1
    after = call.phone.foreground()
    if before == after and not intent.data:
        call.out.line("Warning: Activity not started, its current task has been brought to the front")
    if intent.wait:
        state = "UNKNOWN (0)" if before == after else "COLD"
        for line in ("Status: ok", f"LaunchState: {state}", f"Activity: {after}", "TotalTime: 120", "WaitTime: 125"):
            call.out.line(line)
        call.out.line("Complete")
    return 0


def _act(call: Invocation, intent: Intent) -> bool:
    """Do what the intent asks for; False when nothing on the phone answers it."""
    phone = call.phone
    if intent.component:
        return phone.start(intent.component)
    if intent.action == _VIEW and intent.data.startswith(("http://", "https://")):
        try:
            phone.open_url(intent.data)
        except KeyError:
            return False
        return True
    if "android.intent.category.HOME" in intent.categories:
        phone.key_event("KEYCODE_HOME")
        return True
    if intent.package:
        return phone.start(intent.package)
    return intent.action.startswith(_SETTINGS_PREFIX) and phone.start(_SETTINGS)


def _broadcast(call: Invocation, words: list[str]) -> int:
    intent = _intent(call, words)
    call.out.line(
        f"Broadcasting: Intent {{ act={intent.action} flg=0x400000{' (has extras)' if intent.extras else ''} }}"
    )
    result = 0
    if call.phone.forwarder.hear(intent.action, intent.extras):
        call.out.line("Broadcast completed: result=0")
        return 0
    if intent.action.startswith(_KEYBOARD_PREFIX):
        call.out.line(f"Broadcast completed: {_keyboard(call, intent)}")
        return 0
    if intent.action in _READ_CLIPBOARD:
        text = call.phone.state.clipboard
        data = text if intent.action == "clipper.get" else base64.b64encode(text.encode()).decode()
        call.out.line(f'Broadcast completed: result=-1, data="{data}"')
        return 0
    if intent.action == _READ_POSITION:
        latitude, longitude, altitude = position(call.phone)
        if intent.extras.get("forceUpdate") == "true":
            call.phone.log.write(Entry(call.phone.state.now_s, _APPIUM_PROCESS, "I", "LocationTracker", _REFRESHED))
        call.out.line(f'Broadcast completed: result=-1, data="{latitude} {longitude} {altitude}"')
        return 0
    if intent.action == "clipper.set":
        call.phone.state.clipboard = intent.extras.get("text", "")
        call.out.line('Broadcast completed: result=-1, data="Text is copied into clipboard."')
        return 0
    if intent.action in _TYPE_TEXT and _hears_broadcasts(call):
        message = intent.extras.get("msg", "")
        try:
            text = base64.b64decode(message, validate=True).decode() if intent.action.endswith("B64") else message
        except ValueError:
            text = ""
        if text:
            call.phone.type_text(text)
    elif intent.action == "ADB_CLEAR_TEXT":
        for _ in range(_focused_length(call)):
            call.phone.key_event("KEYCODE_DEL")
    call.out.line(f"Broadcast completed: result={result}")
    return 0


def _start_service(call: Invocation, words: list[str]) -> int:
    """Of services, Appium's that mocks the position has an effect."""
    intent = _intent(call, words)
    if intent.component == _MOCK_POSITION:
        extras = intent.extras
        with contextlib.suppress(KeyError, ValueError):
            move(call.phone, float(extras["latitude"]), float(extras["longitude"]), float(extras.get("altitude", 0.0)))
    return 0


def _keyboard(call: Invocation, intent: Intent) -> str:
    """What uiautomator2's keyboard does with a broadcast; the result in the words of `am`."""
    phone = call.phone
    match intent.action.removeprefix(_KEYBOARD_PREFIX):
        case "INPUT_TEXT" | "SET_TEXT" as verb:
            text = _decoded(intent.extras.get("text", ""))
            if text is None:
                return 'result=0, data="text is not base64"'
            (phone.replace_text if verb == "SET_TEXT" else phone.type_text)(text)
        case "CLEAR_TEXT":
            phone.replace_text("")
        case "SMART_ENTER" | "EDITOR_CODE":
            phone.key_event("KEYCODE_ENTER")
        case "HIDE":
            phone.entry.focus = None
            phone.advance(0.0)
        case "GET_CLIPBOARD":
            return f'result=-1, data="{base64.b64encode(phone.state.clipboard.encode()).decode()}"'
        case _:
            return "result=0"
    return 'result=-1, data="success"'


def _decoded(text: str) -> str | None:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        return None


def _hears_broadcasts(call: Invocation) -> bool:
    """Whether the current keyboard is the one that types what is broadcast; others do not listen."""
    return call.phone.settings.get("secure", "default_input_method") == ADB_KEYBOARD


def _focused_length(call: Invocation) -> int:
    return next((len(node.text) for node in call.phone.tree().walk() if node.focused), 0)


def _stack_list(call: Invocation) -> None:
    size = call.phone.size
    bounds = f"[0,0][{size.width},{size.height}]"
    component = call.phone.foreground()
    package, _, activity = component.partition("/")
    full = package + activity if activity.startswith(".") else activity
    call.out.line(f"RootTask id=1 bounds={bounds} displayId=0 userId=0")
    call.out.line(
        f"  taskId=5: {component} bounds={bounds} userId=0 visible=true topActivity=ComponentInfo{{{package}/{full}}}"
    )


def _am(call: Invocation) -> int:
    words = call.arguments
    match words[:1]:
        case ["start" | "start-activity"]:
            return _start(call, words[1:])
        case ["broadcast"]:
            return _broadcast(call, words[1:])
        case ["force-stop" | "kill" | "stop-app"]:
            call.phone.force_stop(words[-1])
            return 0
        case ["stack" | "task"] if words[1:2] == ["list"]:
            _stack_list(call)
            return 0
        case ["stack" | "task"] if words[1:2] in (["remove"], ["lock"]):
            if words[1] == "remove":
                call.phone.force_stop(call.phone.state.foreground)
            return 0
        case ["instrument"]:
            return instrument(call, words[1:])
        case ["get-current-user"]:
            call.out.line("0")
            return 0
        case ["startservice" | "start-service" | "start-foreground-service"]:
            return _start_service(call, words[1:])
        case ["kill-all" | "wait-for-broadcast-idle"]:
            return 0
    raise CommandError(f"Unknown command: {' '.join(words) or '(none)'}", 255)


def _monkey(call: Invocation) -> int:
    words = call.arguments
    package = words[words.index("-p") + 1] if "-p" in words[:-1] else ""
    call.out.line("  bash arg: -p")
    call.out.line(f"  bash arg: {package}")
    if package not in call.phone.apps:
        call.out.line("** No activities found to run, monkey aborted.")
        return 252
    call.phone.start(package)
    call.out.line("Events injected: 1")
    call.out.line("## Network stats: elapsed time=10ms (0ms mobile, 0ms wifi, 10ms not connected)")
    return 0


COMMANDS: Final[CommandTable] = {"am": _am, "monkey": _monkey}
