"""The words that accompany the screenshot: the goal and the last few actions."""

from __future__ import annotations

from collections.abc import Sequence

from tapwise.agent.action_text import short_text
from tapwise.records import Context

HISTORY = 4


def prompt_text(goal: str, history: Sequence[str]) -> str:
    """The text part of a prompt; `history` holds the latest actions, oldest first."""
    recent = " ; ".join(history[-HISTORY:])
    return f"goal {goal.lower()} did {recent}".rstrip()


def context_prompt(context: Context) -> str:
    """The text part of the prompt for a context."""
    return prompt_text(
        context.task.instruction, [short_text(step.decision.action) for step in context.history[-HISTORY:]]
    )
