"""What two evaluations say about each other."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tapwise.errors import DataError
from tapwise.evaluator.comparison import Evaluated, compare

MANIFEST: dict[str, Any] = {
    "recipe": {"evaluation": {"split": "test", "episodes": 4}, "farm": {"devices": 4}, "batch_size": 8, "suite": "s"},
    "policy": {"name": "a"},
    "suite": {"name": "s", "test": "1", "train": "1"},
    "protocol": {"decoding": "greedy", "noise": "none"},
    "cpus": 2,
}


def evaluated(successes: str, name: str = "a", **changes: Any) -> Evaluated:
    """An evaluation; `changes` are of the manifest, with dots written as two underscores."""
    manifest = copy.deepcopy(MANIFEST)
    manifest["policy"]["name"] = name
    for path, value in changes.items():
        *sections, last = path.split("__")
        inner = manifest
        for section in sections:
            inner = inner[section]
        inner[last] = value
    rows = [{"trajectory": f"e-{n}", "task": f"t-{n}", "success": mark == "+"} for n, mark in enumerate(successes)]
    return Evaluated.read(name, {"results": rows}, manifest)


def test_the_same_protocol_is_compared_pair_by_pair() -> None:
    found = compare(evaluated("++++++-+--"), evaluated("----------", "b"))
    assert found.comparable()
    assert found.protocol == ()
    assert [one.field for one in found.subject] == ["policy.name"]
    assert found.difference == pytest.approx(0.7)
    assert (found.paired, found.only_first, found.only_second) == (10, 7, 0)
    assert found.better() == "first"
    assert compare(evaluated("----------"), evaluated("++++++++++")).better() == "second"


def test_what_is_not_told_apart_is_not_ranked() -> None:
    found = compare(evaluated("+-+-"), evaluated("-+-+"))
    assert found.comparable()
    assert found.difference == 0
    assert found.better() is None


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("protocol__noise", "protocol.noise"),
        ("protocol__new", "protocol.new"),
        ("suite__test", "suite.test"),
        ("suite__name", "suite.name"),
    ],
)
def test_a_field_of_the_protocol_that_differs_forbids_a_ranking(path: str, field: str) -> None:
    found = compare(evaluated("++++"), evaluated("----", **{path: "other"}))
    assert [one.field for one in found.protocol] == [field]
    assert found.protocol[0].second == "other"
    assert not found.comparable()
    assert found.comparable([field])


@pytest.mark.parametrize("path", ["recipe__farm__devices", "suite__train"])
def test_what_changes_no_episode_is_left_out(path: str) -> None:
    found = compare(evaluated("++++"), evaluated("----", **{path: 99}))
    assert (found.protocol, found.subject, found.host) == ((), (), ())


@pytest.mark.parametrize(("value", "comparable"), [(0.0, True), (0.2, False)])
def test_a_dial_of_noise_that_came_later_was_off_before(value: float, comparable: bool) -> None:
    known = {"popups": 0.1}
    found = compare(
        evaluated("++--", protocol__noise=known), evaluated("++--", protocol__noise={**known, "walls": value})
    )
    assert found.comparable() is comparable
    assert [one.field for one in found.protocol] == ([] if comparable else ["protocol.noise.walls"])


def test_the_host_is_told_and_forbids_nothing() -> None:
    found = compare(evaluated("++++"), evaluated("----", cpus=64))
    assert [(one.field, one.first, one.second) for one in found.host] == [("cpus", 2, 64)]
    assert found.comparable()


def test_only_episodes_of_both_count() -> None:
    found = compare(evaluated("+++---"), evaluated("+++"))
    assert (found.paired, found.unpaired, found.difference) == (3, 3, 0)
    assert found.success == (0.5, 1.0)


def test_without_a_pair_nothing_is_compared() -> None:
    found = compare(evaluated(""), evaluated("++"))
    assert (found.difference, found.interval, found.better()) == (None, None, None)
    assert not found.comparable()


def test_retried_episodes_keep_their_place() -> None:
    rows = [{"trajectory": "e-0+2", "task": "t-0", "success": True}]
    retried = Evaluated.read("b", {"results": rows}, MANIFEST)
    assert compare(evaluated("+"), retried).paired == 1


def test_a_file_that_is_no_evaluation_is_named() -> None:
    with pytest.raises(DataError, match="here is not an evaluation"):
        Evaluated.read("here", {}, MANIFEST)
