"""The system's own pages: recent apps, the notification shade, the quick settings."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tapwise.emulators.virtual.phone import LAUNCHER, VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell
from tapwise.emulators.virtual.state import Notification
from tapwise.records import UiNode

SETTINGS, CLOCK, MESSAGES = "com.android.settings", "com.google.android.deskclock", "com.google.android.apps.messaging"
NOTE = Notification(MESSAGES, "sms:Laura", "Laura", "See you at five")


@pytest.fixture
def phone() -> VirtualPhone:
    return VirtualPhone(seed=3)


def labels(phone: VirtualPhone) -> list[str]:
    return [node.label for node in phone.tree().walk() if node.label]


def node(phone: VirtualPhone, label: str) -> UiNode:
    return next(node for node in phone.tree().walk() if node.label == label)


def press(phone: VirtualPhone, label: str) -> None:
    phone.tap(*node(phone, label).centre)


def push_aside(phone: VirtualPhone, label: str) -> None:
    x, y = node(phone, label).centre
    phone.swipe(x, y, x + 300, y + 5, 0.2)


@pytest.fixture
def used(phone: VirtualPhone) -> VirtualPhone:
    """Settings and clock were used, and the recent apps are shown."""
    phone.open(SETTINGS)
    phone.open(CLOCK)
    phone.key_event("KEYCODE_APP_SWITCH")
    return phone


def test_recent_apps_stand_newest_first_with_a_picture_each(used: VirtualPhone) -> None:
    shown = labels(used)
    assert shown.index("Dismiss Clock") < shown.index("Dismiss Settings")
    assert used.foreground().startswith(LAUNCHER)
    assert {node.resource_id for node in used.tree().walk()} >= {f"{LAUNCHER}:id/snapshot", f"{LAUNCHER}:id/task"}
    count = used.frame_counter()
    used.advance(1.0)
    assert used.frame_counter() == count  # the screen comes to rest


def test_a_recent_app_is_opened_by_a_touch_and_by_the_key_pressed_twice(used: VirtualPhone) -> None:
    press(used, "Settings")
    assert used.foreground() == f"{SETTINGS}/.Settings"
    used.key_event("KEYCODE_APP_SWITCH")
    used.key_event("KEYCODE_APP_SWITCH")
    assert used.state.foreground == CLOCK


@pytest.mark.parametrize("way", [lambda phone: press(phone, "Dismiss Clock"), lambda phone: push_aside(phone, "Clock")])
def test_a_recent_app_is_ended(used: VirtualPhone, way: Callable[[VirtualPhone], None]) -> None:
    way(used)
    assert used.state.recents == [SETTINGS]
    assert not used.state.apps[CLOCK].stack
    assert "Dismiss Settings" in labels(used)  # the page stays open
    press(used, "Clear all")
    assert used.state.recents == []
    assert used.foreground().startswith(LAUNCHER)
    used.key_event("KEYCODE_APP_SWITCH")
    assert "No recent items" in labels(used)


def test_an_app_that_was_left_by_back_is_still_recent(phone: VirtualPhone) -> None:
    phone.open(CLOCK)
    phone.key_event("KEYCODE_BACK")
    phone.key_event("KEYCODE_APP_SWITCH")
    press(phone, "Clock")
    assert phone.state.foreground == CLOCK


def test_back_returns_to_the_app_as_it_was(phone: VirtualPhone) -> None:
    phone.open(SETTINGS)
    before = phone.frame()
    for key in ("KEYCODE_APP_SWITCH", "KEYCODE_NOTIFICATION"):
        phone.key_event(key)
        assert (phone.frame() != before).any()
        phone.key_event("KEYCODE_BACK")
        assert (phone.frame() == before).all()


def test_the_shade_is_pulled_down_and_then_the_quick_settings(phone: VirtualPhone) -> None:
    phone.open(SETTINGS)
    phone.swipe(200, 300, 200, 900, 0.2)
    assert phone.state.panel is None  # not from the status bar
    phone.swipe(200, 5, 200, 900, 0.2)
    assert "No notifications" in labels(phone)
    assert phone.window_package() == "com.android.systemui"
    assert phone.foreground() == f"{SETTINGS}/.Settings"
    phone.swipe(200, 300, 200, 900, 0.2)
    assert "Dark theme" in labels(phone)
    phone.go_home()
    assert phone.state.panel is None


def test_a_notification_shows_opens_its_app_and_is_gone(phone: VirtualPhone) -> None:
    phone.panels.notify(NOTE)
    phone.panels.notify(Notification(MESSAGES, "sms:Laura", "Laura", "At six"))  # in the place of the first
    phone.key_event("KEYCODE_NOTIFICATION")
    assert "At six" in labels(phone)
    assert "See you at five" not in labels(phone)
    press(phone, "Laura")
    assert phone.state.foreground == MESSAGES
    assert phone.state.notifications == []


def test_notifications_are_pushed_aside_one_by_one_or_cleared(phone: VirtualPhone) -> None:
    for number in range(3):
        phone.panels.notify(Notification("com.android.shell", str(number), f"Number {number}", ""))
    phone.key_event("KEYCODE_NOTIFICATION")
    push_aside(phone, "Number 1")
    assert [posted.title for posted in phone.state.notifications] == ["Number 2", "Number 0"]
    press(phone, "Clear all")
    assert phone.state.notifications == []
    assert phone.state.panel is None


def test_a_quick_setting_changes_what_the_settings_app_shows(phone: VirtualPhone) -> None:
    phone.panels.show("quick_settings")
    assert node(phone, "Bluetooth").class_name == "android.widget.Switch"
    assert not node(phone, "Bluetooth").checked
    press(phone, "Bluetooth")
    assert phone.settings.is_on("global", "bluetooth_on")
    assert node(phone, "Bluetooth").checked
    light = phone.frame()[5, 200].sum()
    press(phone, "Dark theme")
    assert phone.frame()[5, 200].sum() < light


def test_the_panel_is_part_of_the_state(used: VirtualPhone) -> None:
    used.panels.notify(NOTE)
    twin = used.fork()
    assert twin.state_hash() == used.state_hash()
    assert (twin.frame() == used.frame()).all()
    used.key_event("KEYCODE_BACK")
    assert twin.state_hash() != used.state_hash()


def test_shell_commands_open_close_and_post(phone: VirtualPhone) -> None:
    shell = PhoneShell(phone)

    def sh(command: str) -> str:
        return b"".join(shell.run(command).stdout).decode()

    phone.open(SETTINGS)
    assert "Backup: All safe" in sh("cmd notification post -t Backup tag 'All safe'")
    assert "android.title=String (Backup)" in sh("dumpsys notification --noredact")
    assert sh("cmd notification list") == "0|com.android.shell|1|tag|10100\n"
    sh("cmd statusbar expand-notifications")
    assert "All safe" in labels(phone)
    assert "mCurrentFocus=Window{b22bb15 u0 NotificationShade}" in sh("dumpsys window")
    sh("cmd statusbar expand-settings")
    assert "Airplane mode" in labels(phone)
    sh("cmd statusbar collapse")
    assert "Network" in labels(phone)
    sh("input keyevent 187")
    assert "Dismiss Settings" in labels(phone)


def test_a_pop_up_waits_behind_the_shade(phone: VirtualPhone) -> None:
    from tapwise.emulators.virtual.state import Popup

    phone.open(SETTINGS)
    phone.state.popup = Popup("Rate this app", "Not now", "Rate", "App store")
    phone.key_event("KEYCODE_NOTIFICATION")
    assert "Rate this app" not in labels(phone)
    phone.key_event("KEYCODE_BACK")
    assert "Rate this app" in labels(phone)
