"""The drawer, and the apps in it."""

from __future__ import annotations

import pytest

from tapwise.emulators.virtual.installed import HOME, INSTALLED
from tapwise.emulators.virtual.phone import LAUNCHER, VirtualPhone


def labels(phone: VirtualPhone) -> list[str]:
    return [node.label for node in phone.tree().walk() if node.label]


def press(phone: VirtualPhone, label: str) -> None:
    node = next(node for node in phone.tree().walk() if node.label == label)
    phone.tap(*node.centre)


def test_a_swipe_up_at_home_shows_all_apps_and_back_leaves() -> None:
    phone = VirtualPhone(seed=2)
    home = phone.frame()
    assert {kind.label for kind in HOME} <= set(labels(phone))
    assert "Calendar" not in labels(phone)
    phone.swipe(270, 900, 270, 300, 0.3)
    assert {kind.label for kind in INSTALLED} <= set(labels(phone))
    press(phone, "Calendar")
    assert phone.state.foreground == "com.simplemobiletools.calendar.pro"
    phone.go_home()
    assert (phone.frame() == home).all()
    phone.swipe(270, 300, 270, 900, 0.3)
    assert (phone.frame() == home).all()


@pytest.mark.parametrize("kind", INSTALLED, ids=lambda kind: kind.label)
def test_every_page_that_a_walk_comes_to_can_be_drawn_and_left(kind: type) -> None:
    phone = VirtualPhone(seed=5)
    phone.open(kind.package)  # type: ignore[attr-defined]
    phone.frame()
    for number in range(12):
        touchable = [node for node in phone.tree().walk() if node.clickable and node.label != "Home"]
        phone.tap(*touchable[(7 * number) % len(touchable)].centre)
        phone.frame()
        if phone.state.foreground != kind.package:  # type: ignore[attr-defined]
            phone.open(kind.package)  # type: ignore[attr-defined]
    for _ in range(12):
        phone.key_event("KEYCODE_BACK")
    assert phone.state.foreground == LAUNCHER


def test_a_photo_is_a_file_and_stands_in_the_gallery() -> None:
    phone = VirtualPhone()
    phone.open("com.android.camera2")
    press(phone, "Shutter")
    (name,) = phone.files.listdir("/sdcard/DCIM/Camera")
    assert phone.files.read(f"/sdcard/DCIM/Camera/{name}").startswith(b"\xff\xd8")
    phone.open("com.simplemobiletools.gallery.pro")
    assert name in labels(phone)


def test_a_picture_that_is_none_is_drawn_grey() -> None:
    phone = VirtualPhone()
    phone.files.make_directory("/sdcard/Pictures", exist_ok=True)
    phone.files.write("/sdcard/Pictures/broken.png", b"\x89PNG nonsense", phone.clock.now())
    phone.open("com.simplemobiletools.gallery.pro")
    assert "broken.png" in labels(phone)
    phone.frame()


def test_days_of_the_calendar_are_chosen() -> None:
    phone = VirtualPhone()
    phone.open("com.simplemobiletools.calendar.pro")
    press(phone, "Next month")
    assert "April 2026" in labels(phone)
    press(phone, "Previous month")
    assert "March 2026" in labels(phone)
