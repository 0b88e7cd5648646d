"""Redirects: streams of a command connected to files of the phone, to each other, or to nothing."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterable

from tapwise.emulators.virtual.shell.command import Input, Output, Shell, Streams
from tapwise.emulators.virtual.shell.expansion import expand_text
from tapwise.emulators.virtual.shell.syntax import Redirect

_NOWHERE = "/dev/null"


def apply(shell: Shell, redirects: Iterable[Redirect], streams: Streams, action: Callable[[Streams], int]) -> int:
    """Run `action` with redirected streams, then write what went to files. A failing redirect gives status 1."""
    inner = Streams(streams.stdin, streams.stdout, streams.stderr)
    files: list[tuple[str, Output]] = []
    try:
        for redirect in redirects:
            _connect(shell, redirect, inner, files)
    except OSError as error:  # the virtual file system speaks in the operating system's errors
        streams.stderr.line(f"/system/bin/sh: can't open {error.filename}: {error.strerror}")
        return 1
    try:
        return action(inner)
    finally:
        for path, output in files:
            _store(shell, path, output, streams)


def _connect(shell: Shell, redirect: Redirect, streams: Streams, files: list[tuple[str, Output]]) -> None:
    target = expand_text(redirect.target, shell)
    if redirect.operator == "<<":
        streams.stdin = Input(target.encode("utf-8", "surrogateescape"))
        return
    if redirect.operator in (">&", "<&"):
        _duplicate(redirect.descriptor, target, streams)
        return
    path = posixpath.join(shell.directory, target)
    if redirect.operator in ("<", "<>"):
        streams.stdin = Input(b"" if path == _NOWHERE else shell.files.read(path))
        return
    output = Output()
    if path in ("/dev/tty", "/dev/stdout", "/dev/stderr"):
        output = streams.stderr if path == "/dev/stderr" else streams.stdout
    elif path != _NOWHERE:
        if redirect.operator == ">" or not shell.files.exists(path):
            shell.files.write(path, b"", shell.phone.clock.now())
        elif shell.files.is_dir(path):
            shell.files.read(path)
        files.append((path, output))
    if redirect.descriptor == 1:
        streams.stdout = output
    elif redirect.descriptor == 2:
        streams.stderr = output


def _duplicate(descriptor: int, target: str, streams: Streams) -> None:
    source = {"1": streams.stdout, "2": streams.stderr}.get(target, Output())
    if descriptor == 1:
        streams.stdout = source
    elif descriptor == 2:
        streams.stderr = source
    elif descriptor == 0 and target == "-":
        streams.stdin = Input()


def _store(shell: Shell, path: str, output: Output, streams: Streams) -> None:
    data = output.value()
    if not data:
        return
    try:
        shell.files.append(path, data, shell.phone.clock.now())
    except OSError as error:  # such as a full disk: the command itself has ended by now
        streams.stderr.line(f"/system/bin/sh: {path}: {error.strerror}")
