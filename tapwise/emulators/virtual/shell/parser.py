"""Words and operators to a syntax tree: recursive descent over the POSIX shell's grammar."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Final, Literal, cast

from tapwise.emulators.virtual.shell.double_brackets import read_condition
from tapwise.emulators.virtual.shell.lexer import Lexer, Token
from tapwise.emulators.virtual.shell.syntax import (
    AndOr,
    ArithmeticCommand,
    Case,
    Command,
    For,
    Function,
    Group,
    If,
    Loop,
    Parameter,
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

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(\+?)=")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_REDIRECTS: Final = ("<", ">", ">>", "<<", "<<-", ">&", "<&", "<>", ">|", "<<<", "&>", "&>>")
_CLOSERS: Final = frozenset({"then", "else", "elif", "fi", "do", "done", "esac", "}", "in"})
_ARM_ENDS: Final = (";;", ";&", ";|")
_ENDS: Final = (")", *_ARM_ENDS)
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
        self.token = self._lexer.next()

    def _nested(self, source: str, position: int) -> tuple[Sequence, int]:
        inner = _Parser(source, position, self._depth)
        body = inner.sequence()
        if inner.token.text != ")":
            raise ShellSyntaxError("syntax error: no closing )")
        return body, inner._lexer.position

    def advance(self) -> Token:
        token, self.token = self.token, self._lexer.next()
        return token

    def unexpected(self) -> ShellSyntaxError:
        token = self.token
        shown = (token.word.bare if token.word is not None else token.text) or token.text
        names = {"newline": "newline", "end": "end of file"}
        return ShellSyntaxError(f"syntax error: unexpected '{names.get(token.kind, shown)}'")

    def bare(self) -> str | None:
        return self.token.word.bare if self.token.word is not None else None

    def operator(self) -> str:
        return self.token.text if self.token.kind == "operator" else ""

    def _expect(self, text: str) -> None:
        if self.operator() != text and self.bare() != text:
            raise self.unexpected()
        self.advance()

    def skip_newlines(self) -> None:
        while self.token.kind == "newline":
            self.advance()

    def expect_end(self) -> None:
        if self.token.kind != "end":
            raise self.unexpected()

    def sequence(self) -> Sequence:
        """Commands up to a closing word, a closing operator or the end."""
        self._depth += 1
        if self._depth > _DEEPEST:
            raise ShellSyntaxError("syntax error: nested too deeply")
        items: list[AndOr] = []
        self.skip_newlines()
        while self.token.kind != "end" and self.operator() not in _ENDS and self.bare() not in _CLOSERS:
            items.append(self._and_or())
            if self.operator() in (";", "&"):
                self.advance()
            elif self.token.kind != "newline":
                break
            self.skip_newlines()
        self._depth -= 1
        return Sequence(tuple(items))

    def _filled_sequence(self) -> Sequence:
        body = self.sequence()
        if not body.items:
            raise self.unexpected()
        return body

    def _and_or(self) -> AndOr:
        first = self._pipeline()
        rest: list[tuple[Literal["&&", "||"], Pipeline]] = []
        while self.operator() in ("&&", "||"):
            operator = cast("Literal['&&', '||']", self.advance().text)
            self.skip_newlines()
            rest.append((operator, self._pipeline()))
        return AndOr(first, tuple(rest))

    def _pipeline(self) -> Pipeline:
        negated = False
        while self.bare() == "!":
            self.advance()
            negated = not negated
        commands = [self._command()]
        while self.operator() == "|":
            self.advance()
            self.skip_newlines()
            commands.append(self._command())
        return Pipeline(tuple(commands), negated)

    def _command(self) -> Command:
        compound = self._compound()
        if compound is None:
            return self._simple()
        redirects = self._redirects()
        return Redirected(compound, redirects) if redirects else compound

    def _compound(self) -> Command | None:
        if self.operator() == "(":
            expression = self._lexer.arithmetic_command()
            self.advance()
            if expression is not None:
                return ArithmeticCommand(expression)
            body = self._filled_sequence()
            self._expect(")")
            return Group(body, subshell=True)
        match self.bare():
            case "{":
                self.advance()
                body = self._filled_sequence()
                self._expect("}")
                return Group(body, subshell=False)
            case "if":
                return self._if()
            case "while" | "until" as keyword:
                self.advance()
                condition = self._filled_sequence()
                return Loop(condition, self._do(), negated=keyword == "until")
            case "for":
                return self._for()
            case "case":
                return self._case()
            case "[[":
                self.advance()
                return read_condition(self)
            case "function":
                self.advance()
                return self._function_by_keyword()
        return None

    def _if(self) -> If:
        branches: list[tuple[Sequence, Sequence]] = []
        while self.bare() in ("if", "elif"):
            self.advance()
            condition = self._filled_sequence()
            self._expect("then")
            branches.append((condition, self._filled_sequence()))
        otherwise = None
        if self.bare() == "else":
            self.advance()
            otherwise = self._filled_sequence()
        self._expect("fi")
        return If(tuple(branches), otherwise)

    def _do(self) -> Sequence:
        self.skip_newlines()
        self._expect("do")
        body = self._filled_sequence()
        self._expect("done")
        return body

    def _for(self) -> For:
        self.advance()
        name = self.bare()
        if name is None or not _NAME.fullmatch(name):
            raise self.unexpected()
        self.advance()
        self.skip_newlines()
        words: tuple[Word, ...] | None = None
        if self.bare() == "in":
            self.advance()
            words = self._words()
        if self.operator() == ";":
            self.advance()
        return For(name, words, self._do())

    def _words(self) -> tuple[Word, ...]:
        words: list[Word] = []
        while self.token.word is not None:
            words.append(self.token.word)
            self.advance()
        return tuple(words)

    def _case(self) -> Case:
        self.advance()
        subject = self.token.word
        if subject is None:
            raise self.unexpected()
        self.advance()
        self.skip_newlines()
        self._expect("in")
        self.skip_newlines()
        arms: list[tuple[tuple[Word, ...], Sequence, str]] = []
        while self.bare() != "esac":
            if self.operator() == "(":
                self.advance()
            patterns = list(self._words())
            while self.operator() == "|":
                self.advance()
                patterns.extend(self._words())
            self._expect(")")
            body = self.sequence()
            arms.append((tuple(patterns), body, self.advance().text if self.operator() in _ARM_ENDS else ";;"))
            self.skip_newlines()
        self.advance()
        return Case(subject, tuple(arms))

    def _simple(self) -> Command:
        assignments: list[tuple[str, Word]] = []
        words: list[Word] = []
        redirects: list[Redirect] = []
        first = True
        while True:
            redirects.extend(self._redirects())
            word = self.token.word
            if word is None:
                break
            assignment = _assignment(word) if not words else None
            self.advance()
            if assignment is not None:
                assignments.append(assignment)
            else:
                words.append(word)
            if first and self.operator() == "(" and word.bare is not None and _NAME.fullmatch(word.bare):
                return self._function(word.bare)
            first = False
        if not assignments and not words and not redirects:
            raise self.unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def _function_by_keyword(self) -> Function:
        name = self.bare()
        if name is None or not _NAME.fullmatch(name):
            raise self.unexpected()
        self.advance()
        if self.operator() == "(":
            return self._function(name)
        self.skip_newlines()
        return Function(name, self._command())

    def _function(self, name: str) -> Function:
        self._expect("(")
        self._expect(")")
        self.skip_newlines()
        return Function(name, self._command())

    def _redirects(self) -> tuple[Redirect, ...]:
        redirects: list[Redirect] = []
        while self.token.kind == "number" or self.operator() in _REDIRECTS:
            descriptor = int(self.advance().text) if self.token.kind == "number" else None
            redirects.append(self._redirect(descriptor))
        return tuple(redirects)

    def _redirect(self, descriptor: int | None) -> Redirect:
        operator = self.advance().text
        target = self.token.word
        if target is None:
            raise self.unexpected()
        if descriptor is None:
            descriptor = 0 if operator.startswith("<") else 1
        if operator == "<<<":
            self.advance()
            return Redirect(descriptor, "<<", Word((*target.parts, Text("\n", True))))
        kind = cast("RedirectOperator", {"<<-": "<<", ">|": ">"}.get(operator, operator))
        redirect = Redirect(descriptor, kind, target)
        if kind == "<<":
            self._lexer.expect_here_document(target, operator == "<<-", redirect.fill)
        self.advance()
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
    if match[2]:
        parts = (Parameter(match[1], "-", Word(()), True), *parts)
    return match[1], Word(parts)
