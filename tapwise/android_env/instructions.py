"""Suites that are lists of instructions and nothing more: whether one was followed, only a judge can say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Suite, Template, normalise
from tapwise.errors import EnvError
from tapwise.records import Action, Split, Task

STEP_LIMITS = {"aitw_general": 10, "aitw_webshop": 20}
"""Lists of Android in the Wild's kinds, with the limits that DigiRL evaluates them with (arXiv 2406.11896, released
code): the tenth and the twentieth decision end the episode."""


class InstructionSuite(Suite):
    """Instructions to train on and to test with, one a line in each file; an empty path is an empty list.

    The order and the repetitions of the files are kept: published results are often of the first so many. Raises
    EnvError for a name that is not in `STEP_LIMITS`, and for files that cannot be read or hold nothing.
    """

    resets_itself = False
    success_rule = "the judge's verdict on the episode"

    def __init__(self, name: str, train: str, test: str) -> None:
        if name not in STEP_LIMITS:
            raise EnvError(f"there is no list of instructions {name!r}: known are {', '.join(STEP_LIMITS)}")
        self.name = name
        lines: dict[Split, list[str]] = {"train": _read(train), "test": _read(test)}
        if not any(lines.values()):
            raise EnvError(f"suite {name!r} needs a file of instructions: give aitw.train or aitw.test, or both")
        self.templates = {name: _template(name)}
        self._tasks = tuple(
            _task(name, split, number, text) for split, found in lines.items() for number, text in enumerate(found)
        )
        self._by_id = {task.id: task for task in self._tasks}

    def evaluated(self, rng: np.random.Generator, split: Split, n: int) -> list[Task]:
        """The first `n` of the list, which are those that published results are of; all of it when it is shorter."""
        return list(self.tasks(split)[:n])

    @property
    def leaked(self) -> int:
        """How many test instructions are training instructions too, but for case, spacing and closing punctuation."""
        trained = {normalise(task.instruction) for task in self.tasks("train")}
        return sum(normalise(task.instruction) in trained for task in self.tasks("test"))


def _read(path: str) -> list[str]:
    if not path:
        return []
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise EnvError(f"the instructions in {path} cannot be read: {error}") from None
    return [line.strip() for line in text.splitlines() if line.strip()]


def _task(suite: str, split: Split, number: int, text: str) -> Task:
    return Task(f"{suite}/{split}/{number}", text, suite, suite, suite, (), STEP_LIMITS[suite], split)


def _template(name: str) -> Template:
    return Template(
        name=name,
        suite=name,
        app=name,
        instructions=(),
        params={},
        max_steps=STEP_LIMITS[name],
        setup=_nothing,
        check=_cannot_tell,
        expert=_no_expert,
        tells=False,
    )


def _nothing(params: Params) -> Sequence[str]:
    return ()


def _cannot_tell(shell: Shell, params: Params) -> bool:
    raise EnvError("a list of instructions has no checks")


def _no_expert(screen: Screen, params: Params) -> Action:
    raise EnvError("a list of instructions has no scripted expert")
