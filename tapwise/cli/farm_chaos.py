"""A farm under faults: what was lost, what was counted wrongly, what stayed behind, and how long recovery took.

Virtual phones, each a process of its own, are played by a scripted expert over ADB. Faults of all kinds are armed so
that about `rate` of the steps meet one, drawn from seeds; how many happened is counted by the phones. An episode that a
fault ends is recorded as aborted and tried again on another device. A promise is broken when a finished step is missing
from the store, an aborted episode has an outcome, a job is done twice or not at all, a process or a port stays behind,
or a device is neither healthy nor quarantined or dead with a reason.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from tapwise.android_env.env import EnvSettings
from tapwise.android_env.expert import ScriptedExpert
from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.farm_status import FarmLimits, State
from tapwise.emulators.processes import ProcessRegistry
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.records import End, Trajectory
from tapwise.training.collect import Collector, CollectorSettings, Job

FAULTS = (
    "offline:mode=drop,on=input",
    "hang:on=input",
    "hang:mode=stall,on=screencap,bytes=1000",
    "hang:mode=deaf,on=input",
    "closed:on=screencap",
    "crash:on=input",
    "slow:delay=0.3",
    "unauthorized:seconds=2",
    "boot:seconds=3",
    "screenshot:mode=truncated",
    "screenshot:mode=white",
    "screenshot:mode=prefixed",
    "screenshot:mode=empty",
    "screenshot:mode=black",
    "screenshot:mode=stale",
    "tree:mode=busy",
    "tree:mode=null",
    "tree:mode=stale",
    "anr",
    "lost_input",
    "snapshot:on=load",
    "snapshot:mode=wrong,on=load",
    "full_disk:on=tapwise",
)
"""about one look a step each, so that all together happen at the rate that is asked for"""
LIMITS = FarmLimits(
    boot_timeout_s=60,
    boots_at_once=2,
    probe_every_s=1.0,
    probe_timeout_s=1.5,
    watch_every_s=0.05,
    first_retry_s=0.05,
    restarts=10_000,
)
PROFILES = {"gentle": 0.01, "nasty": 0.05, "hostile": 0.2}
"""faults a step"""
COMMAND_TIMEOUT_S = 2.0
ATTEMPTS = 50
MOST_GROWTH_MIB = 100
"""over the second half; in the first one stores, threads and libraries take what they need"""
AT_ONCE = 8
"""episodes a device between two looks at the whole"""
WELL = (State.READY, State.LEASED)


class Watch:
    """Looks at a farm's devices: how long each is away, and for which cause; and at this process's memory."""

    def __init__(self, farm: Farm) -> None:
        self._farm = farm
        self._stop = threading.Event()
        self._gone: dict[int, tuple[float, Counter[str], int]] = {}
        self.times: dict[str, list[float]] = {}
        self.memory_mib: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within this block."""
        self._thread.start()
        try:
            yield
        finally:
            self._stop.set()
            self._thread.join()

    def _run(self) -> None:
        known = {number: (Counter(s.restarts), s.renewals) for number, s in enumerate(self._farm.status())}
        while not self._stop.wait(0.02):
            self.memory_mib.append(resident_mib())
            for number, status in enumerate(self._farm.status()):
                if status.state not in WELL and number not in self._gone:
                    self._gone[number] = (time.monotonic(), *known[number])
                elif status.state in WELL and number in self._gone:
                    since, restarts, renewals = self._gone.pop(number)
                    new = Counter(status.restarts) - restarts
                    cause = ", ".join(sorted(new)) or ("connection renewed" if status.renewals > renewals else "other")
                    self.times.setdefault(cause, []).append(time.monotonic() - since)
                if status.state in WELL:
                    known[number] = (Counter(status.restarts), status.renewals)


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def tenths(values: Sequence[float]) -> list[float]:
    """The median of each tenth of a series, in its order; fewer where there are fewer values."""
    size = max(1, len(values) // 10)
    return [round(statistics.median(values[first : first + size]), 1) for first in range(0, len(values), size)][:10]


def is_open(address: str) -> bool:
    """Whether somebody still listens."""
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex((host, int(port))) == 0


def run(devices: int, episodes: int, rate: float, seed: int, folder: Path) -> dict[str, Any]:
    """Play, and look at what is left."""
    suite = load_suite("general")
    tasks = suite.sample(np.random.default_rng(seed), "train", episodes)
    jobs = [Job(f"job-{number}", task, seed + number) for number, task in enumerate(tasks)]
    faults = [
        FaultSpec.parse(f"{text}{',' if ':' in text else ':'}probability={rate / len(FAULTS)}") for text in FAULTS
    ]
    registry = ProcessRegistry(folder / "processes")
    backend = VirtualBackend(
        seed=seed, registry=registry, faults=faults, fault_log=folder / "faults", timeout_s=COMMAND_TIMEOUT_S
    )
    seen: list[Played] = []
    serials: set[str] = set()
    started = time.monotonic()
    with ParquetTrajectoryStore(folder / "store") as store, Farm(backend, devices, LIMITS) as farm:
        farm.wait_ready(120)
        watch = Watch(farm)
        settings = CollectorSettings(EnvSettings(), ATTEMPTS, schedule="free")
        with watch.watching(), Collector(farm, devices, suite, store, settings) as collector:
            for first in range(0, len(jobs), AT_ONCE * devices):  # so that no more than these are in memory
                batch = jobs[first : first + AT_ONCE * devices]
                collector.collect(ScriptedExpert(suite), batch, lambda one: seen.append(Played.of(one)), with_tree=True)
        wait_until_settled(farm)
        wall_s = time.monotonic() - started
        states = farm.status()
        serials |= {status.serial for status in states}
        counted = compare(store, seen, jobs)
    happened = Counter(
        f"{firing['kind']} {firing['mode']}"
        for firing in map(json.loads, (folder / "faults").read_text(encoding="utf-8").splitlines())
    )
    left = [path.stem for path in (folder / "processes").glob("*.json")]
    open_ports = [serial for serial in serials if ":" in serial and is_open(serial)]
    unwell = [str(s) for s in states if s.state not in WELL and not s.last_error]
    return {
        **counted,
        "devices": devices,
        "armed_rate": rate,
        "faults_happened": dict(sorted(happened.items())),
        "faults_a_step": round(sum(happened.values()) / max(1, counted["steps"]), 4),
        "states": dict(Counter(str(status.state) for status in states)),
        "unwell_without_reason": unwell,
        "restarts": dict(sum((Counter(status.restarts) for status in states), Counter())),
        "renewals": sum(status.renewals for status in states),
        "recovery_s": {
            cause: {"count": len(t), "median": round(statistics.median(t), 2), "longest": round(max(t), 2)}
            for cause, t in sorted(watch.times.items())
        },
        "processes_left": left,
        "ports_left": open_ports,
        "memory_mib": tenths(watch.memory_mib),
        "wall_s": round(wall_s, 1),
        "episodes_per_hour": round(3600 * counted["episodes"] / wall_s),
    }


def wait_until_settled(farm: Farm) -> None:
    """Until no device is on its way any more, for a while at most."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and any(s.state in (State.BOOTING, State.SICK) for s in farm.status()):
        time.sleep(0.05)


@dataclass(frozen=True, slots=True)
class Played:
    """What is remembered of an episode."""

    id: str
    steps: int
    end: End
    outcome: bool | None
    fault: str

    @classmethod
    def of(cls, trajectory: Trajectory) -> Played:
        """Without its pictures."""
        fault = trajectory.fault.type if trajectory.fault else "?"
        return cls(trajectory.id, len(trajectory.steps), trajectory.end, trajectory.outcome, fault)


def compare(store: ParquetTrajectoryStore, seen: Sequence[Played], jobs: Sequence[Job]) -> dict[str, Any]:
    """What the store holds against what happened."""
    lost = sum(max(0, one.steps - store.summary(one.id).steps) for one in seen)
    aborted = [one for one in seen if one.end is End.ABORTED]
    done = [one for one in seen if one.end is not End.ABORTED]
    finished = Counter(one.id.partition("+")[0] for one in done)
    return {
        "episodes": len(done),
        "steps": sum(one.steps for one in seen),
        "aborted": len(aborted),
        "aborted_by": dict(Counter(one.fault for one in aborted)),
        "steps_lost": lost,
        "aborted_with_outcome": sum(one.outcome is not None for one in aborted),
        "jobs_not_done": len(jobs) - len(finished),
        "jobs_done_twice": sum(count > 1 for count in finished.values()),
        "expert_failed": sum(one.outcome is not True for one in done),
    }


def broken(result: dict[str, Any]) -> list[str]:
    """Which promises are broken."""
    never = ("steps_lost", "aborted_with_outcome", "jobs_not_done", "jobs_done_twice")
    empty = ("processes_left", "ports_left", "unwell_without_reason")
    found = [name for name in (*never, *empty) if result[name]]
    memory = result["memory_mib"]
    grown = memory[-1] - memory[len(memory) // 2] if memory else 0.0
    return [*found, *(["memory_mib"] if grown > MOST_GROWTH_MIB else [])]


def show(result: dict[str, Any]) -> None:
    """Print what happened and the table of recoveries."""
    console = Console()
    plain = {name: value for name, value in result.items() if not isinstance(value, dict)}
    console.print(", ".join(f"{name} {value}" for name, value in plain.items()), markup=False)
    table = Table("recovery from", "times", "median s", "longest s")
    for cause, row in result["recovery_s"].items():
        table.add_row(cause, *(str(row[name]) for name in ("count", "median", "longest")))
    console.print(table)
    console.print(f"broken: {', '.join(result['broken']) or 'nothing'}")


def main(options: argparse.Namespace) -> int:
    """Run, print, and give 1 when a promise is broken."""
    rate = PROFILES[options.profile] if options.rate is None else options.rate
    with tempfile.TemporaryDirectory() as folder:
        result = run(options.devices, options.episodes, rate, options.seed, Path(folder))
    result["broken"] = broken(result)
    if options.out:
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps(result)) if options.json else show(result)
    return 1 if result["broken"] else 0
