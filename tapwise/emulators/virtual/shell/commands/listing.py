"""Commands that look at the file system: ls, stat, du, df, pwd, realpath, readlink, basename, dirname."""

from __future__ import annotations

import posixpath
import stat as modes
from typing import Final

from tapwise.emulators.virtual.filesystem import FileStat
from tapwise.emulators.virtual.shell.command import CommandTable, Invocation


def _long_line(name: str, stat: FileStat, width: int, *, full_time: bool) -> str:
    time = stat.mtime.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000" if full_time else "%Y-%m-%d %H:%M")
    links = 2 if stat.is_dir else 1
    return f"{modes.filemode(stat.mode)} {links} {stat.owner} {stat.owner} {stat.size:>{width}} {time} {name}"


def _stat_listed(call: Invocation, path: str, options: dict[str, str]) -> FileStat:
    files = call.phone.files
    return files.stat(path, follow="L" in options and files.exists(path))


def _print_entries(call: Invocation, entries: list[tuple[str, str]], options: dict[str, str]) -> None:
    """Print (name, path) pairs in the order and the form that the options ask for."""
    stats = {path: _stat_listed(call, path, options) for _, path in entries}
    if "t" in options:
        entries = sorted(entries, key=lambda entry: stats[entry[1]].mtime, reverse=True)
    elif "S" in options:
        entries = sorted(entries, key=lambda entry: stats[entry[1]].size, reverse=True)
    if "r" in options:
        entries = entries[::-1]
    width = max((len(str(stat.size)) for stat in stats.values()), default=1)
    for name, path in entries:
        stat = stats[path]
        shown = name + (f" -> {stat.link}" if stat.link is not None and "l" in options else "")
        shown += "/" if stat.is_dir and not options.keys().isdisjoint("pF") else ""
        shown += "@" if stat.link is not None and "F" in options else ""
        full_time = call.arguments.count("-ll") > 0 or call.name == "ll"
        call.out.line(_long_line(shown, stat, width, full_time=full_time) if "l" in options else shown)


def _ls(call: Invocation) -> int:
    options, names = call.options(flags="1aAdFhHiklLnpqrRsStZu")
    files = call.phone.files
    status = 0
    plain: list[tuple[str, str]] = []
    directories: list[str] = []
    for name in names or ["."]:
        path = call.path(name)
        followed = not options.keys().isdisjoint("HL") or options.keys().isdisjoint("ldF")
        try:
            stat = files.stat(path, follow=followed and (files.exists(path) or not files.exists(path, follow=False)))
        except OSError as error:
            call.err.line(f"ls: {name}: {error.strerror}")
            status = 1
            continue
        if stat.is_dir and "d" not in options:
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
    path = files.resolve(call.path(name))
    shown = [entry for entry in files.listdir(path) if not entry.startswith(".") or not options.keys().isdisjoint("aA")]
    entries = [(entry, posixpath.join(path, entry)) for entry in shown]
    if "l" in options:
        call.out.line(f"total {sum(_blocks(_stat_listed(call, place, options)) for _, place in entries)}")
    if "a" in options:
        entries = [(".", path), ("..", posixpath.dirname(path)), *entries]
    _print_entries(call, entries, options)
    if "R" not in options:
        return []
    descended = [entry for entry in shown if _stat_listed(call, posixpath.join(path, entry), options).is_dir]
    return [posixpath.join(name, entry) for entry in descended]


def _blocks(stat: FileStat) -> int:
    """Of 1024 bytes; a short link takes none."""
    return 0 if stat.link is not None else (stat.size + 1023) // 1024


def _stat(call: Invocation) -> int:
    options, names = call.options(flags="ftL", valued="c")
    for name in names:
        stat = call.phone.files.stat(call.path(name), follow="L" in options)
        kind = _kind(stat)
        time = stat.mtime.strftime("%Y-%m-%d %H:%M:%S.%f000 +0000")
        seconds = str(int(stat.mtime.timestamp()))
        values = {
            "n": name,
            "N": name if stat.link is None else f"{name} -> '{stat.link}'",
            "s": str(stat.size),
            "b": "0" if stat.link is not None else str(-(-stat.size // 512)),
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
                "  File: %N\n  Size: %s\t Blocks: %b\t IO Blocks: 512\t%F\nDevice: 1h/1d\t Inode: 1\t Links: %h\n"
                "Access: (0%a/%A)\tUid: (    0/%U)\tGid: (    0/%G)\nAccess: %y\nModify: %y\nChange: %y"
            )
        call.out.line(_format(pattern, values))
    return 0


def _format(pattern: str, values: dict[str, str]) -> str:
    pieces = pattern.split("%")
    return pieces[0] + "".join(values.get(piece[:1], "%" + piece[:1]) + piece[1:] for piece in pieces[1:])


def _du(call: Invocation) -> int:
    options, names = call.options(flags="ahHkLsxc")
    files = call.phone.files
    for name in names or ["."]:
        found = files.walk(call.path(name), follow=not options.keys().isdisjoint("HL"))
        total = sum(_blocks(files.stat(path, follow=False)) for path in found)
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
    here = call.shell.directory
    call.out.line(call.phone.files.resolve(here) if "-P" in call.arguments else here)
    return 0


def _realpath(call: Invocation) -> int:
    status = 0
    for name in call.arguments:
        try:
            call.out.line(_real(call, name, whole=False))
        except OSError as error:
            call.err.line(f"realpath: {name}: {error.strerror}")
            status = 1
    return status


def _real(call: Invocation, name: str, *, whole: bool) -> str:
    """The one name of a path, of which the last part need not exist unless the `whole` must. Raises OSError."""
    files = call.phone.files
    path = files.resolve(call.path(name))
    files.stat(path if whole else posixpath.dirname(path) + "/")
    return path


def _readlink(call: Invocation) -> int:
    options, names = call.options(flags="efmnqz")
    files, status = call.phone.files, 0
    for name in names:
        try:
            if "m" in options:
                found = files.resolve(call.path(name))
            elif options.keys().isdisjoint("ef"):
                found = files.read_link(call.path(name))
            else:
                found = _real(call, name, whole="e" in options)
        except OSError:
            status = 1
            continue
        call.out.write(found + ("\0" if "z" in options else "" if "n" in options else "\n"))
    return status


def _basename(call: Invocation) -> int:
    name = posixpath.basename(call.operand(0).rstrip("/")) or "/"
    suffix = call.arguments[1] if len(call.arguments) > 1 else ""
    call.out.line(name.removesuffix(suffix) or name)
    return 0


def _dirname(call: Invocation) -> int:
    call.out.line(posixpath.dirname(call.operand(0).rstrip("/")) or ("/" if call.operand(0).startswith("/") else "."))
    return 0


def _kind(stat: FileStat) -> str:
    """What `stat` calls it."""
    if stat.link is not None:
        return "symbolic link"
    if stat.is_dir:
        return "directory"
    return "regular file" if stat.size else "regular empty file"


COMMANDS: Final[CommandTable] = {
    "basename": _basename,
    "df": _df,
    "dirname": _dirname,
    "du": _du,
    "ls": _ls,
    "pwd": _pwd,
    "readlink": _readlink,
    "realpath": _realpath,
    "stat": _stat,
}
