"""Virtual phones, each in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import select
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tapwise.emulators.backends.adb_phone import AdbPhone, TransportKind
from tapwise.emulators.processes import OwnedProcess, ProcessRegistry
from tapwise.emulators.virtual.faults import FaultSpec
from tapwise.emulators.virtual.noise import Noise
from tapwise.errors import DeviceError, DeviceTimeout
from tapwise.records import Size


class VirtualBackend:
    """Starts `tapwise phone` once per phone and talks ADB to it over loopback.

    Phone `index` gets the seed `seed + index`. `noise` is what its world does unasked, `faults` what goes wrong with
    it, drawn from seeds of its own and noted in `fault_log` as they happen. `timeout_s` bounds each command. Phones
    left behind by a run that was killed are ended when the backend is made.
    """

    name = "virtual"

    def __init__(
        self,
        size: Size = Size(1200, 540),
        seed: int = 0,
        noise: Noise = Noise(),
        transport: TransportKind = "direct",
        *,
        server_port: int | None = None,
        registry: ProcessRegistry | None = None,
        faults: Sequence[FaultSpec] = (),
        fault_log: Path | None = None,
        timeout_s: float = 30.0,
        reads_back: bool = False,
    ) -> None:
        self._faults = tuple(faults)
        self._fault_log = fault_log
        self._timeout_s = timeout_s
        self._reads_back = reads_back
        self._boots = itertools.count()
        self._size = size
        self._seed = seed
        self._noise = noise
        self._transport: TransportKind = transport
        self._server_port = server_port
        self._registry = registry or ProcessRegistry()
        self._registry.reap_leftovers()

    def boot(self, index: int, timeout_s: float) -> AdbPhone:
        """Start a phone and wait for its first answer."""
        process = self._registry.start(self._command(index))
        try:
            address = _read_address(process, timeout_s)
            phone = AdbPhone(
                self._transport,
                address,
                server_port=self._server_port,
                alive=process.alive,
                end=process.end,
                timeout_s=self._timeout_s,
                reads_back=self._reads_back,
            )
            phone.renew(timeout_s)
        except BaseException:  # whatever went wrong, no process may stay behind
            process.end()
            raise
        return phone

    def _command(self, index: int) -> list[str]:
        size = f"{self._size.width}x{self._size.height}"
        options = ["--port", "0", "--size", size, "--seed", str(self._seed + index), "--json", "--end-with-stdin"]
        noise = ["--noise", str(self._noise)] if self._noise != Noise() else []
        boot = next(self._boots)  # a phone that is booted anew does not fail in the same places again
        specs = (replace(spec, seed=spec.seed + 1000 * boot + index) for spec in self._faults)
        faults = [word for spec in specs for word in ("--fault", str(spec))]
        log = [] if self._fault_log is None else ["--fault-log", str(self._fault_log)]
        return [sys.executable, "-m", "tapwise", "phone", *options, *noise, *faults, *log]


def _read_address(process: OwnedProcess, timeout_s: float) -> str:
    """The serial (host:port) in the line that the phone's process prints once it listens."""
    deadline = time.monotonic() + timeout_s
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise DeviceTimeout(f"virtual phone (process {process.pid}) was not ready within {timeout_s:g} s")
        piece = os.read(process.stdout.fileno(), 65536)
        if not piece:
            raise DeviceError(f"virtual phone ended while it started: {process.error_output() or 'it said nothing'}")
        line += piece
    with contextlib.suppress(ValueError, KeyError, IndexError, TypeError):
        return str(json.loads(line)["phones"][0]["serial"])
    raise DeviceError(f"virtual phone announced itself with {line[:200]!r}, which names no phone")
