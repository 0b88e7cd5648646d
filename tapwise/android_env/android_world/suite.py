"""AndroidWorld as a suite of tasks: its instances, its set-up and its checks, on any emulator of a farm.

AndroidWorld (Rawles et al., arXiv 2405.14573) gives a task ten steps a unit of its complexity, and counts a success
only when the agent has said that it is done.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tapwise.android_env.android_world.client import Worker, WorkerCommand
from tapwise.android_env.screen import Screen
from tapwise.android_env.tasks import Params, Shell, Suite, Template
from tapwise.errors import EnvError
from tapwise.protocols import Device
from tapwise.records import Action, Finish, Task

STEPS_A_COMPLEXITY = 10
GRPC_ABOVE_CONSOLE = 3000
"""where an emulator's gRPC port lies that nobody has chosen"""
_LIST_S, _CONNECT_S, _INITIALIZE_S, _CHECK_S = 120.0, 180.0, 600.0, 180.0
NAME = "androidworld"


@dataclass(frozen=True, slots=True)
class Settings:
    """Which instances, and how AndroidWorld reaches an emulator.

    seed, combinations: as AndroidWorld's own runner takes them. names: tasks by name; all when empty. adb_path: its adb
    program. emulator_setup: install AndroidWorld's apps first, which needs a network.
    """

    command: WorkerCommand
    adb_path: str
    seed: int = 30
    combinations: int = 1
    names: tuple[str, ...] = ()
    family: str = "android_world"
    emulator_setup: bool = False

    def listing(self) -> dict[str, Any]:
        """The request for the instances."""
        return {
            "seed": self.seed,
            "combinations": self.combinations,
            "names": list(self.names) or None,
            "family": self.family,
        }


@dataclass(frozen=True, slots=True)
class _WorldTemplate(Template):
    """A task of AndroidWorld. `score` asks the task, given the agent's answer."""

    score: Callable[[str | None], float] = field(default=lambda _: 0.0)

    def judge(self, shell: Shell, params: Params, finish: Finish | None) -> bool:
        """Whether the task says so, of an agent that has said that it is done."""
        return finish is not None and self.score(finish.answer) >= 1.0


class AndroidWorldSuite(Suite):
    """AndroidWorld's instances as tasks, all of them for testing; close it when done.

    A suite lists; `on(device)` is the one that plays, with a worker of its own which is started with the first episode.
    Raises EnvError when AndroidWorld cannot be had.
    """

    resets_itself = True
    success_rule = "AndroidWorld's own check gives 1, and the agent has said that it is done"

    def __init__(self, settings: Settings) -> None:
        worker = Worker(settings.command)
        try:
            rows = worker.ask("tasks", _LIST_S, **settings.listing())["tasks"]
        finally:
            worker.close()
        self._setup(settings, rows, None)
        self._played: dict[str, AndroidWorldSuite] = {}
        self._guard = threading.Lock()

    def _setup(self, settings: Settings, rows: Sequence[Mapping[str, Any]], device: Device | None) -> None:
        self.name = NAME
        self._settings, self._rows, self._device = settings, rows, device
        self._worker: Worker | None = None
        tasks: list[Task] = []
        templates: dict[str, Template] = {}
        for row in rows:
            task = _task(row)
            tasks.append(task)
            templates.setdefault(task.template, self._template(row, task.max_steps))
        self.templates = templates
        self._tasks = tuple(tasks)
        self._by_id = {task.id: task for task in tasks}

    def on(self, device: Device) -> AndroidWorldSuite:
        """The suite as it is played on one emulator. Raises EnvError for what is none."""
        console_port(device.serial)
        with self._guard:
            if device.serial not in self._played:
                bound = object.__new__(AndroidWorldSuite)
                bound._setup(self._settings, self._rows, device)
                bound._played, bound._guard = {}, self._guard
                self._played[device.serial] = bound
            return self._played[device.serial]

    def close(self) -> None:
        """End the workers."""
        for suite in (*self._played.values(), self):
            if suite._worker is not None:
                suite._worker.close()
                suite._worker = None

    def _template(self, row: Mapping[str, Any], max_steps: int) -> Template:
        return _WorldTemplate(
            name=f"{NAME}.{row['name']}",
            suite=NAME,
            app=(row["apps"] or ["android"])[0].lower(),
            instructions=(row["goal"],),
            params={},
            max_steps=max_steps,
            setup=self._initialize,
            check=_unused_check,
            expert=_no_expert,
            starts_at_home=row["starts_at_home"],
            score=self._score,
        )

    def _initialize(self, params: Params) -> Sequence[str]:
        """Let AndroidWorld bring the emulator into the starting state; leaves no commands to run."""
        worker = self._connected()
        answer = worker.ask("initialize", _INITIALIZE_S, name=params["name"], instance=int(params["instance"]))
        if answer["goal"] != params["goal"]:
            raise EnvError(
                f"AndroidWorld's task {params['name']} asks for {answer['goal']!r} on this emulator, but for"
                f" {params['goal']!r} where it was listed: its random numbers are not those of the seed"
            )
        return ()

    def _score(self, answer: str | None) -> float:
        return float(self._connected().ask("check", _CHECK_S, answer=answer)["score"])

    def _connected(self) -> Worker:
        if self._device is None:
            raise EnvError("AndroidWorld's tasks are played on a device: take suite.on(device)")
        if self._worker is not None and self._worker.broken:
            self._worker.close()
            self._worker = None
        if self._worker is None:
            worker = Worker(self._settings.command)
            try:
                worker.ask("tasks", _LIST_S, **self._settings.listing())
                port = console_port(self._device.serial)
                worker.ask(
                    "connect",
                    _CONNECT_S,
                    console_port=port,
                    grpc_port=port + GRPC_ABOVE_CONSOLE,
                    adb_path=self._settings.adb_path,
                    emulator_setup=self._settings.emulator_setup,
                )
            except BaseException:
                worker.close()
                raise
            self._worker = worker
        return self._worker


def console_port(serial: str) -> int:
    """The console's port of an emulator by its name, `emulator-N`, or by its ADB address on this host.

    Raises EnvError for other devices: AndroidWorld knows emulators alone.
    """
    kind, _, number = serial.rpartition("-" if serial.startswith("emulator-") else ":")
    if number.isdecimal() and kind == "emulator":
        return int(number)
    if number.isdecimal() and kind in ("127.0.0.1", "localhost") and int(number) % 2:
        return int(number) - 1
    raise EnvError(
        f"AndroidWorld's tasks need an emulator with a console, and {serial!r} is none: take --farm.backend avd, whose"
        " emulator may also be tapwise-emulator"
    )


def _task(row: Mapping[str, Any]) -> Task:
    params = {"name": row["name"], "instance": str(row["instance"]), "goal": row["goal"]}
    return Task(
        id=f"{NAME}.{row['name']}/{row['instance']}",
        instruction=row["goal"],
        suite=NAME,
        app=(row["apps"] or ["android"])[0].lower(),
        template=f"{NAME}.{row['name']}",
        params=tuple(sorted(params.items())),
        max_steps=int(STEPS_A_COMPLEXITY * row["complexity"]),
        split="test",
    )


def _unused_check(shell: Shell, params: Params) -> bool:
    raise EnvError("AndroidWorld's tasks are checked by AndroidWorld")


def _no_expert(screen: Screen, params: Params) -> Action:
    raise EnvError("AndroidWorld has no scripted expert")
