"""`$((...))`: integer arithmetic of the shell with C's operators and 64-bit wrap-around."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Final

from tapwise.emulators.virtual.shell.syntax import ShellSyntaxError

_TOKEN: Final = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+#\w+|\d+|[A-Za-z_]\w*|<<=|>>=|<<|>>|<=|>=|==|!=|&&|\|\||\+\+|--|[-+*/%&^|]=|=|[-+*/%()<>&|^!~?:,])"
)


def _divide(a: int, b: int) -> int:
    if b == 0:
        raise ShellSyntaxError("divide by zero")
    return abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)


_LEVELS: Final[tuple[dict[str, Callable[[int, int], int]], ...]] = (
    {"||": lambda a, b: int(bool(a or b))},
    {"&&": lambda a, b: int(bool(a and b))},
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": lambda a, b: int(a == b), "!=": lambda a, b: int(a != b)},
    {
        "<": lambda a, b: int(a < b),
        "<=": lambda a, b: int(a <= b),
        ">": lambda a, b: int(a > b),
        ">=": lambda a, b: int(a >= b),
    },
    {"<<": lambda a, b: a << (b & 63), ">>": lambda a, b: a >> (b & 63)},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": _divide, "%": lambda a, b: a - b * _divide(a, b)},
)


_NAME: Final = re.compile(r"[A-Za-z_]")
_VALUE_END: Final = re.compile(r"[\w)]$")
_OPERATORS: Final = {symbol: act for level in _LEVELS for symbol, act in level.items()}
_ASSIGNMENTS: Final = frozenset(
    {"=", *(f"{symbol}=" for symbol in ("+", "-", "*", "/", "%", "&", "^", "|", "<<", ">>"))}
)


def evaluate(
    expression: str, lookup: Callable[[str], str], assign: Callable[[str, str], None] = lambda name, value: None
) -> int:
    """The value of an expression; `lookup` gives a variable's text, `assign` sets it. Raises ShellSyntaxError."""
    tokens: list[str] = []
    position = 0
    text = expression.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ShellSyntaxError(f"{expression}: unexpected '{text[position:]}'")
        position = match.end()
        tokens.extend(_steps(match[1], tokens[-1] if tokens else "", text[position:].lstrip()))
    if not tokens:
        return 0
    reader = _Reader(tokens, lookup, assign, expression)
    value = reader.list()
    if reader.position != len(tokens):
        raise ShellSyntaxError(f"{expression}: unexpected '{tokens[reader.position]}'")
    return value


def _steps(token: str, before: str, after: str) -> list[str]:
    """`++` and `--` are one token next to a name that they step, and two signs elsewhere."""
    if token not in ("++", "--") or _NAME.match(before) or (_NAME.match(after) and not _VALUE_END.search(before)):
        return [token]
    return list(token)


class _Reader:
    def __init__(
        self,
        tokens: list[str],
        lookup: Callable[[str], str],
        assign: Callable[[str, str], None],
        expression: str,
    ) -> None:
        self.tokens = tokens
        self.position = 0
        self._lookup = lookup
        self._assign = assign
        self._expression = expression
        self._skipped = 0

    def _take(self, *choices: str) -> str | None:
        token = self.tokens[self.position] if self.position < len(self.tokens) else None
        if token in choices:
            self.position += 1
            return token
        return None

    def list(self) -> int:
        """Expressions between commas: the last one counts."""
        value = self.assignment()
        while self._take(",") is not None:
            value = self.assignment()
        return value

    def assignment(self) -> int:
        """NAME = value, NAME += value and the like, or a value."""
        following = self.tokens[self.position + 1 : self.position + 2]
        name = self.tokens[self.position] if self.position < len(self.tokens) else ""
        if not following or following[0] not in _ASSIGNMENTS or not (name[0].isalpha() or name[0] == "_"):
            return self._ternary()
        self.position += 2
        value = self.assignment()
        if self._skipped:
            return value
        if following[0] != "=":
            value = _wrap(_OPERATORS[following[0][:-1]](self._number_in(name), value))
        self._assign(name, str(value))
        return value

    def _ternary(self) -> int:
        condition = self._level(0)
        if self._take("?") is None:
            return condition
        yes = self._unless(not condition, self.assignment)
        if self._take(":") is None:
            raise ShellSyntaxError(f"{self._expression}: missing ':'")
        no = self._unless(bool(condition), self.assignment)
        return yes if condition else no

    def _unless(self, skipped: bool, read: Callable[[], int]) -> int:
        """Read a part of the expression, without its effects when it is skipped."""
        self._skipped += skipped
        try:
            return read()
        finally:
            self._skipped -= skipped

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while (symbol := self._take(*_LEVELS[level])) is not None:
            decided = (symbol == "||" and value != 0) or (symbol == "&&" and value == 0)
            right = self._unless(decided, lambda: self._level(level + 1))
            if self._skipped and symbol in ("/", "%"):
                continue
            value = _wrap(_LEVELS[level][symbol](value, right))
        return value

    def _unary(self) -> int:
        match self._take("-", "+", "!", "~", "(", "++", "--"):
            case "-":
                return _wrap(-self._unary())
            case "+":
                return self._unary()
            case "!":
                return int(not self._unary())
            case "~":
                return ~self._unary()
            case "(":
                value = self.list()
                if self._take(")") is None:
                    raise ShellSyntaxError(f"{self._expression}: missing ')'")
                return value
            case "++" | "--" as before:
                self.position += 1
                return self._step(self.tokens[self.position - 1], before)
        if self.position >= len(self.tokens):
            raise ShellSyntaxError(f"{self._expression}: unexpected end of expression")
        token = self.tokens[self.position]
        self.position += 1
        if "#" in token:
            return self._in_base(token)
        if token[0].isdigit():
            return _wrap(int(token, 16 if token[:2] in ("0x", "0X") else 10))
        if not (token[0].isalpha() or token[0] == "_"):
            raise ShellSyntaxError(f"{self._expression}: unexpected '{token}'")
        value = self._number_in(token)
        step = self._take("++", "--")
        if step is not None:
            self._step(token, step)
        return value

    def _step(self, name: str, step: str) -> int:
        value = _wrap(self._number_in(name) + (1 if step == "++" else -1))
        if not self._skipped:
            self._assign(name, str(value))
        return value

    def _in_base(self, token: str) -> int:
        base, _, digits = token.partition("#")
        try:
            return _wrap(int(digits, int(base)))
        except ValueError:
            raise ShellSyntaxError(f"{self._expression}: bad number '{token}'") from None

    def _number_in(self, name: str) -> int:
        text = self._lookup(name).strip()
        return _wrap(int(text)) if text.lstrip("-").isdigit() else 0


def _wrap(value: int) -> int:
    return (value + (1 << 63)) % (1 << 64) - (1 << 63)
