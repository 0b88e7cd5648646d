"""Redirects: descriptors of a shell connected to files of the phone, to each other, or to nothing."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable
from typing import Final

from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.expansion import expand_text
from tapwise.emulators.virtual.shell.streams import STDERR, STDOUT, Discard, FileOutput, Input, Output, Streams
from tapwise.emulators.virtual.shell.syntax import Redirect

_NOWHERE: Final = ("/dev/null", "/dev/zero", "/dev/full")
_OPEN_ALREADY: Final = re.compile(r"/(?:dev|proc/self)/fd/(\d)")
_NAMED: Final = {"/dev/stdin": 0, "/dev/stdout": STDOUT, "/dev/tty": STDOUT, "/dev/stderr": STDERR}


class RedirectError(Exception):
    """A redirect that cannot be made; the message is told to standard error already."""


def apply(shell: Shell, redirects: Iterable[Redirect], streams: Streams, action: Callable[[], int]) -> int:
    """Run `action` with redirected streams, and give the descriptors back. Raises RedirectError."""
    before = connect(shell, redirects, streams)
    try:
        status = action()
    except BaseException:
        flush(streams)
        streams.restore(before)
        raise
    written = flush(streams)
    streams.restore(before)
    return status or int(not written)


def connect(shell: Shell, redirects: Iterable[Redirect], streams: Streams) -> dict[int, Input | Output | None]:
    """Redirect streams in place; the answer says what the descriptors were before. Raises RedirectError."""
    before: dict[int, Input | Output | None] = {}

    def give(descriptor: int, stream: Input | Output | None) -> None:
        before.setdefault(descriptor, streams.table.get(descriptor))
        streams.restore({descriptor: stream})

    for redirect in redirects:
        target = expand_text(redirect.target, shell)
        try:
            stream = _opened(shell, redirect, target, streams)
        except OSError as error:  # the virtual file system speaks in the operating system's errors
            act = "open" if redirect.operator == "<" else "create"
            problem = f"can't {act} {target}: {error.strerror}"
        except LookupError:
            problem = f"{redirect.operator}{target} : bad file descriptor"
        else:
            give(redirect.descriptor, stream)
            if redirect.operator in ("&>", "&>>"):
                give(STDERR, stream)
            continue
        streams.stderr.line(f"/system/bin/sh: {problem}")
        flush(streams)
        streams.restore(before)
        raise RedirectError
    return before


def flush(streams: Streams) -> bool:
    """Write to the files what is written so far; False, after saying so, when it could not be."""
    try:
        streams.flush()
    except OSError as error:  # such as a full disk: the command itself has ended by now
        streams.stderr.line(f"/system/bin/sh: {error.filename}: {error.strerror}")
        return False
    return True


def _opened(shell: Shell, redirect: Redirect, target: str, streams: Streams) -> Input | Output | None:
    """The stream of a redirect; None closes. Raises OSError, and LookupError for a descriptor that is not open."""
    operator = redirect.operator
    if operator == "<<":
        return Input(target.encode("utf-8", "surrogateescape"))
    if operator in (">&", "<&"):
        if target == "-":
            return None
        return streams.table[int(target)] if target.isascii() and target.isdigit() else _missing(target)
    path = posixpath.join(shell.directory, target)
    open_already = _OPEN_ALREADY.fullmatch(path)
    descriptor = int(open_already[1]) if open_already else _NAMED.get(path)
    if descriptor is not None:
        return streams.table.get(descriptor)
    if path in _NOWHERE:
        return Input() if operator in ("<", "<>") else Discard()
    files = shell.files
    if operator == "<" or (operator == "<>" and files.exists(path)):
        return Input(files.read(path))
    if operator not in (">>", "&>>") or not files.exists(path):
        files.write(path, b"", shell.phone.clock.now())
    elif files.is_dir(path):
        files.read(path)  # raises that it is a directory
    if operator == "<>":
        return Input()
    return FileOutput(shell.phone, path, None if operator in (">>", "&>>") else 0)


def _missing(target: str) -> Output:
    raise LookupError(target)
