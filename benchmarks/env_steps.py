"""Steps per second of virtual phones: a step is a tap, which redraws the screen, and a screenshot.

    python benchmarks/env_steps.py [--seconds 3] [--phones 1 4 16] [--ways in-process direct binary] [--json]

One thread drives each phone. `rss_mib` is the resident memory of one phone's process; in-process phones share
this program's, so theirs is its growth per phone.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tapwise.emulators.adb.binary import find_adb
from tapwise.emulators.backends.base import Backend
from tapwise.emulators.backends.in_process import InProcessBackend
from tapwise.emulators.backends.virtual import VirtualBackend
from tapwise.emulators.farm import Farm
from tapwise.emulators.processes import ProcessRegistry, wait_until
from tapwise.protocols import Device
from tapwise.records import Size

WAYS = ("in-process", "direct", "binary")


@dataclass(frozen=True, slots=True)
class Result:
    """One row: steps per second of all phones together, median milliseconds of one step, boot seconds for all."""

    way: str
    phones: int
    steps_per_s: float
    median_step_ms: float
    boot_s: float
    rss_mib: float


def rss_mib(pid: int) -> float:
    """Resident memory of a process in MiB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def drive(device: Device, until_s: float, times_s: list[float]) -> None:
    """Tap here and there and look, until the clock says stop."""
    size = device.size()
    number = 0
    while (started := time.perf_counter()) < until_s:
        device.tap(size.width // 2, size.height * (3 + number % 12) // 20)
        device.screenshot()
        times_s.append(time.perf_counter() - started)
        number += 1
        if number % 20 == 0:
            device.press("KEYCODE_HOME")


@contextmanager
def adb_server(registry: ProcessRegistry) -> Iterator[int]:
    """An adb server of our own, on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    server = registry.start([str(find_adb()), "-P", str(port), "nodaemon", "server"])
    try:
        if not wait_until(lambda: _listens(port), 10):
            raise SystemExit(f"adb server did not start: {server.error_output()}")
        yield port
    finally:
        server.end()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def measure(way: str, backend: Backend, phones: int, seconds: float, folder: Path) -> Result:
    """Boot a farm, drive every phone at once, and end it."""
    before_mib, started = rss_mib(os.getpid()), time.perf_counter()
    with Farm(backend, phones) as farm:
        farm.wait_ready(300)
        boot_s = time.perf_counter() - started
        times_s: list[list[float]] = [[] for _ in range(phones)]
        gate = threading.Barrier(phones + 1)

        def work(mine: list[float]) -> None:
            with farm.lease(60) as device:
                device.screenshot()
                gate.wait(120)
                drive(device, time.perf_counter() + seconds, mine)

        threads = [threading.Thread(target=work, args=(mine,)) for mine in times_s]
        for thread in threads:
            thread.start()
        gate.wait(120)
        for thread in threads:
            thread.join()
        programs = [int(path.stem) for path in folder.glob("*.json")]
        phone_mib = (rss_mib(os.getpid()) - before_mib) / phones if way == "in-process" else max(map(rss_mib, programs))
    every_s = sorted(step for mine in times_s for step in mine)
    rate = sum(len(mine) / sum(mine) for mine in times_s)
    return Result(
        way, phones, round(rate, 1), round(every_s[len(every_s) // 2] * 1e3, 2), round(boot_s, 2), round(phone_mib, 1)
    )


def run(ways: list[str], phones: list[int], seconds: float, size: Size) -> Iterator[Result]:
    """Every way with every number of phones."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as server_folder:
        registry = ProcessRegistry(Path(folder))
        for way in ways:
            for count in phones:
                if way == "in-process":
                    yield measure(way, InProcessBackend(size), count, seconds, Path(folder))
                elif way == "direct":
                    yield measure(way, VirtualBackend(size, registry=registry), count, seconds, Path(folder))
                else:
                    with adb_server(ProcessRegistry(Path(server_folder))) as port:
                        backend = VirtualBackend(size, transport="binary", server_port=port, registry=registry)
                        yield measure(way, backend, count, seconds, Path(folder))


def main() -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each row is measured")
    parser.add_argument("--phones", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=list(WAYS))
    parser.add_argument("--size", default="540x1200", help="width x height in pixels")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    results = run(options.ways, options.phones, options.seconds, Size(height, width))
    if options.json:
        rows = [asdict(result) for result in results]
        print(json.dumps({"size": options.size, "seconds": options.seconds, "rows": rows}))
        return
    table = Table(
        "way", "phones", "steps/s", "ms/step (median)", "boot s", "MiB/phone", title=f"tap + screenshot, {options.size}"
    )
    for result in results:
        table.add_row(*(str(value) for value in asdict(result).values()))
    Console().print(table)


if __name__ == "__main__":
    main()
