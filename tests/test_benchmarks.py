"""Benchmarks measure what they say that they measure."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from tapwise.cli import main
from tapwise.datasets import ParquetTrajectoryStore
from tapwise.records import Size

FOLDER = Path(__file__).parents[1] / "benchmarks"


def load(name: str) -> Any:
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def test_the_import_benchmark_needs_its_reference(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    benchmark = load("import_aitw")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["import_aitw.py"])
    assert benchmark.main() == 1
    assert "needs the package tfrecord: install it with `pip install --group bench`" in capsys.readouterr().err


def test_both_ways_of_importing_store_the_same(tmp_path: Path) -> None:
    pytest.importorskip("tfrecord")
    shards = load("import_aitw").generate(tmp_path, 3, 4, Size(64, 48))
    assert main(["data", "import", "aitw", str(tmp_path), "--out", str(tmp_path / "ours"), "--workers", "1"]) == 0
    assert load("aitw_reference").import_plainly(shards, tmp_path / "plain") == 12
    with ParquetTrajectoryStore(tmp_path / "ours") as ours, ParquetTrajectoryStore(tmp_path / "plain") as plain:
        assert ours.ids() == plain.ids() == [f"aitw/general/{number}" for number in range(3)]
        for name in ours.ids():
            for one, other in zip(ours.get(name).steps, plain.get(name).steps, strict=True):
                assert one.observation.screenshot == other.observation.screenshot
                assert one.decision.action == other.decision.action


def test_a_way_is_measured_with_all_its_processes() -> None:
    benchmark = load("import_aitw")
    child = "b = bytearray(150 * 2**20); b[::4096] = b'x' * len(b[::4096]); import time; time.sleep(1)"
    source = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}]); print('{{\"steps\": 3}}')"
    found = benchmark.measure("way", [sys.executable, "-c", source], 2)
    assert (found.way, found.episodes, found.steps) == ("way", 2, 3)
    assert found.peak_mib > 150
    assert found.processor_s > 0
    assert found.seconds > 1


def test_shards_are_kept_and_taken_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    benchmark = load("import_aitw")
    monkeypatch.setattr(benchmark, "EPISODES_PER_SHARD", 2)
    arguments = ["--episodes", "3", "5", "--steps", "2", "--size", "64x48", "--shards", str(tmp_path / "kept")]
    monkeypatch.setattr(sys, "argv", ["import_aitw.py", *arguments])
    shards = benchmark.kept_shards(benchmark.arguments())
    assert len(shards) == 3
    written = [shard.stat().st_mtime_ns for shard in shards]
    assert benchmark.kept_shards(benchmark.arguments()) == shards
    assert [shard.stat().st_mtime_ns for shard in shards] == written
    first = benchmark.part(shards, 3, tmp_path)
    assert sorted(link.resolve() for link in first.iterdir()) == shards[:2]


def test_ratios_are_those_of_medians_at_the_largest_size() -> None:
    benchmark = load("import_aitw")

    def result(way: str, episodes: int, rate: float, processor_s: float) -> Any:
        return benchmark.Result(way, episodes, 10, 1.0, processor_s, rate, 1.0)

    runs = [result("reference", 9, rate, 4.0) for rate in (1.0, 2.0, 9.0)]
    runs += [result("ours", 9, rate, 1.0) for rate in (5.0, 6.0, 7.0)]
    runs.append(result("ours", 4, 900.0, 9.0))
    assert benchmark.summary(runs[3:], 9) == {}  # nothing to compare with yet
    found = benchmark.summary(runs, 9)
    assert (found["ours"]["ratio_to_reference"], found["ours"]["greatest"]) == (3.0, 7.0)
    assert (found["ours"]["processor_ms_per_step"], found["ours"]["ratio_of_processor_time"]) == (100.0, 4.0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_the_benchmark_of_clients_measures_every_call() -> None:
    pytest.importorskip("uiautomator2", exc_type=ImportError)
    rows = load("client_calls").measure(calls=1, size="540x1200")
    assert {"connect", "exists", "dump", "screenshot", "press"} <= rows.keys()
    assert all(value > 0 for row in rows.values() for value in row.values())
