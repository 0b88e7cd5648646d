"""The system: date, id, sleep, sh, su, which, env, ps and the like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tapwise.emulators.virtual.running import processes
from tapwise.emulators.virtual.shell.builtins import BUILTINS
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.streams import Input, Output, Streams

_FIRST_APP: Final = 2000
_ID: Final = "uid=0(root) gid=0(root) groups=0(root),1004(input),1007(log),3003(inet) context=u:r:su:s0"


def _true(call: Invocation) -> int:
    return 0


def _false(call: Invocation) -> int:
    return 1


def _whoami(call: Invocation) -> int:
    call.out.line("root")
    return 0


def _id(call: Invocation) -> int:
    options, _ = call.options(flags="ugnGrZ")
    call.out.line(("root" if "n" in options else "0") if "u" in options or "g" in options else _ID)
    return 0


def _date(call: Invocation) -> int:
    options, operands = call.options(flags="u", valued="dsDrI")
    clock = call.phone.clock
    if "s" in options or (operands and not operands[0].startswith("+")):
        clock.set(_set_date(options.get("s") or operands[0], clock.now()))
        return 0
    moment = clock.now()
    if "d" in options:
        text = options["d"]
        moment = (
            datetime.fromtimestamp(int(text[1:]), UTC)
            if text[:1] == "@" and text[1:].isdigit()
            else _set_date(text, moment)
        )
    pattern = operands[0][1:] if operands else "%a %b %e %H:%M:%S UTC %Y"
    pattern = pattern.replace("%N", f"{moment.microsecond:06d}000").replace("%s", str(int(moment.timestamp())))
    call.out.line(moment.strftime(pattern.replace("%e", f"{moment.day:>2}")))
    return 0


def _set_date(text: str, now: datetime) -> datetime:
    """Read `MMDDhhmm[[CC]YY][.SS]` or an ISO date. Raises CommandError."""
    for pattern in ("%m%d%H%M%Y.%S", "%m%d%H%M%y.%S", "%m%d%H%M%Y", "%m%d%H%M%y", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    try:
        return datetime.strptime(f"{now.year}{text}", "%Y%m%d%H%M").replace(tzinfo=UTC)
    except ValueError:
        raise CommandError(f"date: bad date '{text}'") from None


def _sleep(call: Invocation) -> int:
    """Let the phone's own time pass; the host does not wait."""
    factors = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    for text in call.arguments or [call.operand(0)]:
        number, factor = (text[:-1], factors[text[-1]]) if text[-1:] in factors else (text, 1.0)
        if not number.replace(".", "", 1).isdigit():
            raise CommandError(f"sleep: Not a number '{text}'")
        call.phone.advance(float(number) * factor)
    return 0


def _sh(call: Invocation) -> int:
    words = list(call.arguments)
    while words and words[0].startswith("-") and words[0] != "-c":
        words.pop(0)
    if words[:1] == ["-c"]:
        if len(words) < 2:
            raise CommandError("/system/bin/sh: -c: requires an argument")
        return call.shell.run_script(words[1], call.streams, words[2:])
    if words:
        source = call.phone.files.read(call.path(words[0])).decode("utf-8", "surrogateescape")
        return call.shell.run_script(source, call.streams, words)
    source = call.stdin.read().decode("utf-8", "surrogateescape")
    return call.shell.run_script(source, call.streams.fork(stdin=Input()), [])


def _run_as_root(call: Invocation) -> int:
    """`su`: this shell is root already."""
    words = [word for word in call.arguments if word not in ("root", "0", "-")]
    if words[:1] == ["-c"]:
        return call.shell.run_script(" ".join(words[1:]), call.streams, [])
    return call.shell.run_words(words, call.streams) if words else 0


def _toybox(call: Invocation) -> int:
    """`toybox NAME ...` is NAME."""
    if call.arguments:
        return call.shell.run_words(call.arguments, call.streams)
    call.out.line(" ".join(sorted(call.shell.commands)))
    return 0


def _which(call: Invocation) -> int:
    status = 0
    for name in call.arguments:
        found, nothing = Output(), Output()
        if (
            name not in BUILTINS
            and call.shell.run_words(["command", "-v", name], Streams(Input(), found, nothing)) == 0
        ):
            call.out.write(found.value())
        else:
            status = 1
    return status


def _environment(call: Invocation) -> int:
    for name, value in sorted(call.shell.variables.items()):
        call.out.line(f"{name}={value}")
    return 0


def _uname(call: Invocation) -> int:
    options, _ = call.options(flags="asrmnovi")
    call.out.line("Linux localhost 5.15.41-android13-8 #1 SMP PREEMPT x86_64 Toybox" if "a" in options else "Linux")
    return 0


def _processes(call: Invocation) -> int:
    call.out.line("USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME")
    for number, name in processes(call.phone).items():
        user = "root" if number < _FIRST_APP else f"u0_a{number - _FIRST_APP + 100}"
        call.out.line(f"{user:<12} {number:>5}     1   10000   5000 0                   0 S {name}")
    return 0


def _process_of(call: Invocation) -> int:
    wanted = call.operand(0)
    found = [str(number) for number, name in processes(call.phone).items() if name == wanted]
    if not found:
        return 1
    call.out.line(" ".join(found))
    return 0


COMMANDS: Final[CommandTable] = {
    "date": _date,
    "env": _environment,
    "false": _false,
    "id": _id,
    "kill": _true,
    "pidof": _process_of,
    "printenv": _environment,
    "ps": _processes,
    "sh": _sh,
    "sleep": _sleep,
    "su": _run_as_root,
    "toybox": _toybox,
    "true": _true,
    "uname": _uname,
    "which": _which,
    "whoami": _whoami,
}
