"""The choice of a way to the screen, without phones: what is measured, compared, dropped."""

from __future__ import annotations

import time

import numpy as np
import pytest

from tapwise.emulators.screen_ways import ScreenWays, describe_choice
from tapwise.errors import DeviceError, DeviceLost

PICTURE = np.arange(40 * 20 * 3, dtype=np.uint8).reshape(40, 20, 3)


class Way:
    """Takes `cost_s`, shows `shown`, fails with `error`; counts how often it was asked."""

    def __init__(self, cost_s: float = 0.0) -> None:
        self.cost_s = cost_s
        self.shown = [PICTURE]
        self.error: DeviceError | None = None
        self.asked = 0

    def __call__(self) -> np.ndarray:
        self.asked += 1
        until = time.perf_counter() + self.cost_s
        while time.perf_counter() < until:  # what is measured is the time that this takes
            pass
        if self.error is not None:
            raise self.error
        return self.shown[self.asked % len(self.shown)]


@pytest.fixture
def ways() -> dict[str, Way]:
    return {"raw": Way(0.003), "png": Way(0.009), "grpc": Way(0.0)}


def made(ways: dict[str, Way]) -> ScreenWays:
    return ScreenWays({name: ways[name] for name in ("raw", "png")}, {"grpc": ways["grpc"]})


@pytest.mark.parametrize("fastest", ["raw", "png", "grpc"])
def test_the_fastest_way_is_chosen_and_each_is_measured(ways: dict[str, Way], fastest: str) -> None:
    for name, way in ways.items():
        way.cost_s = 0.0 if name == fastest else 0.004
    screens = made(ways)
    assert np.array_equal(screens.grab(), PICTURE)
    assert screens.choice is not None
    assert screens.choice.chosen == fastest
    assert screens.choice.ms.keys() == ways.keys()
    assert all(ms >= 1e3 * ways[name].cost_s for name, ms in screens.choice.ms.items())
    assert screens.choice.refused == {}
    before = {name: way.asked for name, way in ways.items()}
    screens.grab()
    assert {name: way.asked - before[name] for name, way in ways.items() if name != fastest} == dict.fromkeys(
        ways.keys() - {fastest}, 0
    )


def test_a_way_that_shows_something_else_is_refused_and_slight_shades_are_not(ways: dict[str, Way]) -> None:
    ways["grpc"].shown = [np.minimum(PICTURE, 250) + np.uint8(3)]
    screens = made(ways)
    screens.grab()
    assert screens.choice is not None
    assert screens.choice.chosen == "grpc"
    ways["grpc"].shown = [PICTURE[::-1]]
    screens.forget()
    assert np.array_equal(screens.grab(), PICTURE)
    assert screens.choice.chosen == "raw"
    assert screens.choice.refused == {"grpc": "it shows another picture than screencap"}
    assert "not grpc: it shows another picture" in describe_choice(screens.choice.to_json())


@pytest.mark.parametrize("picture", ["moves", "has one colour"])
def test_what_could_not_be_compared_is_compared_later(ways: dict[str, Way], picture: str) -> None:
    plain = [np.zeros_like(PICTURE)]
    for way in ways.values():
        way.shown = [PICTURE, PICTURE[::-1], PICTURE[:, ::-1]] if picture == "moves" else plain
    screens = made(ways)
    screens.grab()
    assert screens.choice is not None
    assert screens.choice.chosen == "raw"
    assert "did not keep still" in screens.choice.refused["grpc"]
    for way in ways.values():
        way.shown = [PICTURE]
    for _ in range(20):
        screens.grab()
    assert screens.choice.chosen == "grpc"
    assert screens.choice.refused == {}


def test_a_way_that_fails_later_loses_no_picture(ways: dict[str, Way]) -> None:
    screens = made(ways)
    screens.grab()
    ways["grpc"].error = DeviceError("UNAVAILABLE")
    assert np.array_equal(screens.grab(), PICTURE)
    assert screens.choice is not None
    assert (screens.choice.chosen, screens.choice.refused) == ("raw", {"grpc": "UNAVAILABLE"})
    asked = ways["grpc"].asked
    screens.grab()
    assert ways["grpc"].asked == asked
    ways["grpc"].error = None
    screens.forget()
    screens.grab()
    assert screens.choice.chosen == "grpc"


def test_a_way_that_freezes_is_found_out(ways: dict[str, Way]) -> None:
    screens = made(ways)
    screens.grab()
    later = PICTURE[::-1].copy()
    ways["raw"].shown = ways["png"].shown = [later]
    for _ in range(250):
        pixels = screens.grab()
    assert np.array_equal(pixels, later)
    assert screens.choice is not None
    assert "another picture" in screens.choice.refused["grpc"]


def test_a_turned_screen_is_compared_anew(ways: dict[str, Way]) -> None:
    screens = made(ways)
    screens.grab()
    for way in ways.values():
        way.shown = [PICTURE.transpose(1, 0, 2).copy()]
    assert screens.grab().shape == (20, 40, 3)
    assert screens.choice is not None
    assert screens.choice.chosen == "grpc"
    ways["grpc"].shown = [PICTURE]  # one that does not turn with the screen
    assert screens.grab().shape == (20, 40, 3)
    assert "another picture" in screens.choice.refused["grpc"]


def test_a_lost_phone_is_lost_whatever_grpc_says(ways: dict[str, Way]) -> None:
    ways["raw"].error = DeviceLost("gone")
    with pytest.raises(DeviceLost):
        made(ways).grab()


def test_a_phone_without_raw_frames_has_its_png(ways: dict[str, Way]) -> None:
    ways["raw"].error = DeviceError("no raw frame")
    ways["grpc"].error = DeviceError("refused")
    screens = made(ways)
    assert np.array_equal(screens.grab(), PICTURE)
    assert screens.choice is not None
    assert screens.choice.chosen == "png"
    assert screens.choice.refused == {"raw": "no raw frame", "grpc": "refused"}
    ways["png"].error = DeviceError("no png")
    screens.forget()
    with pytest.raises(DeviceError, match="no way to the screen works: raw: no raw frame; png: no png; grpc: refused"):
        screens.grab()
