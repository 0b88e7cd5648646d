"""Commands on lines: rev, tac, nl, paste, comm, cmp, expr."""

from __future__ import annotations

import itertools
import re
from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation
from tapwise.emulators.virtual.shell.commands.inputs import read_inputs
from tapwise.emulators.virtual.shell.regexes import basic_to_python


def _texts(call: Invocation, names: list[str]) -> list[str]:
    return [data.decode("utf-8", "surrogateescape") for _, data in read_inputs(call, names)]


def _rev(call: Invocation) -> int:
    for text in _texts(call, call.arguments):
        for line in text.splitlines():
            call.out.line(line[::-1])
    return 0


def _tac(call: Invocation) -> int:
    for text in _texts(call, call.arguments):
        for line in reversed(text.splitlines(keepends=True)):
            call.out.write(line)
    return 0


def _nl(call: Invocation) -> int:
    options, names = call.options(flags="E", valued="bnsvwl")
    width, number = call.integer(options.get("w", "6")), call.integer(options.get("v", "1"))
    between, every = options.get("s", "\t"), options.get("b", "t") == "a"
    for text in _texts(call, names):
        for line in text.splitlines(keepends=True):
            if line != "\n" or every:
                call.out.write(f"{number:>{width}}{between}{line}")
                number += 1
            else:
                call.out.write(" " * (width + len(between)) + line)
    return 0


def _paste(call: Invocation) -> int:
    options, names = call.options(flags="s", valued="d")
    between = options.get("d", "\t").replace("\\t", "\t").replace("\\n", "\n")
    columns = [text.splitlines() for text in _texts(call, names)]
    rows = columns if "s" in options else [list(row) for row in itertools.zip_longest(*columns, fillvalue="")]
    for row in rows:
        separators = itertools.cycle(between or [""])
        call.out.line("".join(cell + (next(separators) if n < len(row) - 1 else "") for n, cell in enumerate(row)))
    return 0


def _comm(call: Invocation) -> int:
    options, names = call.options(flags="123")
    if len(names) != 2:
        raise CommandError("comm: Needs 2 arguments")
    first, second = (text.splitlines() for text in _texts(call, names))
    indent = {"1": "", "2": "" if "1" in options else "\t"}
    indent["3"] = indent["2"] + ("" if "2" in options else "\t")
    while first or second:
        if first and second and first[0] == second[0]:
            column, line = "3", first.pop(0)
            second.pop(0)
        elif not second or (first and first[0] < second[0]):
            column, line = "1", first.pop(0)
        else:
            column, line = "2", second.pop(0)
        if column not in options:
            call.out.line(indent[column] + line)
    return 0


def _cmp(call: Invocation) -> int:
    options, names = call.options(flags="ls")
    if len(names) != 2:
        raise CommandError("cmp: Needs 2 arguments", 2)
    (_, first), (_, second) = read_inputs(call, names)
    if first == second:
        return 0
    same = next((n for n, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), None)
    if same is None:
        if "s" not in options:
            call.err.line(f"cmp: EOF on {names[len(first) > len(second)]}")
    elif "s" not in options:
        call.out.line(f"{names[0]} {names[1]} differ: char {same + 1}, line {first[:same].count(10) + 1}")
    return 1


# --- expr ------------------------------------------------------------------------------------------------

_EXPR_LEVELS: Final = (("|",), ("&",), ("=", "==", "!=", "<", "<=", ">", ">="), ("+", "-"), ("*", "/", "%"), (":",))


class _Expression:
    def __init__(self, words: list[str]) -> None:
        self._words = words

    def value(self, level: int = 0) -> str:
        if level == len(_EXPR_LEVELS):
            return self._single()
        left = self.value(level + 1)
        while self._words and self._words[0] in _EXPR_LEVELS[level]:
            operator = self._words.pop(0)
            left = _combined(left, operator, self.value(level + 1))
        return left

    def _single(self) -> str:
        if not self._words:
            raise CommandError("expr: syntax error", 2)
        word = self._words.pop(0)
        if word != "(":
            return word
        inner = self.value()
        if self._words[:1] != [")"]:
            raise CommandError("expr: syntax error", 2)
        self._words.pop(0)
        return inner

    def ended(self) -> bool:
        return not self._words


def _combined(left: str, operator: str, right: str) -> str:
    match operator:
        case "|":
            return left if left not in ("", "0") else right
        case "&":
            return left if left not in ("", "0") and right not in ("", "0") else "0"
        case ":":
            return _matched(left, right)
        case "=" | "==" | "!=" | "<" | "<=" | ">" | ">=":
            numbers = _is_number(left) and _is_number(right)
            a, b = (int(left), int(right)) if numbers else (left, right)
            sign = (a > b) - (a < b)  # type: ignore[operator]
            holds = {"=": sign == 0, "==": sign == 0, "!=": sign != 0, "<": sign < 0, ">": sign > 0}
            return str(int(holds.get(operator, sign <= 0 if operator == "<=" else sign >= 0)))
    if not (_is_number(left) and _is_number(right)):
        raise CommandError("expr: non-integer argument", 2)
    if operator in "/%" and int(right) == 0:
        raise CommandError("expr: division by zero", 2)
    a, b = int(left), int(right)
    quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1) if operator in "/%" else 0
    results = {"+": a + b, "-": a - b, "*": a * b, "/": quotient, "%": a - b * quotient}
    return str(results[operator])


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+", text) is not None


def _matched(text: str, pattern: str) -> str:
    try:
        found = re.match(basic_to_python(pattern), text)
    except re.error as error:
        raise CommandError(f"expr: bad regex '{pattern}': {error}", 2) from None
    if found is None:
        return "" if r"\(" in pattern else "0"
    return (found[1] or "") if found.re.groups else str(found.end())


def _expr(call: Invocation) -> int:
    expression = _Expression(list(call.arguments))
    value = expression.value()
    if not expression.ended():
        raise CommandError("expr: syntax error", 2)
    call.out.line(value)
    return 1 if value in ("", "0") else 0


COMMANDS: Final[CommandTable] = {
    "cmp": _cmp,
    "comm": _comm,
    "expr": _expr,
    "nl": _nl,
    "paste": _paste,
    "rev": _rev,
    "tac": _tac,
}
