"""What a farm that is up tells other programs: a file with its state, and a journal of what happened to its devices."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tapwise.emulators.farm_status import DeviceStatus, State
from tapwise.emulators.processes import Identity, identify
from tapwise.errors import ConfigError

STATE_FILE = "farm.json"
EVENTS_FILE = "events.jsonl"
_RENEW_S = 2.0


@dataclass(frozen=True, slots=True)
class Board:
    """A farm as its state file tells: whose process it is, how to reach its devices, and how they are.

    `written_s` is in seconds since the epoch.
    """

    owner: Identity
    backend: str
    transport: str
    devices: tuple[DeviceStatus, ...]
    written_s: float

    def is_up(self) -> bool:
        """Whether the farm's process still runs."""
        return self.owner.is_running()

    def to_json(self) -> dict[str, Any]:
        """For a file, or for people's programs."""
        return {**asdict(self), "devices": [device.to_json() for device in self.devices]}


class BoardWriter:
    """Keeps the state file of this process's farm up to date, and notes each change of a device in the journal.

    Raises ConfigError when another farm is up in the folder.
    """

    def __init__(self, folder: Path, backend: str, transport: str) -> None:
        owner = identify(os.getpid())
        if owner is None:
            raise ConfigError("a farm that other programs can find needs a system with /proc")
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / STATE_FILE).exists() and (other := read_board(folder)).is_up():
            raise ConfigError(
                f"a farm is up in {folder} already (process {other.owner.pid}): end it with `tapwise farm down"
                f" --folder {folder}`, or give another folder"
            )
        self._folder, self._backend, self._transport, self._owner = folder, backend, transport, owner
        self._known: dict[int, tuple[object, ...]] = {}
        self._written_s = 0.0

    def publish(self, devices: Sequence[DeviceStatus], now_s: float | None = None) -> bool:
        """Write what is new; gives whether a device has changed."""
        now_s = time.time() if now_s is None else now_s
        changed = [
            (number, device) for number, device in enumerate(devices) if self._known.get(number) != _told(device)
        ]
        if changed:
            with (self._folder / EVENTS_FILE).open("a", encoding="utf-8") as journal:
                for number, device in changed:
                    self._known[number] = _told(device)
                    journal.write(json.dumps(_event(now_s, number, device)) + "\n")
        if changed or now_s - self._written_s >= _RENEW_S:
            board = Board(self._owner, self._backend, self._transport, tuple(devices), now_s)
            partial = self._folder / f"{STATE_FILE}.part"
            partial.write_text(json.dumps(board.to_json()), encoding="utf-8")
            partial.replace(self._folder / STATE_FILE)
            self._written_s = now_s
        return bool(changed)

    def close(self) -> None:
        """Say that the farm is down: the state file goes, the journal stays."""
        (self._folder / STATE_FILE).unlink(missing_ok=True)


def _told(device: DeviceStatus) -> tuple[object, ...]:
    """What counts as a change: of the screenshots' way not the milliseconds, which differ with each measurement."""
    screens = device.screenshots
    way = (screens["chosen"], tuple(screens["refused"].items())) if screens else None
    return device.serial, device.state, device.last_error, way


def _event(now_s: float, number: int, device: DeviceStatus) -> dict[str, Any]:
    return {
        "time_s": round(now_s, 3),
        "device": number,
        "serial": device.serial,
        "state": str(device.state),
        "restarts": dict(device.restarts),
        "mended": dict(device.mended),
        "error": device.last_error,
        "screenshots": device.screenshots,
    }


def read_board(folder: Path) -> Board:
    """The state file of a folder. Raises ConfigError when there is none, or it cannot be read."""
    path = folder / STATE_FILE
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        devices = tuple(DeviceStatus(**{**one, "state": State(one["state"])}) for one in data["devices"])
        return Board(Identity(**data["owner"]), data["backend"], data["transport"], devices, data["written_s"])
    except FileNotFoundError:
        raise ConfigError(f"no farm is up in {folder}: start one with `tapwise farm up --folder {folder}`") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): remove it, and start the farm anew") from error


def read_events(folder: Path, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """The journal's events from a byte on, each with the byte after it; a last line without its end is left out."""
    path = folder / EVENTS_FILE
    if not path.exists():
        return
    with path.open("rb") as journal:
        journal.seek(after)
        for line in journal:
            if not line.endswith(b"\n"):
                return
            after += len(line)
            yield after, json.loads(line)
