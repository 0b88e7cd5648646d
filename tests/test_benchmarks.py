"""Benchmarks measure what they say that they measure."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.records import Size


@pytest.fixture
def import_aitw() -> Iterator[Any]:
    path = Path(__file__).parents[1] / "benchmarks" / "import_aitw.py"
    spec = importlib.util.spec_from_file_location("import_aitw", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["import_aitw"] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules["import_aitw"]


def test_the_import_benchmark_needs_its_reference(
    import_aitw: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["import_aitw.py"])
    assert import_aitw.main() == 1
    assert "needs the package tfrecord: install it with `pip install --group bench`" in capsys.readouterr().err


def test_both_ways_of_importing_store_the_same(import_aitw: Any, tmp_path: Path) -> None:
    pytest.importorskip("tfrecord")
    shards = import_aitw.generate(tmp_path, 3, 4, Size(64, 48))
    assert import_aitw.import_ours(shards, tmp_path / "ours", 1) == 12
    assert import_aitw.import_plainly(shards, tmp_path / "plain") == 12
    with ParquetTrajectoryStore(tmp_path / "ours") as ours, ParquetTrajectoryStore(tmp_path / "plain") as plain:
        assert ours.ids() == plain.ids() == [f"aitw/general/{number}" for number in range(3)]
        for name in ours.ids():
            for one, other in zip(ours.get(name).steps, plain.get(name).steps, strict=True):
                assert one.observation.screenshot == other.observation.screenshot
                assert one.decision.action == other.decision.action


def test_the_ratio_is_that_of_the_medians_at_the_largest_size(import_aitw: Any) -> None:
    def result(way: str, episodes: int, rate: float) -> Any:
        return import_aitw.Result(way, episodes, 1, 1.0, rate, 1.0, 1.0)

    runs = [result("reference", 9, one) for one in (1.0, 2.0, 9.0)] + [
        result("ours", 9, one) for one in (5.0, 6.0, 7.0)
    ]
    found = import_aitw.summary([*runs, result("ours", 4, 900.0)], 9)
    assert (found["ours"]["ratio_to_reference"], found["ours"]["greatest"]) == (3.0, 7.0)
    json.dumps(found)
