"""Commands that change the shell itself."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from tapwise.emulators.virtual.shell.command import Shell, Streams


class ExitRequest(Exception):
    """`exit`: ends the shell with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class ReturnRequest(Exception):
    """`return`: ends the function with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class LoopRequest(Exception):
    """`break` and, with `again`, `continue`, out of this many loops."""

    def __init__(self, levels: int, again: bool) -> None:
        super().__init__(levels, again)
        self.levels = levels
        self.again = again


Builtin = Callable[[Shell, list[str], Streams], int]


def _number(arguments: list[str], default: int) -> int:
    return int(arguments[0]) if arguments and arguments[0].lstrip("-").isdigit() else default


def _change_directory(shell: Shell, arguments: list[str], streams: Streams) -> int:
    target = arguments[0] if arguments else shell.variables.get("HOME", "/")
    path = posixpath.normpath(posixpath.join(shell.directory, target))
    if not shell.files.is_dir(path):
        reason = "Not a directory" if shell.files.exists(path) else "No such file or directory"
        streams.stderr.line(f"/system/bin/sh: cd: {path}: {reason}")
        return 2
    shell.directory = path
    return 0


def _exit(shell: Shell, arguments: list[str], streams: Streams) -> int:
    raise ExitRequest(_number(arguments, shell.status) & 0xFF)


def _return(shell: Shell, arguments: list[str], streams: Streams) -> int:
    raise ReturnRequest(_number(arguments, shell.status) & 0xFF)


def _break(shell: Shell, arguments: list[str], streams: Streams) -> int:
    raise LoopRequest(_number(arguments, 1), again=False)


def _continue(shell: Shell, arguments: list[str], streams: Streams) -> int:
    raise LoopRequest(_number(arguments, 1), again=True)


def _assign(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`export`, `local`, `readonly`, `typeset`: every variable is visible to every command here."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            shell.variables[name] = value
    return 0


def _unset(shell: Shell, arguments: list[str], streams: Streams) -> int:
    for name in arguments:
        shell.variables.pop(name, None)
        shell.functions.pop(name, None)
    return 0


def _set(shell: Shell, arguments: list[str], streams: Streams) -> int:
    if not arguments:
        for name, value in sorted(shell.variables.items()):
            streams.stdout.line(f"{name}={value}")
    elif "--" in arguments:
        shell.positional = arguments[arguments.index("--") + 1 :]
    return 0


def _shift(shell: Shell, arguments: list[str], streams: Streams) -> int:
    count = _number(arguments, 1)
    if count > len(shell.positional):
        streams.stderr.line("/system/bin/sh: shift: nothing to shift")
        return 1
    del shell.positional[:count]
    return 0


def _read(shell: Shell, arguments: list[str], streams: Streams) -> int:
    names = [argument for argument in arguments if not argument.startswith("-")] or ["REPLY"]
    line = streams.stdin.read_line()
    text = line.decode("utf-8", "surrogateescape").rstrip("\n")
    separators = shell.variables.get("IFS")
    values = text.split(separators, len(names) - 1) if separators != "" else [text]
    for number, name in enumerate(names):
        shell.variables[name] = values[number] if number < len(values) else ""
    return 0 if line else 1


def _evaluate(shell: Shell, arguments: list[str], streams: Streams) -> int:
    return shell.run_here(" ".join(arguments), streams)


def _source(shell: Shell, arguments: list[str], streams: Streams) -> int:
    path = posixpath.join(shell.directory, arguments[0]) if arguments else ""
    if not shell.files.exists(path) or shell.files.is_dir(path):
        streams.stderr.line(f"/system/bin/sh: .: {path}: No such file or directory")
        return 1
    return shell.run_here(shell.files.read(path).decode("utf-8", "surrogateescape"), streams)


def _execute(shell: Shell, arguments: list[str], streams: Streams) -> int:
    if not arguments:
        return 0
    raise ExitRequest(shell.run_words(arguments, streams))


def _command(shell: Shell, arguments: list[str], streams: Streams) -> int:
    if not arguments:
        return 0
    if arguments[0] not in ("-v", "-V"):
        return shell.run_words(arguments, streams)
    status = 0
    for name in arguments[1:]:
        if name in BUILTINS or name in shell.functions:
            streams.stdout.line(name)
        elif name in shell.commands:
            streams.stdout.line(f"/system/bin/{name}")
        else:
            status = 1
    return status


def _nothing(shell: Shell, arguments: list[str], streams: Streams) -> int:
    return 0


BUILTINS: Final[dict[str, Builtin]] = {
    ":": _nothing,
    ".": _source,
    "source": _source,
    "break": _break,
    "cd": _change_directory,
    "command": _command,
    "continue": _continue,
    "eval": _evaluate,
    "exec": _execute,
    "exit": _exit,
    "export": _assign,
    "local": _assign,
    "read": _read,
    "readonly": _assign,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "trap": _nothing,
    "typeset": _assign,
    "umask": _nothing,
    "unset": _unset,
    "wait": _nothing,
}
