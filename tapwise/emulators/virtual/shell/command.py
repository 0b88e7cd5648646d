"""What a command of the phone's shell gets and gives."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from tapwise.emulators.virtual.shell import syntax
from tapwise.emulators.virtual.shell.expansion import Scope

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone
    from tapwise.emulators.virtual.shell.screen import ScreenReader


class CommandError(Exception):
    """Ends a command: `message` goes to its standard error and `status` becomes its exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


class Output:
    """A command's output stream: chunks that are kept as they are, so that a picture is never copied."""

    __slots__ = ("chunks",)

    def __init__(self) -> None:
        self.chunks: list[bytes | memoryview] = []

    def write(self, data: bytes | memoryview | str) -> None:
        """Add bytes, or text as UTF-8."""
        encoded = data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data
        if len(encoded):
            self.chunks.append(encoded)

    def line(self, text: str) -> None:
        """Add a line of text."""
        self.write(text + "\n")

    def value(self) -> bytes:
        """All bytes so far."""
        return b"".join(self.chunks)


class Input:
    """Standard input, all of it there from the start; commands that share it share the position in it."""

    __slots__ = ("_data", "_position")

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self._position = 0

    def read(self) -> bytes:
        """All that is left."""
        rest = self._data[self._position :]
        self._position = len(self._data)
        return rest

    def read_line(self) -> bytes:
        """The next line with its newline; empty at the end."""
        end = self._data.find(b"\n", self._position) + 1 or len(self._data)
        line = self._data[self._position : end]
        self._position = end
        return line


@dataclass(slots=True)
class Streams:
    """Standard input, output and error of a command; two names may stand for one stream."""

    stdin: Input = field(default_factory=Input)
    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)


class Shell(Scope, Protocol):
    """What a command may ask of the shell that runs it."""

    phone: VirtualPhone
    screen: ScreenReader
    commands: CommandTable
    functions: dict[str, syntax.Command]
    local_scopes: list[dict[str, str | None]]
    """of the functions that run, the innermost last: values to bring back"""
    ends_on_failure: bool
    """`set -e`"""
    at_exit: str
    """script of `trap ... EXIT`"""
    option_rest: tuple[int, str]
    """what `getopts` has left of the word it reads, and the OPTIND that goes with it"""
    status: int
    """$?"""

    def run_words(self, words: list[str], streams: Streams) -> int:
        """Run a command given as expanded words."""
        ...

    def run_script(self, source: str, streams: Streams, arguments: list[str]) -> int:
        """Run a script in a subshell with positional parameters ($0 first)."""
        ...

    def run_here(self, source: str, streams: Streams) -> int:
        """Run a script in this very shell, as `eval` does."""
        ...

    def stay(self, ended: Callable[[], None]) -> Callable[[bytes], None]:
        """Have the program go on until the host closes the stream that it runs in; `ended` is called then.

        What is given is what the program may say things with until then.
        """
        ...


@dataclass(slots=True)
class Invocation:
    """One call of a command. `arguments` come without the command's name."""

    shell: Shell
    name: str
    arguments: list[str]
    streams: Streams

    @property
    def phone(self) -> VirtualPhone:
        """The phone it runs on."""
        return self.shell.phone

    @property
    def stdin(self) -> Input:
        """Standard input."""
        return self.streams.stdin

    @property
    def out(self) -> Output:
        """Standard output."""
        return self.streams.stdout

    @property
    def err(self) -> Output:
        """Standard error."""
        return self.streams.stderr

    def path(self, name: str) -> str:
        """The absolute path of a name given on the command line."""
        return posixpath.join(self.shell.directory, name)

    def operand(self, position: int) -> str:
        """An argument that must be there. Raises CommandError."""
        if position >= len(self.arguments):
            raise CommandError(f"{self.name}: Needs {position + 1} argument{'s' if position else ''}")
        return self.arguments[position]

    def integer(self, text: str) -> int:
        """An argument as an integer. Raises CommandError."""
        try:
            return int(text)
        except ValueError:
            raise CommandError(f"{self.name}: not integer: {text}") from None

    def options(self, flags: str = "", valued: str = "") -> tuple[dict[str, str], list[str]]:
        """Split single-letter options from operands, as toybox does: `-la`, `-n5`, `-n 5`, `--`.

        Flags map to "" and `valued` options to their value, joined by newlines when repeated.
        Raises CommandError on an unknown option.
        """
        found: dict[str, str] = {}
        operands: list[str] = []
        rest = list(self.arguments)
        while rest:
            argument = rest.pop(0)
            if argument == "--":
                operands.extend(rest)
                break
            if not argument.startswith("-") or argument == "-":
                operands.append(argument)
                continue
            letters = argument[1:]
            while letters:
                letter, letters = letters[0], letters[1:]
                if letter in valued:
                    if not letters and not rest:
                        raise CommandError(f"{self.name}: Missing argument to -{letter}")
                    value = letters or rest.pop(0)
                    found[letter] = f"{found[letter]}\n{value}" if letter in found else value
                    break
                if letter not in flags:
                    raise CommandError(f"{self.name}: Unknown option '{letter}' (see \"{self.name} --help\")")
                found[letter] = ""
        return found, operands


Command = Callable[[Invocation], int]
CommandTable = Mapping[str, Command]
