"""Workers that read files for one writer: one that dies costs the rest of its file, and nothing else."""

import multiprocessing
from pathlib import Path
from typing import Any

import pytest

from tapwise.datasets.formats.example import write_example
from tapwise.datasets.formats.tfrecord import write_records
from tapwise.datasets.importers import Options, Problem
from tapwise.datasets.importers.parallel import SourceDone, import_all, waiting_workers
from tapwise.errors import ConfigError
from tapwise.records import Trajectory

FILES = 4
MANY = 400
"""episodes in a file: more than a worker may be ahead and its pipe can hold"""


@pytest.fixture
def sources(tmp_path: Path, aitw_step: Any) -> list[Path]:
    """Files of one format whose episodes say by their ids in which file they lie."""
    paths = []
    for number in range(FILES):
        paths.append(tmp_path / f"general-0000{number}-of-0000{FILES}")
        records = [write_example(aitw_step(f"{number}-{index}", 0, 1, 10)) for index in range(MANY)]
        write_records(paths[-1], records)
    return paths


def test_a_worker_that_dies_costs_the_rest_of_one_file(sources: list[Path]) -> None:
    events = import_all("aitw", sources, Options(), 2)
    first = next(events)
    assert isinstance(first, Trajectory)
    for child in multiprocessing.active_children():
        child.kill()
    rest = list(events)
    lost = [event for event in rest if isinstance(event, Problem)]
    assert [(one.kind, one.lost) for one in lost] == [("DataError", "rest of the file")] * 2
    assert all("ended with status -9" in one.message for one in lost)
    died = {source for source in sources if any(str(source) in one.message for one in lost)}
    whole = {event.source for event in rest if isinstance(event, SourceDone)}
    assert died == set(sources[:2])
    assert whole == set(sources[2:])
    read = [event.id for event in rest if isinstance(event, Trajectory)]
    for number in (2, 3):
        assert read.count(f"aitw/general/{number}-0") == 1
        assert sum(name.startswith(f"aitw/general/{number}-") for name in read) == MANY
    assert not multiprocessing.active_children()


def test_a_reader_that_stops_early_leaves_no_worker(sources: list[Path]) -> None:
    events = import_all("aitw", sources, Options(), 2)
    next(events)
    assert len(multiprocessing.active_children()) == 2
    events.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_options_that_a_worker_cannot_use_reach_the_caller(sources: list[Path], tmp_path: Path) -> None:
    splits = tmp_path / "splits.json"
    splits.write_text("{")
    with pytest.raises(ConfigError, match=r"splits\.json"):
        list(import_all("aitw", sources, Options(split_file=splits), 2))
    assert not multiprocessing.active_children()


def test_workers_that_wait_are_taken_and_none_stays(sources: list[Path]) -> None:
    with waiting_workers("aitw", sources, 2) as started:
        before = {child.pid for child in multiprocessing.active_children()}
        assert len(started) == len(before) == 2
        events = import_all("aitw", sources, Options(), 2, started)
        next(events)
        assert started == []
        assert {child.pid for child in multiprocessing.active_children()} == before
        assert sum(isinstance(event, SourceDone) for event in events) == FILES
    assert not multiprocessing.active_children()


def test_workers_that_nobody_takes_are_ended(sources: list[Path]) -> None:
    with pytest.raises(ZeroDivisionError), waiting_workers("aitw", sources, 2):
        raise ZeroDivisionError
    assert not multiprocessing.active_children()
    with waiting_workers("aitw", sources[:1], 2) as started:
        assert started == []  # one file needs no other process
