"""Snapshots, forks, and differences in words."""

from __future__ import annotations

from tapwise.emulators.virtual.clock import START
from tapwise.emulators.virtual.phone import VirtualPhone

NOTES = "com.google.android.keep"


def words(phone: VirtualPhone, since: bytes) -> list[str]:
    return [str(change) for change in phone.changes_since(since)]


def test_a_look_around_changes_nothing_that_lasts() -> None:
    phone = VirtualPhone(seed=3)
    before = phone.snapshot()
    phone.open(NOTES)
    phone.tap(200, 300)
    phone.key_event("KEYCODE_BACK")
    assert phone.changes_since(before) == []


def test_changes_are_told_in_words() -> None:
    phone = VirtualPhone(seed=3)
    notes = phone.state.apps[NOTES].data.notes  # type: ignore[attr-defined]
    first, last = notes[0], notes[-1]
    phone.files.write("/sdcard/Documents/old.txt", b"old", START)
    before = phone.snapshot()
    phone.settings.put("global", "wifi_on", "0")
    phone.settings.delete("system", "font_scale")
    phone.files.write("/sdcard/Documents/new.txt", b"new", START)
    phone.files.write("/sdcard/Documents/old.txt", b"other", START)
    pinned, removed = first.pinned, last.title
    first.pinned = not pinned
    notes.remove(last)
    assert words(phone, before) == [
        "global settings: changed wifi_on (from '1' to '0')",
        "system settings: removed font_scale ('1.0')",
        "files: added /sdcard/Documents/new.txt",
        "files: changed /sdcard/Documents/old.txt (from 3 bytes to 5 bytes)",
        f"Notes notes: changed {first.title!r} (pinned from {pinned} to {not pinned})",
        f"Notes notes: removed {removed!r} (title {removed!r}, body {last.body!r}, pinned {last.pinned})",
    ]


def test_what_sites_remember_is_told_too() -> None:
    phone = VirtualPhone(seed=3)
    data = phone.state.apps["com.android.chrome"].data
    host, shop = next((host, site) for host, site in data.sites.items() if hasattr(site, "products"))  # type: ignore[attr-defined]
    before = phone.snapshot()
    product = shop.products[0]
    product.price += 1
    data.history.clear()  # where one has been is no effect
    assert words(phone, before) == [
        f"Browser sites {host} products: changed {product.name!r} (price from {product.price - 1} to {product.price})"
    ]


def test_a_fork_goes_its_own_way() -> None:
    phone = VirtualPhone(seed=3)
    phone.save_snapshot("base")
    phone.open(NOTES)
    twin = phone.fork()
    assert twin.state_hash() == phone.state_hash()
    assert twin.snapshot_names() == ["base"]
    assert (twin.frame() == phone.frame()).all()
    before = phone.state_hash()
    twin.settings.put("global", "wifi_on", "0")
    twin.go_home()
    assert phone.state_hash() == before != twin.state_hash()


def test_a_fork_has_the_same_future() -> None:
    phone = VirtualPhone(seed=3)
    phone.open(NOTES)
    twin = phone.fork()
    for one in (phone, twin):
        one.tap(480, 1050)
        one.type_text("Plans")
    assert (twin.frame() == phone.frame()).all()
    assert twin.state_hash() == phone.state_hash()
