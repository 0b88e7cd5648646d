"""The shell of one phone, as the wire uses it: run a script, get chunks of output and a status."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tapwise.emulators.virtual.databases import is_near
from tapwise.emulators.virtual.shell import interpreter
from tapwise.emulators.virtual.shell.commands import COMMANDS
from tapwise.emulators.virtual.shell.parser import parse
from tapwise.emulators.virtual.shell.screen import ScreenReader
from tapwise.emulators.virtual.shell.streams import Input, Output, Streams
from tapwise.emulators.virtual.shell.syntax import Sequence, ShellSyntaxError, Simple

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone

Chunks = list[bytes | memoryview]

_READERS: Final = {
    "cat": 0,
    "sh": 0,
    "tee": 9,
    "read": 9,
    "wc": 0,
    "head": 0,
    "tail": 0,
    "sort": 0,
    "grep": 1,
    "xargs": 9,
    "sed": 1,
    "tr": 9,
    "cut": 0,
    "uniq": 0,
    "rev": 0,
    "tac": 0,
    "nl": 0,
}
"""Commands that read standard input unless they get more operands than this."""


@dataclass(frozen=True, slots=True)
class Result:
    """What a script gave. Without split streams everything is in `stdout`."""

    stdout: Chunks
    stderr: Chunks
    status: int
    goes_on: bool = False
    """a program stays until the session is closed"""


class PhoneShell:
    """Runs scripts on a phone; each run is a shell process of its own."""

    def __init__(self, phone: VirtualPhone) -> None:
        self.phone = phone
        self.screen = ScreenReader(phone)

    def run(self, source: str, stdin: bytes = b"", *, split: bool = True) -> Result:
        """Run a script; `split` keeps standard error apart from standard output."""
        session = self.session()
        try:
            return session.run(source, stdin, split=split)
        finally:
            session.close()

    def session(self, *, interactive: bool = False) -> ShellSession:
        """A shell process that keeps its directory and variables from one script to the next; one that is not
        interactive ends with each script, as far as what is trapped on its exit is concerned."""
        return ShellSession(self, interactive)


class ShellSession:
    """An interactive shell's memory."""

    def __init__(self, shell: PhoneShell, interactive: bool) -> None:
        self._interactive = interactive
        self._interpreter = interpreter.Interpreter(shell.phone, shell.screen, COMMANDS)
        self._streams = Streams()
        self.ended = False

    def run(self, source: str, stdin: bytes = b"", *, split: bool = True) -> Result:
        """Run a script in this process."""
        out = Output()
        streams = Streams(Input(stdin), out, Output() if split else out)
        err = streams.stderr
        streams.inherit(self._streams)
        phone = self._interpreter.phone
        near = is_near(source) or is_near(self._interpreter.directory + "/")
        if near:
            phone.databases.reconcile(phone)
        status = self._interpreter.run(source, streams, to_the_end=not self._interactive)
        if near:
            phone.databases.reconcile(phone)
        self._streams = streams
        self.ended = self._interpreter.exited
        goes_on = bool(self._interpreter.residents)
        return Result(out.chunks, err.chunks if split else [], status, goes_on)

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Hear what programs that go on say from now on."""
        self._interpreter.later.hear = hear

    def close(self) -> None:
        """End the programs that go on."""
        self._interpreter.later.hear = None
        for ended in self._interpreter.residents:
            ended()
        self._interpreter.residents.clear()


@lru_cache(maxsize=256)
def wants_stdin(source: str) -> bool:
    """Whether a script is likely to read standard input, so that it must be there in full before the script runs."""
    try:
        script = parse(source)
    except ShellSyntaxError:
        return False
    return _sequence_reads(script)


def _sequence_reads(script: Sequence) -> bool:
    for item in script.items:
        for pipeline in (item.first, *(pipeline for _, pipeline in item.rest)):
            command = pipeline.commands[0]
            if isinstance(command, Simple) and _reads(command):
                return True
    return False


def _reads(command: Simple) -> bool:
    names = [word.bare for word in command.words]
    if not names or names[0] is None or any(redirect.descriptor == 0 for redirect in command.redirects):
        return False
    if names[0] == "exec":
        names = names[1:]
    most = _READERS.get(names[0] or "") if names else None
    operands = [name for name in names[1:] if name is None or not name.startswith("-") or name == "-"]
    return most is not None and (len(operands) <= most or "-" in operands)
