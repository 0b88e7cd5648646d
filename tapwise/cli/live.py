"""Watching a run: a table that redraws itself on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tapwise.cli.plan import Estimate, PlannedUnit, duration
from tapwise.records import End, Trajectory

if TYPE_CHECKING:
    from tapwise.emulators.farm_status import DeviceStatus

REDRAWS_PER_SECOND = 4
MAX_DEVICE_ROWS = 8
MAX_METRICS = 4
MAX_WARNINGS = 2
STATE_STYLES = {"ready": "green", "leased": "cyan", "booting": "yellow", "sick": "yellow"}


class Watcher:
    """Keeps what is known of a run; a `tapwise.training.runs.units.Observer`. Callable from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self.estimate = Estimate([])
        self.number = 0
        self.unit_started_s = clock()
        self.episodes_done = 0
        self.played: Counter[str] = Counter()
        self.succeeded: Counter[str] = Counter()
        self.aborted = 0
        self.last_fault = ""
        self.latest: dict[str, float] = {}
        self.warnings: list[str] = []
        self.status: Callable[[], list[DeviceStatus]] = list

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish()

    def plan(self, estimate: Estimate) -> None:
        """What lies ahead, told before the run begins."""
        self.estimate = estimate

    def unit(self, name: str, number: int, total: int) -> None:
        """A unit begins; the one before it has ended."""
        with self._guard:
            now = self._clock()
            if len(self.estimate.units) != total:
                self.estimate = Estimate([PlannedUnit(name)] * total)
            if number > self.number:
                self.estimate.finished(self.current, now - self.unit_started_s)
            self.number, self.unit_started_s, self.episodes_done = number, now, 0

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        """An episode has ended."""
        with self._guard:
            if trajectory.end is End.ABORTED:
                self.aborted += 1
                self.last_fault = trajectory.fault.message if trajectory.fault is not None else ""
                return
            self.episodes_done += 1
            self.played[phase] += 1
            self.succeeded[phase] += bool(trajectory.success)

    def metrics(self, values: dict[str, float]) -> None:
        """Something was measured."""
        with self._guard:
            for name, value in values.items():
                self.latest.pop(name, None)
                self.latest[name] = value

    def warning(self, text: str) -> None:
        """Something looks wrong."""
        with self._guard:
            self.warnings.append(text)

    def devices(self, status: Callable[[], list[DeviceStatus]]) -> None:
        """The farm is up."""
        self.status = status

    def finish(self) -> None:
        """Nothing more will be told."""

    @property
    def current(self) -> PlannedUnit:
        """The unit under way."""
        return self.estimate.units[self.number]

    def time_left(self) -> str:
        """What remains, in words; empty while nothing is known."""
        if not self.estimate.units:
            return ""
        left = self.estimate.remaining(self.number, self._clock() - self.unit_started_s, self.episodes_done)
        return "" if left is None else f"{duration(left)} left"

    def losses(self) -> list[tuple[str, float]]:
        """The newest losses and rates, newest last."""
        shown = [(name, value) for name, value in self.latest.items() if "loss" in name or name.endswith("success")]
        return shown[-MAX_METRICS:]


class LineWatcher(Watcher):
    """Tells of each unit in a line of its own on stderr."""

    def unit(self, name: str, number: int, total: int) -> None:
        """Print what came of the unit before, and that this one begins."""
        if number > self.number:
            self._tell_end()
        super().unit(name, number, total)
        left = self.time_left()
        self._print(f"[{number + 1}/{total}] {name}" + (f"  ({left})" if left else ""))

    def warning(self, text: str) -> None:
        """Print it at once."""
        super().warning(text)
        self._print(f"    warning: {text}")

    def finish(self) -> None:
        """Print what came of the last unit."""
        self._tell_end()

    def _tell_end(self) -> None:
        parts = [f"{name} {value:.3g}" for name, value in self.losses()]
        if self.episodes_done:
            parts.insert(0, f"{self.episodes_done} episodes")
        if self.aborted:
            parts.append(f"{self.aborted} aborted and tried again, the last for: {self.last_fault}")
        if parts:
            self._print("    " + "  ".join(parts))

    def _print(self, line: str) -> None:
        print(line, file=sys.stderr, flush=True)


class LiveWatcher(Watcher):
    """A table on the terminal, drawn at most four times a second, whatever happens how often."""

    def __init__(self, console: Console, title: str, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(clock)
        self._title = title
        self._live = Live(
            console=console, get_renderable=self.render, refresh_per_second=REDRAWS_PER_SECOND, vertical_overflow="crop"
        )

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def finish(self) -> None:
        """Leave the last picture standing."""
        self._live.stop()

    def render(self) -> RenderableType:
        """The picture of this moment; fits into 80 columns and 24 lines."""
        with self._guard:
            blocks: list[RenderableType] = [self._heading(), Text()]
            status = self.status()
            if status:
                blocks += [_device_table(status), Text()]
            if self.played:
                blocks += [self._episode_table(), Text()]
            losses = "   ".join(f"{name} {value:.3g}" for name, value in self.losses())
            if losses:
                blocks.append(Text(losses, style="dim", no_wrap=True, overflow="ellipsis"))
            blocks += [Text(f"warning: {text}", style="yellow") for text in self.warnings[-MAX_WARNINGS:]]
        return Group(*blocks)

    def _heading(self) -> RenderableType:
        if not self.estimate.units:
            return Text(f"{self._title}: loading the model and starting phones ...", style="bold")
        total = len(self.estimate.units)
        unit = self.current
        count = f"  {self.episodes_done}/{unit.episodes} episodes" if unit.episodes else ""
        part = self.episodes_done / unit.episodes if unit.episodes else 0.0
        table = Table.grid(expand=True, padding=(0, 1))
        table.add_column(no_wrap=True, overflow="ellipsis", ratio=1)
        table.add_column(no_wrap=True, justify="right")
        name = Text.assemble((self._title, "bold"), "  ", (unit.name, "cyan"), count)
        table.add_row(name, Text(f"{self.number + 1}/{total}  {self.time_left()}", style="dim"))
        return Group(table, ProgressBar(total=total, completed=self.number + min(1.0, part)))

    def _episode_table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column("episodes", style="dim", no_wrap=True)
        table.add_column("played", justify="right")
        table.add_column("success", justify="right")
        for phase, played in list(self.played.items())[-6:]:
            table.add_row(phase, str(played), f"{self.succeeded[phase] / played:.1%}")
        if self.aborted:
            table.add_row("aborted, tried again", str(self.aborted), "")
        return table


def make_watcher(title: str, *, plain: bool) -> Watcher:
    """A live table where stdout is a terminal and `plain` is not wanted, else plain lines."""
    console = Console()
    return LineWatcher() if plain or not console.is_terminal else LiveWatcher(console, title)


def _device_table(status: Sequence[DeviceStatus]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
    table.add_column("device", no_wrap=True, style="dim", max_width=22)
    table.add_column("state", no_wrap=True)
    table.add_column("restarts", justify="right", no_wrap=True)
    table.add_column("task", no_wrap=True, overflow="ellipsis", ratio=1)
    for device in status[:MAX_DEVICE_ROWS]:
        state = Text(str(device.state), style=STATE_STYLES.get(str(device.state), "red"))
        table.add_row(device.serial, state, str(sum(device.restarts.values())), device.task or device.last_error)
    if len(status) > MAX_DEVICE_ROWS:
        table.add_row(f"and {len(status) - MAX_DEVICE_ROWS} more", "", "", "")
    return table
