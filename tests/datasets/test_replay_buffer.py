"""What is drawn, how often, and that it is drawn again by the same seed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.datasets import replay_buffer as rb
from tapwise.datasets.schema import Summary
from tapwise.records import End, Provenance, Task


def summary(
    name: str, *, won: bool | None = False, steps: int = 3, task: str = "t", end: End = End.FINISHED
) -> Summary:
    about = Task(task, task, "suite", "app", "template", (), 5, "train")
    return Summary(name, about, end, Provenance("random"), steps, 0.0, outcome=won)


SUMMARIES = st.lists(
    st.builds(
        summary,
        st.uuids().map(str),
        won=st.sampled_from([True, False, None]),
        steps=st.integers(0, 5),
        task=st.sampled_from("abc"),
        end=st.sampled_from(End),
    ),
    max_size=12,
)
SCHEMES: dict[str, rb.Scheme] = {
    "uniform": rb.uniform,
    "by_steps": rb.by_steps,
    "recency": rb.recency(3.0),
    "success": rb.success(0.5),
    "all success": rb.success(1.0),
    "no success": rb.success(0.0),
    "task_balanced": rb.task_balanced,
}


@pytest.mark.parametrize("name", SCHEMES)
@given(summaries=SUMMARIES, seed=st.integers(0, 2**32 - 1))
def test_probabilities_and_support(name: str, summaries: list[Summary], seed: int) -> None:
    scheme = SCHEMES[name]
    if not any(one.trainable for one in summaries):
        with pytest.raises(ValueError, match="can be drawn"):
            scheme(summaries)
        return
    weights = scheme(summaries)
    assert weights.shape == (len(summaries),)
    assert weights.sum() == pytest.approx(1.0)
    assert all(weight == 0.0 for weight, one in zip(weights, summaries, strict=True) if not one.trainable)
    drawn = rb.draw(weights, 20, np.random.default_rng(seed))
    assert (weights[drawn] > 0.0).all()
    assert (drawn == rb.draw(weights, 20, np.random.default_rng(seed))).all()
    at = rb.draw_steps(summaries, weights, 20, np.random.default_rng(seed))
    assert all(0 <= step < summaries[index].steps for index, step in zip(*at, strict=True))
    once = rb.draw(weights, int(np.count_nonzero(weights)), np.random.default_rng(seed), replace=False)
    assert sorted(once) == list(np.flatnonzero(weights))


def test_frequencies_follow_the_weights() -> None:
    summaries = [summary(str(n), won=n == 0, steps=n + 1, task="a" if n < 3 else "b") for n in range(4)]
    expected = {
        "uniform": [0.25, 0.25, 0.25, 0.25],
        "by_steps": [0.1, 0.2, 0.3, 0.4],
        "success": [0.5, 1 / 6, 1 / 6, 1 / 6],
        "all success": [1.0, 0.0, 0.0, 0.0],
        "task_balanced": [1 / 6, 1 / 6, 1 / 6, 0.5],
    }
    for name, probabilities in expected.items():
        weights = SCHEMES[name](summaries)
        assert weights == pytest.approx(probabilities), name
        counts = np.bincount(rb.draw(weights, 20_000, np.random.default_rng(7)), minlength=4) / 20_000
        assert counts == pytest.approx(probabilities, abs=0.015), name
    assert rb.recency(1.0)(summaries) == pytest.approx(np.array([1, 2, 4, 8]) / 15)
    aborted = [summary(f"x{n}", end=End.ABORTED) for n in range(5000)]
    assert rb.recency(1.0)([*summaries, *aborted])[:4] == pytest.approx(np.array([1, 2, 4, 8]) / 15)


def test_steps_are_drawn_alike_by_their_number() -> None:
    summaries = [summary("long", steps=9), summary("short", steps=1)]
    at = rb.draw_steps(summaries, rb.by_steps(summaries), 20_000, np.random.default_rng(3))
    counts = Counter(zip(at.trajectories.tolist(), at.steps.tolist(), strict=True))
    assert len(counts) == 10
    assert min(counts.values()) > 1800
    with pytest.raises(ValueError, match="2 summaries but 1 weights"):
        rb.draw_steps(summaries, np.ones(1), 4, np.random.default_rng(3))


def test_given_weights() -> None:
    summaries = [summary("a"), summary("b"), summary("c", end=End.ABORTED)]
    assert rb.trajectory_weighted({"a": 1.0, "b": 3.0, "c": 9.0})(summaries) == pytest.approx([0.25, 0.75, 0.0])
    with pytest.raises(ValueError, match="weight of trajectory 'b' is -1"):
        rb.trajectory_weighted({"b": -1.0})(summaries)
    with pytest.raises(ValueError, match="none of 3 trajectories can be drawn"):
        rb.trajectory_weighted({"c": 1.0})(summaries)


@given(n=st.integers(0, 64), offline=st.integers(0, 5), online=st.integers(0, 5), seed=st.integers(0, 2**32 - 1))
def test_half_of_a_batch_is_the_agents_own(n: int, offline: int, online: int, seed: int) -> None:
    prior, own = np.full(offline, 1 / max(offline, 1)), np.full(online, 1 / max(online, 1))
    if offline + online == 0:
        with pytest.raises(ValueError, match="neither"):
            rb.draw_mixed(prior, own, n, np.random.default_rng(seed))
        return
    mixed = rb.draw_mixed(prior, own, n, np.random.default_rng(seed))
    again = rb.draw_mixed(prior, own, n, np.random.default_rng(seed))
    assert all((a == b).all() for a, b in zip(mixed, again, strict=True))
    assert len(mixed.offline) + len(mixed.online) == n
    if offline and online:
        assert len(mixed.online) == -(-n // 2)
    else:
        assert len(mixed.online if online else mixed.offline) == n


def test_shares_are_exact() -> None:
    four = np.full(4, 0.25)
    assert len(rb.draw_mixed(four, four, 30, np.random.default_rng(0), online_share=0.1).online) == 3
    assert len(rb.draw_mixed(four, four, 256, np.random.default_rng(0)).online) == 128


@given(capacity=st.integers(1, 6), count=st.integers(0, 15))
def test_the_buffer_keeps_the_latest(capacity: int, count: int) -> None:
    everything = [summary(str(n)) for n in range(count)]
    buffer = rb.ReplayBuffer(capacity)
    for one in everything:
        buffer.add(one)
        buffer.add(summary("aborted", end=End.ABORTED))
    assert buffer.summaries == everything[-capacity:]
    assert len(buffer) == min(capacity, count)


def test_bad_buffers() -> None:
    with pytest.raises(ValueError, match="capacity is 0"):
        rb.ReplayBuffer(0)
    with pytest.raises(ValueError, match="buffer is empty"):
        rb.ReplayBuffer(3).sample(1, np.random.default_rng(0))
    for wrong in (lambda: rb.recency(0.0), lambda: rb.success(1.5)):
        with pytest.raises(ValueError, match="must"):
            wrong()


def _check_ring(inputs: dict[str, Any], expected: dict[str, Any]) -> None:
    inserts = [summary(f"o{n}") for n in range(inputs["inserts"])]
    ours, theirs = (rb.ReplayBuffer(inputs["capacity"], inserts, released_code=code) for code in (False, True))
    assert [one.id for one in theirs.summaries] == expected["slots"]
    assert len(theirs) == expected["len"]
    assert len(ours) == inputs["capacity"] != expected["len"]
    assert [one.id for one in ours.summaries] == sorted(expected["slots"])
    shares = [
        np.bincount(buffer.sample(30_000, np.random.default_rng(1)), minlength=3) / 30_000 for buffer in (ours, theirs)
    ]
    assert shares[0] == pytest.approx([1 / 3] * 3, abs=0.01)
    assert shares[1] == pytest.approx([0.4, 0.4, 0.2], abs=0.01)


def test_the_ring_of_digirl_only_on_demand() -> None:
    _check_ring({"capacity": 3, "inserts": 5}, {"slots": ["o3", "o4", "o2"], "len": 5})


def test_the_golden_file_on_rings(golden: dict[str, Any]) -> None:
    _check_ring(golden["digirl.replay_ring"]["inputs"], golden["digirl.replay_ring"]["expected"])
