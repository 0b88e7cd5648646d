from __future__ import annotations

import io
from dataclasses import dataclass, field, replace

import pytest
from rich.console import Console

from tapwise.cli.live import LineWatcher, LiveWatcher
from tapwise.cli.plan import Estimate, PlannedUnit, duration
from tapwise.emulators.farm_status import DeviceStatus, State
from tapwise.records import End, Fault, Provenance, Task, Trajectory

TASK = Task("t-1", "Do it", "general", "clock", "clock.do", (), 10, "train")
EPISODE = Trajectory("e", TASK, (), End.FINISHED, Provenance("p"), outcome=True)
ABORTED = replace(EPISODE, end=End.ABORTED, outcome=None, fault=Fault("device", "DeviceLost", "the cable broke"))
UNITS = [
    PlannedUnit("demonstrations", 10),
    PlannedUnit("supervised"),
    *(PlannedUnit(f"online/{n}", 4) for n in range(4)),
    PlannedUnit("evaluate/online", 10),
]


@dataclass
class Clock:
    """A clock that stands until it is set."""

    now: float = 0.0
    status: list[DeviceStatus] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now


def _device(index: int) -> DeviceStatus:
    return DeviceStatus(f"127.0.0.1:{40000 + index}", State.LEASED, {"lost": 1}, {}, "Add an alarm " * 20, 3.0, "")


def test_picture_fits_a_small_terminal() -> None:
    clock = Clock()
    console = Console(width=80, height=24, file=io.StringIO(), force_terminal=True, color_system=None)
    watcher = LiveWatcher(console, "demo", clock)
    watcher.plan(Estimate(UNITS))
    for number, unit in enumerate(UNITS):
        watcher.unit(unit.name, number, len(UNITS))
        clock.now += 30
        watcher.episode(f"phase {number}", EPISODE)
    watcher.episode("online", ABORTED)
    watcher.metrics({f"part/{n}_loss": n / 7 for n in range(9)})
    watcher.devices(lambda: [_device(index) for index in range(30)])
    lines = console.render_lines(watcher.render(), console.options)
    assert len(lines) <= 24
    text = "\n".join("".join(segment.text for segment in line) for line in lines)
    assert "evaluate/online" in text
    assert "and 22 more" in text
    assert "100.0%" in text


def test_table_starts_and_ends_without_units() -> None:
    console = Console(width=80, height=24, file=io.StringIO(), force_terminal=True)
    with LiveWatcher(console, "demo"):
        pass
    assert isinstance(console.file, io.StringIO)
    assert "loading the model" in console.file.getvalue()


def test_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with LineWatcher(clock) as watcher:
        watcher.unit("supervised", 0, 2)
        watcher.metrics({"supervised/loss": 0.25, "supervised/samples": 9.0})
        clock.now = 60
        watcher.unit("evaluate/supervised", 1, 2)
        watcher.episode("evaluate/supervised", EPISODE)
        watcher.episode("evaluate/supervised", ABORTED)
    told = capsys.readouterr()
    assert told.out == ""
    assert "[1/2] supervised" in told.err
    assert "supervised/loss 0.25" in told.err
    assert "the cable broke" in told.err


def test_time_left_comes_from_units_of_the_same_kind() -> None:
    estimate = Estimate(UNITS)
    assert estimate.remaining(0, 5.0, 0) is None
    estimate.finished(UNITS[2], 40.0)
    # 40 s for each of the two later rounds, 10 more for this one, and 10 s an episode of the evaluation
    assert estimate.remaining(3, 30.0, 0) == pytest.approx(10 + 2 * 40 + 100)


def test_time_left_follows_the_episodes_of_the_unit() -> None:
    assert Estimate(UNITS[-1:]).remaining(0, 30.0, 5) == pytest.approx(30.0)


def test_resumed_run_knows_what_earlier_units_took() -> None:
    estimate = Estimate.resumed(UNITS, 4, {"demonstrations": 9.0, "supervised": 3.0, "online": 80.0})
    assert estimate.seconds["online"] == [40.0, 40.0]
    assert estimate.remaining(4, 0.0, 0) is not None


@pytest.mark.parametrize(
    ("seconds", "words"), [(12.4, "12 s"), (90, "2 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")]
)
def test_durations(seconds: float, words: str) -> None:
    assert duration(seconds) == words
