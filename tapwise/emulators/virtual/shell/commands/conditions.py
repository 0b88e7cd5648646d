"""`test` and `[`."""

from __future__ import annotations

from typing import Final

from tapwise.emulators.virtual.shell.command import CommandError, CommandTable, Invocation


def _test(call: Invocation) -> int:
    words = list(call.arguments)
    if call.name == "[":
        if words[-1:] != ["]"]:
            raise CommandError("/system/bin/sh: [: missing ]", 2)
        words.pop()
    return 0 if _Condition(call, words).value() else 1


class _Condition:
    """Recursive descent over the words of `test`: -o, -a, !, parentheses, unary and binary primaries."""

    def __init__(self, call: Invocation, words: list[str]) -> None:
        self._call = call
        self._words = words

    def value(self) -> bool:
        if not self._words:
            return False
        result = self._either()
        if self._words:
            raise CommandError(f"/system/bin/sh: [: {self._words[0]}: unexpected operator/operand", 2)
        return result

    def _either(self) -> bool:
        result = self._both()
        while self._words[:1] == ["-o"]:
            self._words.pop(0)
            result = self._both() or result
        return result

    def _both(self) -> bool:
        result = self._negation()
        while self._words[:1] == ["-a"]:
            self._words.pop(0)
            result = self._negation() and result
        return result

    def _negation(self) -> bool:
        if self._words[:1] == ["!"] and len(self._words) > 1:
            self._words.pop(0)
            return not self._negation()
        return self._primary()

    def _primary(self) -> bool:
        words = self._words
        if len(words) >= 3 and words[1] in _BINARY:
            left, operator, right = words[:3]
            del words[:3]
            return self._binary(left, operator, right)
        if len(words) >= 2 and words[0] in _UNARY:
            operator, operand = words[:2]
            del words[:2]
            return self._unary(operator, operand)
        if words[:1] == ["("]:
            words.pop(0)
            result = self._either()
            if words[:1] != [")"]:
                raise CommandError("/system/bin/sh: [: missing )", 2)
            words.pop(0)
            return result
        if not words:
            raise CommandError("/system/bin/sh: [: expression expected", 2)
        return words.pop(0) != ""

    def _unary(self, operator: str, operand: str) -> bool:
        if operator == "-n":
            return operand != ""
        if operator == "-z":
            return operand == ""
        if operator == "-t":
            return False
        files, path = self._call.phone.files, self._call.path(operand)
        if operator in ("-L", "-h"):
            return files.exists(path, follow=False) and files.stat(path, follow=False).link is not None
        if not operand or not files.exists(path):
            return False
        if operator == "-x":
            return bool(files.stat(path).mode & 0o111)
        checks = {"-d": files.is_dir(path), "-f": not files.is_dir(path), "-s": files.stat(path).size > 0}
        return checks.get(operator, True)

    def _binary(self, left: str, operator: str, right: str) -> bool:
        if operator in ("=", "==", "!="):
            return (left == right) == (operator != "!=")
        if operator in ("<", ">"):
            return left < right if operator == "<" else left > right
        if operator in ("-nt", "-ot"):
            return self._newer(left, right) if operator == "-nt" else self._newer(right, left)
        try:
            a, b = int(left), int(right)
        except ValueError:
            bad = left if not left.lstrip("-").isdigit() else right
            raise CommandError(f"/system/bin/sh: [: {bad}: unexpected operator/operand", 2) from None
        order = (a > b) - (a < b)
        wanted = {"-eq": (0,), "-ne": (-1, 1), "-lt": (-1,), "-le": (-1, 0), "-gt": (1,), "-ge": (0, 1)}
        return order in wanted[operator]

    def _newer(self, left: str, right: str) -> bool:
        files = self._call.phone.files
        paths = self._call.path(left), self._call.path(right)
        if not all(files.exists(path) for path in paths):
            return files.exists(paths[0])
        return files.stat(paths[0]).mtime > files.stat(paths[1]).mtime


_UNARY: Final = frozenset({"-n", "-z", "-d", "-e", "-f", "-s", "-r", "-w", "-x", "-t", "-L", "-h"})
_BINARY: Final = frozenset({"=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot"})

COMMANDS: Final[CommandTable] = {"[": _test, "test": _test}
