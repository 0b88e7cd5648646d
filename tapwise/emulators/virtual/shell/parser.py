"""Words and operators to a syntax tree: recursive descent over the POSIX shell's grammar."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, cast

from tapwise.emulators.virtual.shell.lexer import Lexer, Token
from tapwise.emulators.virtual.shell.syntax import (
    AndOr,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Pipeline,
    Redirect,
    Redirected,
    RedirectOperator,
    Sequence,
    ShellSyntaxError,
    Simple,
    Text,
    Word,
)

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REDIRECTS: Final = ("<", ">", ">>", "<<", "<<-", ">&", "<&", "<>", ">|")
_CLOSERS: Final = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}", "in"})
_DEEPEST: Final = 60


@lru_cache(maxsize=256)
def parse(source: str) -> Sequence:
    """The syntax tree of a script. Raises ShellSyntaxError with the shell's message."""
    parser = _Parser(source, 0, 0)
    script = parser.sequence()
    parser.expect_end()
    return script


class _Parser:
    def __init__(self, source: str, position: int, depth: int) -> None:
        self._depth = depth
        self._lexer = Lexer(source, position, self._nested)
        self._token = self._lexer.next()

    def _nested(self, source: str, position: int) -> tuple[Sequence, int]:
        inner = _Parser(source, position, self._depth)
        body = inner.sequence()
        if inner._token.text != ")":
            raise ShellSyntaxError("syntax error: no closing )")
        return body, inner._lexer.position

    def _advance(self) -> Token:
        token, self._token = self._token, self._lexer.next()
        return token

    def _unexpected(self) -> ShellSyntaxError:
        token = self._token
        shown = (token.word.bare if token.word is not None else token.text) or token.text
        names = {"newline": "newline", "end": "end of file"}
        return ShellSyntaxError(f"syntax error: unexpected '{names.get(token.kind, shown)}'")

    def _reserved(self) -> str | None:
        return self._token.word.bare if self._token.word is not None else None

    def _operator(self) -> str:
        return self._token.text if self._token.kind == "operator" else ""

    def _expect(self, text: str) -> None:
        if self._operator() != text and self._reserved() != text:
            raise self._unexpected()
        self._advance()

    def _skip_newlines(self) -> None:
        while self._token.kind == "newline":
            self._advance()

    def expect_end(self) -> None:
        if self._token.kind != "end":
            raise self._unexpected()

    def sequence(self) -> Sequence:
        """Commands up to a closing word, a closing operator or the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ShellSyntaxError("syntax error: nested too deeply")
        items: list[AndOr] = []
        self._skip_newlines()
        while self._token.kind != "end" and self._operator() not in (")", ";;") and self._reserved() not in _CLOSERS:
            items.append(self._and_or())
            if self._operator() in (";", "&"):
                self._advance()
            elif self._token.kind != "newline":
                break
            self._skip_newlines()
        self._depth -= 1
        return Sequence(tuple(items))

    def _filled_sequence(self) -> Sequence:
        body = self.sequence()
        if not body.items:
            raise self._unexpected()
        return body

    def _and_or(self) -> AndOr:
        first = self._pipeline()
        rest: list[tuple[Literal["&&", "||"], Pipeline]] = []
        while self._operator() in ("&&", "||"):
            operator = cast("Literal['&&', '||']", self._advance().text)
            self._skip_newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self._reserved() == "!":
            self._advance()
            negated = not negated
        commands = [self._command()]
        while self._operator() == "|":
            self._advance()
            self._skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        compound = self._compound()
        if compound is None:
            return self._simple()
        redirects = self._redirects()
        return Redirected(compound, redirects) if redirects else compound

    def _compound(self) -> Command | None:
        if self._operator() == "(":
            self._advance()
            body = self._filled_sequence()
            self._expect(")")
            return Group(body, subshell=True)
        match self._reserved():
            case "{":
                self._advance()
                body = self._filled_sequence()
                self._expect("}")
                return Group(body, subshell=False)
            case "if":
                return self._if()
            case "while" | "until" as keyword:
                self._advance()
                condition = self._filled_sequence()
                return Loop(condition, self._do(), negated=keyword == "until")
            case "for":
                return self._for()
            case "case":
                return self._case()
        return None

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        while self._reserved() in ("if", "elif"):
            self._advance()
            condition = self._filled_sequence()
            self._expect("then")
            branches.append((condition, self._filled_sequence()))
        otherwise = None
        if self._reserved() == "else":
            self._advance()
            otherwise = self._filled_sequence()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _do(self) -> Sequence:
        self._skip_newlines()
        self._expect("do")
        body = self._filled_sequence()
        self._expect("done")
        return body

    def _for(self) -> For:
        self._advance()
        name = self._reserved()
        if name is None or not _NAME.fullmatch(name):
            raise self._unexpected()
        self._advance()
        self._skip_newlines()
        words: tuple[Word, ...] | None = None
        if self._reserved() == "in":
            self._advance()
            words = self._words()
        if self._operator() == ";":
            self._advance()
        return For(name, words, self._do())

    def _words(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while self._token.word is not None:
            words.append(self._token.word)
            self._advance()
        return tuple(words)

    def _case(self) -> Case:
        self._advance()
        subject = self._token.word
        if subject is None:
            raise self._unexpected()
        self._advance()
        self._skip_newlines()
        self._expect("in")
        self._skip_newlines()
        arms: list[tuple[tuple[Word, ...], Sequence]] = []
        while self._reserved() != "esac":
            if self._operator() == "(":
                self._advance()
            patterns = list(self._words())
            while self._operator() == "|":
                self._advance()
                patterns.extend(self._words())
            self._expect(")")
            arms.append((tuple(patterns), self.sequence()))
            if self._operator() == ";;":
                self._advance()
            self._skip_newlines()
        self._advance()
        return Case(subject, tuple(arms))

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        first = True
        while True:
            redirects.extend(self._redirects())
            word = self._token.word
            if word is None:
                break
            assignment = _assignment(word) if not words else None
            self._advance()
            if assignment is not None:
                assignments.append(assignment)
            else:
                words.append(word)
            if first and self._operator() == "(" and word.bare is not None and _NAME.fullmatch(word.bare):
                return self._function(word.bare)
            first = False
        if not assignments and not words and not redirects:
            raise self._unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _function(self, name: str) -> Function:
        self._expect("(")
        self._expect(")")
        self._skip_newlines()
        return Function(name, self._command())

    def _redirects(self) -> tuple[Redirect, ...]:
        redirects: list[Redirect] = []
        while self._token.kind == "number" or self._operator() in _REDIRECTS:
            descriptor = int(self._advance().text) if self._token.kind == "number" else None
            redirects.append(self._redirect(descriptor))
        return tuple(redirects)

    def _redirect(self, descriptor: int | None) -> Redirect:
        operator = self._advance().text
        target = self._token.word
        if target is None:
            raise self._unexpected()
        if descriptor is None:
            descriptor = 0 if operator.startswith("<") else 1
        kind = cast("RedirectOperator", {"<<-": "<<", ">|": ">"}.get(operator, operator))
        redirect = Redirect(descriptor, kind, target)
        if kind == "<<":
            self._lexer.expect_here_document(target, operator == "<<-", redirect.fill)
        self._advance()
        return redirect


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Text) or first.quoted:
        return None
    match = _ASSIGNMENT.match(first.text)
    if match is None:
        return None
    rest = first.text[match.end() :]
    parts = ((replace(first, text=rest),) if rest else ()) + word.parts[1:]
    return match[1], Word(parts)
