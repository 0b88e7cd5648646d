"""What a virtual phone costs: steps per second in this process and over ADB, start, reset, snapshots, memory.

    python benchmarks/phone.py [--seconds 5] [--out FILE] [--json]

A step is a touch that changes the picture, and the new picture as an RGB array of its own. In process, one thread has
one phone. Over ADB, the phone is a process of its own and is reached by a direct socket with raw frames: tap, then
screenshot. "plain" draws every picture whole, as a check on what drawing only the differences gives: both are measured
in turns in one run. Rates are of wall time; "processor" is that of this process's own time, which other work on the
machine does not count in.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

import tapwise
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.virtual.phone import LAUNCHER, VirtualPhone
from tapwise.emulators.virtual.ui.raster import Painter
from tapwise.protocols import Device

HERE = Path(__file__).parent
AIMS = {
    "in_process_steps_per_s": (">=", 400.0),
    "adb_steps_per_s": (">=", 100.0),
    "start_ms": ("<=", 50.0),
    "reset_ms": ("<=", 5.0),
    "memory_mib_per_phone": ("<=", 12.0),
    "phones_in_one_process": (">=", 64.0),
}
"""what each figure is expected to be"""
MANY = 64
TURNS = 5


class WholePainter(Painter):
    """Draws every picture from nothing."""

    def show(self, marks: Any, width: int, height: int) -> Any:
        self._marks = ()
        return super().show(marks, width, height)


def walk(phone: VirtualPhone) -> Iterator[None]:
    """An endless way through the apps, every touch of which changes the picture."""
    packages = [package for package in phone.apps if package != LAUNCHER]
    while True:
        for package in packages:
            phone.open(package)
            for part in (0.3, 0.42, 0.54, 0.66):
                before = phone.frame_counter()
                phone.tap(phone.size.width * 0.4, phone.size.height * part)
                if phone.frame_counter() != before:
                    yield
                phone.key_event("KEYCODE_BACK")
                if phone.state.foreground != package:
                    phone.open(package)
                yield
            phone.go_home()
            yield


def steps_in_process(phones: list[VirtualPhone], seconds: float) -> tuple[float, float]:
    """Steps per second by the clock and by the processor, the phones taking turns."""
    walks = [walk(phone) for phone in phones]
    count, wall, own = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - wall < seconds:
        for phone, way in zip(phones, walks, strict=True):
            next(way)
            picture = np.array(phone.frame())
            assert picture.shape == (phone.size.height, phone.size.width, 3)
            count += 1
    return count / (time.perf_counter() - wall), count / (time.process_time() - own)


def in_process(seconds: float) -> dict[str, float]:
    """Rates with and without drawing only what differs, in turns."""
    rates: dict[str, list[tuple[float, float]]] = {"ours": [], "plain": []}
    for _ in range(TURNS):
        for way, found in rates.items():
            phone = VirtualPhone()
            if way == "plain":
                phone._screen._painter = WholePainter()
            found.append(steps_in_process([phone], seconds / TURNS))
    wall, own = [statistics.median(pair[kind] for pair in rates["ours"]) for kind in (0, 1)]
    plain = statistics.median(pair[1] for pair in rates["plain"])
    return {
        "in_process_steps_per_s": wall,
        "in_process_steps_per_processor_s": own,
        "ratio_to_drawing_whole": own / plain,
    }


def over_adb(seconds: float) -> dict[str, float]:
    """A phone in a process of its own, a tap and a raw frame a step."""
    with Farm(VirtualBackend(), 1) as farm:
        farm.wait_ready(120)
        with farm.lease(60) as device:
            times = list(adb_steps(device, seconds))
    return {"adb_steps_per_s": len(times) / sum(times), "adb_step_ms_median": 1e3 * statistics.median(times)}


def adb_steps(device: Device, seconds: float) -> Iterator[float]:
    """The seconds of each step."""
    size, number = device.size(), 0
    until = time.perf_counter() + seconds
    while (started := time.perf_counter()) < until:
        if number % 6 == 5:
            device.press("KEYCODE_HOME")
        else:
            device.tap(size.width * 2 // 5, size.height * (3 + number % 6) // 10)
        assert device.screenshot().shape == (size.height, size.width, 3)
        number += 1
        yield time.perf_counter() - started


def milliseconds(work: Callable[[], object], times: int = 100) -> float:
    """The median of a call."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        work()
        found.append(time.perf_counter() - started)
    return 1e3 * statistics.median(found)


def single_costs() -> dict[str, float]:
    """A further phone, a reset by snapshot with the first picture after it, and what states cost."""
    phone = VirtualPhone(seed=1)
    phone.frame()
    phone.save_snapshot("base")
    base = phone.snapshot()
    way = walk(phone)

    def start() -> None:
        VirtualPhone(seed=2).frame()

    def reset() -> None:
        phone.load_snapshot("base")
        phone.set_property("debug.tapwise.seed", "3")
        phone.frame()

    next(way)
    return {
        "start_ms": milliseconds(start, 30),
        "reset_ms": milliseconds(reset),
        "snapshot_ms": milliseconds(phone.snapshot),
        "restore_ms": milliseconds(lambda: phone.restore(base)),
        "fork_ms": milliseconds(phone.fork),
        "hash_ms": milliseconds(phone.state_hash),
        "diff_ms": milliseconds(lambda: phone.changes_since(base)),
    }


def resident_mib() -> float:
    """Memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def many(seconds: float) -> dict[str, float]:
    """`MANY` phones in this process, each used: memory of a further one, and steps of all together."""
    first = VirtualPhone()
    steps_in_process([first], 1.0)
    gc.collect()
    before = resident_mib()
    phones = [VirtualPhone(seed=number) for number in range(MANY)]
    wall, own = steps_in_process(phones, seconds)
    gc.collect()
    return {
        "phones_in_one_process": float(len(phones)),
        "memory_mib_per_phone": (resident_mib() - before) / len(phones),
        "many_steps_per_s": wall,
        "many_steps_per_processor_s": own,
    }


def measure(seconds: float) -> dict[str, Any]:
    """Everything, with what it was measured on."""
    figures = {**in_process(seconds), **over_adb(seconds), **single_costs(), **many(seconds)}
    figures = {name: round(value, 3) for name, value in figures.items()}
    return {
        "figures": figures,
        "aims": {name: f"{sign} {aim:g}" for name, (sign, aim) in AIMS.items()},
        "missed": [name for name in AIMS if not reached(name, figures[name])],
        "size": "540x1200",
        "tapwise": tapwise.__version__,
        "python": platform.python_version(),
        "processors": os.cpu_count(),
        "load_average": os.getloadavg()[0],
    }


def reached(name: str, value: float) -> bool:
    """Whether a figure is what is expected of it."""
    sign, aim = AIMS[name]
    return value >= aim if sign == ">=" else value <= aim


def show(result: dict[str, Any]) -> None:
    """Print the figures beside what is expected."""
    table = Table("figure", "measured", "expected")
    for name, value in result["figures"].items():
        missed = name in result["missed"]
        table.add_row(name, f"{value:g}" + (" (missed)" if missed else ""), result["aims"].get(name, ""))
    Console().print(table)


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; status 1 when a figure is not what is expected."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each rate is measured (5)")
    parser.add_argument("--out", type=Path, help="JSON file for the result")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args(arguments)
    result = measure(options.seconds)
    if options.out:
        options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps(result)) if options.json else show(result)
    return 1 if result["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
