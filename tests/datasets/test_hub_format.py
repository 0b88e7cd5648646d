"""Shards are read by the Hugging Face library as they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.images import encode


def test_load_dataset_reads_a_shard(tmp_path: Path, make: Any) -> None:
    hf_datasets = pytest.importorskip("datasets", reason="needs the hub extra")
    picture = encode(np.full((8, 6, 3), 200, np.uint8), "png").data
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(make("a", picture=picture))
        store.append(make("b", picture=picture, steps=0, final=None))
        shard = store.seal()
    assert pq.ParquetFile(shard).num_row_groups == 2
    table = hf_datasets.load_dataset("parquet", data_files=str(shard), split="train", cache_dir=str(tmp_path / "cache"))
    assert isinstance(table.features["image"], hf_datasets.Image)
    assert table["kind"] == ["step", "step", "final", "final"]
    first = table[0]
    assert first["image"].size == (6, 8)
    assert json.loads(first["action"])["type"] == "Tap"
    assert (first["instruction"], first["token_ids"], first["outcome"]) == ("Buy milk", [1, 2], True)
    assert table[3]["image"] is None
