"""What the machine under Android tells: memory, time since boot, mounts, network, processes; and small tools."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual import proc
from tapwise.emulators.virtual.running import processes
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation

_ADDRESS: Final = "10.0.2.16"


def seconds_up(call: Invocation) -> float:
    """Virtual seconds since the phone started."""
    return proc.seconds_up(call.phone)


def _free(call: Invocation) -> int:
    call.out.line("\t\t total        used        free      shared     buffers")
    values = (proc.TOTAL_KIB, proc.TOTAL_KIB - proc.FREE_KIB, proc.FREE_KIB, 0, 0)
    call.out.line("Mem:\t" + "".join(f"{value * 1024:>12}" for value in values))
    return 0


def _uptime(call: Invocation) -> int:
    minutes = int(seconds_up(call) // 60)
    call.out.line(f" {call.phone.clock.now():%H:%M:%S} up {minutes} min,  0 users,  load average: 0.10, 0.10, 0.10")
    return 0


def _top(call: Invocation) -> int:
    running = processes(call.phone)
    call.out.line(f"Tasks: {len(running)} total,   1 running, {len(running) - 1} sleeping,   0 stopped,   0 zombie")
    call.out.line("  PID USER         PR  NI VIRT  RES  SHR S[%CPU] %MEM     TIME+ ARGS")
    for number, name in running.items():
        call.out.line(f"{number:>5} root         20   0 4.0G  80M  60M S  0.0   4.0   0:00.10 {name}")
    return 0


def _mount(call: Invocation) -> int:
    for device, place, kind, mode in proc.MOUNTS:
        call.out.line(f"{device} on {place} type {kind} ({mode},seclabel,relatime)")
    return 0


def _ip(call: Invocation) -> int:
    if call.arguments[:1] == ["route"]:
        call.out.line(f"10.0.2.0/24 dev wlan0 proto kernel scope link src {_ADDRESS}")
        return 0
    call.out.write(
        "10: wlan0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 3000\n"
        "    link/ether 02:15:b2:00:00:00 brd ff:ff:ff:ff:ff:ff\n"
        f"    inet {_ADDRESS}/24 brd 10.0.2.255 scope global wlan0\n       valid_lft forever preferred_lft forever\n"
    )
    return 0


def _ifconfig(call: Invocation) -> int:
    call.out.write(
        "wlan0     Link encap:Ethernet  HWaddr 02:15:b2:00:00:00\n"
        f"          inet addr:{_ADDRESS}  Bcast:10.0.2.255  Mask:255.255.255.0\n"
        "          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n"
    )
    return 0


def _pgrep(call: Invocation) -> int:
    options, words = call.options(flags="flx")
    if not words:
        raise CommandError("pgrep: Needs 1 argument")
    found = [(number, name) for number, name in processes(call.phone).items() if words[0] in name]
    for number, name in found:
        call.out.line(f"{number} {name}" if "l" in options else str(number))
    return 0 if found else 1


def _truncate(call: Invocation) -> int:
    options, names = call.options(flags="c", valued="s")
    size = call.integer(options.get("s", "0"))
    files = call.phone.files
    for name in names:
        path = call.path(name)
        if not files.exists(path) and "c" in options:
            continue
        data = files.read(path) if files.exists(path) else b""
        files.write(path, data[:size].ljust(min(size, len(data) + files.quota), b"\0"), call.phone.clock.now())
    return 0


def _mktemp(call: Invocation) -> int:
    options, names = call.options(flags="dqt", valued="p")
    folder = options.get("p", "/data/local/tmp")
    template = names[0] if names else "tmp.XXXXXX"
    number = len(call.phone.files.listdir(folder)) if call.phone.files.is_dir(folder) else 0
    while True:
        path = call.path(f"{folder}/{template.replace('XXXXXX', f'{number:06}')}")
        if not call.phone.files.exists(path):
            break
        number += 1
    if "d" in options:
        call.phone.files.make_directory(path, mtime=call.phone.clock.now())
    else:
        call.phone.files.write(path, b"", call.phone.clock.now())
    call.out.line(path)
    return 0


def _timeout(call: Invocation) -> int:
    """Nothing on a virtual phone takes host time, so that nothing is ever cut short."""
    words = list(call.arguments)
    while words and words[0].startswith("-"):
        del words[: 2 if words[0] in ("-k", "-s") else 1]
    return call.shell.run_words(words[1:], call.streams) if len(words) > 1 else 0


def _time(call: Invocation) -> int:
    status = call.shell.run_words(call.arguments, call.streams) if call.arguments else 0
    call.err.line("    0m00.00s real     0m00.00s user     0m00.00s system")
    return status


def _accepted(call: Invocation) -> int:
    """Rights and locks, of which this phone has none to change."""
    return 0


COMMANDS: Final[CommandTable] = {
    "appops": _accepted,
    "free": _free,
    "ifconfig": _ifconfig,
    "ip": _ip,
    "locksettings": _accepted,
    "mktemp": _mktemp,
    "mount": _mount,
    "pgrep": _pgrep,
    "time": _time,
    "timeout": _timeout,
    "top": _top,
    "truncate": _truncate,
    "uptime": _uptime,
}
