"""Scores are kept by content, survive a torn tail, and are never taken for something else."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.scores import ScoreFile, content_key
from tapwise.errors import StoreError
from tapwise.records import Key, Point, Press, Provenance, Tap, Verdict

SAID = Verdict(True, "judge", 0.75, "done")
ACTIONS = (Tap(Point(0.5, 0.25), "Buy"), Press(Key.BACK))


def test_what_was_said_is_found_again(tmp_path: Path) -> None:
    path = tmp_path / "scores.jsonl"
    with ScoreFile(path) as scores:
        scores.put("k", "judge", Verdict(None, "judge"))
        scores.put("k", "judge", SAID)
        scores.put("k", "policy", ACTIONS)
        with pytest.raises(StoreError, match=r"scores\.jsonl are in use"):
            ScoreFile(path)
    with path.open("ab") as file:
        file.write(b'{"key": "k", "na')
    with ScoreFile(path) as scores:
        assert len(scores) == 2
        assert scores.verdict("k", "judge") == SAID
        assert scores.actions("k", "policy") == ACTIONS
        assert scores.verdict("other", "judge") is None
        with pytest.raises(StoreError, match="something else than Verdict for 'policy'"):
            scores.verdict("k", "policy")
        scores.put("l", "judge", SAID)
    path.write_bytes(path.read_bytes() + b"no json\n")
    with pytest.raises(StoreError, match=r"line 5, cannot be read"):
        ScoreFile(path)
    with pytest.raises(StoreError, match="cannot be opened"):
        ScoreFile(tmp_path / "nowhere" / "scores.jsonl")


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_the_key_covers_what_happened_and_nothing_else(trajectories: Any, data: Any) -> None:
    one = data.draw(trajectories)
    key = content_key(one)
    steps = tuple(dataclasses.replace(step, value=1.0, advantage=2.0) for step in one.steps)
    told = dataclasses.replace(one, id="other", steps=steps, verdicts=(SAID,), provenance=Provenance("x"))
    assert content_key(told) == key
    assert content_key(dataclasses.replace(one, outcome=not one.outcome)) != key
    if one.steps:
        step = one.steps[0]
        shot = dataclasses.replace(step.observation.screenshot, data=step.observation.screenshot.data + b"!")
        seen = dataclasses.replace(step.observation, screenshot=shot)
        for changed in (
            dataclasses.replace(step, observation=seen),
            dataclasses.replace(step, decision=dataclasses.replace(step.decision, text=step.decision.text + "!")),
        ):
            assert content_key(dataclasses.replace(one, steps=(changed, *one.steps[1:]))) != key


def test_the_key_stays_when_a_store_seals_and_compacts(tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path) as store:
        store.append(make("a"))
        key = content_key(store.get("a"))
        store.seal()
        assert content_key(store.get("a")) == key
        store.annotate("a", values=[0.5, 0.5], verdicts=[SAID])
        store.compact()
        assert content_key(store.get("a")) == key
