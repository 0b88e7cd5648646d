"""Action texts: how a policy writes an action, and how it is read back.

The grid form is ours, made for small models: `tap <label> <y> <x>`. The label comes first, because a model that
names what it looks for finds it; the row precedes the column; both are single tokens of a 32 x 32 grid.
"""

from __future__ import annotations

import re
from typing import Protocol

from tapwise.records import Action, Finish, Key, LongPress, OpenApp, Point, Press, Swipe, Tap, TypeText, Wait

GRID = 32
UP = Swipe(Point(0.5, 0.35), Point(0.5, 0.75))
DOWN = Swipe(Point(0.5, 0.75), Point(0.5, 0.35))
_TOUCH = re.compile(r"^(tap|hold) (?:(.*?) )?<y(\d+)> <x(\d+)>$")


class ActionText(Protocol):
    """A textual form of actions. `parse(format(action))` gives the action back within the form's resolution."""

    @property
    def instructions(self) -> str:
        """What a model that was not trained on the form must be told of it; may be empty."""
        ...

    def format(self, action: Action) -> str: ...

    def parse(self, text: str) -> Action:
        """Raises ValueError with the reason when the text is no action."""
        ...


def grid_tokens() -> list[str]:
    """The location tokens: rows, then columns."""
    return [f"<y{i}>" for i in range(GRID)] + [f"<x{i}>" for i in range(GRID)]


class GridActionText:
    """`tap wifi <y9> <x8>`, `hold note <y3> <x9>`, `type nova lamp`, `scroll down`, `back`, `home`, `enter`, `wait`,
    `done`, `impossible`. Scroll names the direction in which the content is read: `scroll down` moves the finger up.
    """

    instructions = ""

    def format(self, action: Action) -> str:
        """The text of an action. Raises ValueError for `OpenApp` and `RECENTS`, which the form cannot say."""
        match action:
            case Tap(at=at, target=target):
                return self._touch("tap", target, at)
            case LongPress(at=at, target=target):
                return self._touch("hold", target, at)
            case Swipe(start=start, end=end):
                return "scroll down" if end.y < start.y else "scroll up"
            case TypeText(text=text):
                return f"type {_words(text)}"
            case Press(key=Key.BACK | Key.HOME | Key.ENTER as key):
                return str(key)
            case Wait():
                return "wait"
            case Finish(status=status):
                return "done" if status == "success" else "impossible"
            case Press() | OpenApp():
                raise ValueError(f"the grid form has no words for {action}")

    def _touch(self, verb: str, target: str | None, at: Point) -> str:
        row, column = min(int(at.y * GRID), GRID - 1), min(int(at.x * GRID), GRID - 1)
        label = _words(target or "")
        return f"{verb} {label} <y{row}> <x{column}>" if label else f"{verb} <y{row}> <x{column}>"

    def parse(self, text: str) -> Action:
        """The action that the text says; a touch goes to the middle of its grid cell."""
        text = " ".join(text.split())
        touch = _TOUCH.match(text)
        if touch:
            verb, target, row, column = touch.groups()
            if int(row) >= GRID or int(column) >= GRID:
                raise ValueError(f"{text!r}: rows and columns go from 0 to {GRID - 1}")
            at = Point((int(column) + 0.5) / GRID, (int(row) + 0.5) / GRID)
            return Tap(at, target) if verb == "tap" else LongPress(at, target=target)
        if text.startswith("type ") and "<" not in text:
            return TypeText(text.removeprefix("type "))
        simple: dict[str, Action] = {
            "scroll down": DOWN,
            "scroll up": UP,
            "back": Press(Key.BACK),
            "home": Press(Key.HOME),
            "enter": Press(Key.ENTER),
            "wait": Wait(),
            "done": Finish("success"),
            "impossible": Finish("impossible"),
        }
        if text not in simple:
            raise ValueError(f"{text!r} is no action of the grid form")
        return simple[text]


def _words(text: str) -> str:
    return " ".join(text.lower().replace("<", " ").replace(">", " ").split())


def short_text(action: Action) -> str:
    """An action for the history part of a prompt: without coordinates."""
    match action:
        case Tap(target=target):
            return f"tap {_words(target or '')}".strip()
        case LongPress(target=target):
            return f"hold {_words(target or '')}".strip()
        case OpenApp(name=name):
            return f"open {_words(name)}"
        case Press(key=key):
            return str(key)
        case _:
            return GridActionText().format(action)
