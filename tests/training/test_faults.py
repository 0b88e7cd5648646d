"""Whole runs over ADB while things break: a phone is killed, the run itself is killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.records import End, Trajectory
from tapwise.training.checkpoint import load_checkpoint
from tapwise.training.recipes import Recipe
from tapwise.training.run import Run

pytestmark = pytest.mark.slow
MakeRecipe = Callable[..., Recipe]


def phone_processes(parent: int) -> list[int]:
    """Process ids of the phones that `parent` started."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().split(b"\0")
            owner = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
        except (OSError, ValueError, IndexError):
            continue
        if owner == parent and b"phone" in command:
            found.append(int(entry.name))
    return found


class Killer:
    """An observer that kills one phone after the first offline episode."""

    def __init__(self) -> None:
        self.killed = 0
        self.ends: list[End] = []

    def unit(self, name: str, number: int, total: int) -> None:
        """Not needed."""

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        self.ends.append(trajectory.end)
        if phase == "offline" and not self.killed:
            self.killed = phone_processes(os.getpid())[0]
            os.kill(self.killed, signal.SIGKILL)

    def metrics(self, values: dict[str, float]) -> None:
        """Not needed."""

    def warning(self, text: str) -> None:
        """Not needed."""

    def devices(self, status: object) -> None:
        """Not needed."""


def test_a_killed_phone_costs_one_episode_and_nothing_else(tmp_path: Path, make_recipe: MakeRecipe) -> None:
    killer = Killer()
    recipe = make_recipe(farm={"backend": "virtual", "devices": 2, "size": "270x600"}, offline={"episodes": 6})
    run = Run(recipe, tmp_path, killer)
    run.go()
    assert killer.killed
    assert killer.ends.count(End.ABORTED) == 1
    assert len(run.rollouts) == 6 + 2 * 3
    assert all(len(found) == 2 for found in run.progress.evaluations.values())
    with ParquetTrajectoryStore(tmp_path / "trajectories", mode="read") as store:
        faults = [s.fault for s in store.scan() if s.end is End.ABORTED]
    assert len(faults) == 1
    assert faults[0] is not None
    assert faults[0].boundary == "device"


def finished_unit(folder: Path) -> int:
    state = load_checkpoint(folder / "checkpoints") if (folder / "checkpoints").exists() else None
    return 0 if state is None else int(state["progress"]["done"])


def test_a_killed_run_goes_on_by_the_same_command(tmp_path: Path, make_recipe: MakeRecipe) -> None:
    recipe = make_recipe(farm={"backend": "virtual", "devices": 2, "size": "270x600"})
    path = tmp_path / "recipe.toml"
    path.write_text(_toml(json.loads(recipe.model_dump_json())))
    folder = tmp_path / "run"
    command = [sys.executable, "-m", "tapwise", "train", str(path), "--run", str(folder), "--json"]
    first = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        deadline = time.monotonic() + 240
        while finished_unit(folder) < 3:
            assert first.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        first.kill()
        first.wait(10)
    before = finished_unit(folder)
    second = subprocess.run(command, capture_output=True, text=True, timeout=280, check=True)
    summary = json.loads(second.stdout.splitlines()[-1])
    assert before >= 3
    assert set(summary["phases"]) == {"supervised", "offline", "online"}


def _toml(data: dict[str, object], prefix: str = "") -> str:
    """Nested mappings of plain values as TOML."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in data.items() if not isinstance(value, dict)]
    for key, value in data.items():
        if isinstance(value, dict):
            lines += ["", f"[{prefix}{key}]", _toml(value, f"{prefix}{key}.")]
    return "\n".join(lines)
