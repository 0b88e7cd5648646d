"""What a command of the phone's shell gets and gives."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tapwise.emulators.virtual.shell import syntax
from tapwise.emulators.virtual.shell.expansion import Scope
from tapwise.emulators.virtual.shell.streams import Input, Output, Streams

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone
    from tapwise.emulators.virtual.shell.screen import ScreenReader


class CommandError(Exception):
    """Ends a command: `message` goes to its standard error and `status` becomes its exit status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


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
    pipes_fail: bool
    """`set -o pipefail`"""
    read_only: set[str]
    integers: set[str]
    """variables whose values are arithmetic: `typeset -i`"""
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
