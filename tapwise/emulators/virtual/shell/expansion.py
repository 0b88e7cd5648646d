"""Words to fields: parameters, substitutions, arithmetic, field splitting, globbing, quote removal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from tapwise.emulators.virtual.filesystem import VirtualFileSystem
from tapwise.emulators.virtual.shell import patterns
from tapwise.emulators.virtual.shell.arithmetic import evaluate
from tapwise.emulators.virtual.shell.braces import expand_braces
from tapwise.emulators.virtual.shell.patterns import Field
from tapwise.emulators.virtual.shell.syntax import (
    Arithmetic,
    Parameter,
    Sequence,
    ShellSyntaxError,
    Substitution,
    Text,
    Word,
)

_BLANKS: Final = " \t\n"


class Scope(Protocol):
    """Where an expansion finds values."""

    directory: str
    variables: dict[str, str]
    positional: list[str]
    """$1, $2, ..."""
    refuses_unset: bool
    """`set -u`: a parameter that is not set is an error"""

    @property
    def files(self) -> VirtualFileSystem: ...

    def special(self, name: str) -> str:
        """$?, $$, $!, $-, $0, RANDOM and SECONDS."""
        ...

    def assign(self, name: str, value: str) -> None:
        """Set a variable. Raises ShellSyntaxError for one that is read-only."""
        ...

    def substitute(self, body: Sequence) -> str:
        """Standard output of a script, trailing newlines removed."""
        ...


def expand_words(words: Iterable[Word], scope: Scope) -> list[str]:
    """The fields of several words, as a command gets them. Raises ShellSyntaxError on a bad substitution."""
    result: list[str] = []
    for word in words:
        for choice in expand_braces(word):
            for field in _fields(choice, scope):
                result.extend(patterns.expand(field, scope.files, scope.directory))
    return result


def value_of(expression: str, scope: Scope) -> int:
    """The value of an arithmetic expression over the scope's variables. Raises ShellSyntaxError."""
    return evaluate(expression, lambda name: _lookup(name, scope) or "0", scope.assign)


def _without_tilde(word: Word, scope: Scope) -> Word:
    """A word with a home directory, or the present or last one, for the `~` that it begins with."""
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Text) or first.quoted or not first.text.startswith("~"):
        return word
    prefix, slash, rest = first.text.partition("/")
    if not slash and len(word.parts) > 1:
        return word
    name = {"~": "HOME", "~+": "PWD", "~-": "OLDPWD"}.get(prefix)
    value = _lookup(name, scope) if name is not None else None
    return word if value is None else Word((Text(value, True), Text(slash + rest, False), *word.parts[1:]))


def expand_text(word: Word, scope: Scope) -> str:
    """One string without splitting or globbing, as in assignments, here-documents and redirects."""
    return patterns.literal(expand_pattern(word, scope))


def expand_pattern(word: Word, scope: Scope) -> Field:
    """One field without splitting that remembers which characters were quoted, for `case` and `${name#...}`."""
    field: Field = []
    for part in _without_tilde(word, scope).parts:
        for number, value in enumerate(_values(part, scope)):
            if number:
                field.append((" ", True))
            field.extend((character, part.quoted) for character in value)
    return field


def _fields(word: Word, scope: Scope) -> list[Field]:
    fields: list[Field] = []
    current: Field | None = None
    for part in _without_tilde(word, scope).parts:
        values = _values(part, scope)
        if isinstance(part, Text):
            current = (current or []) + [(character, part.quoted) for character in part.text]
        elif part.quoted:
            for number, value in enumerate(values):
                if number and current is not None:
                    fields.append(current)
                    current = None
                current = (current or []) + [(character, True) for character in value]
        else:
            for number, value in enumerate(values):
                if number and current is not None:
                    fields.append(current)
                    current = None
                current = _split_onto(fields, current, value, scope.variables.get("IFS", _BLANKS))
    if current is not None:
        fields.append(current)
    return fields


def _split_onto(fields: list[Field], current: Field | None, value: str, separators: str) -> Field | None:
    """Split an unquoted value; the first piece joins `current`, and the last one is returned unfinished."""
    for character in value:
        if character not in separators:
            current = [] if current is None else current
            current.append((character, False))
        elif character in _BLANKS:
            if current is not None:
                fields.append(current)
                current = None
        else:
            fields.append(current or [])
            current = None
    return current


def _values(part: Text | Parameter | Substitution | Arithmetic, scope: Scope) -> list[str]:
    """What a part stands for: one value, or for `$@` any number."""
    match part:
        case Text(text=text):
            return [text]
        case Substitution(body=body):
            return [scope.substitute(body)]
        case Arithmetic(expression=expression):
            text = expand_text(expression, scope)
            return [str(value_of(text, scope))]
        case Parameter():
            return _parameter(part, scope)


def _lookup(name: str, scope: Scope) -> str | None:
    if name.isdigit() and name != "0":
        position = int(name)
        return scope.positional[position - 1] if position <= len(scope.positional) else None
    if name == "#":
        return str(len(scope.positional))
    if not (name[0].isalpha() or name[0] == "_"):
        return scope.special(name)
    if name in ("RANDOM", "SECONDS") and name not in scope.variables:
        return scope.special(name)
    if name == "PWD":
        return scope.directory
    return scope.variables.get(name, _BLANKS if name == "IFS" else None)


def _parameter(part: Parameter, scope: Scope) -> list[str]:
    if part.name in ("@", "*"):
        if part.operator == "length":
            return [str(len(scope.positional))]
        if part.operator in (":-", "-", ":+", "+"):
            there = any(scope.positional) if part.operator[0] == ":" else bool(scope.positional)
            if there == (part.operator[-1] == "+"):
                return [expand_text(part.argument or Word(()), scope)]
            if part.operator[-1] == "+":
                return []
        if part.name == "@" or not part.quoted:
            return list(scope.positional)
        return [scope.variables.get("IFS", _BLANKS)[:1].join(scope.positional)]
    value = _lookup(part.name, scope)
    argument = part.argument or Word(())
    operator = part.operator
    if value is None and scope.refuses_unset and operator.lstrip(":") not in ("-", "=", "?", "+"):
        raise ShellSyntaxError(f"{part.name}: parameter not set")
    if operator == "":
        return [value or ""]
    if operator == "length":
        return [str(len(value or ""))]
    if operator.lstrip(":") in ("-", "=", "?", "+"):
        return [_default(part.name, operator, argument, value, scope)]
    return [_edit(operator, argument, value or "", scope)]


def _default(name: str, operator: str, argument: Word, value: str | None, scope: Scope) -> str:
    there = bool(value) if operator.startswith(":") else value is not None
    match operator[-1]:
        case "+":
            return expand_text(argument, scope) if there else ""
        case "-":
            return value or "" if there else expand_text(argument, scope)
        case "=":
            if not there:
                value = expand_text(argument, scope)
                scope.assign(name, value)
            return value or ""
    if not there:
        raise ShellSyntaxError(f"{name}: {expand_text(argument, scope) or 'parameter null or not set'}")
    return value or ""


def _edit(operator: str, argument: Word, value: str, scope: Scope) -> str:
    if operator == ":":
        return _substring(expand_text(argument, scope), value, scope)
    pattern = expand_pattern(argument, scope)
    if operator in ("/", "//"):
        return _replace(pattern, value, everywhere=operator == "//")
    lengths = range(len(value) + 1)
    longest_first = len(operator) == 2
    for length in reversed(lengths) if longest_first else lengths:
        if operator[0] == "#" and patterns.matches(pattern, value[:length]):
            return value[length:]
        if operator[0] == "%" and patterns.matches(pattern, value[len(value) - length :]):
            return value[: len(value) - length]
    return value


def _substring(argument: str, value: str, scope: Scope) -> str:
    offset_text, colon, length_text = argument.partition(":")
    offset = value_of(offset_text, scope)
    start = max(len(value) + offset, 0) if offset < 0 else offset
    if not colon:
        return value[start:]
    return value[start : start + max(value_of(length_text, scope), 0)]


def _replace(field: Field, value: str, *, everywhere: bool) -> str:
    slash = next((number for number, pair in enumerate(field) if pair == ("/", False)), len(field))
    pattern, replacement = field[:slash], patterns.literal(field[slash + 1 :])
    result: list[str] = []
    position = 0
    while position < len(value):
        ends = range(len(value), position, -1)
        end = next((end for end in ends if patterns.matches(pattern, value[position:end])), None)
        if end is None:
            result.append(value[position])
            position += 1
            continue
        result.append(replacement)
        position = end
        if not everywhere:
            break
    return "".join(result) + value[position:]
