from __future__ import annotations

from collections.abc import Callable
from typing import Any

ALARMS = "content://com.android.deskclock/alarms"


def test_an_alarm_is_added_switched_and_deleted(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    user.phone.content.delete(ALARMS, lambda row: True)
    user.tap("Clock", "Add", "7", "30")
    assert [(row["hour"], row["minutes"], row["enabled"]) for row in user.phone.content.query(ALARMS)] == [(7, 30, 1)]
    user.tap("7 30")
    assert user.phone.content.query(ALARMS)[0]["enabled"] == 0
    user.hold("7 30")
    user.tap("Cancel")
    user.hold("7 30")
    user.tap("Delete")
    assert user.phone.content.query(ALARMS) == []


def test_a_city_is_never_twice_on_the_world_clock(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    user.tap("Clock", "Clock", "Add", "Rome", "Add", "Rome")
    names = [row["name"] for row in user.phone.content.query("content://com.android.deskclock/cities")]
    assert names.count("Rome") == 1


def test_timer_and_stopwatch(hand: Callable[[int], Any]) -> None:
    user = hand(1)
    user.tap("Clock", "Timer", "5 minutes")
    assert [row["length"] for row in user.phone.content.query("content://com.android.deskclock/timers")] == [5]
    user.tap("Stop", "Stopwatch", "Start", "Stop")
    assert user.phone.content.query("content://com.android.deskclock/stopwatch")[0]["state"] == "paused"


def test_alarms_differ_from_seed_to_seed(hand: Callable[[int], Any]) -> None:
    found = {str(hand(seed).phone.content.query(ALARMS)) for seed in range(4)}
    assert len(found) > 1
