from __future__ import annotations

from typing import Any

import pytest

from tapwise.android_env.actuator import MAX_WAIT_S, actuate
from tapwise.android_env.settle import SettleBudget, settle
from tapwise.errors import DeviceLost, EnvError
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    TypeText,
    Wait,
)


class Clock:
    """Time that passes only by waiting, plus `per_look_s` at each look at it."""

    def __init__(self, per_look_s: float = 0.0) -> None:
        self.now_s = 0.0
        self.waits: list[float] = []
        self._per_look_s = per_look_s

    def now(self) -> float:
        self.now_s += self._per_look_s
        return self.now_s

    def wait(self, seconds: float) -> None:
        self.now_s += seconds
        self.waits.append(seconds)


def test_a_still_screen_takes_two_looks_and_no_wait(phone: Any) -> None:
    clock = Clock()
    assert settle(phone, SettleBudget(), clock.now, clock.wait)[:2] == (True, 2)
    assert clock.waits == []


def test_a_moving_screen_is_watched_until_it_rests(phone: Any) -> None:
    phone.open_app("settings")
    phone.state.loading = 5
    clock = Clock()
    assert settle(phone, SettleBudget(), clock.now, clock.wait)[:2] == (True, 6)


def test_polls_and_seconds_bound_the_watching(phone: Any) -> None:
    phone.open_app("settings")
    phone.state.loading = 10
    assert settle(phone, SettleBudget(polls=4), Clock().now)[:2] == (False, 4)
    assert settle(phone, SettleBudget(seconds=1.0), Clock(per_look_s=0.5).now)[:2] == (False, 2)


def test_more_equal_looks_can_be_asked_for(phone: Any) -> None:
    assert settle(phone, SettleBudget(equal_in_a_row=4))[:2] == (True, 4)


def test_it_tells_until_when_the_screen_was_seen_to_change(phone: Any) -> None:
    assert settle(phone, SettleBudget(), Clock(0.1).now)[2:] == (0.0, False)
    phone.open_app("settings")
    phone.state.loading = 5
    found = settle(phone, SettleBudget(), Clock(0.1).now)
    assert found.settled
    assert found.moved_s == pytest.approx(0.3)  # the looks are 0.1 s apart; the fifth differed from the fourth
    assert not found.moving
    phone.state.loading = 10
    assert settle(phone, SettleBudget(polls=4), Clock(0.1).now) == (False, 4, pytest.approx(0.2), True)
    phone.state.loading = 2
    found = settle(phone, SettleBudget(polls=4, equal_in_a_row=4), Clock(0.1).now)
    assert (found.settled, found.moving) == (False, False)  # not long enough at rest to be believed, but at rest


def test_pictures_are_compared_where_frames_are_not_counted(make_phone: Any) -> None:
    phone = make_phone(counts_frames=False)
    phone.open_app("settings")
    clock = Clock()
    assert settle(phone, SettleBudget(back_off_s=0.2), clock.now, clock.wait)[:2] == (True, 3)
    assert clock.waits == [0.2, 0.2]


@pytest.mark.parametrize(
    ("action", "call"),
    [
        (Tap(Point(0.5, 0.5)), "tap 100 150"),
        (Tap(Point(1.0, 1.0)), "tap 199 299"),
        (LongPress(Point(0.1, 0.1), 1.5), "swipe 20 30 20 30 1.5"),
        (Swipe(Point(0.5, 0.7), Point(0.5, 0.3), 0.4), "swipe 100 210 100 90 0.4"),
        (Swipe(Point(0, 0), Point(0, 0), 1e9), "swipe 0 0 0 0 5"),
        (TypeText("two words"), "type two words"),
        (Press(Key.BACK), "press KEYCODE_BACK"),
        (Press(Key.HOME), "press KEYCODE_HOME"),
        (Press(Key.ENTER), "press KEYCODE_ENTER"),
        (Press(Key.RECENTS), "press KEYCODE_APP_SWITCH"),
        (OpenApp("settings"), "open settings"),
        (Wait(2.0), "shell sleep 2"),
        (Wait(-1.0), "shell sleep 0"),
        (Wait(1 / 3), "shell sleep 0.333"),
        (Wait(float("nan")), f"shell sleep {MAX_WAIT_S:g}"),
    ],
)
def test_each_action_reaches_the_device(phone: Any, action: Action, call: str) -> None:
    assert actuate(phone, action, Size(300, 200)) is None
    assert phone.calls == [call]


@pytest.mark.parametrize("action", [OpenApp("nothing"), TypeText("naïve"), TypeText("")])
def test_what_the_agent_made_up_is_refused_without_a_fault(phone: Any, action: Action) -> None:
    assert actuate(phone, action, Size(300, 200))


def test_a_lost_device_passes_through(phone: Any) -> None:
    phone.fails = lambda call: DeviceLost("gone")
    with pytest.raises(DeviceLost):
        actuate(phone, OpenApp("settings"), Size(300, 200))


def test_finish_is_not_for_devices(phone: Any) -> None:
    with pytest.raises(EnvError, match="ends an episode"):
        actuate(phone, Finish(), Size(300, 200))
