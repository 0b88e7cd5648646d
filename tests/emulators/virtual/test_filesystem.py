from __future__ import annotations

import copy
import errno
import pickle
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.virtual.filesystem import VirtualFileSystem

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def files() -> VirtualFileSystem:
    return VirtualFileSystem()


@pytest.mark.parametrize(
    "root", ["/sdcard", "/storage/emulated/0", "/data/media/0", "/sdcard/../0//./", "/mnt/sdcard/Music/.."]
)
def test_shared_storage_has_many_names(files: VirtualFileSystem, root: str) -> None:
    files.write("/sdcard/Download/a.txt", b"hello", NOON)
    assert files.read(f"{root}/Download/a.txt") == b"hello"
    assert "Download" in files.listdir(root)
    assert files.stat(f"{root}/Download").mtime == NOON


def test_aliases_are_listed_in_their_parents(files: VirtualFileSystem) -> None:
    assert "sdcard" in files.listdir("/")
    assert files.listdir("/data/media") == files.listdir("/storage/emulated") == ["0"]


def test_write_append_stat_and_remove(files: VirtualFileSystem) -> None:
    files.write("/sdcard/a", b"one", NOON, mode=0o644)
    files.append("/sdcard/a", b"two", NOON + timedelta(seconds=1))
    stat = files.stat("/sdcard/a")
    assert (stat.size, stat.mode, stat.is_dir, stat.owner) == (6, 0o100644, False, "media_rw")
    assert stat.mtime == NOON + timedelta(seconds=1)
    assert files.used == 6
    files.remove("/sdcard/a")
    assert not files.exists("/sdcard/a")
    assert files.used == 0


def test_errors_are_those_of_an_operating_system(files: VirtualFileSystem) -> None:
    files.write("/sdcard/file", b"", NOON)
    with pytest.raises(FileNotFoundError):
        files.read("/sdcard/none")
    with pytest.raises(FileNotFoundError):
        files.write("/sdcard/none/file", b"", NOON)
    with pytest.raises(NotADirectoryError):
        files.write("/sdcard/file/below", b"", NOON)
    with pytest.raises(NotADirectoryError):
        files.listdir("/sdcard/file")
    with pytest.raises(IsADirectoryError):
        files.write("/sdcard/Download", b"", NOON)
    with pytest.raises(IsADirectoryError):
        files.remove("/sdcard/Download")
    with pytest.raises(FileExistsError):
        files.make_directory("/sdcard/Download")
    for mount in ("/sdcard", "/storage", "/mnt", "/data", "/"):
        with pytest.raises(OSError, match="busy"):
            files.remove(mount, recursive=True)
    with pytest.raises(OSError, match="Invalid"):
        files.rename("/sdcard/Download", "/sdcard/Download/inside")


def test_quota_refuses_and_leaves_the_old_content() -> None:
    files = VirtualFileSystem(quota=10)
    files.write("/sdcard/a", b"12345678", NOON)
    with pytest.raises(OSError, match="No space left") as caught:
        files.append("/sdcard/a", b"901", NOON)
    assert caught.value.errno == errno.ENOSPC
    assert files.read("/sdcard/a") == b"12345678"
    files.write("/sdcard/a", b"1234567890", NOON)


def test_rename_moves_a_whole_tree_and_replaces_a_file(files: VirtualFileSystem) -> None:
    files.make_directory("/sdcard/x/y", parents=True)
    files.write("/sdcard/x/y/z", b"deep", NOON)
    files.rename("/sdcard/x", "/sdcard/Music/w")
    assert files.read("/sdcard/Music/w/y/z") == b"deep"
    assert not files.exists("/sdcard/x")
    files.write("/sdcard/z", b"old", NOON)
    files.rename("/sdcard/Music/w/y/z", "/sdcard/z")
    assert files.read("/sdcard/z") == b"deep"
    assert files.used == 4


def test_copies_are_independent_and_share_contents(files: VirtualFileSystem) -> None:
    files.write("/sdcard/a", b"x" * 1000, NOON)
    twin = copy.deepcopy(files)
    restored = pickle.loads(pickle.dumps(files))
    assert twin == files == restored
    assert twin.fingerprint() == files.fingerprint() == restored.fingerprint()
    assert twin.read("/sdcard/a") is files.read("/sdcard/a")
    twin.write("/sdcard/b", b"", NOON)
    assert not files.exists("/sdcard/b")
    assert twin.fingerprint() != files.fingerprint()


def test_walk_visits_directories_before_their_contents(files: VirtualFileSystem) -> None:
    files.make_directory("/sdcard/d")
    files.write("/sdcard/d/f", b"", NOON)
    assert list(files.walk("/sdcard/d")) == ["/sdcard/d", "/sdcard/d/f"]


@given(st.text(alphabet="./abs", max_size=20))
def test_resolve_is_idempotent_and_stays_below_the_root(path: str) -> None:
    files = VirtualFileSystem()
    for name in ("/a", "/a/b", "/s", "/sa"):
        files.make_directory(name)
    files.symlink("../a", "/a/b/a", NOON)
    files.symlink("s/../b", "/b", NOON)
    try:
        once = files.resolve(path)
    except OSError:
        return
    assert once.startswith("/")
    assert ".." not in once.split("/")
    assert files.resolve(once) == once


def test_links_are_followed_but_not_by_what_is_about_the_link_itself(files: VirtualFileSystem) -> None:
    files.make_directory("/data/local/tmp/d")
    files.write("/data/local/tmp/d/f", b"one", NOON)
    files.symlink("d", "/data/local/tmp/link", NOON)
    assert files.read("/data/local/tmp/link/f") == b"one"
    assert files.read("/data/local/tmp/link/../d/f") == b"one"
    assert files.listdir("/data/local/tmp/link") == ["f"]
    about = files.stat("/data/local/tmp/link", follow=False)
    assert (about.link, about.mode, about.size, about.is_dir) == ("d", 0o120777, 1, False)
    assert files.stat("/data/local/tmp/link").is_dir
    assert list(files.walk("/data/local/tmp/link")) == ["/data/local/tmp/link"]
    files.write("/data/local/tmp/link/f", b"four", NOON)
    assert files.read("/data/local/tmp/d/f") == b"four"
    with pytest.raises(NotADirectoryError):
        files.remove_directory("/data/local/tmp/link")
    files.rename("/data/local/tmp/link", "/data/local/tmp/moved")
    files.remove("/data/local/tmp/moved", recursive=True)
    assert files.used == 4
    assert files.exists("/data/local/tmp/d/f")


def test_a_link_to_nothing_and_links_in_a_circle(files: VirtualFileSystem) -> None:
    files.symlink("target", "/data/local/tmp/link", NOON)
    assert files.exists("/data/local/tmp/link", follow=False)
    assert not files.exists("/data/local/tmp/link")
    with pytest.raises(FileExistsError):
        files.make_directory("/data/local/tmp/link")
    files.write("/data/local/tmp/link", b"x", NOON)
    assert files.read("/data/local/tmp/target") == b"x"
    files.symlink("b", "/data/local/tmp/a", NOON)
    files.symlink("a", "/data/local/tmp/b", NOON)
    for act in (files.read, files.listdir, lambda path: files.write(path, b"", NOON)):
        with pytest.raises(OSError, match="Too many levels"):
            act("/data/local/tmp/a")
    assert not files.exists("/data/local/tmp/a/below")


def test_the_shared_storage_holds_no_links(files: VirtualFileSystem) -> None:
    with pytest.raises(PermissionError):
        files.symlink("/data", "/sdcard/link", NOON)
    files.make_directory("/data/local/tmp/d")
    files.symlink("x", "/data/local/tmp/d/link", NOON)
    with pytest.raises(PermissionError):
        files.rename("/data/local/tmp/d", "/sdcard/d")
    assert files.read_link("/sdcard") == "/storage/self/primary"
