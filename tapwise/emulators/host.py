"""Whether the host itself is sick: then no device is to blame, and booting more of them makes it worse."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

LEAST_DISK_MIB = 200.0
LEAST_MEMORY_MIB = 256.0


def host_trouble(folder: Path | None = None, meminfo: Path = Path("/proc/meminfo")) -> str | None:
    """What the host is short of, in words with the fix, or None. `folder` is where temporary files go."""
    folder = folder or Path(tempfile.gettempdir())
    try:
        free_mib = shutil.disk_usage(folder).free / 2**20
    except OSError as error:
        return f"the host's folder {folder} cannot be used: {error}"
    if free_mib < LEAST_DISK_MIB:
        return f"the host's disk has {free_mib:.0f} MiB free at {folder}, less than {LEAST_DISK_MIB:.0f}: free some"
    memory_mib = _available_mib(meminfo)
    if memory_mib is not None and memory_mib < LEAST_MEMORY_MIB:
        return (
            f"the host has {memory_mib:.0f} MiB of memory left, less than {LEAST_MEMORY_MIB:.0f}: end other programs or"
            " make the farm smaller"
        )
    return None


def _available_mib(meminfo: Path) -> float | None:
    """What the kernel says a new program could have; None where there is no such file."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = [line.split()[1] for line in lines if line.startswith("MemAvailable:")]
    return int(found[0]) / 1024 if found else None
