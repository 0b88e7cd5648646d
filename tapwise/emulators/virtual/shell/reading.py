"""`read`: a line, or a part of one, cut into variables."""

from __future__ import annotations

from tapwise.emulators.virtual.shell.command import Shell
from tapwise.emulators.virtual.shell.streams import Input, Streams


def read(shell: Shell, arguments: list[str], streams: Streams) -> int:
    """`read [-r] [-d END] [-n COUNT] [-u DESCRIPTOR] [NAME...]`."""
    options, names = split_options(arguments, valued="dnNu")
    descriptor = options.get("u", "0")
    source = streams.source(int(descriptor)) if descriptor.isascii() and descriptor.isdigit() else None
    if source is None:
        streams.stderr.line(f"/system/bin/sh: read: -u: {descriptor}: bad file descriptor")
        return 2
    end = options.get("d", "\n").encode("utf-8", "surrogateescape")[:1] or b"\0"
    count = options.get("n", options.get("N", ""))
    if count.isascii() and count.isdigit():
        line = _read_at_most(source, int(count), end if "n" in options else b"")
        complete = bool(line)
    else:
        line = source.read_line(end)
        complete = line.endswith(end)
    if line.endswith(end):
        line = line[:-1]
    text = line.decode("utf-8", "surrogateescape")
    characters = [(character, False) for character in text] if "r" in options else _unescaped(text, complete, source)
    names = names or ["REPLY"]
    values = _cut(characters, len(names), shell.variables.get("IFS", " \t\n"))
    for number, name in enumerate(names):
        shell.assign(name, values[number] if number < len(values) else "")
    return 0 if complete else 1


def split_options(arguments: list[str], valued: str) -> tuple[dict[str, str], list[str]]:
    """Leading single-letter options, and what is left; unknown ones count as flags."""
    found: dict[str, str] = {}
    rest = list(arguments)
    while rest and rest[0].startswith("-") and len(rest[0]) > 1:
        letters = rest.pop(0)[1:]
        if letters == "-":
            break
        while letters:
            letter, letters = letters[0], letters[1:]
            found[letter] = ""
            if letter in valued:
                found[letter], letters = letters or (rest.pop(0) if rest else ""), ""
    return found, rest


def _read_at_most(source: Input, count: int, end: bytes) -> bytes:
    data = b""
    while len(data) < count and (byte := source.read(1)):
        data += byte
        if byte == end:
            break
    return data


def _unescaped(text: str, complete: bool, source: Input) -> list[tuple[str, bool]]:
    """Characters, and whether a backslash takes their meaning away; one at the end goes on with the next line."""
    text += "\n" if complete else ""
    found: list[tuple[str, bool]] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character == "\\" and position + 1 < len(text):
            position += 1
            if text[position] == "\n":
                text += source.read_line().decode("utf-8", "surrogateescape")
            else:
                found.append((text[position], True))
        elif character != "\n":
            found.append((character, False))
        position += 1
    return found


def _cut(characters: list[tuple[str, bool]], count: int, separators: str) -> list[str]:
    """At most `count` fields; the last one is all that is left, without blanks at its end."""
    fields: list[str] = []
    rest = list(characters)

    def is_blank(pair: tuple[str, bool]) -> bool:
        return not pair[1] and pair[0] in separators and pair[0] in " \t\n"

    while rest and is_blank(rest[0]):
        rest.pop(0)
    while rest and len(fields) < count - 1:
        end = next((n for n, (c, quoted) in enumerate(rest) if not quoted and c in separators), len(rest))
        fields.append("".join(c for c, _ in rest[:end]))
        rest = rest[end:]
        blanks_only = True
        while rest and (is_blank(rest[0]) or (blanks_only and not rest[0][1] and rest[0][0] in separators)):
            blanks_only = blanks_only and is_blank(rest[0])
            rest.pop(0)
    while rest and is_blank(rest[-1]):
        rest.pop()
    if rest and count:
        last = rest[:-1]
        if not rest[-1][1] and rest[-1][0] in separators and not any(not q and c in separators for c, q in last):
            rest = last
    return [*fields, "".join(c for c, _ in rest)]
