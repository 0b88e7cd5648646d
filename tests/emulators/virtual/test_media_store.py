"""The index of pictures, sounds and films is a function of the files."""

from __future__ import annotations

import re

import pytest

from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.phone import VirtualPhone

IMAGES = "content://media/external/images/media"


@pytest.fixture
def device() -> InProcessDevice:
    return InProcessDevice(VirtualPhone())


def names(device: InProcessDevice, uri: str) -> list[str]:
    return re.findall(r"_display_name=([^,\n]+)", device.shell(f"content query --uri {uri} --projection _display_name"))


def test_a_picture_is_found_with_what_it_is(device: InProcessDevice) -> None:
    before = names(device, IMAGES)
    device.shell("screencap -p /sdcard/Pictures/shot.png")
    assert sorted(names(device, IMAGES)) == sorted([*before, "shot.png"])
    row = device.shell(f"content query --uri {IMAGES} --where \"_display_name='shot.png'\"")
    for part in ("_data=/storage/emulated/0/Pictures/shot.png", "mime_type=image/png", "relative_path=Pictures/",
                 "width=540, height=1200", "media_type=1", "bucket_display_name=Pictures"):  # fmt: skip
        assert part in row
    size = device.shell("stat -c %s /sdcard/Pictures/shot.png").strip()
    assert f"_size={size}," in row


def test_kinds_are_apart_and_all_files_together(device: InProcessDevice) -> None:
    device.shell("for f in Music/song.mp3 Movies/film.mp4 Download/note.txt; do echo a > /sdcard/$f; done")
    assert "song.mp3" in names(device, "content://media/external/audio/media")
    assert names(device, "content://media/external_primary/video/media") == ["film.mp4"]
    everything = names(device, "content://media/external/file")
    assert {"song.mp3", "film.mp4", "note.txt"} <= set(everything)
    assert "note.txt" not in names(device, "content://media/external/audio/media")


def test_hidden_folders_and_apps_own_are_left_out(device: InProcessDevice) -> None:
    device.shell("cd /sdcard; mkdir -p Pictures/private Android/data/com.app; touch Pictures/private/.nomedia")
    device.shell("for f in Pictures/private/a Android/data/com.app/b Pictures/.c; do echo x > /sdcard/$f.png; done")
    assert not {"a.png", "b.png", ".c.png"} & set(names(device, IMAGES))


def test_a_row_and_its_file_go_together(device: InProcessDevice) -> None:
    device.shell("screencap -p /sdcard/Pictures/shot.png")
    device.shell(f"content update --uri {IMAGES} --bind _display_name:s:other.png --where \"_display_name='shot.png'\"")
    assert "other.png" in device.shell("ls /sdcard/Pictures")
    device.shell(f"content delete --uri {IMAGES} --where \"_display_name='other.png'\"")
    assert "other.png" not in device.shell("ls /sdcard/Pictures")
    assert "other.png" not in names(device, IMAGES)
    device.shell(f"content insert --uri {IMAGES} --bind _display_name:s:new.png --bind relative_path:s:Pictures/")
    assert "new.png" in device.shell("ls /sdcard/Pictures")


def test_a_scan_tells_the_row(device: InProcessDevice) -> None:
    device.shell("screencap -p /sdcard/Pictures/shot.png")
    path = "/storage/emulated/0/Pictures/shot.png"
    told = device.shell(f"am broadcast -a android.intent.action.MEDIA_SCANNER_SCAN_FILE -d file://{path}")
    assert "Broadcast completed: result=0" in told
    scanned = device.shell(f"content call --uri content://media --method scan_file --arg {path}")
    identity = re.search(r"file/(\d+)", scanned)
    assert identity is not None
    assert f"_id={identity[1]}," in device.shell(f'content query --uri {IMAGES} --where "_id={identity[1]}"')
    device.shell("screencap -p /sdcard/Pictures/another.png")
    assert f"_id={identity[1]}," in device.shell(f'content query --uri {IMAGES} --where "_id={identity[1]}"')
