"""What is stored comes back, in any state of the store."""

from __future__ import annotations

import dataclasses
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.errors import StoreError
from tapwise.protocols import TrajectoryStore
from tapwise.records import End, Fault, Trajectory, Verdict


def bare(trajectory: Trajectory) -> Trajectory:
    """The trajectory without its accessibility trees."""
    steps = tuple(
        dataclasses.replace(step, observation=dataclasses.replace(step.observation, ui=None))
        for step in trajectory.steps
    )
    final = None if trajectory.final is None else dataclasses.replace(trajectory.final, ui=None)
    return dataclasses.replace(trajectory, steps=steps, final=final)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data(), sealed=st.booleans(), keep_ui=st.booleans(), stepwise=st.booleans())
def test_every_field_comes_back(trajectories: Any, data: Any, sealed: bool, keep_ui: bool, stepwise: bool) -> None:
    drawn = data.draw(st.lists(trajectories, min_size=1, max_size=3, unique_by=lambda one: one.id))
    expected = drawn if keep_ui else [bare(one) for one in drawn]
    with tempfile.TemporaryDirectory() as folder:
        with ParquetTrajectoryStore(folder, keep_ui=keep_ui, sync="never") as store:
            for one in drawn:
                if stepwise:
                    writer = store.begin(one.id, one.task, one.provenance)
                    for step in one.steps:
                        writer.step(step)
                    writer.finish(one)
                else:
                    store.append(one)
            if sealed:
                store.seal()
            assert list(store) == expected
        with ParquetTrajectoryStore(folder, mode="read") as store:
            assert list(store) == expected
            assert [summary.id for summary in store.scan()] == [one.id for one in drawn]
            for summary, one in zip(store.scan(), drawn, strict=True):
                assert (summary.success, summary.trainable, summary.steps) == (
                    one.success,
                    one.trainable,
                    len(one.steps),
                )


def test_order_length_and_lookup(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        protocol: TrajectoryStore = store
        for index in range(3):
            protocol.append(make(f"t{index}", picture=b"%d" % index))
        assert store.seal() == tmp_path / "shard-000001.parquet"
        assert store.seal() is None
        store.append(make("t3"))
        assert len(store) == 4
        assert "t3" in store
        assert [one.id for one in store] == ["t0", "t1", "t2", "t3"]
        assert store.get("t1") == bare(make("t1", picture=b"1"))
        assert [s.id for s in store.scan(lambda s: s.reward > 0 and s.id > "t1")] == ["t2", "t3"]
        with pytest.raises(StoreError, match="already has a trajectory 't1'"):
            store.append(make("t1"))
        with pytest.raises(StoreError, match="no trajectory 'x'"):
            store.get("x")


def test_the_journal_is_sealed_when_it_grows(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path, seal_bytes=50_000) as store:
        for index in range(5):
            store.append(make(f"t{index}", picture=b"x" * 10_000))
        assert len(store.shards()) == 2
        assert len(store) == 5
        assert (tmp_path / "journal.log").stat().st_size < 50_000


def test_stored_pictures_are_not_written_twice(tmp_path: Path, make: Any) -> None:
    trajectory = make("t", steps=3, picture=b"x" * 100_000)
    with ParquetTrajectoryStore(tmp_path) as store:
        writer = store.begin("t", trajectory.task, trajectory.provenance)
        for step in trajectory.steps:
            writer.step(step)
        rewarded = tuple(dataclasses.replace(step, reward=9.0) for step in trajectory.steps)
        changed = dataclasses.replace(trajectory, steps=rewarded)
        writer.finish(changed)
        assert store.get("t") == bare(changed)
        assert (tmp_path / "journal.log").stat().st_size < 420_000
        with pytest.raises(StoreError, match="has ended already"):
            writer.finish(changed)


def test_interrupted_episodes_are_reported_resumed_and_closed(tmp_path: Path, make: Any) -> None:
    one, two = make("one", steps=3), make("two", steps=2)
    with ParquetTrajectoryStore(tmp_path) as store:
        for trajectory in (one, two):
            writer = store.begin(trajectory.id, trajectory.task, trajectory.provenance)
            writer.step(trajectory.steps[0])
        assert store.interrupted() == []
        store.append(make("whole"))
        store.seal()
    with ParquetTrajectoryStore(tmp_path) as store:
        first, second = store.interrupted()
        assert (first.id, first.task, first.provenance) == ("one", one.task, one.provenance)
        assert first.steps == bare(one).steps[:1]
        assert second.id == "two"
        writer = store.resume("one")
        assert writer.steps == 1
        for step in one.steps[1:]:
            writer.step(step)
        writer.finish(one)
        (closed,) = store.close_interrupted()
        assert (closed.id, closed.end, closed.trainable) == ("two", End.ABORTED, False)
        assert isinstance(closed.fault, Fault)
        assert (closed.fault.boundary, closed.fault.type) == ("env", "Interrupted")
        assert store.interrupted() == []
        with pytest.raises(StoreError, match="no interrupted episode 'two'"):
            store.resume("two")
    with ParquetTrajectoryStore(tmp_path, mode="read") as store:
        assert store.ids() == ["whole", "one", "two"]
        assert store.get("two") == closed
        assert store.get("one") == bare(one)


def test_annotations_lie_beside_the_shards(tmp_path: Path, make: Any) -> None:
    verdict = Verdict(False, "judge", reason="no milk in the cart")
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("t", outcome=None))
        shard = store.seal()
        assert shard is not None
        before = shard.read_bytes()
        store.annotate("t", values=[0.25, None], advantages=[1.5, -0.5])
        store.annotate("t", values=[0.5, 0.75], verdicts=[verdict])
        with pytest.raises(StoreError, match="has 2 steps but 1 values"):
            store.annotate("t", values=[1.0])
        with pytest.raises(StoreError, match="no trajectory 'x'"):
            store.annotate("x", values=[1.0])
        assert shard.read_bytes() == before
    with (tmp_path / "annotations.jsonl").open("ab") as file:
        file.write(b'{"id": "t", "anno')  # the torn tail of a killed writer
    with ParquetTrajectoryStore(tmp_path) as store:
        got = store.get("t")
        assert [step.value for step in got.steps] == [0.5, 0.75]
        assert [step.advantage for step in got.steps] == [1.5, -0.5]
        assert got.verdicts == (verdict,)
        assert [summary.success for summary in store.scan()] == [False]


def test_outdated_annotations_are_dropped_when_sealing(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("t"))
        for index in range(5):
            store.annotate("t", values=[float(index), 0.0])
        store.seal()
        assert len((tmp_path / "annotations.jsonl").read_text().splitlines()) == 1
        assert store.get("t").steps[0].value == 4.0


def test_one_writer_and_many_readers(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as writer:
        writer.append(make("a"))
        with pytest.raises(StoreError, match="being written elsewhere"):
            ParquetTrajectoryStore(tmp_path)
        reader = ParquetTrajectoryStore(tmp_path, mode="read")
        writer.append(make("b"))
        writer.seal()
        assert [one.id for one in reader] == ["a"]
        with pytest.raises(StoreError, match='mode="write"'):
            reader.append(make("c"))
        reader.close()
        with pytest.raises(StoreError, match="is closed"):
            reader.get("a")
    with pytest.raises(StoreError, match="does not exist"):
        ParquetTrajectoryStore(tmp_path / "nowhere", mode="read")


def test_threads_share_a_store(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path, sync="never", seal_bytes=20_000) as store:

        def play(worker: int) -> int:
            for number in range(5):
                trajectory = make(f"{worker}-{number}", picture=b"x" * 1000)
                writer = store.begin(trajectory.id, trajectory.task, trajectory.provenance)
                for step in trajectory.steps:
                    writer.step(step)
                writer.finish(trajectory)
            return sum(1 for _ in store)

        with ThreadPoolExecutor(4) as pool:
            seen = list(pool.map(play, range(4)))
        assert max(seen) == len(store) == 20
        assert store.shards()
        assert all(one == bare(make(one.id, picture=b"x" * 1000)) for one in store)


def test_numbers_of_numpy_are_stored_as_plain_ones(tmp_path: Path, make: Any) -> None:
    plain = make("t", steps=1)
    decision = dataclasses.replace(plain.steps[0].decision, token_ids=(np.int64(7),), log_probs=(np.float32(-0.5),))
    step = dataclasses.replace(plain.steps[0], decision=decision, reward=np.float64(1.0))
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(dataclasses.replace(plain, steps=(step,)))
        store.seal()
        (got,) = store.get("t").steps
    assert (got.decision.token_ids, got.decision.log_probs, got.reward) == ((7,), (-0.5,), 1.0)
    assert type(got.decision.token_ids[0]) is int
