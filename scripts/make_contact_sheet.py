"""Draw docs/assets/phone_screens.webp: screens of the virtual phone side by side."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.panels import QUICK_SETTINGS
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.state import Notification

TARGET = Path(__file__).parents[1] / "docs" / "assets" / "phone_screens.webp"
COLUMNS, WIDTH, HEIGHT, GAP = 8, 216, 480, 12
DARK = ("secure", "ui_night_mode", "2")

Step = str | tuple[str, ...]
"""A label to touch; or a verb with its arguments"""

SCREENS: tuple[tuple[Step, ...], ...] = (
    (),
    (("swipe",),),
    (("open", "com.android.settings"),),
    (("open", "com.android.settings"), "Network"),
    (("dark",), ("open", "com.android.settings"), "Display"),
    (("open", "com.google.android.deskclock"),),
    (("open", "com.google.android.deskclock"), "Stopwatch"),
    (("open", "com.google.android.contacts"),),
    (("open", "com.google.android.contacts"), "Add", "Name", ("type", "Olivia")),
    (("dark",), ("open", "com.google.android.apps.messaging")),
    (("open", "com.google.android.keep"),),
    (("open", "com.google.android.documentsui"),),
    (("open", "com.android.chrome"),),
    (("url", "brightbuy.com"),),
    (("url", "homenest.com"),),
    (("url", "dailynews.com"),),
    (("url", "search.com"),),
    (("open", "com.simplemobiletools.calendar.pro"),),
    (("open", "com.simplemobiletools.calendar.pro"), "Add"),
    (("open", "org.tasks"),),
    (("dark",), ("open", "org.tasks"), "Add", "Priority"),
    (("open", "com.arduia.expense"),),
    (("open", "com.arduia.expense"), "By category"),
    (("open", "com.flauschcode.broccoli"),),
    (("open", "com.android.camera2"), "Shutter"),
    (("open", "com.android.camera2"), "Shutter", "Switch camera", "Shutter",
     ("open", "com.simplemobiletools.gallery.pro")),
    (("open", "com.dimowner.audiorecorder"), "Record", ("wait", "83")),
    (("open", "com.google.android.dialer"), "Keypad", "5", "5", "5", "0"),
    (("open", "com.google.android.dialer"),),
    (("open", "code.name.monkey.retromusic"),),
    (("dark",), ("open", "code.name.monkey.retromusic"), ("row", "1")),
    (("popup",), ("open", "com.google.android.keep")),
    (("open", "com.android.chrome"), ("open", "com.google.android.deskclock"), ("key", "APP_SWITCH")),
    (("note", "Laura", "See you at the station"), ("note", "Bank", "Your card was used"), ("key", "NOTIFICATION")),
    (("quick",),),
    (("dark",), ("quick",)),
    (("open", "org.tasks"), "Add", "Due Mon 2 Mar", "Next month"),
    (("open", "com.simplemobiletools.calendar.pro"), "Add", "Starts 9:00"),
    (("turn",),),
    (("turn",), ("open", "com.google.android.apps.messaging")),
)  # fmt: skip


def screen(seed: int, steps: tuple[Step, ...]) -> np.ndarray:
    """The picture after some steps on a fresh phone."""
    noise = Noise(popups=1.0) if ("popup",) in steps else Noise()
    phone = VirtualPhone(seed=seed, noise=noise)
    for step in steps:
        match step:
            case ("open", package):
                phone.open(package)
                if ("popup",) in steps:
                    phone.page_opened()
            case ("url", host):
                phone.open_url(f"https://{host}")
            case ("swipe",):
                phone.swipe(270, 900, 270, 300, 0.3)
            case ("type", text):
                phone.type_text(text)
            case ("key", name):
                phone.key_event(f"KEYCODE_{name}")
            case ("note", title, text):
                phone.panels.notify(Notification("com.google.android.apps.messaging", title, title, text))
            case ("quick",):
                phone.panels.show(QUICK_SETTINGS)
            case ("turn",):
                phone.settings.put("system", "user_rotation", "1")
                phone.advance(0.0)
            case ("wait", seconds):
                phone.advance(float(seconds))
            case ("dark",):
                phone.settings.put(*DARK)
            case ("row", number):
                rows = [node for node in phone.tree().walk() if node.clickable and len(node.children) > 1]
                phone.tap(*rows[int(number)].centre)
            case str(label):
                nodes = (node for node in phone.tree().walk() if node.label == label)
                phone.tap(*next(nodes).centre)
    return phone.frame()


def main() -> int:
    """Draw the sheet and say where it is."""
    rows = -(-len(SCREENS) // COLUMNS)
    sheet = Image.new("RGB", (COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + GAP) + GAP), (232, 234, 238))
    for number, steps in enumerate(SCREENS):
        picture = Image.fromarray(screen(number + 1, steps))
        picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
        left, top = GAP + number % COLUMNS * (WIDTH + GAP), GAP + number // COLUMNS * (HEIGHT + GAP)
        sheet.paste(picture, (left, top + (HEIGHT - picture.height) // 2))
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(TARGET, quality=82, method=6)
    print(f"{TARGET}: {len(SCREENS)} screens, {TARGET.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
