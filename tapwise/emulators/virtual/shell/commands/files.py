"""Commands that read and change files: cat, tee, cp, mv, ln, rm, mkdir, touch, chmod, checksums."""

from __future__ import annotations

import errno
import hashlib
import os
import posixpath
from datetime import UTC, datetime
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation


def _failed(call: Invocation, path: str, error: OSError) -> int:
    call.err.line(f"{call.name}: {path}: {error.strerror}")
    return 1


def _cat(call: Invocation) -> int:
    _, names = call.options(flags="uetv")
    status = 0
    for name in names or ["-"]:
        try:
            call.out.write(call.stdin.read() if name == "-" else call.phone.files.read(call.path(name)))
        except OSError as error:
            status = _failed(call, name, error)
    return status


def _tee(call: Invocation) -> int:
    options, names = call.options(flags="ai")
    data = call.stdin.read()
    call.out.write(data)
    for name in names:
        write = call.phone.files.append if "a" in options else call.phone.files.write
        write(call.path(name), data, call.phone.clock.now())
    return 0


def _mkdir(call: Invocation) -> int:
    options, names = call.options(flags="pv", valued="m")
    if not names:
        raise CommandError("mkdir: Needs 1 argument")
    status = 0
    for name in names:
        parents = "p" in options
        try:
            now = call.phone.clock.now()
            call.phone.files.make_directory(call.path(name), parents=parents, exist_ok=parents, mtime=now)
        except OSError as error:
            call.err.line(f"mkdir: '{name}': {error.strerror}")
            status = 1
    return status


def _rmdir(call: Invocation) -> int:
    _, names = call.options(flags="p")
    status = 0
    for name in names:
        try:
            call.phone.files.remove_directory(call.path(name))
        except OSError as error:
            status = _failed(call, name, error)
    return status


def _rm(call: Invocation) -> int:
    options, names = call.options(flags="fiRrv")
    if not names and "f" not in options:
        raise CommandError("rm: Needs 1 argument")
    status = 0
    for name in names:
        try:
            call.phone.files.remove(call.path(name), recursive="r" in options or "R" in options)
        except FileNotFoundError as error:
            if "f" not in options:
                status = _failed(call, name, error)
        except OSError as error:
            status = _failed(call, name, error)
    return status


def _copy(call: Invocation, source: str, target: str, options: dict[str, str], depth: int = 0) -> None:
    """Copy a file, a link or a tree; links are kept as toybox keeps them: -d, -P, -r unless -L, or -H for the first."""
    files = call.phone.files
    recursive = not options.keys().isdisjoint("arR")
    follow = "L" in options or ("H" in options and depth == 0) or options.keys().isdisjoint("adPrR")
    stat = files.stat(source, follow=follow)
    now = stat.mtime if not options.keys().isdisjoint("ap") else call.phone.clock.now()
    if stat.link is not None:
        if files.exists(target, follow=False):
            files.remove(target)
        files.symlink(stat.link, target, now)
        return
    if not stat.is_dir:
        files.write(target, files.read(source), now, stat.mode)
        return
    if not recursive:
        raise OSError(errno.EISDIR, f"Skipped dir '{source}'", source)
    names = files.listdir(source)
    files.make_directory(target, exist_ok=True, mtime=now)
    for name in names:
        _copy(call, posixpath.join(source, name), posixpath.join(target, name), options, depth + 1)


def _transfer(call: Invocation, names: list[str], move: bool, options: dict[str, str]) -> int:
    if len(names) < 2:
        raise CommandError(f"{call.name}: Needs 2 arguments")
    files = call.phone.files
    target = call.path(names[-1])
    if len(names) > 2 and not files.is_dir(target):
        raise CommandError(f"{call.name}: '{names[-1]}' not directory")
    status = 0
    for name in names[:-1]:
        place = posixpath.join(target, posixpath.basename(name.rstrip("/"))) if files.is_dir(target) else target
        try:
            if "n" in options and files.exists(place):
                continue
            if move:
                files.rename(call.path(name), place)
            else:
                _copy(call, call.path(name), place, options)
        except OSError as error:
            call.err.line(f"{call.name}: bad '{name}': {error.strerror}")
            status = 1
    return status


def _cp(call: Invocation) -> int:
    options, names = call.options(flags="adfHiLnpPrRv")
    return _transfer(call, names, False, options)


def _mv(call: Invocation) -> int:
    options, names = call.options(flags="finv")
    return _transfer(call, names, True, options)


def _ln(call: Invocation) -> int:
    """Symbolic links; a file has one name here, so that other links are refused."""
    options, names = call.options(flags="sfnvrT", valued="t")
    if not names:
        raise CommandError("ln: Needs 1 argument")
    files = call.phone.files
    if "t" in options:
        names.append(options["t"])
    into = names.pop() if len(names) > 1 else "."
    folder = call.path(into)
    inside = files.is_dir(folder) and "T" not in options
    if inside and "n" in options and files.stat(folder, follow=False).link is not None:
        inside = False
    if len(names) > 1 and not inside:
        raise CommandError(f"ln: '{into}' not a directory")
    status = 0
    for target in names:
        path = posixpath.join(folder, posixpath.basename(target.rstrip("/"))) if inside else folder
        shown = posixpath.join(into, posixpath.basename(target)) if inside and into != "." else posixpath.basename(path)
        try:
            if "s" not in options:
                raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))
            if "f" in options and files.exists(path, follow=False):
                files.remove(path)
            text = posixpath.relpath(call.path(target), posixpath.dirname(path)) if "r" in options else target
            files.symlink(text, path, call.phone.clock.now())
        except OSError as error:
            kind = "symbolic" if "s" in options else "hard"
            call.err.line(f"ln: cannot create {kind} link from '{target}' to '{shown}': {error.strerror}")
            status = 1
            continue
        if "v" in options:
            call.out.line(f"'{shown}' -> '{target}'")
    return status


def _touch(call: Invocation) -> int:
    options, names = call.options(flags="achm", valued="dtr")
    moment = call.phone.clock.now()
    if "r" in options:
        moment = call.phone.files.stat(call.path(options["r"])).mtime
    elif "d" in options:
        moment = _moment(call, options["d"].replace("T", " "), ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"))
    elif "t" in options:
        moment = _moment(call, options["t"], ("%Y%m%d%H%M.%S", "%Y%m%d%H%M", "%y%m%d%H%M"))
    for name in names:
        path = call.path(name)
        follow = "h" not in options
        if call.phone.files.exists(path, follow=follow):
            call.phone.files.set_times(path, moment, follow=follow)
        elif "c" not in options:
            call.phone.files.write(path, b"", moment)
    return 0


def _moment(call: Invocation, text: str, formats: tuple[str, ...]) -> datetime:
    for pattern in formats:
        try:
            return datetime.strptime(text, pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise CommandError(f"{call.name}: bad date '{text}'")


def _chmod(call: Invocation) -> int:
    options = [argument for argument in call.arguments if argument in ("-R", "-f", "-v")]
    operands = [argument for argument in call.arguments if argument not in options]
    if len(operands) < 2:
        raise CommandError("chmod: Needs 2 arguments")
    mode_text, *names = operands
    files = call.phone.files
    for name in names:
        paths = files.walk(call.path(name)) if "-R" in options else [call.path(name)]
        for path in list(paths):
            files.set_mode(path, _mode(mode_text, files.stat(path).mode))
    return 0


def _mode(text: str, old: int) -> int:
    """Permission bits of `755` or `u+x,go-w`. Raises CommandError."""
    if text.isdigit() and all(digit in "01234567" for digit in text):
        return int(text, 8)
    mode = old & 0o7777
    for clause in text.split(","):
        who = clause[: len(clause) - len(clause.lstrip("ugoa"))]
        sign, bits = clause[len(who) : len(who) + 1], clause[len(who) + 1 :]
        if sign not in ("+", "-", "=") or not set(bits) <= set("rwxXst"):
            raise CommandError(f"chmod: bad mode '{text}'")
        value = sum({"r": 4, "w": 2, "x": 1}.get(bit, 0) for bit in set(bits))
        for letter in ("u", "g", "o") if who in ("", "a") else who:
            shift = {"u": 6, "g": 3, "o": 0}.get(letter, 0)
            kept = mode & ~(7 << shift) if sign == "=" else mode
            mode = kept & ~(value << shift) if sign == "-" else kept | (value << shift)
    return mode


def _hash(call: Invocation) -> int:
    _, names = call.options(flags="bc")
    algorithm = call.name.removesuffix("sum")
    status = 0
    for name in names or ["-"]:
        try:
            data = call.stdin.read() if name == "-" else call.phone.files.read(call.path(name))
        except OSError as error:
            status = _failed(call, name, error)
            continue
        call.out.line(f"{hashlib.new(algorithm, data, usedforsecurity=False).hexdigest()}  {name}")
    return status


def _sync(call: Invocation) -> int:
    return 0


COMMANDS: Final[CommandTable] = {
    "cat": _cat,
    "chmod": _chmod,
    "chown": _sync,
    "cp": _cp,
    "ln": _ln,
    "md5sum": _hash,
    "mkdir": _mkdir,
    "mv": _mv,
    "restorecon": _sync,
    "rm": _rm,
    "rmdir": _rmdir,
    "sha1sum": _hash,
    "sha256sum": _hash,
    "sync": _sync,
    "tee": _tee,
    "touch": _touch,
    "unlink": _rm,
}
