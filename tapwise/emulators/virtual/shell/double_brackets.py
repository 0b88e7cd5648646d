"""`[[ ... ]]`: conditions whose words are neither split nor globbed, and whose right sides are patterns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Literal, Protocol

from tapwise.emulators.virtual.shell import patterns
from tapwise.emulators.virtual.shell.command import Invocation, Shell
from tapwise.emulators.virtual.shell.expansion import expand_pattern, expand_text, value_of
from tapwise.emulators.virtual.shell.lexer import Token
from tapwise.emulators.virtual.shell.streams import Streams
from tapwise.emulators.virtual.shell.syntax import Condition, ShellSyntaxError, Text, Word

_PATTERN: Final = frozenset({"=", "==", "!="})
_NUMBERS: Final = frozenset({"-eq", "-ne", "-lt", "-le", "-gt", "-ge"})
_BINARY: Final = _PATTERN | _NUMBERS | {"-nt", "-ot", "-ef"}


class Tokens(Protocol):
    """The part of the parser that conditions are read with."""

    token: Token

    def advance(self) -> Token: ...
    def operator(self) -> str: ...
    def bare(self) -> str | None: ...
    def skip_newlines(self) -> None: ...
    def unexpected(self) -> ShellSyntaxError: ...


def read_condition(tokens: Tokens) -> Condition:
    """Read what stands between the brackets, and the closing ones. Raises ShellSyntaxError."""
    condition = _either(tokens)
    if tokens.bare() != "]]":
        raise tokens.unexpected()
    tokens.advance()
    return condition


def _either(tokens: Tokens) -> Condition:
    return _joined(tokens, "||", lambda: _joined(tokens, "&&", lambda: _one(tokens)))


def _joined(tokens: Tokens, operator: Literal["&&", "||"], read: Callable[[], Condition]) -> Condition:
    parts = [read()]
    while tokens.operator() == operator:
        tokens.advance()
        parts.append(read())
    return Condition(operator, (), tuple(parts)) if len(parts) > 1 else parts[0]


def _one(tokens: Tokens) -> Condition:
    tokens.skip_newlines()
    if tokens.bare() == "!":
        tokens.advance()
        return Condition("!", (), (_one(tokens),))
    if tokens.operator() == "(":
        tokens.advance()
        inner = _either(tokens)
        if tokens.operator() != ")":
            raise tokens.unexpected()
        tokens.advance()
        tokens.skip_newlines()
        return inner
    words: list[Word] = []
    while len(words) < 3 and tokens.bare() != "]]":
        if tokens.token.word is not None:
            words.append(tokens.token.word)
        elif tokens.operator() in ("<", ">") and len(words) == 1:
            words.append(Word((Text(tokens.operator(), False),)))
        else:
            break
        tokens.advance()
        if len(words) == 2 and words[1].bare not in _BINARY | {"<", ">"}:
            break
    if not words:
        raise tokens.unexpected()
    tokens.skip_newlines()
    return Condition("test", tuple(words), ())


def holds(condition: Condition, shell: Shell, streams: Streams) -> bool:
    """Whether a condition is true. Raises CommandError and ShellSyntaxError."""
    match condition.operator:
        case "!":
            return not holds(condition.parts[0], shell, streams)
        case "&&":
            return all(holds(part, shell, streams) for part in condition.parts)
        case "||":
            return any(holds(part, shell, streams) for part in condition.parts)
    words = condition.words
    operator = words[1].bare if len(words) == 3 else ""
    if operator in _PATTERN:
        matches = patterns.matches(expand_pattern(words[2], shell), expand_text(words[0], shell))
        return matches == (operator != "!=")
    texts = [expand_text(word, shell) for word in words]
    if operator in _NUMBERS:
        texts[0], texts[2] = (str(value_of(text, shell)) for text in (texts[0], texts[2]))
    return shell.commands["test"](Invocation(shell, "test", texts, streams)) == 0
