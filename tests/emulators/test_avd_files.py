from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tapwise.emulators.avd_files import avd_folder, avd_home, clear_stale_locks

NOBODY = 2**22 + 1


def test_avds_are_where_the_real_tools_keep_them(tmp_path: Path) -> None:
    assert avd_home({"HOME": "/home/me"}) == Path("/home/me/.android/avd")
    assert avd_home({"HOME": "/home/me", "ANDROID_USER_HOME": "/sdk"}) == Path("/sdk/avd")
    assert avd_home({"ANDROID_AVD_HOME": "/avds", "ANDROID_USER_HOME": "/sdk"}) == Path("/avds")
    assert avd_folder("small", tmp_path) == tmp_path / "small.avd"
    (tmp_path / "small.ini").write_text("# of the tools\npath = /elsewhere/small.avd\n")
    assert avd_folder("small", tmp_path) == Path("/elsewhere/small.avd")


@pytest.mark.parametrize(
    ("owner", "age_s", "goes"),
    [
        (str(NOBODY), 0, True),
        ("this process", 0, False),
        ("this process", 3600 * 24 * 3650, True),  # that pid is another process's now
        ("1", 0, False),
        ("", 0, False),
        ("somebody", 0, False),
    ],
)
def test_only_locks_whose_owner_is_gone_are_removed(tmp_path: Path, owner: str, age_s: float, goes: bool) -> None:
    lock = tmp_path / "hardware-qemu.ini.lock"
    lock.write_text(str(os.getpid()) if owner == "this process" else owner)
    written = time.time() - age_s
    os.utime(lock, (written, written))
    (tmp_path / "userdata.img").write_text(str(NOBODY))
    assert clear_stale_locks(tmp_path) == ([lock] if goes else [])
    assert lock.exists() is not goes
    assert (tmp_path / "userdata.img").exists()
