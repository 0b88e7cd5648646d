"""Android virtual devices on disk, where the real tools keep them: NAME.ini, NAME.avd/config.ini, snapshots, locks.

One AVD, "tapwise", needs no files: it is there when no other one is, so that nothing has to be set up.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from tapwise.emulators.avd_files import avd_folder, read_ini
from tapwise.errors import ConfigError
from tapwise.records import Size

BUILT_IN = "tapwise"
BOOT_SNAPSHOT = "default_boot"
_LOCK = "hardware-qemu.ini.lock"
_STATE = "tapwise.state"
_FORBIDDEN = ("/", "\\", "\0")


def list_avds(home: Path) -> list[str]:
    """Names of all AVDs, sorted; the built-in one is always there."""
    return sorted({BUILT_IN, *(path.stem for path in home.glob("*.ini"))})


@dataclass(frozen=True, slots=True)
class Avd:
    """One AVD: its name, its folder, and the values of config.ini."""

    name: str
    folder: Path
    config: Mapping[str, str]

    @classmethod
    def find(cls, name: str, home: Path) -> Avd:
        """Read an AVD. Raises ConfigError in the words of the real program when there is none."""
        listed = home / f"{name}.ini"
        if name and not any(part in name for part in _FORBIDDEN) and listed.is_file():
            folder = avd_folder(name, home)
            if not folder.is_dir():
                raise ConfigError(f"PANIC: Broken AVD: {listed} points to {folder}, which is no folder")
            return cls(name, folder, read_ini(folder / "config.ini"))
        if name == BUILT_IN:
            return cls(name, home / f"{BUILT_IN}.avd", {})
        raise ConfigError(f"PANIC: Unknown AVD name [{name}], use -list-avds to see valid list.")

    def size(self) -> Size:
        """The screen, 1080x2400 where the configuration does not say."""
        width, height = (self._number(f"hw.lcd.{side}", usual) for side, usual in (("width", 1080), ("height", 2400)))
        return Size(height, width)

    def density(self) -> int:
        """Dots per inch, 420 where the configuration does not say."""
        return self._number("hw.lcd.density", 420)

    def _number(self, key: str, usual: int) -> int:
        text = self.config.get(key, str(usual))
        if not text.isascii() or not text.isdecimal() or not 1 <= int(text) <= 10_000:
            raise ConfigError(f"{self.folder / 'config.ini'}: {key}={text} is no number of pixels: mend that line")
        return int(text)

    # --- snapshots ---------------------------------------------------------------------------------------

    def snapshots(self) -> dict[str, bytes]:
        """Every snapshot on disk by name."""
        paths = sorted((self.folder / "snapshots").glob(f"*/{_STATE}"))
        return {path.parent.name: path.read_bytes() for path in paths}

    def write_snapshot(self, name: str, state: bytes) -> None:
        """Keep a snapshot, whole or not at all. Raises ConfigError for a name that is no file name."""
        folder = self._snapshot_folder(name)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f".{_STATE}.{os.getpid()}"
        unfinished.write_bytes(state)
        unfinished.replace(folder / _STATE)

    def delete_snapshot(self, name: str) -> None:
        """Forget a snapshot; one that is not there is none."""
        shutil.rmtree(self._snapshot_folder(name), ignore_errors=True)

    def _snapshot_folder(self, name: str) -> Path:
        if name in ("", ".", "..") or any(part in name for part in _FORBIDDEN):
            raise ConfigError(f"{name!r} cannot be the name of a snapshot: use letters, digits, _ and -")
        return self.folder / "snapshots" / name

    # --- the lock ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def locked(self, *, read_only: bool, heeds_stale: bool = False) -> Iterator[None]:
        """Hold the AVD for this process; a file that a dead owner left is no lock, unless `heeds_stale` says so.
        With `read_only` none is needed.

        Raises ConfigError in the words of the real program while another process holds it.
        """
        if read_only:
            yield
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _LOCK
        left = heeds_stale and path.exists()
        file = None if left else _hold(path)
        if file is None:
            raise ConfigError(
                "ERROR: Running multiple emulators with the same AVD is an experimental feature.\nPlease use -read-only"
                f" flag to enable this feature. (another one holds {path})"
            )
        try:
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
            yield
        finally:
            path.unlink(missing_ok=True)
            file.close()


def _hold(path: Path) -> TextIO | None:
    """The lock file, locked until it is closed or this process ends; None while another process has it."""
    while True:
        file = path.open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.close()
            return None
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_ino == os.fstat(file.fileno()).st_ino:
                return file
        file.close()  # its owner has just taken it away
