"""What goes wrong when the emulator is started: faults from the AVD, the environment and the command line.

Other faults count their looks within one run. A start is looked at once per run, so that the looks at starts are kept
in the AVD's folder from run to run: `launch:times=1` spoils the first start, and the next one is sound.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from socket import socket
from typing import Final, TextIO

from tapwise.emulators.virtual.emulator.avd import Avd
from tapwise.emulators.virtual.faults import KINDS, FaultSpec, Switchboard

VARIABLE: Final = "TAPWISE_EMULATOR_FAULTS"
NO_SPACE: Final = (
    "FATAL   | Not enough space to create userdata partition. Available: 1024.00 MB at {}, need 7372.80 MB."
)
_LAUNCH: Final = "launch"
_KEPT: Final = "tapwise.launches"
_STRAY_S: Final = 600
"""a stray that nobody ends ends itself after this time"""


def armed_faults(avd: Avd, environment: Mapping[str, str], options: Sequence[str]) -> list[FaultSpec]:
    """The faults that a run begins with. Raises ConfigError for a wrong one."""
    written = [avd.config.get("tapwise.faults", ""), environment.get(VARIABLE, ""), *options]
    return [FaultSpec.parse(text) for texts in written for text in filter(None, texts.split(";"))]


def launch_faults(faults: Switchboard, specs: Sequence[FaultSpec], avd: Avd) -> frozenset[str]:
    """Arm the faults, and look at this start: the modes of `launch` that happen."""
    at_launch = [spec for spec in specs if spec.kind == _LAUNCH]
    if not at_launch:
        _arm(faults, specs, {})
        return frozenset()
    avd.folder.mkdir(parents=True, exist_ok=True)
    with _kept(avd.folder / _KEPT) as file:
        numbers = _arm(faults, specs, _read(file))
        found = frozenset(mode for mode in KINDS[_LAUNCH].modes if faults.fires(_LAUNCH, avd.name, mode))
        counts = faults.counts()
        file.seek(0)
        file.truncate()
        json.dump({str(spec): counts[number] for spec, number in numbers if spec.kind == _LAUNCH}, file)
    return found


def _arm(
    faults: Switchboard, specs: Sequence[FaultSpec], counts: Mapping[str, tuple[int, int]]
) -> list[tuple[FaultSpec, int]]:
    return [(spec, faults.add(spec, *counts.get(str(spec), (0, 0)))) for spec in specs]


@contextlib.contextmanager
def _kept(path: Path) -> Iterator[TextIO]:
    """The file of counts, which no other start reads or writes meanwhile."""
    with path.open("a+", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: TextIO) -> dict[str, tuple[int, int]]:
    file.seek(0)
    try:
        return {str(spec): (int(looks), int(fired)) for spec, (looks, fired) in json.load(file).items()}
    except (ValueError, TypeError, AttributeError):  # empty, or spoilt
        return {}


def leave_stray(sockets: Sequence[socket]) -> int:
    """Start a child that leaves our process group and keeps the listening sockets; its pid."""
    code = f"import signal; signal.alarm({_STRAY_S}); signal.pause()"
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        pass_fds=[one.fileno() for one in sockets],
        start_new_session=True,
    )
    process.returncode = 0  # it is meant to outlive us: nobody waits for it
    return process.pid
