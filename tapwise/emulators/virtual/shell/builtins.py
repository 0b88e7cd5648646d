"""Commands that change the shell itself."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Callable
from typing import Final

from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.expansion import value_of
from tapwise.emulators.virtual.shell.getopts import next_option
from tapwise.emulators.virtual.shell.names import tell_names
from tapwise.emulators.virtual.shell.reading import read, split_options
from tapwise.emulators.virtual.shell.streams import Output, Streams
from tapwise.emulators.virtual.shell.syntax import ShellSyntaxError


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
    back = target == "-"
    if back:
        target = shell.variables.get("OLDPWD", "")
        if not target:
            streams.stderr.line("/system/bin/sh: cd: no OLDPWD")
            return 1
    path = posixpath.normpath(posixpath.join(shell.directory, target))
    if not shell.files.is_dir(path):
        reason = "Not a directory" if shell.files.exists(path) else "No such file or directory"
        streams.stderr.line(f"/system/bin/sh: cd: {path}: {reason}")
        return 2
    shell.variables["OLDPWD"], shell.directory = shell.directory, path
    if back:
        streams.stdout.line(path)
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
    """`export`: every variable is visible to every command here."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            shell.assign(name, value)
    return 0


def _read_only(shell: Shell, arguments: list[str], streams: Streams) -> int:
    _assign(shell, arguments, streams)
    shell.read_only.update(argument.partition("=")[0] for argument in arguments if not argument.startswith("-"))
    return 0


def _local(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`local`, `typeset`: the function's end brings the old values back; -i is for integers, -r for read-only."""
    flags = "".join(argument[1:] for argument in arguments if argument.startswith("-"))
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name.startswith("-"):
            continue
        if shell.local_scopes:
            shell.local_scopes[-1].setdefault(name, shell.variables.get(name))
        if "i" in flags:
            shell.integers.add(name)
        if equals:
            shell.assign(name, value)
        elif shell.local_scopes:
            shell.variables.pop(name, None)
        if "r" in flags:
            shell.read_only.add(name)
    return 0


def _unset(shell: Shell, arguments: list[str], streams: Streams) -> int:
    status = 0
    for name in arguments:
        if name in shell.read_only:
            streams.stderr.line(f"/system/bin/sh: read-only: {name}")
            status = 1
            continue
        shell.integers.discard(name)
        shell.variables.pop(name, None)
        shell.functions.pop(name, None)
    return status


_LONG_OPTIONS: Final = {"errexit": "e", "nounset": "u", "pipefail": "P"}


def _set(shell: Shell, arguments: list[str], streams: Streams) -> int:
    if not arguments:
        for name, value in sorted(shell.variables.items()):
            streams.stdout.line(f"{name}={value}")
    rest = list(arguments)
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            shell.positional = rest
            return 0
        letters = _LONG_OPTIONS.get(rest.pop(0), "") if word[1:] == "o" and rest else word[1:]
        if "P" in letters:
            shell.pipes_fail = word[0] == "-"
        if "e" in letters:
            shell.ends_on_failure = word[0] == "-"
        if "u" in letters:
            shell.refuses_unset = word[0] == "-"
    if rest:
        shell.positional = rest
    return 0


def _trap(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`trap SCRIPT EXIT`; signals never come."""
    if not arguments and shell.at_exit:
        streams.stdout.line(f"trap -- {shlex.quote(shell.at_exit)} EXIT")
    if len(arguments) > 1 and {"EXIT", "0"} & set(arguments[1:]):
        shell.at_exit = "" if arguments[0] == "-" else arguments[0]
    return 0


def _let(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`let EXPRESSION...`: status 1 when the last one is 0."""
    value = 0
    for expression in arguments:
        try:
            value = value_of(expression, shell)
        except ShellSyntaxError as error:
            streams.stderr.line(f"/system/bin/sh: let: {error}")
            return 2
    return int(value == 0)


def _shift(shell: Shell, arguments: list[str], streams: Streams) -> int:
    count = _number(arguments, 1)
    if count > len(shell.positional):
        streams.stderr.line("/system/bin/sh: shift: nothing to shift")
        return 1
    del shell.positional[:count]
    return 0


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
    return tell_names(shell, arguments[1:], BUILTINS, streams, in_words=arguments[0] == "-V")


def _type(shell: Shell, arguments: list[str], streams: Streams) -> int:
    return tell_names(shell, arguments, BUILTINS, streams, in_words=True)


def _whence(shell: Shell, arguments: list[str], streams: Streams) -> int:
    options, names = split_options(arguments, valued="")
    return tell_names(shell, names, BUILTINS, streams, in_words="v" in options)


def _print(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`print [-nlr] [-u DESCRIPTOR] [WORD...]`: words with escapes, or as they are with -r."""
    options, words = split_options(arguments, valued="u")
    words = words[1:] if words[:1] == ["-"] else words
    descriptor = options.get("u", "1")
    sink = streams.table.get(int(descriptor)) if descriptor.isascii() and descriptor.isdigit() else None
    if not isinstance(sink, Output):
        streams.stderr.line(f"/system/bin/sh: print: -u: {descriptor}: bad file descriptor")
        return 1
    text = ("\n" if "l" in options else " ").join(words) + ("" if "n" in options else "\n")
    as_it_is = "r" in options or "R" in options
    return shell.run_words(["printf", "%s" if as_it_is else "%b", text], streams.fork(stdout=sink))


def _ulimit(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """Nothing is limited but what a script may do in all."""
    if all(argument.startswith("-") for argument in arguments):
        streams.stdout.line("unlimited")
    return 0


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
    "getopts": next_option,
    "let": _let,
    "local": _local,
    "print": _print,
    "read": read,
    "readonly": _read_only,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "typeset": _local,
    "type": _type,
    "ulimit": _ulimit,
    "umask": _nothing,
    "unset": _unset,
    "wait": _nothing,
    "whence": _whence,
}
