"""Runs the shell's syntax tree over a virtual phone: single-threaded, bounded, without reach to the host."""

from __future__ import annotations

import posixpath
from collections.abc import Callable
from random import Random
from typing import TYPE_CHECKING, Final, assert_never

from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.shell import patterns, redirects
from tapwise.emulators.virtual.shell.budget import Budget, BudgetError
from tapwise.emulators.virtual.shell.builtins import BUILTINS, ExitRequest, LoopRequest, ReturnRequest
from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.double_brackets import holds
from tapwise.emulators.virtual.shell.expansion import expand_pattern, expand_text, expand_words, value_of
from tapwise.emulators.virtual.shell.parser import parse
from tapwise.emulators.virtual.shell.redirects import RedirectError
from tapwise.emulators.virtual.shell.streams import Input, Output, Streams
from tapwise.emulators.virtual.shell.syntax import (
    AndOr,
    ArithmeticCommand,
    Case,
    Command,
    Condition,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirect,
    Redirected,
    Sequence,
    ShellSyntaxError,
    Simple,
)

if TYPE_CHECKING:
    from tapwise.emulators.virtual.phone import VirtualPhone
    from tapwise.emulators.virtual.shell.screen import ScreenReader

NAME: Final = "/system/bin/sh"
NOT_FOUND: Final = 127
KILLED: Final = 137
_ENVIRONMENT: Final = {
    "ANDROID_DATA": "/data",
    "ANDROID_ROOT": "/system",
    "EXTERNAL_STORAGE": "/sdcard",
    "HOME": "/",
    "PATH": "/product/bin:/apex/com.android.runtime/bin:/system/bin:/system/xbin:/vendor/bin",
    "SHELL": "/bin/sh",
    "TERM": "xterm",
    "TMPDIR": "/data/local/tmp",
    "USER": "root",
}


class Later:
    """What programs that go on say when their script is over; nobody hears it until somebody listens."""

    def __init__(self) -> None:
        self.hear: Callable[[bytes], None] | None = None

    def say(self, data: bytes) -> None:
        """Say something on standard output."""
        if self.hear is not None:
            self.hear(data)


class Interpreter:
    """One shell process: its variables, directory and functions."""

    def __init__(
        self, phone: VirtualPhone, screen: ScreenReader, commands: CommandTable, budget: Budget | None = None
    ) -> None:
        self.phone = phone
        self.screen = screen
        self.commands = commands
        self.directory = "/"
        self.variables: dict[str, str] = dict(_ENVIRONMENT)
        self.positional: list[str] = []
        self.functions: dict[str, Command] = {}
        self.local_scopes: list[dict[str, str | None]] = []
        self.ends_on_failure = False
        self.refuses_unset = False
        self.pipes_fail = False
        self.read_only: set[str] = set()
        self.integers: set[str] = set()
        self.at_exit = ""
        self.option_rest = (0, "")
        self.status = 0
        self.exited = False
        self.residents: list[Callable[[], None]] = []
        """what to call when the programs that go on are ended"""
        self.later = Later()
        self._name = NAME
        self._streams = Streams()
        self._started = phone.clock.now()
        self._random = Random(self._started.timestamp())
        self._unchecked = 0
        self._budget = budget if budget is not None else Budget()

    @property
    def files(self) -> VirtualFileSystem:
        """The phone's files."""
        return self.phone.files

    # --- entry points ------------------------------------------------------------------------------------

    def run(self, source: str, streams: Streams, *, to_the_end: bool = True) -> int:
        """Run a script and give its exit status; every failure becomes a message and a status.

        With `to_the_end` the shell ends with the script, and does what is trapped on its exit.
        """
        status = self._run(source, streams)
        if self.at_exit and (to_the_end or self.exited):
            last, self.at_exit = self.at_exit, ""
            self._run(last, streams)
            self.status = status
        return status

    def _run(self, source: str, streams: Streams) -> int:
        try:
            self.status = self._sequence(parse(source), streams)
        except ExitRequest as request:
            self.status = request.status
            self.exited = True
        except (ReturnRequest, LoopRequest):
            pass
        except ShellSyntaxError as error:
            streams.stderr.line(f"{self._name}: {error}")
            self.status = error.status
        except (BudgetError, RecursionError):
            streams.stderr.line("Killed")
            self.status = KILLED
        return self.status

    def run_script(self, source: str, streams: Streams, arguments: list[str]) -> int:
        """Run a script in a subshell with positional parameters ($0 first)."""
        streams = streams.fork()
        child = self._child()
        child._name, child.positional = (arguments[0] if arguments else NAME), arguments[1:]
        self._budget.enter()
        try:
            return child.run(source, streams)
        finally:
            self._budget.depth -= 1

    def run_here(self, source: str, streams: Streams) -> int:
        """Run a script in this very shell, as `eval` does."""
        self._budget.enter()
        try:
            return self._sequence(parse(source), streams)
        finally:
            self._budget.depth -= 1

    def stay(self, ended: Callable[[], None]) -> Callable[[bytes], None]:
        """Have the program go on until the host closes the stream that it runs in; `ended` is called then.

        What is given is what the program may say things with until then.
        """
        self.residents.append(ended)
        return self.later.say

    def _child(self) -> Interpreter:
        child = Interpreter(self.phone, self.screen, self.commands, self._budget)
        child.residents = self.residents
        child.later = self.later
        child.directory, child.status, child._name = self.directory, self.status, self._name
        child.variables, child.functions = dict(self.variables), dict(self.functions)
        child.positional = list(self.positional)
        child.read_only, child.integers = set(self.read_only), set(self.integers)
        child.pipes_fail = self.pipes_fail
        child._started, child._random = self._started, self._random
        child.ends_on_failure, child.refuses_unset = self.ends_on_failure, self.refuses_unset
        child._unchecked = self._unchecked
        return child

    # --- what expansion asks -----------------------------------------------------------------------------

    def special(self, name: str) -> str:
        """$?, $$, $!, $-, $0, RANDOM and SECONDS."""
        if name == "RANDOM":
            return str(self._random.randrange(1 << 15))
        if name == "SECONDS":
            return str(int((self.phone.clock.now() - self._started).total_seconds()))
        return {"?": str(self.status), "$": "4242", "0": self._name}.get(name, "")

    def assign(self, name: str, value: str) -> None:
        """Set a variable. Raises ShellSyntaxError for one that is read-only."""
        if name in self.read_only:
            raise ShellSyntaxError(f"read-only: {name}", 2)
        self.variables[name] = str(value_of(value, self)) if name in self.integers else value

    def substitute(self, body: Sequence) -> str:
        """Standard output of a script, trailing newlines removed; sets $?."""
        output = Output()
        self.status = self._in_child(body, self._streams.fork(stdout=output))
        return output.value().decode("utf-8", "surrogateescape").rstrip("\n")

    def _in_child(self, body: Sequence | Command, streams: Streams) -> int:
        child = self._child()
        self._budget.enter()
        try:
            own = streams.fork()
            return child._sequence(body, own) if isinstance(body, Sequence) else child._command(body, own)
        except ExitRequest as request:
            return request.status
        except ShellSyntaxError as error:
            streams.stderr.line(f"{self._name}: {error}")
            return error.status
        finally:
            self._budget.depth -= 1

    # --- evaluation --------------------------------------------------------------------------------------

    def _sequence(self, sequence: Sequence, streams: Streams) -> int:
        for item in sequence.items:
            self.status = self._and_or(item, streams)
        return self.status if sequence.items else 0

    def _and_or(self, node: AndOr, streams: Streams) -> int:
        pipelines = [("", node.first), *node.rest]
        for number, (operator, pipeline) in enumerate(pipelines):
            if operator and (self.status == 0) != (operator == "&&"):
                continue
            last = number == len(pipelines) - 1
            if last and not pipeline.negated:
                self.status = self._pipeline(pipeline, streams)
                if self.status and self.ends_on_failure and not self._unchecked:
                    raise ExitRequest(self.status)
            else:
                self.status = self._without_check(lambda pipeline=pipeline: self._pipeline(pipeline, streams))  # type: ignore[misc]
        return self.status

    def _without_check(self, act: Callable[[], int]) -> int:
        """Do something whose failure does not end the shell, as in a condition."""
        self._unchecked += 1
        try:
            return act()
        finally:
            self._unchecked -= 1

    def _pipeline(self, node: Pipeline, streams: Streams) -> int:
        if len(node.commands) == 1:
            status = self._command(node.commands[0], streams)
        else:
            status, failed, stdin = 0, 0, streams.stdin
            for number, command in enumerate(node.commands):
                last = number == len(node.commands) - 1
                output = streams.stdout if last else Output()
                status = self._in_child(command, streams.fork(stdin=stdin, stdout=output))
                failed = status or failed
                if not last:
                    stdin = Input(output.value())
            status = failed if self.pipes_fail else status
        return int(status == 0) if node.negated else status

    def _command(self, node: Command, streams: Streams) -> int:
        self._streams = streams
        match node:
            case Simple():
                return self._simple(node, streams)
            case Redirected(command=command):
                return self._redirected(node.redirects, streams, lambda: self._command(command, streams))
            case If():
                return self._if(node, streams)
            case Loop():
                return self._loop(node, streams)
            case For():
                return self._for(node, streams)
            case Case():
                return self._case(node, streams)
            case Group(body=body, subshell=subshell):
                return self._in_child(body, streams) if subshell else self._sequence(body, streams)
            case ArithmeticCommand(expression=expression):
                return int(value_of(expand_text(expression, self), self) == 0)
            case Condition():
                return self._condition(node, streams)
            case Function(name=name, body=function):
                self.functions[name] = function
                return 0
            case _:
                assert_never(node)

    def _condition(self, node: Condition, streams: Streams) -> int:
        try:
            return int(not holds(node, self, streams))
        except CommandError as error:
            streams.stderr.line(error.message)
            return error.status

    def _if(self, node: If, streams: Streams) -> int:
        for condition, body in node.branches:
            if self._without_check(lambda condition=condition: self._sequence(condition, streams)) == 0:  # type: ignore[misc]
                return self._sequence(body, streams)
        return self._sequence(node.otherwise, streams) if node.otherwise is not None else 0

    def _loop(self, node: Loop, streams: Streams) -> int:
        status = 0
        while (self._without_check(lambda: self._sequence(node.condition, streams)) == 0) != node.negated:
            self._budget.spend()
            status, ended = self._loop_body(node.body, streams)
            if ended:
                break
        return status

    def _for(self, node: For, streams: Streams) -> int:
        status = 0
        for value in self.positional if node.words is None else expand_words(node.words, self):
            self.assign(node.name, value)
            status, ended = self._loop_body(node.body, streams)
            if ended:
                break
        return status

    def _loop_body(self, body: Sequence, streams: Streams) -> tuple[int, bool]:
        try:
            return self._sequence(body, streams), False
        except LoopRequest as request:
            if request.levels > 1:
                raise LoopRequest(request.levels - 1, request.again) from None
            return 0, not request.again

    def _case(self, node: Case, streams: Streams) -> int:
        subject = expand_text(node.subject, self)
        status, falls = 0, False
        for choices, body, end in node.arms:
            if falls or any(patterns.matches(expand_pattern(choice, self), subject) for choice in choices):
                status, falls = self._sequence(body, streams), end == ";&"
                if end == ";;":
                    break
        return status

    def _simple(self, node: Simple, streams: Streams) -> int:
        self._budget.spend()
        words = expand_words(node.words, self)
        before = self.status
        values = [(name, expand_text(value, self)) for name, value in node.assignments]
        substituted = self.status if self.status != before else 0

        def act() -> int:
            if not words:
                for name, value in values:
                    self.assign(name, value)
                return substituted
            saved = {name: self.variables.get(name) for name, _ in values}
            for name, value in values:
                self.assign(name, value)
            try:
                return self.run_words(words, streams)
            finally:
                self._restore(saved)

        if node.redirects and words in (["exec"], ["command", "exec"]):
            return self._keep_redirects(node.redirects, streams, ends_shell=words == ["exec"])
        status = self._redirected(node.redirects, streams, act) if node.redirects else act()
        return status if redirects.flush(streams) else status or 1

    def _redirected(self, wanted: tuple[Redirect, ...], streams: Streams, act: Callable[[], int]) -> int:
        try:
            return redirects.apply(self, wanted, streams, act)
        except RedirectError:
            return 1

    def _keep_redirects(self, wanted: tuple[Redirect, ...], streams: Streams, *, ends_shell: bool) -> int:
        """`exec` without a command: the redirects stay, and one that fails ends the shell."""
        try:
            redirects.connect(self, wanted, streams)
        except RedirectError:
            if ends_shell:
                raise ExitRequest(1) from None
            return 1
        return 0

    # --- commands ----------------------------------------------------------------------------------------

    def run_words(self, words: list[str], streams: Streams) -> int:
        """Run a function, a builtin, a command or a script file, in this order."""
        name, arguments = words[0], words[1:]
        if name in self.functions:
            return self._call(self.functions[name], arguments, streams)
        if name in BUILTINS:
            return BUILTINS[name](self, arguments, streams)
        directory, base = posixpath.split(name)
        command = self.commands.get(base) if directory in ("", "/system/bin", "/system/xbin", "/bin") else None
        if command is None:
            return self._script_file(name, arguments, streams)
        try:
            return command(Invocation(self, base, arguments, streams))
        except CommandError as error:
            if error.message:
                streams.stderr.line(error.message)
            return error.status
        except OSError as error:  # the virtual file system speaks in the operating system's errors
            streams.stderr.line(f"{base}: {error.filename}: {error.strerror}")
            return 1

    def _call(self, body: Command, arguments: list[str], streams: Streams) -> int:
        outer, self.positional = self.positional, arguments
        self.local_scopes.append({})
        self._budget.enter()
        try:
            return self._command(body, streams)
        except ReturnRequest as request:
            return request.status
        finally:
            self.positional = outer
            self._restore(self.local_scopes.pop())
            self._budget.depth -= 1

    def _restore(self, values: dict[str, str | None]) -> None:
        for name, old in values.items():
            if old is None:
                self.variables.pop(name, None)
            else:
                self.variables[name] = old

    def _script_file(self, name: str, arguments: list[str], streams: Streams) -> int:
        path = posixpath.join(self.directory, name)
        if "/" not in name or not self.files.exists(path):
            streams.stderr.line(f"{NAME}: {name}: inaccessible or not found")
            return NOT_FOUND
        if self.files.is_dir(path) or not self.files.stat(path).mode & 0o111:
            streams.stderr.line(
                f"{NAME}: {name}: can't execute: {'Is a directory' if self.files.is_dir(path) else 'Permission denied'}"
            )
            return 126
        source = self.files.read(path).decode("utf-8", "surrogateescape")
        return self.run_script(source, streams, [name, *arguments])
