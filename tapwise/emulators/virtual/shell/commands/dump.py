"""dumpsys: what clients read of the system services' state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tapwise.emulators.virtual.apk import Apk
from tapwise.emulators.virtual.display import DISPLAY_ID
from tapwise.emulators.virtual.panels import SYSTEM_UI
from tapwise.emulators.virtual.phone import NOT_RESPONDING
from tapwise.emulators.virtual.running import app_processes
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.packages import apk_path

_REFRESH_PERIOD_NS: Final = 16_666_666
_RECORD: Final = "7fbc105"
_BUILT_IN: Final = Apk("", 1, "1.0", 21, 33)


def _component(call: Invocation) -> tuple[str, str]:
    """The foreground as "package/.Activity" and as "package/package.Activity"."""
    short = call.phone.foreground()
    package, _, activity = short.partition("/")
    return short, f"{package}/{package}{activity}" if activity.startswith(".") else short


def _window(call: Invocation) -> None:
    short, full = _component(call)
    size, natural = call.phone.size, call.phone.natural_size
    short_side, long_side = sorted((size.width, size.height))
    call.out.write(
        "WINDOW MANAGER LAST ANR (dumpsys window lastanr)\n  <no ANR has occurred since boot>\n\n"
        "WINDOW MANAGER DISPLAY CONTENTS (dumpsys window displays)\n  Display: mDisplayId=0\n"
        f"    init={natural.width}x{natural.height} {call.phone.density}dpi cur={size.width}x{size.height}"
        f" app={size.width}x{size.height} rng={short_side}x{short_side}-{long_side}x{long_side}\n"
        f"    mCurrentRotation=ROTATION_{90 * call.phone.rotation}\n"
        f"  mCurrentFocus=Window{{b22bb15 u0 {_focus(call, full)}}}\n"
        f"  mFocusedApp=ActivityRecord{{{_RECORD} u0 {short} t5}}\n"
        "    mDreamingLockscreen=false mAwake=true\n    isKeyguardShowing=false\n    mShowingLockscreen=false\n"
        f"    mInputMethodWindow=null mInputShown={'true' if _keyboard(call) else 'false'}\n"
    )


def _focus(call: Invocation, full: str) -> str:
    if call.phone.window_package() == SYSTEM_UI:
        return "NotificationShade"
    popup = call.phone.state.popup
    waits = popup is not None and popup.lure == NOT_RESPONDING
    return f"{NOT_RESPONDING}: {full.partition('/')[0]}" if waits else full


def _keyboard(call: Invocation) -> bool:
    return any(node.focused for node in call.phone.tree().walk())


def _activity(call: Invocation) -> None:
    if call.arguments[1:2] == ["recents"]:
        call.out.line("ACTIVITY MANAGER RECENT TASKS (dumpsys activity recents)")
        for number, package in enumerate(call.phone.state.recents):
            call.out.line(f"  * Recent #{number}: Task{{{_RECORD} #{5 + number} type=standard A=10100:{package} U=0}}")
            call.out.line(f"    id={5 + number} userId=0 hasTask=true")
        return
    if call.arguments[1:2] == ["processes"]:
        call.out.line("ACTIVITY MANAGER RUNNING PROCESSES (dumpsys activity processes)")
        for number, package in app_processes(call.phone).items():
            call.out.line(f"  *APP* UID 10100 ProcessRecord{{{_RECORD} {number}:{package}/u0a100}}")
        return
    if call.arguments[1:2] in (["services"], ["service"]):
        _services(call, call.arguments[2:])
        return
    short, _ = _component(call)
    record = f"ActivityRecord{{{_RECORD} u0 {short} t5}}"
    call.out.write(
        "ACTIVITY MANAGER ACTIVITIES (dumpsys activity activities)\nDisplay #0 (activities from top to bottom):\n"
        f"  * Task{{c2b4d3a #5 type=standard A=10100:{short.partition('/')[0]} U=0 visible=true}}\n"
        f"    mResumedActivity: {record}\n    topResumedActivity={record}\n  ResumedActivity: {record}\n"
    )


def _services(call: Invocation, names: list[str]) -> None:
    """Services of installed packages count as running in the foreground: nobody else could start them."""
    call.out.line("ACTIVITY MANAGER SERVICES (dumpsys activity services)\n  User 0 active services:")
    for package in sorted(call.phone.state.packages):
        if not names or any(name.partition("/")[0] == package for name in names):
            call.out.line(
                f"  * ServiceRecord{{{_RECORD} u0 {package}/.Service}}\n    packageName={package}\n"
                "    isForeground=true foregroundId=1 types=0x00000000\n    startRequested=true"
            )


def _surface_flinger(call: Invocation) -> None:
    call.phone.poll()
    number = call.phone.frame_counter() * _REFRESH_PERIOD_NS
    call.out.line(str(_REFRESH_PERIOD_NS))
    call.out.line(f"{number}\t{number}\t{number}")


def _battery(call: Invocation) -> None:
    call.out.write(
        "Current Battery Service state:\n  AC powered: true\n  USB powered: false\n  Wireless powered: false\n"
        "  status: 2\n  health: 2\n  present: true\n  level: 100\n  scale: 100\n  voltage: 5000\n  temperature: 250\n"
        "  technology: Li-ion\n"
    )


def _display(call: Invocation) -> None:
    size, natural, rotation = call.phone.size, call.phone.natural_size, call.phone.rotation
    frame = f"Rect(0, 0 - {size.width}, {size.height})"
    call.out.write(
        f"DISPLAY MANAGER (dumpsys display)\n  mStableDisplaySize=Point({natural.width}, {natural.height})\n"
        f"  mCurrentOrientation={rotation}\n"
        f"  DisplayViewport{{type=INTERNAL, valid=true, displayId=0, orientation={rotation}, logicalFrame={frame},"
        f" physicalFrame={frame}, deviceWidth={size.width}, deviceHeight={size.height}, isActive=true}}\n"
        "  mScreenState=ON\n"
    )


def _input(call: Invocation) -> None:
    size, rotation = call.phone.size, call.phone.rotation
    call.out.write(
        f"INPUT MANAGER (dumpsys input)\n    Viewport INTERNAL: displayId=0, uniqueId=local:{DISPLAY_ID}, port=0,"
        f" orientation={rotation}, logicalFrame=[0, 0, {size.width}, {size.height}], physicalFrame=[0, 0, {size.width},"
        f" {size.height}], deviceSize=[{size.width}, {size.height}], isActive=[1]\n"
        f"      SurfaceOrientation: {rotation}\n"
    )


def _input_method(call: Invocation) -> None:
    shown = "true" if _keyboard(call) else "false"
    call.out.line(f"  mInputShown={shown} mShowRequested={shown}")
    call.out.line(f"  mIsInputViewShown={shown}")
    keyboard = call.phone.settings.get("secure", "default_input_method")
    call.out.line(f"  mCurMethodId={keyboard}")
    call.out.line(f"  mCurId={keyboard} mHaveConnection=true mBoundToMethod=true mVisibleBound=false")


def _notification(call: Invocation) -> None:
    call.out.line("Current Notification Manager state:\n  Notification List:")
    for number, posted in enumerate(call.phone.state.notifications):
        call.out.line(
            f"    NotificationRecord(0x{0xA1B2C3 + number:08x}: pkg={posted.package} user=UserHandle{{0}} id=1"
            f" tag={posted.tag or 'null'} importance=3 key=0|{posted.package}|1|{posted.tag or 'null'}|10100:"
            f" Notification(channel=default))\n      extras={{\n          android.title=String ({posted.title})\n"
            f"          android.text=String ({posted.text})\n      }}"
        )


def _package(call: Invocation) -> None:
    names = call.arguments[1:]
    installed = call.phone.state.packages
    for package in names or sorted({*call.phone.apps, *installed}):
        apk = installed.get(package, _BUILT_IN if package in call.phone.apps else None)
        if apk is None:
            call.out.line(f"Unable to find package: {package}")
            continue
        call.out.write(
            f"Packages:\n  Package [{package}] (1a2b3c4):\n    userId=10100\n    codePath={apk_path(package)}\n"
            f"    versionCode={apk.version_code} minSdk={apk.min_sdk} targetSdk={apk.target_sdk}\n"
            f"    versionName={apk.version_name}\n"
            f"    flags=[ {'HAS_CODE' if package in installed else 'SYSTEM HAS_CODE'} ]\n"
            "    User 0: installed=true hidden=false stopped=false enabled=0\n"
        )


def _power(call: Invocation) -> None:
    call.out.write("POWER MANAGER (dumpsys power)\n  mWakefulness=Awake\n  mHoldingDisplaySuspendBlocker=true\n")


def _telephony(call: Invocation) -> None:
    call.out.write("last known state:\n  Phone Id=0\n    mCallState=0\n")


_SECTIONS: Final[dict[str, Callable[[Invocation], None]]] = {
    "activity": _activity,
    "battery": _battery,
    "display": _display,
    "input": _input,
    "input_method": _input_method,
    "notification": _notification,
    "package": _package,
    "power": _power,
    "telephony.registry": _telephony,
    "window": _window,
}


def _dumpsys(call: Invocation) -> int:
    if not call.arguments or call.arguments[0] == "-l":
        call.out.line("Currently running services:")
        for name in sorted([*_SECTIONS, "SurfaceFlinger"]):
            call.out.line(f"  {name}")
        return 0
    name = call.arguments[0]
    if name == "SurfaceFlinger":
        _surface_flinger(call)
        return 0
    section = _SECTIONS.get(name)
    if section is None:
        raise CommandError(f"Can't find service: {name}", 0)
    section(call)
    return 0


COMMANDS: Final[CommandTable] = {"dumpsys": _dumpsys}
