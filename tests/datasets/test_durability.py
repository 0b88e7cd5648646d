"""Killed writers, torn tails, full disks and damaged files."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.journal import SIGNATURE, Journal
from tapwise.errors import StoreError

ENDLESS_WRITER = r"""
import os
import sys
from tapwise.datasets import ParquetTrajectoryStore
from tapwise.records import *

store = ParquetTrajectoryStore(sys.argv[1], seal_bytes=300_000)
task = Task("task", "Buy milk", "shop", "shop", "buy", (), 5, "train")
episode = 0


def say(line):  # in one piece: a kill must not tear what the test reads
    os.write(1, f"{line}\n".encode())


while True:
    writer = store.begin(f"e{episode}", task, Provenance("random"))
    steps = []
    for index in range(4):
        shot = Screenshot(bytes([index]) * 20_000, "png", Size(2, 2))
        steps.append(Step(Observation(shot, "shop/Main", True, 0.0), Decision(Wait(), f"{episode}:{index}")))
        writer.step(steps[-1])
        say(f"step {episode} {index}")
    writer.finish(Trajectory(f"e{episode}", task, tuple(steps), End.FINISHED, Provenance("random")))
    say(f"finish {episode}")
    episode += 1
"""


@pytest.mark.parametrize("lines", [2, 38, 73])
def test_every_finished_step_survives_kill_9(tmp_path: Path, lines: int, child_program: Any) -> None:
    with child_program([sys.executable, "-c", ENDLESS_WRITER, str(tmp_path)]) as writer:
        said = [writer.line() for _ in range(lines)]
        os.killpg(writer.process.pid, signal.SIGKILL)
        said += writer.lines()
    finished = [line.split()[1] for line in said if line.startswith("finish")]
    stepped = [line.split()[1:] for line in said if line.startswith("step")]
    with ParquetTrajectoryStore(tmp_path) as store:
        texts = {step.decision.text for trajectory in store for step in trajectory.steps}
        texts |= {step.decision.text for episode in store.interrupted() for step in episode.steps}
        assert {f"{episode}:{index}" for episode, index in stepped} <= texts
        assert set(store.ids()) >= {f"e{episode}" for episode in finished}
        assert all(len(trajectory.steps) == 4 for trajectory in store)
        store.close_interrupted()
        assert store.interrupted() == []


@settings(max_examples=40, deadline=None)
@given(cut=st.integers(0, 400), junk=st.binary(max_size=30))
def test_a_torn_tail_costs_only_itself(tmp_path_factory: pytest.TempPathFactory, cut: int, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("journal") / "journal.log"
    journal = Journal(path, writable=True)
    ends = []
    for index in range(5):
        journal.append({"n": index}, [b"b" * index * 10], sync=False)
        ends.append(journal.size)
    journal.close()
    data = path.read_bytes()
    kept = max(len(data) - cut, len(SIGNATURE))
    path.write_bytes(data[:kept] + junk)
    journal = Journal(path, writable=True)
    survivors = [entry.head["n"] for entry in journal.replay()]
    assert survivors == [index for index, end in enumerate(ends) if end <= kept]
    assert journal.damage == []
    journal.append({"n": 9}, [], sync=True)
    journal.close()
    reopened = Journal(path, writable=False)
    assert [entry.head["n"] for entry in reopened.replay()] == [*survivors, 9]
    reopened.close()


def test_a_damaged_journal_loses_only_the_damaged_entry(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        for name in ("a", "b", "c"):
            store.append(make(name, picture=b"picture of " + name.encode()))
    path = tmp_path / "journal.log"
    data = path.read_bytes()
    path.write_bytes(data.replace(b"picture of b1", b"picture of X1"))
    with pytest.raises(StoreError, match=r"journal .*journal\.log is damaged at byte \d+ .*on_corrupt"):
        ParquetTrajectoryStore(tmp_path)
    with ParquetTrajectoryStore(tmp_path, on_corrupt="skip") as store:
        assert [one.id for one in store] == ["a", "c"]
        assert len(store.problems) == 1


def test_a_damaged_shard_loses_only_itself(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        for name in ("a", "b"):
            store.append(make(name, picture=b"picture of " + name.encode()))
        first = store.seal()
        store.append(make("c"))
        second = store.seal()
        store.append(make("d"))
    assert first is not None
    assert second is not None
    second.write_bytes(second.read_bytes()[:-20])
    first.write_bytes(first.read_bytes().replace(b"picture of b0", b"picture of X0"))
    with pytest.raises(StoreError, match=r"shard .*shard-000002\.parquet cannot be read .*bring the file back"):
        ParquetTrajectoryStore(tmp_path)
    with ParquetTrajectoryStore(tmp_path, on_corrupt="skip") as store:
        assert [one.id for one in store] == ["a", "d"]
        with pytest.raises(StoreError, match=r"shard-000001\.parquet, row group 1 \(trajectory 'b'\)"):
            store.get("b")
        assert len(store.problems) == 2


def test_death_between_shard_and_journal_counts_nothing_twice(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("a"))
        journal = (tmp_path / "journal.log").read_bytes()
        store.seal()
    (tmp_path / "journal.log").write_bytes(journal)
    (tmp_path / ".shard-000002.parquet.tmp").write_bytes(b"half a shard")
    with ParquetTrajectoryStore(tmp_path) as store:
        assert store.ids() == ["a"]
        assert store.seal() is None
        assert (tmp_path / "journal.log").stat().st_size == len(SIGNATURE)
        assert not list(tmp_path.glob(".*.tmp"))


def test_a_full_disk_leaves_the_journal_whole(tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.pwrite

    def full(file: int, data: bytes, offset: int) -> int:
        real(file, bytes(data)[:10], offset)
        raise OSError(28, "No space left on device")

    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("a"))
        monkeypatch.setattr(os, "pwrite", full)
        with pytest.raises(StoreError, match=r"No space left on device.*free space"):
            store.append(make("b"))
        monkeypatch.setattr(os, "pwrite", real)
        store.append(make("b"))
    with ParquetTrajectoryStore(tmp_path, mode="read") as store:
        assert store.ids() == ["a", "b"]


def test_foreign_and_newer_files_are_refused(tmp_path: Path, make: Any) -> None:
    (tmp_path / "journal.log").write_bytes(b"something else entirely")
    with pytest.raises(StoreError, match="is not a trajectory journal"):
        ParquetTrajectoryStore(tmp_path)
    (tmp_path / "journal.log").unlink()
    (tmp_path / "shard-000001.parquet").write_bytes(b"no parquet")
    with pytest.raises(StoreError, match=r"shard-000001\.parquet cannot be read"):
        ParquetTrajectoryStore(tmp_path)
    (tmp_path / "shard-000001.parquet").unlink()
    (tmp_path / "annotations.jsonl").write_text("{}\n")
    with pytest.raises(StoreError, match=r"annotations\.jsonl, line 1"):
        ParquetTrajectoryStore(tmp_path)
    (tmp_path / "annotations.jsonl").unlink()
    journal = Journal(tmp_path / "journal.log", writable=True)
    journal.append({"kind": "finish", "schema": 99, "id": "x"}, sync=False)
    journal.close()
    with pytest.raises(StoreError, match=r"newer tapwise.*upgrade"):
        ParquetTrajectoryStore(tmp_path)
