"""A virtual phone in this process behind the `Device` protocol, and the two checks that every template must pass."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import run_episode
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.tasks import Suite, Template
from tapwise.emulators.virtual.apps.base import ContentRow
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import CommandFailed, DeviceError
from tapwise.records import Context, Decision, Finish, Size, UiNode

NOISE = Noise(popups=0.1, ads=0.1, slow_loads=0.1, layout_shifts=1.0)


class InProcessPhone:
    """The virtual phone as a device, with the few shell commands that set-ups and checks use."""

    serial = "in-process"

    def __init__(self, phone: VirtualPhone) -> None:
        self.phone = phone

    def size(self) -> Size:
        return self.phone.size

    def screenshot(self) -> NDArray[np.uint8]:
        return self.phone.frame()

    def frame_counter(self) -> int | None:
        self.phone.poll()
        return self.phone.frame_counter()

    def ui_tree(self) -> UiNode:
        return self.phone.tree()

    def foreground(self) -> str:
        return self.phone.foreground()

    def tap(self, x: int, y: int) -> None:
        self.phone.tap(x, y)

    def swipe(self, x1: int, y1: int, x2: int, y2: int, duration_s: float) -> None:
        self.phone.swipe(x1, y1, x2, y2, duration_s)

    def type_text(self, text: str) -> None:
        self.phone.type_text(text)

    def press(self, keycode: str) -> None:
        self.phone.key_event(keycode)

    def open_app(self, name: str) -> None:
        raise DeviceError(f"tasks start on the home screen: do not open {name!r} directly")

    def save_snapshot(self, name: str) -> None:
        self.phone.save_snapshot(name)

    def load_snapshot(self, name: str) -> None:
        try:
            self.phone.load_snapshot(name)
        except KeyError as error:
            raise DeviceError(f"no snapshot {name!r}") from error

    def shell(self, command: str) -> str:
        words, _, target = command.partition(" > ")
        name, *arguments = shlex.split(words)
        try:
            output = getattr(self, f"_{name}")(*arguments)
        except (OSError, KeyError) as error:
            raise CommandFailed(command, 1, repr(error)) from error
        if not target:
            return str(output)
        self.phone.files.write(shlex.split(target)[0], output.encode(), self.phone.clock.now())
        return ""

    def _setprop(self, key: str, value: str) -> str:
        self.phone.set_property(key, value)
        return ""

    def _sleep(self, seconds: str) -> str:
        self.phone.advance(float(seconds))
        return ""

    def _settings(self, verb: str, namespace: str, key: str, value: str = "") -> str:
        if verb == "put":
            self.phone.settings.put(namespace, key, value)
            return ""
        return f"{self.phone.settings.get(namespace, key)}\n".replace("None", "null")

    def _echo(self, *words: str) -> str:
        return " ".join(words) + "\n"

    def _cat(self, path: str) -> str:
        return self.phone.files.read(path).decode()

    def _ls(self, path: str) -> str:
        return "".join(f"{name}\n" for name in self.phone.files.listdir(path))

    def _mkdir(self, flag: str, *paths: str) -> str:
        assert flag == "-p"
        for path in paths:
            if not self.phone.files.exists(path):
                self.phone.files.make_directory(path)
        return ""

    def _rm(self, flag: str, *paths: str) -> str:
        assert flag == "-rf"
        for path in paths:
            if self.phone.files.exists(path):
                self.phone.files.remove(path, recursive=True)
        return ""

    def _content(self, verb: str, *arguments: str) -> str:
        options = list(zip(arguments[::2], arguments[1::2], strict=True))
        uri = dict(options)["--uri"]
        values: ContentRow = {}
        for name, kind, value in (text.split(":", 2) for option, text in options if option == "--bind"):
            values[name] = int(value) if kind == "i" else value
        matches = _condition(dict(options).get("--where", ""))
        content = self.phone.content
        if verb == "insert":
            content.insert(uri, values)
        elif verb == "update":
            content.update(uri, values, matches)
        elif verb == "delete":
            content.delete(uri, matches)
        else:
            found = [row for row in content.query(uri) if matches(row)]
            return _printed(found)
        return ""


def _printed(rows: list[ContentRow]) -> str:
    lines = [
        f"Row: {number} " + ", ".join(f"{k}={'NULL' if v is None else v}" for k, v in row.items())
        for number, row in enumerate(rows)
    ]
    return "".join(f"{line}\n" for line in lines) or "No result found.\n"


def _condition(where: str) -> Callable[[ContentRow], bool]:
    parts = re.findall(r"(\w+)=(?:'([^']*)'|(-?\d+))", where)
    return lambda row: all(str(row[name]) == (text or number) for name, text, number in parts)


class Idle:
    """Ends every episode at once."""

    name, version = "idle", 0

    def act(self, contexts: list[Context]) -> list[Decision]:
        return [Decision(Finish(), "") for _ in contexts]


@pytest.fixture
def prove() -> Callable[[Template], None]:
    """Play two instances of a template in two noisy worlds: the expert succeeds, doing nothing does not."""

    def run(template: Template) -> None:
        suite = Suite("under test", [template])
        tasks = suite.tasks()
        assert len(tasks) >= 6
        for seed, task in (
            (1, tasks[0]),
            (2, tasks[0]),
            (3, tasks[len(tasks) // 2 + 1]),
            (4, tasks[len(tasks) // 2 + 1]),
        ):
            phone = InProcessPhone(VirtualPhone(seed=seed, noise=NOISE))
            env = AndroidEnv(phone, suite, EnvSettings(with_tree=True))
            played = run_episode(env, ScriptedExpert(suite), task, seed)
            actions = [step.decision.action for step in played.steps]
            assert played.fault is None, (task.id, played.fault, actions)
            assert played.outcome is True, (task.id, seed, played.end, actions)
            assert isinstance(actions[-1], Finish), (task.id, seed, "the expert did not notice that it was done")
            assert run_episode(env, Idle(), task, seed).outcome is False, (task.id, "was done before it began")

    return run
