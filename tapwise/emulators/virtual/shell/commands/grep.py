"""grep and egrep."""

from __future__ import annotations

import re
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.inputs import read_inputs
from tapwise.emulators.virtual.shell.regexes import basic_to_python, extended_to_python


def _grep(call: Invocation) -> int:
    extended = call.name == "egrep"
    options, names = call.options(flags="EFivcnqlohHswxrR", valued="emABC")
    if "e" not in options and not names:
        raise CommandError("grep: no REGEX", 2)
    pattern = options["e"] if "e" in options else names.pop(0)
    regex = _regex(pattern, options, extended or "E" in options)
    recursive = "r" in options or "R" in options
    if recursive:
        files = call.phone.files
        below = (files.walk(call.path(name), follow="R" in options) for name in names or ["."])
        names = [path for paths in below for path in paths if not files.is_dir(path)]
    found = False
    prefixed = (len(names) > 1 or recursive or "H" in options) and "h" not in options
    for name, data in read_inputs(call, names) if names or not recursive else []:
        lines = data.decode("utf-8", "surrogateescape").splitlines()
        hits = [(number, line) for number, line in enumerate(lines, 1) if bool(regex.search(line)) != ("v" in options)]
        hits = hits[: call.integer(options["m"])] if "m" in options else hits
        found = found or bool(hits)
        if "q" not in options:
            _print_hits(call, name, hits, regex, options, prefixed)
    return 0 if found else 1


def _print_hits(
    call: Invocation,
    name: str,
    hits: list[tuple[int, str]],
    regex: re.Pattern[str],
    options: dict[str, str],
    prefixed: bool,
) -> None:
    prefix = f"{name}:" if prefixed else ""
    if "l" in options:
        if hits:
            call.out.line(name)
    elif "c" in options:
        call.out.line(f"{prefix}{len(hits)}")
    else:
        for number, line in hits:
            start = prefix + (f"{number}:" if "n" in options else "")
            pieces = [match[0] for match in regex.finditer(line) if match[0]] if "o" in options else [line]
            for piece in pieces:
                call.out.line(start + piece)


def _regex(pattern: str, options: dict[str, str], extended: bool) -> re.Pattern[str]:
    """The Python regular expression of a POSIX one. Raises CommandError."""
    if "F" in options:
        text = "|".join(re.escape(line) for line in pattern.split("\n"))
    else:
        convert = extended_to_python if extended else basic_to_python
        text = "|".join(convert(line) for line in pattern.split("\n"))
    if "w" in options:
        text = rf"(?<!\w)(?:{text})(?!\w)"
    if "x" in options:
        text = rf"\A(?:{text})\Z"
    try:
        return re.compile(text, re.IGNORECASE if "i" in options else 0)
    except re.error as error:
        raise CommandError(f"grep: bad REGEX '{pattern}': {error}", 2) from None


COMMANDS: Final[CommandTable] = {"egrep": _grep, "grep": _grep}
