"""Judges together: who is asked, who decides, what it costs, and what a broken one costs the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from tapwise.errors import JudgeError
from tapwise.evaluator.cascade import Cascade, MajorityVote, Stage
from tapwise.protocols import Judge
from tapwise.records import End, Provenance, Task, Trajectory, Verdict


@dataclass
class Says:
    """A judge that says what it is told for each episode: (success, score)."""

    name: str
    words: dict[str, tuple[bool | None, float | None]]
    cost: float = 0.0
    asked: list[str] = field(default_factory=list)
    broken: bool = False

    def judge(self, trajectories: Sequence[Trajectory]) -> list[Verdict]:
        if self.broken:
            raise JudgeError("nobody answers")
        self.asked += [one.id for one in trajectories]
        said = [self.words.get(one.id, (None, None)) for one in trajectories]
        return [Verdict(success, self.name, score, "why", self.cost, 1.0) for success, score in said]


def episode(name: str) -> Trajectory:
    return Trajectory(name, Task("t", "Do", "s", "a", "x", (), 5, "test"), (), End.FINISHED, Provenance("p"))


EPISODES = [episode(name) for name in "abc"]


def test_each_stage_is_asked_about_what_is_still_open() -> None:
    first = Says("rules", {"a": (True, 1.0)})
    small = Says("small", {"b": (False, 0.1), "c": (True, 0.55)}, cost=0.01)
    large = Says("large", {"c": (False, 0.0)}, cost=1.0)
    cascade = Cascade([Stage(first), Stage(small, doubt=0.2), Stage(large)])
    judge: Judge = cascade
    found = judge.judge(EPISODES)
    assert (first.asked, small.asked, large.asked) == (["a", "b", "c"], ["b", "c"], ["c"])
    assert [one.success for one in found] == [True, False, False]
    assert [one.cost for one in found] == pytest.approx([0.0, 0.01, 1.01])
    assert found[1].reason == "small: why"
    assert {one.judge for one in found} == {"cascade(rules > small > large)"}
    assert {name: (one.asked, one.decided) for name, one in cascade.shares.items()} == {
        "rules": (3, 1),
        "small": (2, 1),
        "large": (1, 1),
    }


def test_what_no_stage_decides_is_an_abstention_and_a_doubt_is_no_verdict() -> None:
    cascade = Cascade([Stage(Says("small", {"a": (True, 0.6)}), doubt=0.2)])
    found = cascade.judge(EPISODES[:2])
    assert [(one.success, one.pending) for one in found] == [(None, False)] * 2
    assert "doubts" in found[0].reason


def test_a_stage_that_cannot_be_asked_leaves_its_episodes_pending_and_takes_no_others_verdict() -> None:
    cascade = Cascade([Stage(Says("rules", {"a": (True, 1.0)})), Stage(Says("large", {}, broken=True))])
    found = cascade.judge(EPISODES)
    assert [(one.success, one.pending) for one in found] == [(True, False), (None, True), (None, True)]
    assert cascade.shares["large"].error == "nobody answers"


def test_a_later_stage_decides_what_an_earlier_one_could_not_be_asked() -> None:
    cascade = Cascade([Stage(Says("near", {}, broken=True)), Stage(Says("far", {"a": (False, 0.0)}))])
    (found,) = cascade.judge(EPISODES[:1])
    assert (found.success, found.pending) == (False, False)


@pytest.mark.parametrize(
    ("votes", "decided", "score"),
    [
        ((True, True, False), True, 2 / 3),
        ((True, None, None), True, 1.0),
        ((True, False, None), None, 0.5),
        ((None, None, None), None, None),
    ],
)
def test_the_majority_decides_and_a_tie_does_not(
    votes: tuple[bool | None, ...], decided: bool | None, score: float | None
) -> None:
    judges = [Says(f"j{number}", {"a": (vote, None)}, cost=0.5) for number, vote in enumerate(votes)]
    (found,) = MajorityVote(judges).judge(EPISODES[:1])
    assert found.success is decided
    assert found.score == (None if score is None else pytest.approx(score))
    assert found.cost == 1.5
