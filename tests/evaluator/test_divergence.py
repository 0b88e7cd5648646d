"""First divergence, progress and agreement by kind, by hand."""

from __future__ import annotations

import pytest

from tapwise.evaluator.divergence import Comparison, compare, divergence_report
from tapwise.evaluator.matching import canonical
from tapwise.records import (
    Action,
    Decision,
    End,
    Key,
    Observation,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
    Wait,
)

SEEN = Observation(Screenshot(b"", "png", Size(2, 2)), "a/A", True, 0.0)
BACK, HOME = Press(Key.BACK), Press(Key.HOME)


def trajectory(*actions: Action) -> Trajectory:
    task = Task("t", "do it", "s", "a", "t", (), 9, "test")
    steps = tuple(Step(SEEN, Decision(action, "")) for action in actions)
    return Trajectory("one", task, steps, End.FINISHED, Provenance("expert"))


def test_steps_are_compared_in_order() -> None:
    shown = trajectory(BACK, Wait(), HOME, HOME)
    compared = compare(shown, [BACK, Wait(9.0), BACK, HOME], canonical)
    assert compared == Comparison("one", (True, True, False, True), ("Press", "Wait", "Press", "Press"))
    assert (compared.first_divergence, compared.progress) == (2, 0.5)
    assert compare(shown, [BACK], canonical).matches == (True, False, False, False)
    with pytest.raises(ValueError, match="5 actions cannot be compared with the 4 of 'one'"):
        compare(shown, [BACK] * 5, canonical)


def test_progress_and_completion_as_in_ui_s1() -> None:
    # golden example uis1.sop: matched steps before the first divergence, of how many
    tasks = [(3, 3), (0, 4), (2, 5), (1, 1), (6, 8)]
    compared = [
        Comparison(str(n), tuple(index < same for index in range(total)), ("Tap",) * total)
        for n, (same, total) in enumerate(tasks)
    ]
    report = divergence_report(compared)
    assert report.progress == pytest.approx(0.63)
    assert report.complete.value == pytest.approx(0.4)
    assert report.progress_interval.low < 0.63 < report.progress_interval.high
    assert report.histogram == {0: 1, 2: 1, 6: 1}
    assert (report.steps.hits, report.steps.total) == (12, 21)


def test_agreement_by_kind_and_nothing_to_compare() -> None:
    compared = [Comparison("a", (True, False, True), ("Tap", "Tap", "Press")), Comparison("b", (False,), ("Tap",))]
    report = divergence_report(compared)
    assert {kind: (rate.hits, rate.total) for kind, rate in report.by_kind.items()} == {"Tap": (1, 3), "Press": (1, 1)}
    assert report.by_kind["Tap"].interval == pytest.approx((0.0615, 0.7923), abs=1e-4)
    nothing = divergence_report([])
    assert (nothing.progress, nothing.steps.value, nothing.histogram) == (None, None, {})
    with pytest.raises(ValueError, match="'x' has no steps"):
        divergence_report([Comparison("x", (), ())])
