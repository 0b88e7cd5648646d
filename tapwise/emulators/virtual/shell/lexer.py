"""Characters to words and operators, by the quoting rules of the POSIX shell (and `$'...'` of mksh)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

from tapwise.emulators.virtual.shell.syntax import (
    Arithmetic,
    Parameter,
    Part,
    Sequence,
    ShellSyntaxError,
    Substitution,
    Text,
    Word,
)

_OPERATORS: Final = (
    *("<<<", "<<-", "&>>", "&&", "&>", "||", ";;", ";&", ";|", "<<", ">>", "<&", ">&", "<>", ">|"),
    *(";", "&", "|", "(", ")", "<", ">"),
)
_WORD_END: Final = frozenset(" \t\n;&|()<>")
_SPECIAL: Final = frozenset("?#@*$!-0123456789")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "f": "\f", "v": "\v"}
_PARAMETER_OPERATORS: Final = (":-", ":=", ":?", ":+", "%%", "##", "//", "-", "=", "?", "+", "%", "#", "/", ":")


_NUMBERED: Final = re.compile(r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|([0-7]{1,3}))")
"""in `$'...'`: a byte in hexadecimal, a character by its number, a byte in octal"""


def _numbered(escape: re.Match[str]) -> str:
    if escape[2]:
        number = int(escape[2], 16)
        return "\ufffd" if 0xD800 <= number < 0xE000 else chr(number)
    byte = int(escape[1], 16) if escape[1] else int(escape[3], 8) & 0xFF
    return bytes((byte,)).decode("utf-8", "surrogateescape")


@dataclass(slots=True)
class Token:
    """One token. `word` is there for words only; `text` is an operator, or digits right before `<` or `>`."""

    kind: Literal["word", "operator", "number", "newline", "end"]
    text: str = ""
    word: Word | None = None


class Lexer:
    """Reads tokens on demand; `parse_nested` reads the script of a `$(` up to its `)` and says where that is."""

    def __init__(self, source: str, position: int, parse_nested: Callable[[str, int], tuple[Sequence, int]]) -> None:
        self.source = source
        self.position = position
        self._parse_nested = parse_nested
        self._here_documents: list[tuple[str, bool, bool, Callable[[Word], None]]] = []

    def next(self) -> Token:
        """The next token; at the end always an "end" token. Raises ShellSyntaxError on an open quote."""
        self._skip_blanks()
        source, start = self.source, self.position
        if start >= len(source):
            self._read_here_documents()
            return Token("end")
        if source[start] == "\n":
            self.position += 1
            self._read_here_documents()
            return Token("newline", "\n")
        for operator in _OPERATORS:
            if source.startswith(operator, start):
                self.position += len(operator)
                return Token("operator", operator)
        end = start
        while end < len(source) and source[end].isdigit():
            end += 1
        if end > start and end < len(source) and source[end] in "<>":
            self.position = end
            return Token("number", source[start:end])
        return Token("word", word=Word(tuple(self._parts(_WORD_END, quoted=False))))

    def expect_here_document(self, delimiter: Word, strip_tabs: bool, receive: Callable[[Word], None]) -> None:
        """Have the document after the current line read and handed to `receive`."""
        text = "".join(part.text for part in delimiter.parts if isinstance(part, Text))
        self._here_documents.append((text, strip_tabs, delimiter.bare is None, receive))

    def _read_here_documents(self) -> None:
        for delimiter, strip_tabs, literal, receive in self._here_documents:
            lines: list[str] = []
            while self.position < len(self.source):
                line, newline, _ = self.source[self.position :].partition("\n")
                self.position += len(line) + len(newline)
                line = line.lstrip("\t") if strip_tabs else line
                if line == delimiter:
                    break
                lines.append(line + "\n")
            body = "".join(lines)
            inner = Lexer(body, 0, self._parse_nested)
            receive(Word((Text(body, True),) if literal else tuple(inner._parts(frozenset(), quoted=True))))
        self._here_documents.clear()

    def _skip_blanks(self) -> None:
        source = self.source
        while self.position < len(source):
            if source[self.position] in " \t\r":
                self.position += 1
            elif source.startswith("\\\n", self.position):
                self.position += 2
            elif source[self.position] == "#":
                end = source.find("\n", self.position)
                self.position = len(source) if end < 0 else end
            else:
                return

    def _parts(self, stop: frozenset[str], quoted: bool) -> list[Part]:
        """Read parts up to a character of `stop` or the end; `quoted` applies the rules inside double quotes."""
        parts: list[Part] = []
        plain: list[str] = []

        def flush() -> None:
            if plain:
                parts.append(Text("".join(plain), quoted))
                plain.clear()

        while self.position < len(self.source) and self.source[self.position] not in stop:
            character = self.source[self.position]
            if character == "\\":
                flush()
                parts.extend(self._escape(quoted))
            elif character == "'" and not quoted:
                flush()
                parts.append(Text(self._until("'", self.position + 1), True))
            elif character == '"' and not (quoted and not stop):
                flush()
                self.position += 1
                parts.extend(self._parts(frozenset('"'), quoted=True) or [Text("", True)])
                self._close('"')
            elif character == "$":
                flush()
                parts.append(self._dollar(quoted))
            elif character == "`":
                flush()
                parts.append(self._backquotes(quoted))
            else:
                plain.append(character)
                self.position += 1
        flush()
        return parts

    def _escape(self, quoted: bool) -> list[Part]:
        following = self.source[self.position + 1 : self.position + 2]
        self.position += 2
        if following == "\n":
            return []
        if quoted and following not in '$`"\\':
            return [Text("\\" + following, True)]
        return [Text(following or "\\", True)]

    def _until(self, closing: str, start: int) -> str:
        end = self.source.find(closing, start)
        if end < 0:
            raise ShellSyntaxError(f"syntax error: no closing quote {closing}")
        self.position = end + len(closing)
        return self.source[start:end]

    def _close(self, closing: str) -> None:
        if not self.source.startswith(closing, self.position):
            raise ShellSyntaxError(f"syntax error: no closing {closing}")
        self.position += len(closing)

    def _backquotes(self, quoted: bool) -> Part:
        end = self.position + 1
        while end < len(self.source) and self.source[end] != "`":
            end += 2 if self.source[end] == "\\" else 1
        inner = self.source[self.position + 1 : end]
        self.position = end
        self._close("`")
        for escaped in ("\\`", "\\$", "\\\\"):
            inner = inner.replace(escaped, escaped[1])
        body, _ = self._parse_nested(inner + ")", 0)
        return Substitution(body, quoted)

    def _dollar(self, quoted: bool) -> Part:
        source, start = self.source, self.position
        after = source[start + 1 : start + 2]
        if source.startswith("$((", start) and (expression := self._arithmetic(start + 3)) is not None:
            return Arithmetic(expression, quoted)
        if after == "(":
            body, self.position = self._parse_nested(source, start + 2)
            return Substitution(body, quoted)
        if after == "{":
            return self._braces(quoted)
        if after == "'" and not quoted:
            return Text(self._escaped_string(start + 2), True)
        self.position += 1
        name = self._name()
        if name:
            return Parameter(name, "", None, quoted)
        if after and after in _SPECIAL:
            self.position += 1
            return Parameter(after, "", None, quoted)
        return Text("$", True)

    def arithmetic_command(self) -> Word | None:
        """After one `(`: the expression of a `(( ))` that begins with it; None when this is a subshell in another."""
        return self._arithmetic(self.position + 1) if self.source.startswith("(", self.position) else None

    def _arithmetic(self, start: int) -> Word | None:
        """The expression up to its `))`, behind which reading goes on; None when the brackets do not close so."""
        depth, end = 0, start
        while end < len(self.source) and not (depth == 0 and self.source.startswith("))", end)):
            depth += {"(": 1, ")": -1}.get(self.source[end], 0)
            end += 1
            if depth < 0:
                return None
        inner = Lexer(self.source[start:end], 0, self._parse_nested)
        self.position = end
        self._close("))")
        return Word(tuple(inner._parts(frozenset(), quoted=True)))

    def _braces(self, quoted: bool) -> Part:
        self.position += 2
        if self.source.startswith("#", self.position) and not self.source.startswith("#}", self.position):
            self.position += 1
            name = self._name() or self._special()
            self._close("}")
            return Parameter(name, "length", None, quoted)
        name = self._name() or self._special()
        for operator in _PARAMETER_OPERATORS:
            if self.source.startswith(operator, self.position):
                self.position += len(operator)
                is_pattern = operator[0] in "#%/"  # within which quotes quote, wherever it stands
                argument = Word(tuple(self._parts(frozenset("}"), quoted and not is_pattern)))
                self._close("}")
                return Parameter(name, operator, argument, quoted)
        self._close("}")
        return Parameter(name, "", None, quoted)

    def _name(self) -> str:
        start = end = self.position
        while end < len(self.source) and (self.source[end] == "_" or self.source[end].isalnum()):
            end += 1
        if end == start or self.source[start].isdigit():
            return ""
        self.position = end
        return self.source[start:end]

    def _special(self) -> str:
        character = self.source[self.position : self.position + 1]
        if not character or character not in _SPECIAL:
            raise ShellSyntaxError("bad substitution")
        self.position += 1
        return character

    def _escaped_string(self, start: int) -> str:
        text: list[str] = []
        position = start
        while position < len(self.source) and self.source[position] != "'":
            character = self.source[position]
            number = _NUMBERED.match(self.source, position)
            if number is not None:
                text.append(_numbered(number))
                position = number.end()
                continue
            if character == "\\" and position + 1 < len(self.source):
                position += 1
                character = _ESCAPES.get(self.source[position], self.source[position])
            text.append(character)
            position += 1
        self.position = position
        self._close("'")
        return "".join(text)
