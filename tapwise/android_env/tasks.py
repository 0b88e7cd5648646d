"""Task templates, and the suites that they unfold into.

A template is a family of tasks: phrasings with fields, the values of those fields, how to bring the phone into the
starting state, how to read from the phone's state whether the task is done, and how an expert would do it.
"""

from __future__ import annotations

import hashlib
import itertools
import re
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

import numpy as np

from tapwise.android_env.screen import Screen
from tapwise.errors import EnvError
from tapwise.protocols import Device
from tapwise.records import Action, Finish, Split, Task

Shell = Callable[[str], str]
"""Runs a command on the device and returns its standard output."""

Params = Mapping[str, str]
"""The values of one instance, by the name of the parameter."""

HeldOut = Literal["instruction", "template", "app"]
"""What is kept for testing as a whole."""

TEST_SHARE = 0.3
LEVELS = range(1, 6)
DEFAULT_LEVEL = 2


@dataclass(frozen=True, slots=True)
class Template:
    """A family of tasks.

    `app` is the launcher's label in lower case. `instructions` are phrasings with {param} fields. `params` are the
    values of each parameter; every combination that `exclude` does not refuse is an instance. `setup` gives shell
    commands, safe to repeat, that bring the phone into the starting state. `check` reads the ground truth from
    the device's state. `expert` chooses one action for the screen in front of it. `level` is how hard the task is:
    1 a touch or two, 2 a short way, 3 a longer way or text, 4 a comparison or several goals, 5 several apps or a goal
    that has to be found out. `answer` reads the true answer of a task that asks for one: the agent must finish with it,
    whatever its case, and `check` must hold beside. An `impossible` task is done by saying so. `other_apps` are those
    that a solution goes through beside `app`. `starts_at_home` brings the home screen up after the set-up.
    `tells` is False where the device's state does not say whether the task is done, so that `check` is never asked.
    """

    name: str
    suite: str
    app: str
    instructions: tuple[str, ...]
    params: Mapping[str, tuple[str, ...]]
    max_steps: int
    setup: Callable[[Params], Sequence[str]]
    check: Callable[[Shell, Params], bool]
    expert: Callable[[Screen, Params], Action]
    exclude: Callable[[Params], bool] | None = None
    answer: Callable[[Shell, Params], str] | None = None
    impossible: bool = False
    level: int = DEFAULT_LEVEL
    other_apps: tuple[str, ...] = ()
    starts_at_home: bool = True
    tells: bool = True

    def judge(self, shell: Shell, params: Params, finish: Finish | None) -> bool:
        """Whether an episode that ended with `finish` (None: at its limit) solved the task."""
        if self.impossible:
            return finish is not None and finish.status == "impossible" and self.check(shell, params)
        if self.answer is not None:
            given = normalise(finish.answer or "") if finish is not None and finish.status == "success" else ""
            return given == normalise(self.answer(shell, params)) and self.check(shell, params)
        return self.check(shell, params)

    @property
    def apps(self) -> tuple[str, ...]:
        """The apps that a solution goes through, the one that the task is counted under first."""
        return (self.app, *self.other_apps)

    def combinations(self) -> Iterator[dict[str, str]]:
        """The instances' parameter values, in the order in which the template lists them."""
        for values in itertools.product(*self.params.values()):
            params = dict(zip(self.params, values, strict=True))
            if self.exclude is None or not self.exclude(params):
                yield params


class Suite:
    """The tasks of some templates, each in exactly one split.

    Of each template, the instructions with the lowest hashes, three in ten of them, are for testing: the same ones
    in every suite that holds the template and on every machine. With `held_out` "template" or "app" it is whole
    templates, or all templates of an app, three in ten of those in the suite: what is tested is then of a kind that
    was never trained on. Raises EnvError when the templates cannot be split, or are malformed.
    """

    resets_itself: ClassVar[bool] = False
    """whether its set-up brings a device into its starting state from any other, without snapshots of ours"""
    success_rule: ClassVar[str] = "the template's check of the device's state at the end"
    """what counts as success, in words"""

    def __init__(self, name: str, templates: Sequence[Template], held_out: HeldOut = "instruction") -> None:
        if not templates:
            raise EnvError(f"suite {name!r} has no templates: add some under tapwise.android_env.templates")
        _refuse_repeats(name, "template name", (template.name for template in templates))
        self.name = name
        self.templates = {template.name: template for template in templates}
        self._tasks = _assign(tuple(task for template in templates for task in _unfold(template)), held_out)
        _refuse_repeats(name, "task id", (task.id for task in self._tasks))
        self._by_id = {task.id: task for task in self._tasks}
        self._refuse_leaks()

    @property
    def tells(self) -> bool:
        """Whether the device's state says of every task whether it is done."""
        return all(template.tells for template in self.templates.values())

    def on(self, device: Device) -> Suite:
        """The suite as it is played on one device."""
        return self

    def close(self) -> None:
        """Let go of what the suite needs to be played."""

    def tasks(self, split: Split | None = None) -> tuple[Task, ...]:
        """All tasks, or those of one split, always in the same order."""
        return tuple(task for task in self._tasks if split is None or task.split == split)

    def task(self, task_id: str) -> Task:
        """The task of this id. Raises EnvError when there is none."""
        try:
            return self._by_id[task_id]
        except KeyError:
            raise EnvError(
                f"suite {self.name!r} has no task {task_id!r}: its ids look like {self._tasks[0].id!r}"
            ) from None

    def template_of(self, task: Task) -> Template:
        """The template that the task came from. Raises EnvError when it is not of this suite."""
        template = self.templates.get(task.template)
        if template is None:
            raise EnvError(
                f"task {task.id!r} came from template {task.template!r}, which suite {self.name!r} does not have:"
                " create the environment with the suite that the task was taken from"
            )
        return template

    def sample(self, rng: np.random.Generator, split: Split, n: int) -> list[Task]:
        """`n` tasks of a split: every template about equally often, a task again only after all its siblings."""
        every = {name: [task for task in self.tasks(split) if task.template == name] for name in self.templates}
        pools = {name: tasks for name, tasks in every.items() if tasks}
        decks: dict[str, list[Task]] = {name: [] for name in pools}
        chosen: list[Task] = []
        while len(chosen) < n:
            names = list(pools)
            for index in rng.permutation(len(names))[: n - len(chosen)]:
                name = names[index]
                if not decks[name]:
                    decks[name] = [pools[name][i] for i in rng.permutation(len(pools[name]))]
                chosen.append(decks[name].pop())
        return chosen

    def evaluated(self, rng: np.random.Generator, split: Split, n: int) -> list[Task]:
        """The `n` tasks of a split that an evaluation plays; here a sample."""
        return self.sample(rng, split, n)

    def _refuse_leaks(self) -> None:
        splits: dict[str, Task] = {}
        for task in self._tasks:
            other = splits.setdefault(normalise(task.instruction), task)
            if other.split != task.split:
                raise EnvError(
                    f"the instruction {task.instruction!r} is in both splits of suite {self.name!r}, as {other.id!r}"
                    f" and {task.id!r}: reword it in one of the two templates"
                )


def normalise(instruction: str) -> str:
    """An instruction without the differences that do not make it another: case, spacing, closing punctuation."""
    return re.sub(r"\s+", " ", instruction).strip().rstrip(" .!?").casefold()


def _unfold(template: Template) -> list[Task]:
    _refuse_bad_fields(template)
    texts: list[tuple[str, str, dict[str, str]]] = []
    for params in template.combinations():
        values = "-".join(_slug(value) for value in params.values())
        for number, phrasing in enumerate(template.instructions):
            identity = "/".join(part for part in (template.name, values, str(number)) if part)
            texts.append((identity, phrasing.format_map(params), params))
    splits = _split(template, [text for _, text, _ in texts])
    return [
        Task(
            id=identity,
            instruction=text,
            suite=template.suite,
            app=template.app,
            template=template.name,
            params=tuple(sorted(params.items())),
            max_steps=template.max_steps,
            split=splits[normalise(text)],
        )
        for identity, text, params in texts
    ]


def _assign(tasks: tuple[Task, ...], held_out: HeldOut) -> tuple[Task, ...]:
    """The tasks, in the splits that whole templates or apps are in."""
    if held_out == "instruction":
        return tasks
    names = sorted({getattr(task, held_out) for task in tasks}, key=_place)
    if len(names) < 2:
        raise EnvError(f"there is one {held_out} alone, {names[0]!r}, but each split needs one: take a larger suite")
    count = min(max(round(TEST_SHARE * len(names)), 1), len(names) - 1)
    test = set(names[:count])
    return tuple(replace(task, split="test" if getattr(task, held_out) in test else "train") for task in tasks)


def _split(template: Template, texts: Sequence[str]) -> dict[str, Split]:
    places = {text: _place(text) for text in map(normalise, texts)}
    if len(places) < 2:
        raise EnvError(
            f"template {template.name!r} has {len(places)} distinct instructions, but each split needs one:"
            " add a phrasing or a parameter value"
        )
    held_out = min(max(round(TEST_SHARE * len(places)), 1), len(places) - 1)
    ranked = sorted(places, key=places.__getitem__)
    return {text: "test" if rank < held_out else "train" for rank, text in enumerate(ranked)}


def _place(text: str) -> float:
    """A number in [0, 1) that depends on the text alone, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") / 2**64


def _slug(value: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "_", value.lower()).strip("_")


def _refuse_bad_fields(template: Template) -> None:
    if template.max_steps < 1:
        raise EnvError(f"template {template.name!r} allows {template.max_steps} steps: give it at least one")
    if template.level not in LEVELS:
        raise EnvError(f"template {template.name!r} is of level {template.level}: levels go from 1 to 5")
    for phrasing in template.instructions:
        for _, field, _, _ in string.Formatter().parse(phrasing):
            if field is not None and field not in template.params:
                raise EnvError(
                    f"template {template.name!r} has the field {{{field}}} in {phrasing!r}, but its parameters are"
                    f" {', '.join(template.params) or 'none'}: rename one of the two"
                )


def _refuse_repeats(suite: str, what: str, values: Iterator[str]) -> None:
    repeated = [value for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise EnvError(f"suite {suite!r} has the {what} {repeated[0]!r} more than once: make it unique")
