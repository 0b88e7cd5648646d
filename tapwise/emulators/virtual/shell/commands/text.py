"""Commands on text: echo, printf, head, tail, wc, uniq, cut, tr, seq, xargs, base64."""

from __future__ import annotations

import base64
import re
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.inputs import read_inputs
from tapwise.emulators.virtual.shell.streams import Input

_ESCAPES: Final = re.compile(r"\\(0[0-7]{0,3}|x[0-9a-fA-F]{1,2}|.)", re.DOTALL)
_CONTROLS: Final = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
}
_FORMAT: Final = re.compile(r"%([-+ 0#]*)(\d*)(?:\.(\d+))?([sdiuxXocbqfeg%])")


def _unescape(text: str) -> str:
    def replace(match: re.Match[str]) -> str:
        code = match[1]
        if code[0] == "0":
            return chr(int(code, 8))
        if code[0] == "x" and len(code) > 1:
            return chr(int(code[1:], 16))
        return _CONTROLS.get(code, match[0])

    return _ESCAPES.sub(replace, text)


def _echo(call: Invocation) -> int:
    words = list(call.arguments)
    newline, escapes = True, True  # the phone's echo expands backslashes unless told -E
    while words and re.fullmatch(r"-[neE]+", words[0]):
        letters = words.pop(0)[1:]
        newline = newline and "n" not in letters
        escapes = "E" not in letters
    text = " ".join(words)
    call.out.write((_unescape(text) if escapes else text) + ("\n" if newline else ""))
    return 0


def _printf(call: Invocation) -> int:
    pattern = _unescape(call.operand(0))
    values = call.arguments[1:]
    consumes = any(match[4] != "%" for match in _FORMAT.finditer(pattern))
    while True:
        text, values = _printf_once(pattern, values)
        call.out.write(text)
        if not values or not consumes:
            return 0


def _printf_once(pattern: str, values: list[str]) -> tuple[str, list[str]]:
    rest = list(values)

    def replace(match: re.Match[str]) -> str:
        flags, width, precision, kind = match.groups()
        if kind == "%":
            return "%"
        value = rest.pop(0) if rest else ""
        places = "" if precision is None else f".{precision}"
        if kind in "diuxXo":
            number = int(value, 0) if re.fullmatch(r"[+-]?(0[xX][0-9a-fA-F]+|[1-9]\d*|0)", value) else 0
            return f"%{flags}{width}{places}{'d' if kind in 'diu' else kind}" % number
        if kind in "feg":
            return f"%{flags}{width}{places}{kind}" % (float(value) if _is_float(value) else 0.0)
        text = _unescape(value) if kind == "b" else value[:1] if kind == "c" else value
        return f"%{flags.replace('0', '')}{width}{places}s" % text

    return _FORMAT.sub(replace, pattern), rest


def _is_float(text: str) -> bool:
    return re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", text) is not None


def _ends(call: Invocation) -> int:
    """`head` and `tail`, by lines or bytes."""
    call.arguments = [re.sub(r"^-(\d+)$", r"-n\1", argument) for argument in call.arguments]
    options, names = call.options(flags="fqv", valued="nc")
    from_start = call.name == "head"
    for number, (name, data) in enumerate(read_inputs(call, names)):
        if len(names) > 1:
            call.out.line(("\n" if number else "") + f"==> {name} <==")
        units = [data[i : i + 1] for i in range(len(data))] if "c" in options else data.splitlines(keepends=True)
        text = options.get("c", options.get("n", "10"))
        count = call.integer(text)
        if from_start:
            chosen = units[:count]
        elif text.startswith("+"):
            chosen = units[max(count - 1, 0) :]
        else:
            chosen = units[len(units) - min(abs(count), len(units)) :]
        call.out.write(b"".join(chosen))
    return 0


def _wc(call: Invocation) -> int:
    options, names = call.options(flags="clmw")
    chosen = [letter for letter in "lwmc" if letter in options] or ["l", "w", "c"]
    rows: list[tuple[list[int], str]] = []
    for name, data in read_inputs(call, names):
        sizes = {
            "l": data.count(b"\n"),
            "w": len(data.split()),
            "m": len(data.decode("utf-8", "replace")),
            "c": len(data),
        }
        rows.append(([sizes[letter] for letter in chosen], "" if name == "-" else name))
    if len(rows) > 1:
        rows.append(([sum(column) for column in zip(*(counts for counts, _ in rows), strict=True)], "total"))
    for counts, name in rows:
        call.out.line(" ".join([*(str(count) for count in counts), *([name] if name else [])]))
    return 0


def _uniq(call: Invocation) -> int:
    options, names = call.options(flags="cdu")
    groups: list[tuple[str, int]] = []
    text = read_inputs(call, names)[0][1].decode("utf-8", "surrogateescape")
    for line in text.splitlines():
        if groups and groups[-1][0] == line:
            groups[-1] = (line, groups[-1][1] + 1)
        else:
            groups.append((line, 1))
    shown = [(line, n) for line, n in groups if not (("d" in options and n == 1) or ("u" in options and n > 1))]
    for number, (line, count) in enumerate(shown):
        open_end = number == len(shown) - 1 and line == groups[-1][0] and not text.endswith("\n")
        call.out.write((f"{count:>7} {line}" if "c" in options else line) + ("" if open_end else "\n"))
    return 0


def _cut(call: Invocation) -> int:
    options, names = call.options(flags="s", valued="dfc")
    wanted = options.get("f") or options.get("c")
    if wanted is None:
        raise CommandError("cut: no -cf")
    delimiter = options.get("d", "\t")
    for _, data in read_inputs(call, names):
        for line in data.decode("utf-8", "surrogateescape").splitlines():
            cells = line.split(delimiter) if "f" in options else list(line)
            if "f" in options and len(cells) == 1:
                call.out.line(line)
                continue
            chosen = [cell for number, cell in enumerate(cells, 1) if _in_ranges(number, wanted)]
            call.out.line((delimiter if "f" in options else "").join(chosen))
    return 0


def _in_ranges(number: int, ranges: str) -> bool:
    for piece in ranges.split(","):
        low, dash, high = piece.partition("-")
        first = int(low) if low.isdigit() else 1
        last = (int(high) if high.isdigit() else number) if dash else first
        if first <= number <= last:
            return True
    return False


def _tr(call: Invocation) -> int:
    options, sets = call.options(flags="dsc")
    if not sets:
        raise CommandError("tr: Needs 1 argument")
    text = call.stdin.read().decode("utf-8", "surrogateescape")
    first = _character_set(sets[0])
    if "d" in options:
        call.out.write("".join(character for character in text if (character in first) == ("c" in options)))
        return 0
    second = _character_set(sets[1]) if len(sets) > 1 else first
    table = {ord(old): second[min(number, len(second) - 1)] for number, old in enumerate(first) if second}
    result = text.translate(table)
    if "s" in options:
        result = re.sub(f"([{re.escape(second)}])\\1+", r"\1", result)
    call.out.write(result)
    return 0


def _character_set(text: str) -> str:
    for name, characters in {
        "[:upper:]": "A-Z",
        "[:lower:]": "a-z",
        "[:digit:]": "0-9",
        "[:space:]": " \t\n\r",
    }.items():
        text = text.replace(name, characters)
    text = _unescape(text)
    return re.sub(r"(.)-(.)", lambda m: "".join(map(chr, range(ord(m[1]), ord(m[2]) + 1))), text, flags=re.DOTALL)


def _seq(call: Invocation) -> int:
    numbers = [call.integer(argument) for argument in call.arguments]
    first, step, last = {1: (1, 1, *numbers), 2: (numbers[0], 1, numbers[-1]), 3: tuple(numbers)}.get(
        len(numbers), (0, 0, 0)
    )
    if step == 0:
        raise CommandError("seq: Needs 1 to 3 arguments and a step other than 0")
    for number in range(first, last + (1 if step > 0 else -1), step)[:100_000]:
        call.out.line(str(number))
    return 0


def _xargs(call: Invocation) -> int:
    arguments = list(call.arguments)
    zero = replace = ""
    batch = 0
    while arguments and arguments[0].startswith("-"):
        option = arguments.pop(0)
        if option == "-0":
            zero = "\0"
        elif option == "-I" and arguments:
            replace = arguments.pop(0)
        elif option == "-n" and arguments:
            batch = call.integer(arguments.pop(0))
    text = call.stdin.read().decode("utf-8", "surrogateescape")
    items = text.rstrip("\0").split("\0") if zero else text.splitlines() if replace else text.split()
    command = arguments or ["echo"]
    status = 0
    if replace:
        calls = [[word.replace(replace, item) for word in command] for item in items]
    else:
        size = batch or max(len(items), 1)
        calls = [[*command, *items[start : start + size]] for start in range(0, max(len(items), 1), size)]
    for words in calls:
        status = max(status, call.shell.run_words(words, call.streams.fork(stdin=Input())))
    return status


def _base64(call: Invocation) -> int:
    options, names = call.options(flags="di", valued="w")
    data = b"".join(content for _, content in read_inputs(call, names))
    if "d" in options:
        try:
            call.out.write(base64.b64decode(b"".join(data.split()), validate=True))
        except ValueError:
            raise CommandError("base64: bad input") from None
        return 0
    width = call.integer(options.get("w", "76"))
    text = base64.b64encode(data).decode()
    for start in range(0, len(text), width or max(len(text), 1)):
        call.out.line(text[start : start + (width or len(text))])
    return 0


COMMANDS: Final[CommandTable] = {
    "base64": _base64,
    "cut": _cut,
    "echo": _echo,
    "head": _ends,
    "printf": _printf,
    "seq": _seq,
    "tail": _ends,
    "tr": _tr,
    "uniq": _uniq,
    "wc": _wc,
    "xargs": _xargs,
}
