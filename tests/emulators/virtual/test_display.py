"""The display: its size, density and turn, and how large text is."""

from __future__ import annotations

import pytest

from tapwise.emulators.virtual.display import rotation_of, shown_size
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.settings import Settings
from tapwise.emulators.virtual.shell.session import PhoneShell
from tapwise.emulators.virtual.state import Display
from tapwise.records import Size

SETTINGS = "com.android.settings"


@pytest.fixture
def phone() -> VirtualPhone:
    phone = VirtualPhone()
    phone.open(SETTINGS)
    return phone


def sh(phone: VirtualPhone, command: str) -> str:
    done = PhoneShell(phone).run(command, split=True)
    return b"".join([*done.stdout, *done.stderr]).decode()


def press(phone: VirtualPhone, label: str) -> None:
    phone.tap(*next(node for node in phone.tree().walk() if node.label == label).centre)


@pytest.mark.parametrize(
    ("automatic", "chosen", "held", "rotation"),
    [("0", None, 3, 0), ("0", "1", 3, 1), ("1", "1", 3, 3), ("0", "7", 0, 0)],
)
def test_the_user_decides_unless_rotation_is_automatic(
    automatic: str, chosen: str | None, held: int, rotation: int
) -> None:
    settings = Settings({"system": {"accelerometer_rotation": automatic}})
    if chosen is not None:
        settings.put("system", "user_rotation", chosen)
    assert rotation_of(settings, Display(held=held)) == rotation


def test_every_second_turn_swaps_the_sides() -> None:
    sizes = [shown_size(Size(1200, 540), turn) for turn in range(4)]
    assert sizes == [Size(1200, 540), Size(540, 1200)] * 2


@pytest.mark.parametrize(
    "command", ["settings put system user_rotation 1", "wm user-rotation lock 1", "wm set-user-rotation lock 1"]
)
def test_a_turned_phone_shows_and_feels_the_turned_frame(phone: VirtualPhone, command: str) -> None:
    upright = phone.frame()
    sh(phone, command)
    assert phone.frame().shape == (540, 1200, 3)
    assert phone.tree().bounds == (0, 0, 1200, 540)
    assert "cur=1200x540" in (told := sh(phone, "dumpsys window"))
    assert "mCurrentRotation=ROTATION_90" in told
    assert "SurfaceOrientation: 1" in sh(phone, "dumpsys input")
    assert 'hierarchy rotation="1"' in sh(phone, "uiautomator dump /dev/tty")
    assert sh(phone, "wm size") == "Physical size: 540x1200\n"
    press(phone, "Network")
    press(phone, "Wifi")
    assert not phone.settings.is_on("global", "wifi_on")
    phone.key_event("KEYCODE_BACK")
    phone.swipe(600, 300, 600, 100, 0.2)  # what does not fit is scrolled to
    assert phone.entry.scroll > 0
    sh(phone, "wm user-rotation lock 0; settings put global wifi_on 1")
    phone.swipe(270, 300, 270, 900, 0.2)
    assert (phone.frame() == upright).all()


def test_an_automatic_display_follows_how_the_phone_is_held(phone: VirtualPhone) -> None:
    phone.hold(1)
    assert phone.size == Size(1200, 540)
    sh(phone, "wm user-rotation free")
    assert sh(phone, "wm user-rotation") == "free\n"
    assert phone.size == Size(540, 1200)
    sh(phone, "wm user-rotation lock")
    phone.hold(0)
    assert phone.size == Size(540, 1200)
    assert sh(phone, "wm user-rotation") == "lock 1\n"


def test_the_keyboard_leaves_room_on_a_turned_phone(phone: VirtualPhone) -> None:
    sh(phone, "wm user-rotation lock 1")
    phone.open("com.android.chrome")
    press(phone, "Search or type address")
    phone.type_text("trails.com")
    assert phone.entry.focus is not None
    field = next(node for node in phone.tree().walk() if node.focused)
    assert field.bounds[3] < 300
    phone.key_event("KEYCODE_ENTER")
    assert "trails.com" in str([node.label for node in phone.tree().walk()])


def test_size_and_density_are_overridden_and_reset(phone: VirtualPhone) -> None:
    before, count = phone.frame(), phone.frame_counter()
    assert sh(phone, "wm size 720x1440; wm density 280") == ""
    assert sh(phone, "wm size; wm density") == (
        "Physical size: 540x1200\nOverride size: 720x1440\nPhysical density: 210\nOverride density: 280\n"
    )
    assert phone.frame().shape == (1440, 720, 3)
    assert phone.frame_counter() > count
    press(phone, "Network")
    press(phone, "Wifi")
    assert not phone.settings.is_on("global", "wifi_on")
    sh(phone, "wm size reset; wm density reset; settings put global wifi_on 1")
    phone.key_event("KEYCODE_BACK")
    assert (phone.frame() == before).all()


@pytest.mark.parametrize(
    "command", ["wm size big", "wm size 10x10", "wm density much", "wm density 5", "wm user-rotation lock 9"]
)
def test_a_display_that_cannot_be_is_refused(phone: VirtualPhone, command: str) -> None:
    before = phone.state_hash()
    assert "Error" in sh(phone, command)
    assert phone.state_hash() == before


def test_the_display_is_part_of_the_state(phone: VirtualPhone) -> None:
    sh(phone, "wm size 720x1440")
    twin = phone.fork()
    assert twin.size == Size(1440, 720)
    assert twin.state_hash() == phone.state_hash()


@pytest.mark.parametrize(("scale", "grows"), [("1.3", True), ("0.85", False)])
def test_text_is_as_large_as_the_user_wants(phone: VirtualPhone, scale: str, grows: bool) -> None:
    def width() -> int:
        left, _, right, _ = next(node for node in phone.tree().walk() if node.text == "Network").bounds
        return right - left

    before = width()
    sh(phone, f"settings put system font_scale {scale}")
    assert (width() > before) is grows
    sh(phone, "settings put system font_scale nonsense")
    assert width() == before
