"""Commands that change the shell itself."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from typing import Final

from tapwise.emulators.virtual.shell.arithmetic import evaluate
from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.getopts import next_option
from tapwise.emulators.virtual.shell.streams import Streams


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
    """`export`, `readonly`: every variable is visible to every command here."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if equals:
            shell.variables[name] = value
    return 0


def _local(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`local`, `typeset`: the function's end brings the old values back."""
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if name.startswith("-"):
            continue
        if shell.local_scopes:
            shell.local_scopes[-1].setdefault(name, shell.variables.get(name))
        if equals:
            shell.variables[name] = value
        elif shell.local_scopes:
            shell.variables.pop(name, None)
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
    rest = list(arguments)
    while rest and rest[0][:1] in ("-", "+") and len(rest[0]) > 1:
        word = rest.pop(0)
        if word == "--":
            shell.positional = rest
            return 0
        letters = {"errexit": "e", "nounset": "u"}.get(rest.pop(0), "") if word[1:] == "o" and rest else word[1:]
        if "e" in letters:
            shell.ends_on_failure = word[0] == "-"
        if "u" in letters:
            shell.refuses_unset = word[0] == "-"
    if rest:
        shell.positional = rest
    return 0


def _trap(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`trap SCRIPT EXIT`; signals never come."""
    if len(arguments) > 1 and {"EXIT", "0"} & set(arguments[1:]):
        shell.at_exit = "" if arguments[0] == "-" else arguments[0]
    return 0


def _let(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`let EXPRESSION...`: status 1 when the last one is 0."""
    value = 0
    for expression in arguments:
        value = evaluate(expression, lambda name: shell.variables.get(name, "0"), shell.variables.__setitem__)
    return int(value == 0)


def _shift(shell: Shell, arguments: list[str], streams: Streams) -> int:
    count = _number(arguments, 1)
    if count > len(shell.positional):
        streams.stderr.line("/system/bin/sh: shift: nothing to shift")
        return 1
    del shell.positional[:count]
    return 0


def _read(shell: Shell, arguments: list[str], streams: Streams) -> int:
    raw = "-r" in arguments
    names = [argument for argument in arguments if not argument.startswith("-")] or ["REPLY"]
    line = streams.stdin.read_line()
    text = line.decode("utf-8", "surrogateescape")
    characters = [(character, False) for character in text.rstrip("\n")] if raw else _unescaped(text, streams)
    values = _cut(characters, len(names), shell.variables.get("IFS", " \t\n"))
    for number, name in enumerate(names):
        shell.variables[name] = values[number] if number < len(values) else ""
    return 0 if line.endswith(b"\n") else 1


def _unescaped(text: str, streams: Streams) -> list[tuple[str, bool]]:
    """Characters, and whether a backslash takes their meaning away; one at the end goes on with the next line."""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            position += 1
            if text[position] == "\n":
                text += streams.stdin.read_line().decode("utf-8", "surrogateescape")
            else:
                found.append((text[position], True))
        elif character != "\n":
            found.append((character, False))
        position += 1
    return found


def _cut(characters: list[tuple[str, bool]], count: int, separators: str) -> list[str]:
    """At most `count` fields; the last one is all that is left, without blanks at its end."""
    fields: list[str] = []
    rest = list(characters)

    def is_blank(pair: tuple[str, bool]) -> bool:
        return not pair[1] and pair[0] in separators and pair[0] in " \t\n"

    while rest and is_blank(rest[0]):
        rest.pop(0)
    while rest and len(fields) < count - 1:
        end = next((n for n, (c, quoted) in enumerate(rest) if not quoted and c in separators), len(rest))
        fields.append("".join(c for c, _ in rest[:end]))
        rest = rest[end:]
        blanks_only = True
        while rest and (is_blank(rest[0]) or (blanks_only and not rest[0][1] and rest[0][0] in separators)):
            blanks_only = blanks_only and is_blank(rest[0])
            rest.pop(0)
    while rest and is_blank(rest[-1]):
        rest.pop()
    if rest and count:
        last = rest[:-1]
        if not rest[-1][1] and rest[-1][0] in separators and not any(not q and c in separators for c, q in last):
            rest = last
    return [*fields, "".join(c for c, _ in rest)]


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
    "getopts": next_option,
    "let": _let,
    "local": _local,
    "read": _read,
    "readonly": _assign,
    "return": _return,
    "set": _set,
    "shift": _shift,
    "trap": _trap,
    "typeset": _local,
    "umask": _nothing,
    "unset": _unset,
    "wait": _nothing,
}
