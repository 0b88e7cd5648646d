"""sort: lines in order, by keys."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.inputs import read_inputs

_KEY: Final = re.compile(r"(\d+)(?:\.(\d+))?([a-z]*)(?:,(\d+)(?:\.(\d+))?([a-z]*))?")
_NUMBER: Final = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+))")


@dataclass(frozen=True, slots=True)
class _Key:
    """From a field and character to a field and character, counted from 1; 0 for the end."""

    first: int = 1
    first_character: int = 1
    last: int = 0
    last_character: int = 0
    flags: str = ""

    def text(self, line: str, separator: str | None) -> str:
        """The part of a line that is compared."""
        if self.first == 1 and self.first_character == 1 and not self.last:
            return line
        cells = line.split(separator) if separator else re.findall(r"\s*\S+", line)
        cells = cells[self.first - 1 : self.last or None]
        if cells and self.last_character and self.last >= self.first and len(cells) == self.last - self.first + 1:
            cells[-1] = cells[-1][: self.last_character]
        return (separator or "").join(cells)[self.first_character - 1 :]


def _read_key(text: str) -> _Key:
    match = _KEY.fullmatch(text)
    if match is None:
        raise CommandError(f"sort: bad -k '{text}'")
    first, character, flags, last, last_character, more = match.groups()
    return _Key(int(first), int(character or 1), int(last or 0), int(last_character or 0), flags + (more or ""))


def _number(text: str) -> float:
    match = _NUMBER.match(text)
    return float(match[1]) if match else 0.0


def _compare(one: str, other: str, flags: str) -> int:
    if "b" in flags:
        one, other = one.lstrip(), other.lstrip()
    if "f" in flags:
        one, other = one.upper(), other.upper()
    if "n" in flags or "g" in flags:
        a, b = _number(one), _number(other)
        found = (a > b) - (a < b)
    else:
        found = (one > other) - (one < other)
    return -found if "r" in flags else found


def _sort(call: Invocation) -> int:
    options, names = call.options(flags="bfgnrusc", valued="kto")
    general = "".join(flag for flag in "bfgnr" if flag in options)
    keys = [_read_key(text) for text in options["k"].split("\n")] if "k" in options else [_Key()]
    separator = options.get("t")

    def by_keys(one: str, other: str) -> int:
        for key in keys:
            found = _compare(key.text(one, separator), key.text(other, separator), key.flags or general)
            if found:
                return found
        return 0

    def whole(one: str, other: str) -> int:
        found = by_keys(one, other)
        return found or ("s" not in options and _compare(one, other, "r" if "r" in general else ""))

    data = [found.decode("utf-8", "surrogateescape") for _, found in read_inputs(call, names)]
    ordered = sorted((line for text in data for line in text.splitlines()), key=functools.cmp_to_key(whole))
    if "u" in options:
        ordered = [line for n, line in enumerate(ordered) if n == 0 or by_keys(ordered[n - 1], line)]
    text = "".join(f"{line}\n" for line in ordered)
    if "o" in options:
        call.phone.files.write(call.path(options["o"]), text.encode("utf-8", "surrogateescape"), call.phone.clock.now())
    else:
        call.out.write(text)
    return 0


COMMANDS: Final[CommandTable] = {"sort": _sort}
