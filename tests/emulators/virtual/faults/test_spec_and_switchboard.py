"""What a fault says, and when it happens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.virtual.faults import KINDS, FaultSpec, Switchboard
from tapwise.errors import ConfigError


def test_a_fault_is_read() -> None:
    spec = FaultSpec.parse("hang:on=screencap, after=10,probability=0.5,times=2,seed=7,mode=stall,bytes=99")
    assert (spec.kind, spec.mode, spec.on, spec.after, spec.probability) == ("hang", "stall", "screencap", 10, 0.5)
    assert (spec.times, spec.seed, spec.bytes) == (2, 7, 99)
    assert FaultSpec.from_mapping(spec.as_dict()) == spec
    assert FaultSpec.parse(str(spec)) == spec
    assert FaultSpec.parse("closed") == FaultSpec("closed", "refuse")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "there is no fault ''"),
        ("frobnicate", "known are offline"),
        ("hang:mode=loud", "known are silent, stall, deaf"),
        ("hang:after=x", "after='x' is not a int"),
        ("hang:after", "'after' is not NAME=VALUE"),
        ("hang:where=x", "a fault has no 'where'"),
        ("hang:probability=2", "does not lie in"),
        ("hang:after=-1", "cannot be negative"),
    ],
)
def test_what_is_wrong_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        FaultSpec.parse(text)


def fired(board: Switchboard, kind: str, looks: int, what: str = "x") -> list[int]:
    return [look for look in range(looks) if board.fires(kind, what)]


def test_conditions_must_all_hold() -> None:
    board = Switchboard()
    board.add(FaultSpec("closed", on="shell", after=2, times=3))
    assert fired(board, "closed", 5, "sync:") == []
    assert fired(board, "closed", 10, "shell:ls") == [2, 3, 4]
    assert fired(board, "hang", 10, "shell:ls") == []
    assert [firing.look for firing in board.log] == [3, 4, 5]


@given(st.integers(0, 5), st.floats(0.1, 0.9))
def test_the_same_seed_gives_the_same_faults(seed: int, probability: float) -> None:
    first, second = Switchboard(), Switchboard()
    for board in (first, second):
        board.add(FaultSpec("lost_input", probability=probability, seed=seed))
    assert fired(first, "lost_input", 200) == fired(second, "lost_input", 200)


def test_probability_is_a_probability() -> None:
    board = Switchboard()
    board.add(FaultSpec("lost_input", probability=0.25))
    assert 180 < len(fired(board, "lost_input", 1000)) < 320


def test_seconds_count_from_the_first_time() -> None:
    clock = [100.0]
    board = Switchboard(now=lambda: clock[0])
    board.add(FaultSpec("closed", seconds=5))
    assert board.fires("closed")
    clock[0] = 104.9
    assert board.fires("closed")
    clock[0] = 105.0
    assert not board.fires("closed")


def test_faults_are_removed() -> None:
    board = Switchboard()
    number = board.add(FaultSpec("closed"))
    assert board.remove(number)
    assert not board.remove(number)
    assert not board
    assert not board.fires("closed")


def test_every_kind_says_what_it_does() -> None:
    for name, kind in KINDS.items():
        assert kind.does
        assert kind.at
        for mode in kind.modes:
            assert FaultSpec(name, mode).mode == mode
