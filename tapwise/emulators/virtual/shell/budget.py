"""Bounds of a script, so that an endless loop or recursion ends."""

from __future__ import annotations

from typing import Final

_MOST_COMMANDS: Final = 50_000
_DEEPEST: Final = 30


class BudgetError(Exception):
    """The script ran more commands, or nested deeper, than a script may."""


class Budget:
    """How many commands a script may still run and how deep it is nested."""

    def __init__(self, commands: int = _MOST_COMMANDS) -> None:
        self.commands = commands
        self.depth = 0

    def spend(self) -> None:
        """Count one command."""
        self.commands -= 1
        if self.commands < 0:
            raise BudgetError

    def enter(self) -> None:
        """Count one level of subshells and functions."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise BudgetError
