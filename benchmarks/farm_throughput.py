"""Episodes an hour of a farm: peers' ways of collecting against ours, on the same devices.

    python benchmarks/farm_throughput.py [--devices 8 32 64] [--crashes 0 0.002 0.01] [--out FILE]

Devices are in-process virtual phones whose actions and resets take as long as those of emulators, at a tenth of the
time: log-normal, a median step of 2 s and a standard deviation of the logarithm of 1.0, a reset of 3 s, a boot of 30 s,
one call of the policy of 0.5 s for any number of screens. After an action a device is gone with the probability given.
Episodes are of 4 to 16 steps. Every way uses the same farm, environment and episodes:

- "redo": every step waits for the slowest device, every batch for its longest episode, and a device that is lost
  throws the batch away (DigiRL's way);
- "masked": every step and batch wait as before, but a lost device costs its own episode only;
- "in turns" and "free": `tapwise.training.collect.Collector` with that schedule.

A peer's way that has not finished within the limit is measured by the episodes that it had finished.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tapwise.android_env.env import AndroidEnv, EnvSettings
from tapwise.android_env.episode import EpisodeRunner
from tapwise.android_env.suites import load_suite
from tapwise.android_env.tasks import Suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessDevice, InProcessPhone
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import DeviceError, DeviceLost
from tapwise.records import Context, Decision, End, Finish, Point, Provenance, Size, Tap, Task, Trajectory
from tapwise.training.collect import Collector, CollectorSettings, Job, Schedule
from tapwise.training.manifest import git_commit

TIME_SCALE = 0.1
STEP_MEDIAN_S, STEP_SIGMA = 2.0, 1.0
RESET_S, BOOT_S, POLICY_S = 3.0, 30.0, 0.5
SIZE = Size(600, 270)
LENGTHS = range(4, 17)
WAYS = ("redo", "masked", "in_turns", "free")
ROUNDS = 3
LIMITS = FarmLimits(boots_at_once=64, watch_every_s=0.05, restarts=100_000, first_retry_s=0.05)


class EmulatorPaced(InProcessDevice):
    """A virtual phone with an emulator's latencies and crashes."""

    def __init__(self, phone: VirtualPhone, serial: str, seed: int, crash: float) -> None:
        super().__init__(phone, serial)
        self._random = random.Random(seed)
        self._crash = crash

    def tap(self, x: int, y: int) -> None:
        """Slow, and sometimes the last thing that it does."""
        time.sleep(TIME_SCALE * STEP_MEDIAN_S * self._random.lognormvariate(0.0, STEP_SIGMA))
        if self._random.random() < self._crash:
            self.close()
            raise DeviceLost(f"phone {self.serial} crashed")
        super().tap(x, y)

    def load_snapshot(self, name: str) -> None:
        """Slow."""
        time.sleep(TIME_SCALE * RESET_S)
        super().load_snapshot(name)


class EmulatorPacedBackend:
    """Such phones, which also take their time to boot."""

    name = "paced"

    def __init__(self, crash: float) -> None:
        self.charged = False
        self._crash = crash
        self._boots = 0
        self._lock = threading.Lock()

    def boot(self, index: int, timeout_s: float) -> InProcessPhone:
        """Make a phone; at once before the measurement begins, since every way needs its first boots."""
        with self._lock:
            self._boots += 1
            number = self._boots
        phone = VirtualPhone(size=SIZE, seed=index)
        if self.charged:
            time.sleep(TIME_SCALE * BOOT_S)
        return InProcessPhone(EmulatorPaced(phone, f"paced-{index}", 1000 * index + number, self._crash))


class Walker:
    """Taps somewhere until the episode has the length that its task's name gives it; then says that it is done."""

    name, version = "walker", 0

    def act(self, contexts: Sequence[Context]) -> list[Decision]:
        """As slow as one batched call of a model."""
        time.sleep(TIME_SCALE * POLICY_S)
        return [self._decide(context) for context in contexts]

    def _decide(self, context: Context) -> Decision:
        chosen = random.Random(f"{context.task.id}/{len(context.history)}")
        if len(context.history) >= length(context.task):
            return Decision(Finish(), "finish")
        return Decision(Tap(Point(chosen.random(), chosen.uniform(0.3, 0.6))), "tap")


def length(task: Task) -> int:
    """How many actions the walker takes."""
    return random.Random(task.id).choice(LENGTHS)


class Lockstep:
    """Batches of one episode a device, all of them at the same step; `redo` throws away a batch with a fault."""

    def __init__(self, farm: Farm, devices: int, suite: Suite, redo: bool) -> None:
        self._farm, self._devices, self._suite, self._redo = farm, devices, suite, redo
        self._policy = Walker()

    def collect(self, jobs: Sequence[Job], on_batch: Callable[[int], None], deadline: float) -> None:
        """Run the jobs; `on_batch` is told how many more are done whenever a batch is."""
        waiting = list(jobs)
        with ThreadPoolExecutor(self._devices) as threads:
            while waiting and time.monotonic() < deadline:
                batch, waiting = waiting[: self._devices], waiting[self._devices :]
                done = self._batch(batch, threads, deadline)
                if self._redo and len(done) < len(batch):
                    waiting = batch + waiting
                    continue
                waiting = [job for job in batch if job.id not in done] + waiting
                on_batch(len(done))

    def _batch(self, batch: Sequence[Job], threads: ThreadPoolExecutor, deadline: float) -> set[str]:
        with ExitStack() as leases:
            runners = []
            for job in batch:
                device = leases.enter_context(self._farm.lease(120.0, job.task.id))
                env = AndroidEnv(device, self._suite, EnvSettings())
                runners.append((device, EpisodeRunner(env, job.task, job.seed, Provenance("walker"))))
            list(threads.map(lambda pair: pair[1].start(), runners))
            while active := [runner for _, runner in runners if not runner.over]:
                decisions = self._policy.act([runner.context for runner in active])
                list(threads.map(lambda pair: pair[0].advance(pair[1]), zip(active, decisions, strict=True)))
                failed = any(runner.error for _, runner in runners)
                if (failed and self._redo) or time.monotonic() > deadline:
                    break
            for device, runner in runners:
                if isinstance(runner.error, DeviceError):
                    self._farm.report(device, runner.error)
        return {
            job.id
            for job, (_, runner) in zip(batch, runners, strict=True)
            if runner.over and runner.trajectory.end is not End.ABORTED
        }


def measure(way: str, devices: int, crash: float, limit_s: float) -> dict[str, Any]:
    """Episodes an hour of one way."""
    suite = load_suite("general")
    tasks = suite.sample(np.random.default_rng(0), "train", devices * ROUNDS)
    jobs = [Job(f"job-{n}", replace(task, max_steps=max(LENGTHS) + 2), n) for n, task in enumerate(tasks)]
    backend = EmulatorPacedBackend(crash)
    done: list[float] = []
    with tempfile.TemporaryDirectory() as folder, Farm(backend, devices, LIMITS) as farm:
        farm.wait_ready(60)
        backend.charged = True
        started, cpu = time.monotonic(), time.process_time()

        def see(count: int) -> None:
            done.extend([time.monotonic() - started] * count)

        if way in ("redo", "masked"):
            Lockstep(farm, devices, suite, redo=way == "redo").collect(jobs, see, started + limit_s)
        else:
            ours(way, farm, devices, suite, jobs, see, Path(folder))  # type: ignore[arg-type]
        cpu_share = (time.process_time() - cpu) / (time.monotonic() - started)
    elapsed = done[-1] if len(done) == len(jobs) else limit_s
    return {
        "way": way,
        "devices": devices,
        "crash": crash,
        "episodes": len(done),
        "of": len(jobs),
        "seconds": round(elapsed, 1),
        "episodes_per_hour": round(3600 * len(done) / elapsed),
        "processors_busy": round(cpu_share, 2),
    }


def ours(
    schedule: Schedule,
    farm: Farm,
    devices: int,
    suite: Suite,
    jobs: Sequence[Job],
    see: Callable[[int], None],
    folder: Path,
) -> None:
    """With the collector, its store included."""

    def on_episode(trajectory: Trajectory) -> None:
        if trajectory.end is not End.ABORTED:
            see(1)

    settings = CollectorSettings(EnvSettings(), attempts=100, schedule=schedule)
    with (
        ParquetTrajectoryStore(folder / "store") as store,
        Collector(farm, devices, suite, store, settings) as collector,
    ):
        collector.collect(Walker(), jobs, on_episode)


def show(rows: Sequence[dict[str, Any]]) -> None:
    """A row for each number of devices and crash rate."""
    table = Table("devices", "crashes a step", *(f"{way}, episodes/h" for way in WAYS), "free over masked")
    cells = {(row["devices"], row["crash"], row["way"]): row for row in rows}
    for devices, crash in dict.fromkeys((row["devices"], row["crash"]) for row in rows):
        found = [cells.get((devices, crash, way)) for way in WAYS]
        rates = [row["episodes_per_hour"] if row else None for row in found]
        ratio = f"{rates[3] / rates[1]:.1f}x" if rates[3] and rates[1] else "-"
        table.add_row(str(devices), f"{crash:.1%}", *("-" if rate is None else f"{rate:,}" for rate in rates), ratio)
    Console().print(table)


def main(arguments: list[str] | None = None) -> int:
    """Measure every combination."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--devices", type=int, nargs="+", default=[8, 32, 64], help="numbers of devices (8 32 64)")
    parser.add_argument("--crashes", type=float, nargs="+", default=[0.0, 0.002, 0.01], help="crashes a step")
    parser.add_argument("--ways", nargs="+", default=list(WAYS), choices=WAYS, help="which to measure (all)")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds that a peer's way may take (60)")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    rows: list[dict[str, Any]] = []
    for devices in options.devices:
        for crash in options.crashes:
            for way in options.ways:
                rows.append(measure(way, devices, crash, options.limit))
                print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    result = {
        "rows": rows,
        "time_scale": TIME_SCALE,
        "step_s": {"median": STEP_MEDIAN_S, "sigma": STEP_SIGMA},
        "reset_s": RESET_S,
        "boot_s": BOOT_S,
        "policy_s": POLICY_S,
        "commit": git_commit(),
        "processors": os.cpu_count(),
    }
    if options.out:
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps(result)) if options.json else show(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
