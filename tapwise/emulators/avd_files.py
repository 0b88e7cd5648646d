"""Where the real tools keep Android virtual devices (NAME.ini, NAME.avd/), and the locks that lie there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

_SLACK_S = 1.0
"""a file's time and a process's start come from different clocks"""


def avd_home(environment: Mapping[str, str]) -> Path:
    """The folder of AVDs, found as the real tools find it."""
    if named := environment.get("ANDROID_AVD_HOME"):
        return Path(named)
    for name in ("ANDROID_USER_HOME", "ANDROID_EMULATOR_HOME", "ANDROID_PREFS_ROOT"):
        if root := environment.get(name):
            return Path(root) / "avd"
    return Path(environment.get("HOME", "/")) / ".android" / "avd"


def avd_folder(name: str, home: Path) -> Path:
    """The folder of one AVD, whether it exists or not."""
    return Path(read_ini(home / f"{name}.ini").get("path", home / f"{name}.avd"))


def read_ini(path: Path) -> dict[str, str]:
    """The values of an .ini file; empty when it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("=") for line in lines if not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, sign, value in pairs if sign}


def clear_stale_locks(folder: Path) -> list[Path]:
    """Remove the locks whose owner, named in them by its pid, is gone; gives those that were removed.

    A process that began after the lock was written has only been given the same pid. A lock that names nobody stays.
    """
    cleared = []
    for path in sorted(folder.glob("*.lock")):
        try:
            written_s = path.stat().st_mtime
            owner = path.read_text(encoding="ascii").strip()
        except (OSError, ValueError):
            continue
        if owner.isdecimal() and not _runs_since(int(owner), written_s):
            path.unlink(missing_ok=True)
            cleared.append(path)
    return cleared


def _runs_since(pid: int, time_s: float) -> bool:
    """Whether a process of that pid runs that had begun by a time; also where that cannot be told."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:  # it runs, and is somebody else's
        pass
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        boots = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    except OSError:
        return True
    boot_s = next((float(line.split()[1]) for line in boots if line.startswith("btime ")), 0.0)
    began_s = boot_s + int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return fields[0] not in "ZX" and began_s <= time_s + _SLACK_S
