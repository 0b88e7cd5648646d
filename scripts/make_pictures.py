"""Draw the pictures of the documentation from a virtual phone.

    python scripts/make_pictures.py [FOLDER]

Writes phone.jpg, a strip of screens, into FOLDER (docs/images).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tapwise.emulators.virtual.installed import installed_apps
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.records import Size

SIZE = Size(1200, 540)
SHOWN = (300, 667)
"""width and height of one screen in the strip, pixels"""
GAP = 12
PACKAGES = {app.label: app.package for app in installed_apps()}


def tap_label(phone: VirtualPhone, label: str) -> None:
    """Touch the first node whose label contains the given one. Raises LookupError when there is none."""
    for node in phone.tree().walk():
        if label.lower() in node.label.lower():
            phone.tap(*node.centre)
            return
    raise LookupError(f"no {label!r} among {[n.label for n in phone.tree().walk() if n.label]}")


def launcher(phone: VirtualPhone) -> None:
    """The home screen, as a phone starts."""


def settings(phone: VirtualPhone) -> None:
    """A section of the settings, in the dark theme."""
    phone.settings.put("secure", "ui_night_mode", "2")
    phone.open(PACKAGES["Settings"])
    tap_label(phone, "Display")


def clock(phone: VirtualPhone) -> None:
    """The clock's first page."""
    phone.open(PACKAGES["Clock"])


def shop(phone: VirtualPhone) -> None:
    """The results of a search in a shop."""
    phone.open_url("brightbuy.com/search?q=phone")


def contact(phone: VirtualPhone) -> None:
    """A new contact, with the keyboard open."""
    phone.open(PACKAGES["Contacts"])
    tap_label(phone, "Add")
    field = next(node for node in phone.tree().walk() if node.class_name.endswith("EditText"))
    phone.tap(*field.centre)
    phone.type_text("Ada Byron")


def popup(phone: VirtualPhone) -> None:
    """What the world's noise puts in an agent's way."""
    phone.set_noise(Noise(ads=1.0))
    phone.open_url("brightbuy.com")


SCENES = (launcher, settings, clock, shop, contact, popup)


def strip(screens: Sequence[Image.Image]) -> Image.Image:
    """Screens side by side on white."""
    width, height = SHOWN
    sheet = Image.new("RGB", (len(screens) * (width + GAP) + GAP, height + 2 * GAP), "white")
    for number, screen in enumerate(screens):
        sheet.paste(screen.resize(SHOWN, Image.Resampling.LANCZOS), (GAP + number * (width + GAP), GAP))
    return sheet


def main() -> None:
    """Draw and save."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent.parent / "docs" / "images")
    folder: Path = parser.parse_args().folder
    screens = []
    for seed, scene in enumerate(SCENES):
        phone = VirtualPhone(size=SIZE, seed=seed, noise=Noise(layout_shifts=1.0))
        scene(phone)
        screens.append(Image.fromarray(phone.frame()))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "phone.jpg"
    strip(screens).save(path, quality=88)
    print(f"{path}  {path.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
