"""The shell's syntax tree: immutable values that the parser makes and the interpreter reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


class ShellSyntaxError(Exception):
    """The script cannot go on; the message is what the shell prints before it ends with the status."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that stand for themselves; quoted ones take no part in globbing."""

    text: str
    quoted: bool


@dataclass(frozen=True, slots=True)
class Parameter:
    """`$name` or `${name operator argument}`; `${#name}` has the operator "length"."""

    name: str
    operator: str
    argument: Word | None
    quoted: bool


@dataclass(frozen=True, slots=True)
class Substitution:
    """`$(script)` or the same in backquotes."""

    body: Sequence
    quoted: bool


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`$((expression))`."""

    expression: Word
    quoted: bool


Part = Text | Parameter | Substitution | Arithmetic


@dataclass(frozen=True, slots=True)
class Word:
    """Adjacent parts; expands to any number of fields."""

    parts: tuple[Part, ...]

    @property
    def bare(self) -> str | None:
        """The text of a word without quotes and expansions, else None: only such words can be reserved."""
        texts = [part.text for part in self.parts if isinstance(part, Text) and not part.quoted]
        return "".join(texts) if len(texts) == len(self.parts) else None


RedirectOperator = Literal["<", ">", ">>", "<<", ">&", "<&", "<>", "&>", "&>>"]


@dataclass(slots=True)
class Redirect:
    """`descriptor operator target`; for "<<" the target is the here-document itself, filled in while parsing."""

    descriptor: int
    operator: RedirectOperator
    target: Word

    def fill(self, document: Word) -> None:
        """Put a here-document in the place of its delimiter."""
        self.target = document


@dataclass(frozen=True, slots=True)
class Simple:
    """Assignments, then a command with its arguments."""

    assignments: tuple[tuple[str, Word], ...]
    words: tuple[Word, ...]
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class If:
    """Pairs of condition and body, then the body of `else`."""

    branches: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None


@dataclass(frozen=True, slots=True)
class Loop:
    """`while`, or `until` when `negated`."""

    condition: Sequence
    body: Sequence
    negated: bool


@dataclass(frozen=True, slots=True)
class For:
    """`for name in words`; without `in` the words are None and the positional parameters are taken."""

    name: str
    words: tuple[Word, ...] | None
    body: Sequence


@dataclass(frozen=True, slots=True)
class Case:
    """Each arm has its patterns, its body and its end: `;&` goes on with the next body, `;|` with the next test."""

    subject: Word
    arms: tuple[tuple[tuple[Word, ...], Sequence, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """`{ ...; }`, or `( ... )` when it is a subshell."""

    body: Sequence
    subshell: bool


@dataclass(frozen=True, slots=True)
class Function:
    """`name() body`."""

    name: str
    body: Command


@dataclass(frozen=True, slots=True)
class Redirected:
    """A compound command with redirects after it."""

    command: Command
    redirects: tuple[Redirect, ...]


@dataclass(frozen=True, slots=True)
class ArithmeticCommand:
    """`(( expression ))`: status 1 when it is 0."""

    expression: Word


@dataclass(frozen=True, slots=True)
class Condition:
    """`[[ ... ]]`: the one to three words of a test, or other conditions joined by an operator."""

    operator: Literal["test", "!", "&&", "||"]
    words: tuple[Word, ...]
    parts: tuple[Condition, ...]


Command = Simple | If | Loop | For | Case | Group | Function | Redirected | ArithmeticCommand | Condition


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Commands joined by `|`; `!` before them makes it negated."""

    commands: tuple[Command, ...]
    negated: bool


@dataclass(frozen=True, slots=True)
class AndOr:
    """Pipelines joined by `&&` and `||`."""

    first: Pipeline
    rest: tuple[tuple[Literal["&&", "||"], Pipeline], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """Commands one after the other."""

    items: tuple[AndOr, ...]
