"""Why an episode failed."""

from __future__ import annotations

import pytest

from tapwise.evaluator.failures import Failure, failure_of
from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Key,
    Observation,
    Point,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Tap,
    Task,
    Trajectory,
    TypeText,
    Wait,
)

TASK = Task("notes.pin:1", "Pin it.", "general", "Notes", "notes.pin", (), 10, "test")
PACKAGES = {"notes": "com.notes"}
HOME, NOTES = "com.launcher/.Home", "com.notes/.List"


def step(action: Action, activity: str = NOTES, unparsable: str | None = None, picture: bytes = b"") -> Step:
    seen = Observation(Screenshot(picture, "png", Size(1, 1)), activity, True, 0.0)
    return Step(seen, Decision(action, "", unparsable=unparsable))


def episode(*steps: Step, outcome: bool | None = False, end: End = End.TRUNCATED) -> Trajectory:
    return Trajectory("e", TASK, steps, end, Provenance("p"), outcome=outcome)


def taps(*points: float, activity: str = NOTES, picture: bytes = b"") -> list[Step]:
    return [step(Tap(Point(x, 0.5)), activity, picture=picture) for x in points]


DISTINCT = taps(0.05, 0.15, 0.25, 0.35, 0.45, 0.55)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (episode(*DISTINCT, outcome=True), None),
        (episode(*DISTINCT, end=End.ABORTED, outcome=None), Failure.ABORTED),
        (episode(*DISTINCT[:2], *(step(Wait(), unparsable="?") for _ in range(2))), Failure.UNREADABLE),
        (episode(*DISTINCT, step(Finish()), end=End.FINISHED), Failure.FALSE_COMPLETION),
        (episode(*DISTINCT, step(Finish("impossible")), end=End.FINISHED), Failure.GAVE_UP),
        (episode(*taps(0.51, 0.52, 0.53), *DISTINCT[:5]), Failure.LOOP),
        (episode(*taps(0.51, 0.52), *DISTINCT[:5]), Failure.OUT_OF_STEPS),
        (episode(*(step(Press(Key.BACK)) for _ in range(3))), Failure.LOOP),
        (episode(*taps(0.05, 0.15, 0.25, 0.35, activity=HOME)), Failure.WRONG_APP),
        (episode(), Failure.WRONG_APP),
        (episode(step(TypeText("hi"), picture=b"1"), step(Wait(), picture=b"1")), Failure.LOST_INPUT),
        (episode(step(TypeText("hi"), picture=b"1"), step(Wait(), picture=b"2")), Failure.OUT_OF_STEPS),
        (episode(*taps(0.05, 0.15, 0.25, picture=b"1"), step(Wait(), picture=b"2")), Failure.MISSED_TARGETS),
        (episode(*taps(0.05, 0.15, picture=b"1"), step(Wait(), picture=b"2")), Failure.OUT_OF_STEPS),
        (episode(*DISTINCT[:5], *taps(0.05, 0.15, 0.25, picture=b"1")), Failure.OUT_OF_STEPS),
    ],
)
def test_the_first_kind_that_applies(found: Trajectory, kind: Failure | None) -> None:
    assert failure_of(found, PACKAGES) is kind


def test_the_same_point_elsewhere_is_no_loop() -> None:
    steps = [*taps(0.5, activity=HOME), *taps(0.5), *taps(0.5, activity="com.notes/.Edit")]
    assert failure_of(episode(*steps), PACKAGES) is Failure.OUT_OF_STEPS


def test_of_an_unknown_app_nothing_is_said() -> None:
    assert failure_of(episode(*taps(0.05, 0.15, 0.25, 0.35, activity=HOME))) is Failure.OUT_OF_STEPS


def test_a_few_unreadable_decisions_are_no_failure_of_their_own() -> None:
    found = episode(*DISTINCT, step(Wait(), unparsable="?"))
    assert failure_of(found, PACKAGES) is Failure.OUT_OF_STEPS
