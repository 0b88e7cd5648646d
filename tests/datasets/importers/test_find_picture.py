"""Pictures are looked for in the given folders and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapwise.datasets.importers.common import find_picture


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    (tmp_path / "images" / "episode").mkdir(parents=True)
    (tmp_path / "images" / "episode" / "0.png").write_bytes(b"a")
    (tmp_path / "images" / "1.png").write_bytes(b"b")
    (tmp_path / "secret.png").write_bytes(b"c")
    return [tmp_path / "images"]


def test_a_picture_is_found_by_its_path_or_its_name(folders: list[Path]) -> None:
    assert find_picture("episode/0.png", folders).read_bytes() == b"a"
    assert find_picture("/elsewhere/1.png", folders).read_bytes() == b"b"


def test_nothing_outside_of_the_folders_is_read(folders: list[Path]) -> None:
    secret = folders[0].parent / "secret.png"
    for name in (str(secret), "../secret.png", "images/../../secret.png"):
        assert not find_picture(name, folders).exists()


def test_a_link_that_leads_out_of_the_folder_is_not_followed(folders: list[Path]) -> None:
    secret = folders[0].parent / "secret.png"
    (folders[0] / "inner").mkdir()
    (folders[0] / "inner" / "link.png").symlink_to(secret)
    assert not find_picture("inner/link.png", folders).exists()
