"""The system and the shell's own helpers: date, id, sleep, sh, test, which, ps, logcat and the like."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.shell.builtins import BUILTINS
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Input, Invocation, Output, Streams

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
    return call.shell.run_script(source, Streams(Input(), call.out, call.err), [])


def _run_as_root(call: Invocation) -> int:
    """`su`: this shell is root already."""
    words = [word for word in call.arguments if word not in ("root", "0", "-")]
    if words[:1] == ["-c"]:
        return call.shell.run_script(" ".join(words[1:]), call.streams, [])
    return call.shell.run_words(words, call.streams) if words else 0


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
    names = ["init", "adbd", "surfaceflinger", "system_server", call.phone.foreground().partition("/")[0]]
    for number, name in enumerate(names):
        call.out.line(f"root          {100 + number:>4}     1   10000   5000 0                   0 S {name}")
    return 0


def _process_of(call: Invocation) -> int:
    if call.phone.foreground().partition("/")[0] != call.operand(0):
        return 1
    call.out.line("104")
    return 0


def _logcat(call: Invocation) -> int:
    if "-c" not in call.arguments:
        call.out.line("--------- beginning of main")
    return 0


def _test(call: Invocation) -> int:
    words = list(call.arguments)
    if call.name in ("[", "[["):
        if words[-1:] != ["]" * len(call.name)]:
            raise CommandError(f"/system/bin/sh: {call.name}: missing {']' * len(call.name)}", 2)
        words.pop()
    return 0 if _Condition(call, words).value() else 1


class _Condition:
    """Recursive descent over the words of `test`: -o, -a, !, parentheses, unary and binary primaries."""

    def __init__(self, call: Invocation, words: list[str]) -> None:
        self._call = call
        self._words = words

    def value(self) -> bool:
        if not self._words:
            return False
        result = self._either()
        if self._words:
            raise CommandError(f"/system/bin/sh: [: {self._words[0]}: unexpected operator/operand", 2)
        return result

    def _either(self) -> bool:
        result = self._both()
        while self._words[:1] in (["-o"], ["||"]):
            self._words.pop(0)
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._negation()
        while self._words[:1] in (["-a"], ["&&"]):
            self._words.pop(0)
            result = self._negation() and result
        return result

    def _negation(self) -> bool:
        if self._words[:1] == ["!"] and len(self._words) > 1:
            self._words.pop(0)
            return not self._negation()
        return self._primary()

    def _primary(self) -> bool:
        words = self._words
        if len(words) >= 3 and words[1] in _BINARY:
            left, operator, right = words[:3]
            del words[:3]
            return self._binary(left, operator, right)
        if len(words) >= 2 and words[0] in _UNARY:
            operator, operand = words[:2]
            del words[:2]
            return self._unary(operator, operand)
        if words[:1] == ["("]:
            words.pop(0)
            result = self._either()
            if words[:1] != [")"]:
                raise CommandError("/system/bin/sh: [: missing )", 2)
            words.pop(0)
            return result
        if not words:
            raise CommandError("/system/bin/sh: [: expression expected", 2)
        return words.pop(0) != ""

    def _unary(self, operator: str, operand: str) -> bool:
        if operator == "-n":
            return operand != ""
        if operator == "-z":
            return operand == ""
        if operator == "-t":
            return False
        files, path = self._call.phone.files, self._call.path(operand)
        if not operand or not files.exists(path):
            return False
        if operator == "-x":
            return bool(files.stat(path).mode & 0o111)
        checks = {"-d": files.is_dir(path), "-f": not files.is_dir(path), "-s": files.stat(path).size > 0}
        return checks.get(operator, operator not in ("-L", "-h"))

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in ("=", "==", "!="):
            return (left == right) == (operator != "!=")
        if operator in ("<", ">"):
            return left < right if operator == "<" else left > right
        if operator in ("-nt", "-ot"):
            return self._newer(left, right) if operator == "-nt" else self._newer(right, left)
        try:
            a, b = int(left), int(right)
        except ValueError:
            bad = left if not left.lstrip("-").isdigit() else right
            raise CommandError(f"/system/bin/sh: [: {bad}: unexpected operator/operand", 2) from None
        order = (a > b) - (a < b)
        wanted = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
        return order in wanted[operator]

    def _newer(self, left: str, right: str) -> bool:
        files: VirtualFileSystem = self._call.phone.files
        paths = self._call.path(left), self._call.path(right)
        if not all(files.exists(path) for path in paths):
            return files.exists(paths[0])
        return files.stat(paths[0]).mtime > files.stat(paths[1]).mtime


_UNARY: Final = frozenset({"-n", "-z", "-d", "-e", "-f", "-s", "-r", "-w", "-x", "-t", "-L", "-h"})
_BINARY: Final = frozenset({"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot"})

COMMANDS: Final[CommandTable] = {
    "[": _test,
    "[[": _test,
    "date": _date,
    "env": _environment,
    "false": _false,
    "id": _id,
    "kill": _true,
    "logcat": _logcat,
    "pidof": _process_of,
    "printenv": _environment,
    "ps": _processes,
    "sh": _sh,
    "sleep": _sleep,
    "su": _run_as_root,
    "test": _test,
    "true": _true,
    "uname": _uname,
    "which": _which,
    "whoami": _whoami,
}
