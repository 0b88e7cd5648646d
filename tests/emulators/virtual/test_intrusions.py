"""Permissions, heads-up notifications, walls and failed loads: drawn from the seed, ended by what is done."""

from __future__ import annotations

import numpy as np
import pytest

from tapwise.emulators.virtual.intrusions import GRANT_ACTIVITY, HEADS_UP_S, PERMISSION_CONTROLLER
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import ConfigError
from tapwise.records import UiNode

CAMERA, NOTES, MUSIC = "com.android.camera2", "com.google.android.keep", "code.name.monkey.retromusic"
DIALS = ("permissions", "heads_up", "walls", "failed_loads")


def find(phone: VirtualPhone, label: str) -> UiNode | None:
    return next((node for node in phone.tree().walk() if node.label == label), None)


def tap(phone: VirtualPhone, label: str) -> None:
    node = find(phone, label)
    assert node is not None, [node.label for node in phone.tree().walk() if node.label]
    phone.tap(*node.centre)


def test_dials_are_read_and_checked() -> None:
    assert Noise.parse("heads_up=0.25,walls=1").heads_up == 0.25
    with pytest.raises(ConfigError, match="noise walls = 2"):
        Noise(walls=2.0)


@pytest.mark.parametrize("dial", DIALS)
def test_a_dial_leaves_the_draws_of_the_others_alone(dial: str) -> None:
    plain = VirtualPhone(seed=3, noise=Noise(popups=0.5, ads=0.5))
    noisy = VirtualPhone(seed=3, noise=Noise(popups=0.5, ads=0.5, **{dial: 1.0}))
    for host in ("brightbuy.com", "homenest.com", "brightbuy.com/cart", "homenest.com/wishes"):
        for phone in (plain, noisy):
            phone.open_url(host)
        assert plain.state.popup == noisy.state.popup


@pytest.mark.parametrize("dial", DIALS)
def test_the_same_seed_gives_the_same_pixels_and_survives_a_snapshot(dial: str) -> None:
    first, second = (VirtualPhone(seed=5, noise=Noise(**{dial: 0.6})) for _ in range(2))
    for phone in (first, second):
        phone.open_url("homenest.com")
    assert np.array_equal(first.frame(), second.frame())
    third = VirtualPhone(seed=8, noise=Noise(**{dial: 0.6}))
    third.restore(first.snapshot())
    assert np.array_equal(third.frame(), first.frame())
    assert third.state_hash() == first.state_hash()


def test_an_app_asks_for_what_it_needs_until_it_is_answered_for_good() -> None:
    phone = VirtualPhone(seed=1, noise=Noise(permissions=1.0))
    phone.open(CAMERA)
    assert phone.foreground() == GRANT_ACTIVITY
    question = find(phone, "Allow Camera to take pictures and record video?")
    assert question is not None
    assert question.package == PERMISSION_CONTROLLER
    assert question.resource_id == f"{PERMISSION_CONTROLLER}:id/permission_message"
    tap(phone, "Only this time")
    assert phone.foreground().startswith(CAMERA)
    for answer in ("While using the app", "Don't allow"):  # the camera, and then notifications
        phone.force_stop(CAMERA)
        phone.open(CAMERA)
        tap(phone, answer)
    phone.force_stop(CAMERA)
    phone.open(CAMERA)
    assert phone.foreground().startswith(CAMERA)


def test_back_leaves_a_permission_open_for_the_next_time() -> None:
    phone = VirtualPhone(seed=1, noise=Noise(permissions=1.0))
    phone.open(CAMERA)
    phone.key_event("KEYCODE_BACK")
    assert phone.foreground().startswith(CAMERA)
    assert phone.state.answered == ()


def heads_up(noise: Noise = Noise(heads_up=1.0)) -> VirtualPhone:
    phone = VirtualPhone(seed=2, noise=noise)
    phone.open(NOTES)
    return phone


def card(phone: VirtualPhone) -> UiNode | None:
    return next((node for node in phone.tree().walk() if node.resource_id.endswith(":id/heads_up")), None)


def test_a_heads_up_goes_by_itself_and_stays_in_the_shade() -> None:
    phone = heads_up()
    assert card(phone) is not None
    phone.advance(HEADS_UP_S - 1)
    phone.poll()
    assert card(phone) is not None
    phone.advance(1)
    phone.poll()
    assert card(phone) is None
    assert [posted.tag for posted in phone.state.notifications] == ["noise"]


def test_a_heads_up_is_swiped_away_or_leads_to_its_app() -> None:
    swiped, tapped = heads_up(), heads_up()
    shown = card(swiped)
    assert shown is not None
    assert shown.package == "com.android.systemui"
    x, y = shown.centre
    swiped.swipe(x, y, x, 0, 0.2)
    assert card(swiped) is None
    assert swiped.state.panel is None
    assert swiped.foreground().startswith(NOTES)
    tapped.tap(x, y)
    assert card(tapped) is None or tapped.state.foreground != NOTES
    assert tapped.state.foreground != NOTES


def test_what_a_heads_up_covers_is_not_touched() -> None:
    phone = heads_up()
    shown = card(phone)
    assert shown is not None
    phone.long_press(*shown.centre)
    assert phone.state.apps[NOTES].stack[1:] == []


def test_a_wall_stands_before_the_page_until_one_goes_on_without_an_account() -> None:
    phone = VirtualPhone(seed=2, noise=Noise(walls=1.0))
    phone.open_url("brightbuy.com")
    assert find(phone, "Log in to Brightbuy") is not None
    assert find(phone, "Phones") is None
    tap(phone, "Log in")
    assert find(phone, "Enter your user name and password") is not None
    tap(phone, "Not now")
    assert find(phone, "Phones") is not None
    phone.open_url("summitgear.com/account")  # asks by itself
    assert find(phone, "Not now") is None


def test_a_page_that_fails_comes_by_trying_again() -> None:
    phone = VirtualPhone(seed=2, noise=Noise(failed_loads=1.0))
    phone.open(MUSIC)
    tries = 0
    while find(phone, "Retry") is not None:
        tap(phone, "Retry")
        phone.advance(1.0)
        tries += 1
    assert tries == 2
    assert find(phone, "Songs") is not None
    phone.open("com.google.android.deskclock")  # needs no network
    assert find(phone, "Retry") is None
