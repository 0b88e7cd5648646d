"""AndroidWorld's tasks on our launcher's emulator, through the real adb, with a stand-in for AndroidWorld's package."""

from __future__ import annotations

import importlib
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tapwise.agent.android_world_agent import make_agent
from tapwise.android_env import AndroidEnv, EnvSettings
from tapwise.android_env.android_world import AndroidWorldSuite, WorkerCommand
from tapwise.android_env.android_world.suite import Settings, console_port
from tapwise.android_env.episode import EpisodeRunner
from tapwise.cli import main
from tapwise.emulators.adb.binary import find_adb
from tapwise.emulators.backends.avd import AvdBackend, AvdSettings
from tapwise.emulators.processes import ProcessRegistry
from tapwise.emulators.virtual.emulator.program import install
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import EnvError, PolicyError
from tapwise.protocols import Device
from tapwise.records import (
    Action,
    Context,
    Decision,
    End,
    Finish,
    Key,
    OpenApp,
    Point,
    Press,
    Provenance,
    Size,
    Swipe,
    Tap,
    Task,
    Wait,
)

STAND_IN = Path(__file__).with_name("stand_in")
FIRST_PORT = 34654 + 40 * (os.getpid() % 200)


@pytest.fixture(scope="module")
def adb_server() -> Iterator[int]:
    """The port of an adb server of our own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    yield port
    subprocess.run([str(find_adb()), "-P", str(port), "kill-server"], check=False, timeout=30, capture_output=True)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, adb_server: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with an AVD, where nothing else is seen."""
    for name in [name for name in os.environ if name.startswith("ANDROID_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANDROID_ADB_SERVER_PORT", str(adb_server))
    folder = tmp_path / ".android/avd/small.avd"
    folder.mkdir(parents=True)
    (folder.parent / "small.ini").write_text(f"path={folder}\n")
    lines = {"hw.lcd.width": "270", "hw.lcd.height": "600", "hw.lcd.density": "105"}
    (folder / "config.ini").write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    return tmp_path


@pytest.fixture
def emulator(home: Path) -> Iterator[Device]:
    settings = AvdSettings("small", str(install(home / "bin")), first_port=FIRST_PORT)
    phone = AvdBackend(settings, registry=ProcessRegistry(home / "processes")).boot(0, 60)
    yield phone.device
    phone.shut_down()


def settings(path: Path = STAND_IN, **more: object) -> Settings:
    return Settings(WorkerCommand(sys.executable, str(path)), str(find_adb()), **more)  # type: ignore[arg-type]


@pytest.fixture
def suite() -> Iterator[AndroidWorldSuite]:
    found = AndroidWorldSuite(settings())
    yield found
    found.close()


@pytest.fixture
def env(suite: AndroidWorldSuite, emulator: Device) -> AndroidEnv:
    return AndroidEnv(emulator, suite, EnvSettings())


def task(suite: AndroidWorldSuite, name: str) -> Task:
    return suite.task(f"androidworld.{name}/0")


def test_instances_are_tasks_and_the_same_for_the_same_seed(suite: AndroidWorldSuite) -> None:
    assert [one.id for one in suite.tasks("test")] == [
        f"androidworld.{n}/0" for n in ("Breaks", "CountFiles", "TurnWifiOff")
    ]
    wifi = task(suite, "TurnWifiOff")
    assert (wifi.instruction, wifi.max_steps, wifi.app) == ("Turn wifi off.", 4, "settings")
    assert suite.tasks("train") == ()
    again, other = AndroidWorldSuite(settings(combinations=3)), AndroidWorldSuite(settings(combinations=3, seed=31))
    goals = [[one.instruction for one in found.tasks()] for found in (again, other)]
    assert goals[0][3] == task(suite, "CountFiles").instruction
    assert goals[0] != goals[1]
    chosen = AndroidWorldSuite(settings(names=("TurnWifiOff",)))
    assert [one.id for one in chosen.tasks()] == ["androidworld.TurnWifiOff/0"]


def test_the_tasks_own_check_decides_when_the_agent_has_said_that_it_is_done(
    env: AndroidEnv, suite: AndroidWorldSuite, emulator: Device
) -> None:
    wifi = task(suite, "TurnWifiOff")
    env.reset(wifi, 1)
    assert emulator.shell("settings get global wifi_on").strip() == "1"  # AndroidWorld's set-up
    assert env.step(Finish()).info["outcome"] is False
    env.reset(wifi, 2)
    emulator.shell("svc wifi disable")
    assert env.step(Finish()).info["outcome"] is True
    env.reset(wifi, 3)
    emulator.shell("svc wifi disable")
    steps = [env.step(Wait(0.0)) for _ in range(wifi.max_steps)]
    assert steps[-1].truncated
    assert steps[-1].info["outcome"] is False  # as AndroidWorld counts


def test_an_answer_is_given_to_the_task_and_what_it_put_there_is_taken_away(
    env: AndroidEnv, suite: AndroidWorldSuite, emulator: Device
) -> None:
    count = task(suite, "CountFiles")
    env.reset(count, 1)
    folder = count.instruction.split()[-1].rstrip("?")
    files = emulator.shell(f"ls /sdcard/{folder}").split()
    assert len(files) >= 2
    assert env.step(Finish(answer=str(len(files)))).info["outcome"] is True
    env.reset(count, 2)
    assert env.step(Finish(answer="7")).info["outcome"] is False
    env.reset(task(suite, "TurnWifiOff"), 3)
    assert emulator.shell(f"ls -d /sdcard/{folder} 2>/dev/null || true").strip() == ""


@pytest.mark.parametrize("dies", [False, True])
def test_a_check_that_breaks_aborts_the_episode_and_the_next_one_is_played(
    env: AndroidEnv, suite: AndroidWorldSuite, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    if dies:
        monkeypatch.setenv("STAND_IN_DIES", "1")
    runner = EpisodeRunner(env, task(suite, "Breaks"), 1, Provenance("fixed"))
    runner.start()
    runner.advance(Decision(Finish(), ""))
    played = runner.trajectory
    assert (played.end, played.outcome) == (End.ABORTED, None)
    assert played.fault is not None
    assert ("ended" if dies else "no such table: things") in played.fault.message
    env.reset(task(suite, "TurnWifiOff"), 2)
    assert env.step(Finish()).info["outcome"] is False


def test_without_the_package_the_fault_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvError, match="No module named 'android_world'"):
        AndroidWorldSuite(settings(tmp_path))
    with pytest.raises(EnvError, match="the Python that AndroidWorld is installed in"):
        AndroidWorldSuite(Settings(WorkerCommand(str(tmp_path / "python")), "adb"))


def test_only_emulators_have_a_console() -> None:
    assert [console_port(serial) for serial in ("emulator-5556", "127.0.0.1:5557")] == [5556, 5556]
    for serial in ("127.0.0.1:5556", "in-process-0", "HT7A1"):
        with pytest.raises(EnvError, match=r"farm\.backend avd"):
            console_port(serial)


def test_an_evaluation_says_what_was_measured_and_on_what(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = str(install(home / "bin"))
    arguments = ["eval", "--policy", "random", "--suite", "androidworld", "--out", str(home / "out"), "--json"]
    farm = ["--farm.backend=avd", "--farm.avd=small", f"--farm.emulator={program}", "--farm.devices=1"]
    world = [f"--android_world.path={STAND_IN}", '--android_world.tasks=["CountFiles", "TurnWifiOff"]']
    assert main([*arguments, *farm, *world]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (told["suite"], told["episodes"], told["not_played"]) == ("androidworld", 2, 0)
    manifest = json.loads((home / "out/manifest.json").read_text(encoding="utf-8"))
    assert manifest["protocol"]["success"].startswith("AndroidWorld's own check")
    assert "tapwise-emulator" in manifest["protocol"]["device"] or program in manifest["protocol"]["device"]
    assert manifest["protocol"]["step_limits"] == {"androidworld": [4, 4]}


@pytest.fixture
def android_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The stand-in, importable here, as AndroidWorld is in its own Python."""
    monkeypatch.syspath_prepend(str(STAND_IN))
    yield
    for name in [name for name in sys.modules if name.partition(".")[0] == "android_world"]:
        del sys.modules[name]


class Plays:
    """A policy that plays what it is given."""

    name, version = "plays", 0

    def __init__(self, *actions: Action) -> None:
        self._actions, self.seen = list(actions), [0]

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        self.seen.append(len(contexts[0].history))
        assert contexts[0].task.instruction == "Turn wifi off."
        assert contexts[0].observation.screenshot.size == Size(600, 270)
        return [Decision(self._actions.pop(0), "")]


def test_a_policy_of_ours_is_an_agent_of_androidworld(android_world: None, emulator: Device) -> None:
    launcher: Any = importlib.import_module("android_world.env.env_launcher")
    tasks: Any = importlib.import_module("android_world.tasks")
    port = console_port(emulator.serial)
    world = launcher.load_and_setup_env(port, adb_path=str(find_adb()), grpc_port=port + 3000)
    wifi = tasks.TurnWifiOff({})
    wifi.initialize_task(world)
    policy = Plays(OpenApp("settings"), *_way_to_wifi(), Finish(answer="done"))
    agent = make_agent(world, policy, transition_pause=0.0)
    agent.reset(go_home=True)
    results = []
    while not results or not results[-1].done:
        results.append(agent.step(wifi.goal))
    assert wifi.is_successful(world) == 1.0
    assert world.interaction_cache == "done"
    assert policy.seen[1:] == list(range(len(results)))  # each decision sees the steps before it
    agent.reset()
    world.close()


def _way_to_wifi() -> list[Action]:
    """Through the settings to the switch, as their screens lie on a phone of this size."""
    phone = VirtualPhone(size=Size(600, 270), density=105, seed=0)
    phone.open("com.android.settings")
    way = []
    for label in ("Network", "Wifi"):
        centre = next(node.centre for node in phone.tree().walk() if node.label == label)
        way.append(Tap(Point.from_pixels(*centre, phone.size)))
        phone.tap(*centre)
    return [way[0], Swipe(Point(0.5, 0.5), Point(0.5, 0.45)), Press(Key.RECENTS), Press(Key.BACK), way[1]]


def test_an_agent_needs_androidworld() -> None:
    with pytest.raises(PolicyError, match="in the Python that it is installed in"):
        make_agent(None, Plays())
