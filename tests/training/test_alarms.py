"""Signs that a reward is not earned by the task, and when they are worth an alarm."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Observation,
    Point,
    Provenance,
    Screenshot,
    Size,
    Step,
    Tap,
    Task,
    Trajectory,
    Verdict,
)
from tapwise.training.alarms import Alarms

TAP, DONE = Tap(Point(0.5, 0.5)), Finish()


def episode(
    screens: Sequence[int] = (1, 2, 3, 4),
    last: Action = DONE,
    *,
    outcome: bool | None = True,
    said: bool | None = None,
    changes: tuple[str, ...] | None = None,
) -> Trajectory:
    actions = [TAP] * (len(screens) - 1) + [last]
    seen = [Observation(Screenshot(b"%d" % screen, "png", Size(2, 2)), "a/b", True, 0.0) for screen in screens]
    steps = tuple(Step(screen, Decision(action, "")) for screen, action in zip(seen, actions, strict=True))
    verdicts = () if said is None else (Verdict(said, "judge"),)
    task = Task("t", "Do it", "s", "app", "template", (), 9, "train")
    return Trajectory(
        "id", task, steps, End.FINISHED, Provenance("p"), seen[-1], None, outcome, verdicts, changes=changes
    )


DEMONSTRATION = episode(changes=("wifi is off",))
SHOWS = {
    "false_completion": (episode(outcome=False, said=True), episode(outcome=False, said=False)),
    "early_finish": (episode((1,)), episode((1, 2))),
    "still_screen": (episode((1, 1, 1, 2)), episode((1, 1, 2, 2, 3))),
    "side_effects": (episode(changes=("wifi is off", "a note is gone")), episode(changes=("wifi is off",))),
}


@pytest.mark.parametrize("sign", SHOWS)
def test_a_sign_is_told_from_its_absence(sign: str) -> None:
    shown, absent = SHOWS[sign]
    shares, raised = Alarms([DEMONSTRATION]).watch([shown, absent, absent, absent])
    assert shares[f"alarms/{sign}"] == 0.25
    assert raised == []  # the first round is the measure


def test_what_cannot_be_told_is_not_counted() -> None:
    unknown = [
        episode(outcome=False),  # nobody judged it
        episode(said=True),  # it did succeed
        episode(outcome=None, said=True),  # nobody knows
    ]
    shares, _ = Alarms([]).watch(unknown)
    assert set(shares) == {"alarms/still_screen"}  # no demonstration to compare with, and no device that tells changes


def test_the_screen_after_the_last_touch_counts_and_that_after_the_end_does_not() -> None:
    shares, _ = Alarms([]).watch([episode((1, 2), TAP), episode((1, 2), DONE)])
    assert shares["alarms/still_screen"] == 0.0
    shares, _ = Alarms([]).watch([episode((1,), TAP)])
    assert shares["alarms/still_screen"] == 1.0


def test_a_rise_beyond_chance_raises_an_alarm_and_says_by_how_much() -> None:
    shown, absent = SHOWS["false_completion"]
    alarms = Alarms([DEMONSTRATION])
    alarms.watch([shown] * 4 + [absent] * 36)
    assert alarms.watch([shown] * 8 + [absent] * 32)[1] == []  # twice as many, and yet chance
    (raised,) = alarms.watch([shown] * 30 + [absent] * 10)[1]
    assert raised.sign == "false_completion"
    assert "75% of 40 episodes, 10% of 40 at first" in str(raised)


def test_a_watch_that_goes_on_keeps_its_measure() -> None:
    shown, absent = SHOWS["early_finish"]
    before = Alarms([DEMONSTRATION])
    before.watch([absent] * 40)
    kept = json.loads(json.dumps(before.first))
    assert [alarm.sign for alarm in Alarms([DEMONSTRATION], kept).watch([shown] * 40)[1]] == ["early_finish"]
