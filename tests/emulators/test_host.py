"""Whether the host is short of something."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapwise.emulators import host
from tapwise.emulators.host import host_trouble


def meminfo(folder: Path, available_kib: int) -> Path:
    path = folder / "meminfo"
    path.write_text(f"MemTotal:       99999999 kB\nMemFree:  1 kB\nMemAvailable:   {available_kib} kB\n")
    return path


def test_a_host_with_enough_is_well(tmp_path: Path) -> None:
    assert host_trouble(tmp_path, meminfo(tmp_path, 1024 * 1024)) is None


def test_little_memory_is_told_with_the_fix(tmp_path: Path) -> None:
    told = host_trouble(tmp_path, meminfo(tmp_path, 100 * 1024))
    assert told is not None
    assert told.startswith("the host has 100 MiB of memory left, less than 256: end other programs")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "LEAST_DISK_MIB", 1e12)
    told = host_trouble(tmp_path, meminfo(tmp_path, 1024 * 1024))
    assert told is not None
    assert str(tmp_path) in told
    assert "free some" in told


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    assert "cannot be used" in (host_trouble(tmp_path / "none") or "")


def test_a_system_that_does_not_tell_its_memory_is_taken_as_well(tmp_path: Path) -> None:
    assert host_trouble(tmp_path, tmp_path / "none") is None
