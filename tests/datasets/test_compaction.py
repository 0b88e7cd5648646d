"""Annotations move into the columns of the shards, whatever happens on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tapwise.datasets import ParquetTrajectoryStore, shards
from tapwise.errors import StoreError
from tapwise.images import encode
from tapwise.records import Verdict

VERDICT = Verdict(True, "judge", reason="milk is in the cart")


def _columns(paths: list[Path], *names: str) -> list[tuple[Any, ...]]:
    table = pa.concat_tables([pq.read_table(path, columns=list(names)) for path in paths])
    return [tuple(row[name] for name in names) for row in table.to_pylist()]


def _annotated(folder: Path, make: Any) -> ParquetTrajectoryStore:
    store = ParquetTrajectoryStore(folder)
    store.append(make("a", outcome=None))
    store.seal()
    store.append(make("b", outcome=None))
    store.seal()
    store.append(make("c", outcome=None))
    store.annotate("a", values=[0.25, 0.5], advantages=[-1.0, 2.0], verdicts=[VERDICT])
    store.annotate("c", values=[0.75, None])
    return store


def test_columns_show_annotations_after_compaction(tmp_path: Path, make: Any) -> None:
    with _annotated(tmp_path, make) as store:
        before = list(store)
        untouched = store.shards()[1].read_bytes()
        assert _columns(store.shards()[:1], "value", "success") == [(None, None)] * 3
        assert store.compact() == [tmp_path / "shard-000001.parquet"]  # c's values were sealed with it
        assert list(store) == before
        assert store.shards()[1].read_bytes() == untouched
        rows = _columns(store.shards(), "trajectory_id", "value", "advantage", "success")
        assert rows[:3] == [("a", 0.25, -1.0, True), ("a", 0.5, 2.0, True), ("a", None, None, True)]
        assert rows[3:6] == [("b", None, None, None)] * 3
        assert [row[1] for row in rows[6:]] == [0.75, None, None]
        (words,) = {row[0] for row in _columns(store.shards()[:1], "verdicts")}
        assert [(word["judge"], word["success"]) for word in json.loads(words)] == [("judge", True)]
        assert (tmp_path / "annotations.jsonl").read_text() == ""
        assert store.compact() == []
        store.annotate("a", values=[9.0, 9.0])
        assert store.compact() == [tmp_path / "shard-000001.parquet"]
    with ParquetTrajectoryStore(tmp_path, mode="read") as store:
        assert [step.value for step in store.get("a").steps] == [9.0, 9.0]
        assert [step.advantage for step in store.get("a").steps] == [-1.0, 2.0]
        assert store.get("b") == before[1]


def test_load_dataset_reads_annotations(tmp_path: Path, make: Any) -> None:
    hf_datasets = pytest.importorskip("datasets", reason="needs the hub extra")
    picture = encode(np.full((8, 6, 3), 200, np.uint8), "png").data
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(make("a", picture=picture, outcome=None))
        store.seal()
        store.annotate("a", values=[0.25, 0.5], verdicts=[VERDICT])
        store.compact()
        files = [str(path) for path in store.shards()]
    table = hf_datasets.load_dataset("parquet", data_files=files, split="train", cache_dir=str(tmp_path / "cache"))
    assert table["value"] == [0.25, 0.5, None]
    assert table["success"] == [True] * 3
    assert table[0]["image"].size == (6, 8)


def test_death_between_columns_and_annotations_changes_nothing(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = _annotated(tmp_path, make)
    expected = list(store)

    class Died(Exception):
        pass

    def die(*_: object) -> None:
        raise Died

    monkeypatch.setattr(type(store._contents.annotations), "drop", die)
    with pytest.raises(Died):
        store.compact()
    store.close()
    monkeypatch.undo()
    with ParquetTrajectoryStore(tmp_path) as again:
        assert list(again) == expected
        again.compact()
        assert list(again) == expected


def test_a_damaged_shard_is_left_alone_with_its_annotations(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        for name in ("a", "b"):
            store.append(make(name, picture=b"picture of " + name.encode()))
        shard = store.seal()
        assert shard is not None
        store.annotate("b", values=[1.0, 2.0])
    shard.write_bytes(shard.read_bytes().replace(b"picture of a0", b"picture of X0"))
    damaged = shard.read_bytes()
    with ParquetTrajectoryStore(tmp_path) as store, pytest.raises(StoreError, match=r"row group 0 \(trajectory 'a'\)"):
        store.compact()
    with ParquetTrajectoryStore(tmp_path, on_corrupt="skip") as store:
        assert store.compact() == []
        assert shard.read_bytes() == damaged
        assert [step.value for step in store.get("b").steps] == [1.0, 2.0]
        assert len(store.problems) == 1


def test_shards_of_the_older_layout_are_brought_up_to_date(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    older = pa.schema([f for f in shards.SCHEMA if f.name not in ("success", "verdicts")], shards.SCHEMA.metadata)
    monkeypatch.setattr(shards, "SCHEMA", older)
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("a"))
        store.seal()
    monkeypatch.undo()
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("b"))
        before = list(store)
        assert store.compact() == [tmp_path / "shard-000001.parquet"]
        assert list(store) == before
        assert all(pq.read_schema(path).equals(shards.SCHEMA) for path in store.shards())


def test_episodes_sealed_by_a_compaction_keep_their_verdicts(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("a", outcome=None))
        store.annotate("a", verdicts=[VERDICT])
        store.compact()
        assert store.summary("a").success is True
        assert store.get("a").verdicts == (VERDICT,)
