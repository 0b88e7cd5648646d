"""The command line of `emulator`: what matters here is read, the rest of what it knows is taken and ignored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tapwise.errors import ConfigError

FIRST_CONSOLE_PORT, LAST_CONSOLE_PORT = 5554, 5682

_FLAGS = (
    "accel-check allow-host-audio cache-quiet crash-report delay-adb detect-image-hang dump-opengl-blacklist"
    " fixed-scale force-snapshot-load help-all lowram metrics-collection no-accel no-audio no-boot-anim no-cache"
    " no-direct-adb no-jni no-metrics no-nested-warnings no-passive-gps no-qt no-sim no-skin no-window nocache"
    " nojni noskin no-snapshot-update-time no-snapstorage qt-hide-window quit-after-boot ranchu restart-when-stalled"
    " screenless shell show-kernel show-window skip-adb-auth software-only use-keycode-forwarding verbose"
    " virtio-console waterfall writable-system grpc-use-token grpc-use-jwt no-qemu2 idle-grpc no-hidpi-scaling"
    " share-vid"
)
_VALUES = (
    "accel adb-path audio bootchart cache cache-size camera-back camera-front code-profile cores cpu-delay data"
    " debug dns-server encryption-key engine feature features gnssfilepath gnssgrpcport gpu grpc-allowlist"
    " grpc-tls-ca grpc-tls-cer grpc-tls-key http-proxy icc-profile id initdata kernel logcat logcat-output memory"
    " modem-simulator-port multidisplay netdelay netfast netspeed network-user-mode-options packet-streamer-endpoint"
    " partition-size phone-number prop qemu-args qt-hide-window-mode radio ramdisk report-console scale screen"
    " sdcard selinux sim-access-rules-file skindir snapstorage ssid studio-params stdouterr-file sysdir system tcpdump"
    " vendor vsync-rate wifi-client-port wifi-server-port wifi-user-mode-options window-size"
)
_IGNORED_FLAGS, _IGNORED_VALUES = frozenset(_FLAGS.split()), frozenset(_VALUES.split())


@dataclass(slots=True)
class Options:
    """What the command line asks for."""

    avd: str = ""
    console_port: int | None = None
    adb_port: int | None = None
    grpc_port: int | None = None
    snapshot: str | None = None
    """the snapshot to start from; None: the one that the last run left"""
    load_snapshot: bool = True
    save_snapshot: bool = True
    wipe_data: bool = False
    read_only: bool = False
    size: str = ""
    """WIDTHxHEIGHT of -skin, over the AVD's own"""
    density: int | None = None
    timezone: str = ""
    faults: list[str] = field(default_factory=list)
    """what is to go wrong, as FaultSpec reads it"""
    fault_port: int | None = None
    """where faults are armed over HTTP"""
    list_avds: bool = False
    version: bool = False
    help: bool = False
    ignored: list[str] = field(default_factory=list)
    """options that were understood and have no effect here"""


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments. Raises ConfigError in the words of the real program for what it would refuse."""
    found = Options()
    pending = list(arguments)
    while pending:
        word = pending.pop(0)
        if word.startswith("@"):
            found.avd = word[1:]
            continue
        if not word.startswith("-"):
            raise ConfigError(f"unknown argument: {word}\nplease use -help for a list of valid options")
        name = word.lstrip("-")
        if name == "qemu":  # everything behind it is for another program
            found.ignored += [word, *pending]
            break
        if name in _IGNORED_FLAGS or name.startswith(("debug-", "help-")):
            found.ignored.append(word)
        elif name in _IGNORED_VALUES:
            found.ignored += [word, _value(name, pending)]
        elif not _take(found, name, pending):
            raise ConfigError(f"unknown option: {word}\nplease use -help for a list of valid options")
    return found


def _take(found: Options, name: str, pending: list[str]) -> bool:
    """One option that has an effect; False when there is none of that name."""
    match name:
        case "avd":
            found.avd = _value(name, pending)
        case "port":
            found.console_port = _port(name, _value(name, pending))
            if found.console_port % 2:
                raise ConfigError(f"-port {found.console_port}: the console's port must be an even number")
            found.adb_port = found.console_port + 1
        case "ports":
            console, _, adb = _value(name, pending).partition(",")
            found.console_port, found.adb_port = _port(name, console), _port(name, adb)
        case "grpc":
            found.grpc_port = _port(name, _value(name, pending))
        case "snapshot":
            found.snapshot = _value(name, pending)
        case "no-snapshot":
            found.load_snapshot = found.save_snapshot = False
        case "no-snapshot-load":
            found.load_snapshot = False
        case "no-snapshot-save":
            found.save_snapshot = False
        case "wipe-data":
            found.wipe_data, found.load_snapshot = True, False
        case "read-only":
            found.read_only, found.save_snapshot = True, False
        case "skin":
            found.size = _value(name, pending)
        case "dpi-device":
            found.density = _number(name, _value(name, pending))
        case "timezone":
            found.timezone = _value(name, pending)
        case "fault":
            found.faults.append(_value(name, pending))
        case "fault-control":
            found.fault_port = _port(name, _value(name, pending))
        case "list-avds":
            found.list_avds = True
        case "version":
            found.version = True
        case "help":
            found.help = True
        case _:
            return False
    return True


def _value(name: str, pending: list[str]) -> str:
    if not pending:
        raise ConfigError(f"option -{name} needs an argument\nplease use -help for a list of valid options")
    return pending.pop(0)


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdecimal():
        raise ConfigError(f"-{name} {text!r}: a number is needed")
    return int(text)


def _port(name: str, text: str) -> int:
    port = _number(name, text)
    if not 1024 <= port <= 65535:
        raise ConfigError(f"-{name} {text}: ports go from 1024 to 65535")
    return port
