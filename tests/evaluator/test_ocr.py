"""Reading the text of screens, and remembering it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapwise import images
from tapwise.android_env.suites import load_suite
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.emulators.backends.in_process import InProcessDevice
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.errors import ConfigError, StoreError
from tapwise.evaluator import ocr
from tapwise.evaluator.ocr import Line, Page, RapidReader, RememberingReader
from tapwise.evaluator.text_judge import TextJudge
from tapwise.evaluator.text_rules import load_rules
from tapwise.records import Screenshot, Size
from tapwise.training.testbed import make_testbed

LINE = Line("Wish list", 0.99, (0.1, 0.2, 0.3, 0.25))


class Counting:
    """Reads the same of every screen, and counts how often."""

    def __init__(self, name: str = "counting") -> None:
        self.name = name
        self.count = 0

    def read(self, screenshot: Screenshot) -> Page:
        self.count += 1
        return Page((LINE,), 0.5)


def shot(data: bytes) -> Screenshot:
    return Screenshot(data, "png", Size(2, 2))


def test_each_picture_is_read_once_and_takes_no_time_again() -> None:
    reader = Counting()
    remembering = RememberingReader(reader)
    pages = [remembering.read(shot(data)) for data in (b"a", b"b", b"a")]
    assert [page.seconds for page in pages] == [0.5, 0.5, 0.0]
    assert {page.lines for page in pages} == {(LINE,)}
    assert (reader.count, remembering.asked, remembering.read_now, remembering.seconds) == (2, 3, 2, 1.0)


def test_a_file_remembers_for_the_next_run_of_the_same_reader(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    RememberingReader(Counting(), path).read(shot(b"a"))
    again, other = Counting(), Counting("another")
    assert RememberingReader(again, path).read(shot(b"a")) == Page((LINE,))
    assert again.count == 0
    RememberingReader(other, path).read(shot(b"a"))
    assert other.count == 1


def test_a_torn_line_is_read_again_and_the_file_stays_whole(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    for data in (b"a", b"b"):
        RememberingReader(Counting(), path).read(shot(data))
    path.write_bytes(path.read_bytes()[:-9])
    reader = Counting()
    remembering = RememberingReader(reader, path)
    for data in (b"a", b"b"):
        remembering.read(shot(data))
    assert reader.count == 1
    assert len(RememberingReader(Counting(), path)._known) == 2


def test_damage_within_is_told(tmp_path: Path) -> None:
    path = tmp_path / "texts.jsonl"
    path.write_text('{"key": "a"}\n', encoding="utf-8")
    with pytest.raises(StoreError, match="line 1 of"):
        RememberingReader(Counting(), path)


def test_only_the_screens_used_last_are_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocr, "REMEMBERED", 2)
    reader = Counting()
    remembering = RememberingReader(reader)
    for data in (b"a", b"b", b"a", b"c", b"a", b"b"):
        remembering.read(shot(data))
    assert reader.count == 4  # b was let go when c came


def test_the_reader_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "rapidocr", None)
    with pytest.raises(ConfigError, match=r"tapwise\[ocr\]"):
        RapidReader()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_screen_of_the_phone_is_read_from_the_top_to_the_bottom() -> None:
    pytest.importorskip("rapidocr")
    device = InProcessDevice(VirtualPhone())
    device.open_app("com.android.settings")
    page = RapidReader().read(images.encode(device.screenshot()))
    texts = [line.text for line in page.lines]
    assert next(text for text in texts if len(text) > 5) == "Settings"  # below the clock
    assert {"Settings", "Network", "Display", "Sound"} <= set(texts)
    assert all(0 <= edge <= 1 for line in page.lines for edge in line.box)
    assert page.seconds > 0


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_rules_that_we_ship_judge_episodes_of_the_phone(tmp_path: Path) -> None:
    pytest.importorskip("rapidocr")
    with ParquetTrajectoryStore(tmp_path) as store:
        make_testbed(store, load_suite("general"), "train", 8, 3, Noise())
        episodes = list(store)
    found = TextJudge(load_rules("virtual_phone"), RememberingReader(RapidReader())).judge(episodes)
    pairs = [(said.success, one.outcome) for said, one in zip(found, episodes, strict=True)]
    decided = [(said, true) for said, true in pairs if said is not None]
    assert len(decided) >= 3
    assert {said for said, _ in decided} == {True, False}
    assert all(said is true for said, true in decided)
