"""Commands that look at the file system: ls, stat, find, du, df, pwd, realpath, basename, dirname."""

from __future__ import annotations

import posixpath
import stat as modes
from typing import Final

from tapwise.emulators.virtual.filesystem import FileStat, resolve
from tapwise.emulators.virtual.shell.command import CommandTable, Invocation


def _long_line(name: str, stat: FileStat, width: int, *, full_time: bool) -> str:
    time = stat.mtime.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000" if full_time else "%Y-%m-%d %H:%M")
    links = 2 if stat.is_dir else 1
    return f"{modes.filemode(stat.mode)} {links} {stat.owner} {stat.owner} {stat.size:>{width}} {time} {name}"


def _print_entries(call: Invocation, entries: list[tuple[str, str]], options: dict[str, str]) -> None:
    """Print (name, path) pairs in the order and the form that the options ask for."""
    stats = {path: call.phone.files.stat(path) for _, path in entries}
    if "t" in options:
        entries = sorted(entries, key=lambda entry: stats[entry[1]].mtime, reverse=True)
    elif "S" in options:
        entries = sorted(entries, key=lambda entry: stats[entry[1]].size, reverse=True)
    if "r" in options:
        entries = entries[::-1]
    width = max((len(str(stat.size)) for stat in stats.values()), default=1)
    for name, path in entries:
        stat = stats[path]
        shown = name + ("/" if stat.is_dir and not options.keys().isdisjoint("pF") else "")
        full_time = call.arguments.count("-ll") > 0 or call.name == "ll"
        call.out.line(_long_line(shown, stat, width, full_time=full_time) if "l" in options else shown)


def _ls(call: Invocation) -> int:
    options, names = call.options(flags="1aAdFhiklLnpqrRsStZu")
    files = call.phone.files
    status = 0
    plain: list[tuple[str, str]] = []
    directories: list[str] = []
    for name in names or ["."]:
        path = resolve(call.path(name))
        if not files.exists(path):
            call.err.line(f"ls: {name}: No such file or directory")
            status = 1
        elif files.is_dir(path) and "d" not in options:
            directories.append(name)
        else:
            plain.append((name, path))
    _print_entries(call, plain, options)
    headed = len(names) > 1 or "R" in options
    while directories:
        name = directories.pop(0)
        if headed:
            call.out.line(f"\n{name}:" if plain or name != (names or ["."])[0] else f"{name}:")
        directories[:0] = _list_directory(call, name, options)
    return status


def _list_directory(call: Invocation, name: str, options: dict[str, str]) -> list[str]:
    """Print one directory and give the directories to descend into."""
    files = call.phone.files
    path = resolve(call.path(name))
    shown = [entry for entry in files.listdir(path) if not entry.startswith(".") or not options.keys().isdisjoint("aA")]
    entries = [(entry, posixpath.join(path, entry)) for entry in shown]
    if "l" in options:
        call.out.line(f"total {sum((files.stat(place).size + 1023) // 1024 for _, place in entries)}")
    if "a" in options:
        entries = [(".", path), ("..", posixpath.dirname(path)), *entries]
    _print_entries(call, entries, options)
    if "R" not in options:
        return []
    return [posixpath.join(name, entry) for entry in shown if files.is_dir(posixpath.join(path, entry))]


def _stat(call: Invocation) -> int:
    options, names = call.options(flags="ftL", valued="c")
    for name in names:
        stat = call.phone.files.stat(call.path(name))
        kind = "directory" if stat.is_dir else "regular file"
        time = stat.mtime.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000")
        seconds = str(int(stat.mtime.timestamp()))
        values = {
            "n": name,
            "s": str(stat.size),
            "b": str(-(-stat.size // 512)),
            "F": kind,
            "U": stat.owner,
            "G": stat.owner,
            "a": f"{stat.mode & 0o7777:o}",
            "A": modes.filemode(stat.mode),
            "f": f"{stat.mode:x}",
            "h": "1",
            "X": seconds,
            "Y": seconds,
            "Z": seconds,
            "y": time,
        }
        pattern = options.get("c")
        if pattern is None:
            pattern = (
                "  File: %n\n  Size: %s\t Blocks: %b\t IO Blocks: 512\t%F\nDevice: 1h/1d\t Inode: 1\t Links: %h\n"
                "Access: (0%a/%A)\tUid: (    0/%U)\tGid: (    0/%G)\nAccess: %y\nModify: %y\nChange: %y"
            )
        call.out.line(_format(pattern, values))
    return 0


def _format(pattern: str, values: dict[str, str]) -> str:
    pieces = pattern.split("%")
    return pieces[0] + "".join(values.get(piece[:1], "%" + piece[:1]) + piece[1:] for piece in pieces[1:])


def _du(call: Invocation) -> int:
    _, names = call.options(flags="ahksxc")
    files = call.phone.files
    for name in names or ["."]:
        total = sum((files.stat(path).size + 1023) // 1024 for path in files.walk(call.path(name)))
        call.out.line(f"{total}\t{name}")
    return 0


def _df(call: Invocation) -> int:
    files = call.phone.files
    total, used = files.quota // 1024, files.used // 1024
    call.out.line("Filesystem     1K-blocks    Used Available Use% Mounted on")
    percent = -(-100 * used // total) if total else 100
    call.out.line(f"/dev/block/dm-5 {total:>9} {used:>7} {total - used:>9} {percent:>3}% /data")
    return 0


def _pwd(call: Invocation) -> int:
    call.out.line(call.shell.directory)
    return 0


def _realpath(call: Invocation) -> int:
    for name in call.arguments:
        path = resolve(call.path(name))
        call.phone.files.stat(path)
        call.out.line(path)
    return 0


def _basename(call: Invocation) -> int:
    name = posixpath.basename(call.operand(0).rstrip("/")) or "/"
    suffix = call.arguments[1] if len(call.arguments) > 1 else ""
    call.out.line(name.removesuffix(suffix) or name)
    return 0


def _dirname(call: Invocation) -> int:
    call.out.line(posixpath.dirname(call.operand(0).rstrip("/")) or ("/" if call.operand(0).startswith("/") else "."))
    return 0


COMMANDS: Final[CommandTable] = {
    "basename": _basename,
    "df": _df,
    "dirname": _dirname,
    "du": _du,
    "ls": _ls,
    "pwd": _pwd,
    "readlink": _realpath,
    "realpath": _realpath,
    "stat": _stat,
}
