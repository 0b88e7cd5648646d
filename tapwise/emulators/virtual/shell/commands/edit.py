"""sed: a script of commands that is run on each line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.inputs import read_inputs
from tapwise.emulators.virtual.shell.regexes import basic_to_python, extended_to_python

_BRANCHES: Final = 10_000
"""jumps that one line may take"""


@dataclass(slots=True)
class _Address:
    """A line's number, the last line ("$"), every n-th, or what a line matches."""

    number: int = 0
    step: int = 0
    last: bool = False
    regex: re.Pattern[str] | None = None

    def holds(self, number: int, line: str, is_last: bool) -> bool:
        if self.regex is not None:
            return self.regex.search(line) is not None
        if self.last:
            return is_last
        if self.step:
            return number >= self.number and (number - self.number) % self.step == 0
        return number == self.number


@dataclass(slots=True)
class _Command:
    name: str
    addresses: list[_Address]
    negated: bool
    text: str = ""
    regex: re.Pattern[str] | None = None
    replacement: str = ""
    occurrence: int = 1
    everywhere: bool = False
    prints: bool = False
    table: dict[int, str] = field(default_factory=dict)
    target: int = -1
    inside: bool = False
    """within the range of its two addresses"""


class _Parser:
    """Reads a script."""

    def __init__(self, script: str, extended: bool) -> None:
        self._text = script
        self._at = 0
        self._extended = extended
        self._last_regex = ""
        self.commands: list[_Command] = []

    def parse(self) -> list[_Command]:
        blocks: list[_Command] = []
        while self._skip(" \t\n;"):
            addresses = self._addresses()
            self._skip(" \t")
            negated = self._take("!")
            self._skip(" \t")
            name = self._next()
            command = _Command(name, addresses, negated)
            self._arguments(command)
            if name == "#":
                continue
            if name == "}":
                if not blocks:
                    raise CommandError("sed: unexpected '}'")
                blocks.pop().target = len(self.commands)
                continue
            self.commands.append(command)
            if name == "{":
                blocks.append(command)
        if blocks:
            raise CommandError("sed: no '}'")
        return self.commands

    def _arguments(self, command: _Command) -> None:
        match command.name:
            case "s":
                self._substitution(command)
            case "y":
                sign = self._next()
                first, second = self._until(sign), self._until(sign)
                if len(first) != len(second):
                    raise CommandError("sed: bad y strings")
                command.table = {ord(a): b for a, b in zip(first, second, strict=True)}
            case "a" | "i" | "c":
                self._skip(" \t")
                if self._take("\\"):
                    self._skip(" \t")
                    self._take("\n")
                command.text = self._line().replace("\\\n", "\n")
            case "b" | "t" | ":":
                self._skip(" \t")
                end = re.compile(r"[;\n}]|$").search(self._text, self._at)
                assert end is not None
                command.text = self._text[self._at : end.start()].strip()
                self._at = end.start()
            case "#":
                self._line()
            case "d" | "p" | "q" | "=" | "n" | "N" | "D" | "P" | "g" | "G" | "h" | "H" | "x" | "{" | "}":
                pass
            case _:
                raise CommandError(f"sed: bad pattern '{self._text}'@{self._at} ({command.name})")

    def _substitution(self, command: _Command) -> None:
        sign = self._next()
        pattern, command.replacement = self._until(sign), self._until(sign, keep=True)
        flags = re.compile(r"[gpiI\d]*").match(self._text, self._at)
        assert flags is not None
        self._at = flags.end()
        command.everywhere, command.prints = "g" in flags[0], "p" in flags[0]
        digits = re.sub(r"\D", "", flags[0])
        command.occurrence = int(digits) if digits else 1
        command.regex = self._compiled(pattern, "i" in flags[0].lower())

    def _compiled(self, pattern: str, folded: bool = False) -> re.Pattern[str]:
        text = pattern or self._last_regex
        self._last_regex = text
        try:
            converted = (extended_to_python if self._extended else basic_to_python)(text)
            return re.compile(converted, re.IGNORECASE if folded else 0)
        except re.error as error:
            raise CommandError(f"sed: bad regex '{pattern}': {error}") from None

    def _addresses(self) -> list[_Address]:
        found: list[_Address] = []
        while (address := self._address()) is not None:
            found.append(address)
            self._skip(" \t")
            if len(found) == 2 or not self._take(","):
                break
            self._skip(" \t")
        return found

    def _address(self) -> _Address | None:
        number = re.compile(r"\d+").match(self._text, self._at)
        if number is not None:
            self._at = number.end()
            if self._take("~"):
                step = re.compile(r"\d+").match(self._text, self._at)
                self._at = step.end() if step else self._at
                return _Address(int(number[0]), int(step[0]) if step else 0)
            return _Address(int(number[0]))
        if self._take("$"):
            return _Address(last=True)
        if self._take("/"):
            return _Address(regex=self._compiled(self._until("/"), self._take("I")))
        if self._take("\\"):
            return _Address(regex=self._compiled(self._until(self._next())))
        return None

    def _until(self, sign: str, keep: bool = False) -> str:
        """Up to an unescaped sign; `keep` leaves all other escapes as they are, brackets hide the sign else."""
        found: list[str] = []
        bracket = False
        while self._at < len(self._text):
            character = self._next()
            if character == "\\" and self._at < len(self._text):
                following = self._next()
                found.append(following if following == sign else "\\" + following)
                if not keep and following == "n" and following != sign:
                    found[-1] = "\n"
                continue
            if not keep and character == "[" and not bracket:
                bracket = True
            elif bracket and character == "]" and found[-1:] not in (["["], ["^"]):
                bracket = False
            elif character == sign and not bracket:
                return "".join(found)
            found.append(character)
        raise CommandError(f"sed: no closing {sign!r}")

    def _next(self) -> str:
        if self._at >= len(self._text):
            raise CommandError(f"sed: '{self._text}' ends early")
        self._at += 1
        return self._text[self._at - 1]

    def _take(self, character: str) -> bool:
        if self._text[self._at : self._at + 1] != character:
            return False
        self._at += 1
        return True

    def _skip(self, characters: str) -> bool:
        """Go past some characters; whether anything is left."""
        while self._at < len(self._text) and self._text[self._at] in characters:
            self._at += 1
        return self._at < len(self._text)

    def _line(self) -> str:
        """To the end of the line; a backslash before a newline goes on."""
        match = re.compile(r"(?:\\\n|[^\n])*").match(self._text, self._at)
        assert match is not None
        self._at = match.end()
        return match[0]


class _Editor:
    """Runs a script on lines."""

    def __init__(self, commands: list[_Command], quiet: bool, write: Callable[[str], None]) -> None:
        self._commands = commands
        self._quiet = quiet
        self._write = write
        self._hold = ""
        self._labels = {c.text: n for n, c in enumerate(commands) if c.name == ":"}
        self.ended = False

    def run(self, lines: list[str]) -> None:
        """Edit lines, which keep their newlines; one without is written without."""
        self._lines, self._number = lines, 0
        while self._number < len(lines) and not self.ended:
            self._number += 1
            self._space = lines[self._number - 1]
            self._cycle()

    def _write_line(self, text: str) -> None:
        self._write(text + "\n")

    def _emit(self, text: str) -> None:
        last = self._number == len(self._lines) and self._lines and not self._lines[-1].endswith("\n")
        self._write(text if last else text + "\n")

    def _cycle(self) -> None:
        self._space = self._space.removesuffix("\n")
        after: list[str] = []
        place, substituted, deleted = 0, False, False
        for _ in range(_BRANCHES):
            if place >= len(self._commands):
                break
            command = self._commands[place]
            place += 1
            if self._applies(command) == command.negated:
                place = command.target if command.name == "{" else place
                continue
            match command.name:
                case "s":
                    substituted = self._substitute(command) or substituted
                case "d":
                    deleted = True
                    break
                case "q":
                    self.ended = True
                    break
                case "a":
                    after.append(command.text)
                case "c":
                    if len(command.addresses) < 2 or not command.inside:
                        self._write(command.text + "\n")
                    deleted = True
                    break
                case "b" | "t":
                    if command.name == "b" or substituted:
                        substituted = False
                        place = self._labels.get(command.text, len(self._commands))
                case "n" | "N":
                    if self._number == len(self._lines):
                        self.ended = True
                        break
                    if command.name == "n" and not self._quiet:
                        self._emit(self._space)
                    following = self._lines[self._number].removesuffix("\n")
                    self._space = following if command.name == "n" else f"{self._space}\n{following}"
                    self._number += 1
                case _:
                    self._simple(command)
        if not deleted and not self._quiet:
            self._emit(self._space)
        for text in after:
            self._write(text + "\n")

    def _simple(self, command: _Command) -> None:
        match command.name:
            case "p":
                (self._emit if self._quiet else self._write_line)(self._space)
            case "P":
                self._write(self._space.partition("\n")[0] + "\n")
            case "=":
                self._write(f"{self._number}\n")
            case "i":
                self._write(command.text + "\n")
            case "y":
                self._space = self._space.translate(command.table)
            case "h":
                self._hold = self._space
            case "H":
                self._hold += "\n" + self._space
            case "g":
                self._space = self._hold
            case "G":
                self._space += "\n" + self._hold
            case "x":
                self._space, self._hold = self._hold, self._space

    def _applies(self, command: _Command) -> bool:
        last = self._number == len(self._lines)
        addresses = command.addresses
        if len(addresses) < 2:
            return not addresses or addresses[0].holds(self._number, self._space, last)
        if command.inside:
            end = addresses[1]
            passed = end.regex is None and not end.last and self._number >= end.number
            if passed or end.holds(self._number, self._space, last):
                command.inside = False
                return end.regex is not None or end.last or self._number == end.number
            return True
        if addresses[0].holds(self._number, self._space, last):
            end = addresses[1]
            command.inside = end.regex is not None or (end.last and not last) or end.number > self._number
            return True
        return False

    def _substitute(self, command: _Command) -> bool:
        assert command.regex is not None
        found: list[str] = []
        at = count = 0
        done = False
        for match in command.regex.finditer(self._space):
            count += 1
            if count < command.occurrence:
                continue
            found += [self._space[at : match.start()], _filled(command.replacement, match)]
            at, done = match.end(), True
            if not command.everywhere:
                break
        self._space = "".join(found) + self._space[at:]
        if done and command.prints:
            self._write(self._space + "\n")
        return done


def _filled(replacement: str, match: re.Match[str]) -> str:
    def fill(piece: re.Match[str]) -> str:
        text = piece[0]
        if text == "&":
            return match[0]
        if text[1].isdigit():
            return match[int(text[1])] or "" if int(text[1]) <= match.re.groups else ""
        return {"n": "\n", "t": "\t"}.get(text[1], text[1])

    return re.sub(r"&|\\.", fill, replacement, flags=re.DOTALL)


def _sed(call: Invocation) -> int:
    call.arguments = ["-E" if a in ("-r", "--regexp-extended") else a for a in call.arguments]
    options, names = call.options(flags="nEisz", valued="ef")
    if "e" not in options and "f" not in options and not names:
        raise CommandError("sed: no pattern")
    script = options.get("e", "")
    if "f" in options:
        script = call.phone.files.read(call.path(options["f"])).decode("utf-8", "surrogateescape")
    elif "e" not in options:
        script = names.pop(0)
    commands = _Parser(script, "E" in options).parse()
    if "i" in options:
        for name in names:
            path = call.path(name)
            written: list[str] = []
            text = call.phone.files.read(path).decode("utf-8", "surrogateescape")
            _Editor(commands, "n" in options, written.append).run(text.splitlines(keepends=True))
            data = "".join(written).encode("utf-8", "surrogateescape")
            call.phone.files.write(path, data, call.phone.clock.now())
        return 0
    inputs = [data.decode("utf-8", "surrogateescape") for _, data in read_inputs(call, names)]
    lines = [line for text in inputs for line in text.splitlines(keepends=True)]
    _Editor(commands, "n" in options, call.out.write).run(lines)
    return 0


COMMANDS: Final[CommandTable] = {"sed": _sed}
