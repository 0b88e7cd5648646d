"""A writer that is killed at any moment loses nothing that it had finished, and readers beside it see whole things.

One light process imports the store once and forks a writer for each kill, so that hundreds of kills cost little. It
must have no thread when it forks: a lock that a thread holds at that moment is never given back in the child.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.errors import StoreError

STEPS = 3
STUCK_S = 20
"""a writer that says nothing for so long writes its stack to the standard error"""
PATIENCE_S = 40.0
SINGLE_THREADED = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow brings an allocator with a thread of its own
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
}
WRITER = """
import faulthandler, os, sys
from tapwise.datasets import ParquetTrajectoryStore
from tapwise.records import *

def say(*words):
    faulthandler.dump_traceback_later(STUCK_S)
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

def write_for_ever(folder, episode, stop):
    say("pid", os.getpid())
    store = ParquetTrajectoryStore(folder, seal_bytes=1_500_000, sync="never")
    store.close_interrupted()
    say("open")
    task = Task("task", "Buy milk", "shop", "shop", "buy", (), 5, "train")
    while episode != stop:
        name = f"e{episode:06}"
        writer = store.begin(name, task, Provenance("random"))
        steps = []
        for index in range(3):
            # Large ones are often cut in the middle of their write.
            data = bytes([episode % 251, index]) * (200_000 if episode % 3 == 0 else 2_000)
            seen = Observation(Screenshot(data, "png", Size(2, 2)), "shop/Main", True, 0.0)
            steps.append(Step(seen, Decision(Wait(), f"{name}:{index}")))
            writer.step(steps[-1])
            say("step", name, index)
        writer.finish(Trajectory(name, task, tuple(steps), End.FINISHED, Provenance("random"), outcome=True))
        say("finish", name)
        store.annotate(name, values=[float(episode)] * 3)
        say("value", name)
        if episode % 5 == 4:
            store.compact()
            say("compact")
        episode += 1
    store.close()

threads = os.listdir("/proc/self/task") if os.path.exists("/proc/self/task") else []
if len(threads) > 1:
    sys.exit(f"{len(threads)} threads: a fork of this process may get stuck")
for line in sys.stdin:
    folder, episode, stop = line.split()
    child = os.fork()
    if child == 0:
        try:
            write_for_ever(folder, int(episode), int(stop))
        except BaseException as error:
            say("failed", repr(error).replace("\\n", " "))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    os.write(1, b"gone\\n")
""".replace("STUCK_S", str(STUCK_S))


class Nursery:
    """Forks writers."""

    def __init__(self, program: Any) -> None:
        self._program = program

    def start(self, folder: Path, episode: int, stop: int = -1) -> int:
        """The process id of a new writer that begins with that episode."""
        self._program.tell(f"{folder} {episode} {stop}")
        return int(self.read().removeprefix("pid "))

    def read(self) -> str:
        """The next line that the writer said."""
        line: str = self._program.line()
        assert line, f"the writers' parent died: {self._program.errors()}"
        assert not line.startswith("failed"), line
        return line

    def rest(self) -> Iterator[str]:
        """All lines up to the writer's end."""
        while (line := self.read()) != "gone":
            yield line


@pytest.fixture(scope="module")
def nursery(child_program: Any) -> Iterator[Nursery]:
    with child_program([sys.executable, "-c", WRITER], patience_s=PATIENCE_S, env=SINGLE_THREADED) as program:
        yield Nursery(program)


@dataclass
class Promised:
    """What writers said that they had finished."""

    steps: set[str] = field(default_factory=set)
    episodes: set[str] = field(default_factory=set)
    values: set[str] = field(default_factory=set)

    def hear(self, line: str) -> None:
        match line.split():
            case ["step", name, index]:
                self.steps.add(f"{name}:{index}")
            case ["finish", name]:
                self.episodes.add(name)
            case ["value", name]:
                self.values.add(name)


def check(folder: Path, promised: Promised) -> int:
    """Open the store as the next writer would, and compare; returns the number of the next free episode."""
    with ParquetTrajectoryStore(folder) as store:
        found = {step.decision.text: step for trajectory in store for step in trajectory.steps}
        open_now = store.interrupted()
        found |= {step.decision.text: step for episode in open_now for step in episode.steps}
        assert promised.steps <= found.keys()
        assert promised.episodes <= set(store.ids())
        for text, step in found.items():
            name, index = text.split(":")
            assert step.observation.screenshot.data[:2] == bytes([int(name[1:]) % 251, int(index)])
        for name in promised.values:
            assert [step.value for step in store.get(name).steps] == [float(name[1:])] * STEPS
        assert all(len(one.steps) == STEPS for one in store.select(lambda one: one.trainable and one.outcome is True))
        assert store.problems == ()
        store.close_interrupted()
        return max((int(name[1:]) for name in store.ids()), default=-1) + 1


def kill_often(nursery: Nursery, folder: Path, kills: int, rounds: int, rng: random.Random) -> int:
    """Kill writers; a store lives for `rounds` of them. Returns how many tails were found torn."""
    torn = 0
    promised, episode, store = Promised(), 0, folder / "0"
    for number in range(kills):
        if number % rounds == 0:
            promised, episode, store = Promised(), 0, folder / str(number)
        writer = nursery.start(store, episode)
        for _ in range(rng.randrange(25)):
            promised.hear(nursery.read())
        time.sleep(rng.random() * 0.01)
        os.kill(writer, signal.SIGKILL)
        for line in nursery.rest():
            promised.hear(line)
        before = _size(store)
        episode = check(store, promised) if store.exists() else 0
        torn += before is not None and before[0] > before[1]
    return torn


def _size(store: Path) -> tuple[int, int] | None:
    """Bytes of a journal, and of them up to the end of the last whole frame."""
    from tapwise.datasets.journal import Journal

    path = store / "journal.log"
    if not path.exists():
        return None
    journal = Journal(path, writable=False)
    journal.replay()
    journal.close()
    return path.stat().st_size, journal.size


def test_six_kills_lose_nothing(nursery: Nursery, tmp_path: Path) -> None:
    kill_often(nursery, tmp_path, kills=6, rounds=3, rng=random.Random(6))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_hundred_kills_lose_nothing(nursery: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    torn = kill_often(nursery, tmp_path, kills=200, rounds=8, rng=random.Random(200))
    with capsys.disabled():
        sys.stderr.write(f"\n200 kills: {torn} journals had a torn tail when they were opened again\n")


def test_two_readers_see_whole_things_while_a_store_is_written(nursery: Nursery, tmp_path: Path) -> None:
    """Whatever moves between journal, annotations and shards meanwhile: a prefix of the episodes, each one whole, and
    all that was finished before the reader opened the store."""
    episodes, promised = 25, Promised()
    writer = nursery.start(tmp_path / "store", 0, stop=episodes)
    assert nursery.read() == "open"
    over = threading.Event()
    seen: list[list[int]] = [[], []]
    wrong: list[BaseException] = []

    def read(counts: list[int]) -> None:
        last = False
        try:
            while not last:
                last = over.is_set()
                finished, annotated = set(promised.episodes), set(promised.values)
                with ParquetTrajectoryStore(tmp_path / "store", mode="read") as store:
                    time.sleep(0.005)  # the writer goes on, and may seal and compact what was opened
                    whole = list(store)
                assert [one.id for one in whole] == [f"e{number:06}" for number in range(len(whole))]
                for number, one in enumerate(whole):
                    assert [step.decision.text for step in one.steps] == [f"{one.id}:{i}" for i in range(STEPS)]
                    assert {step.value for step in one.steps} <= {float(number)} | {None}
                assert finished <= {one.id for one in whole}
                assert annotated <= {one.id for one in whole if one.steps[0].value is not None}
                counts.append(len(whole))
        except BaseException as error:  # a thread's own failure would go unheard
            wrong.append(error)

    threads = [threading.Thread(target=read, args=(counts,)) for counts in seen]
    for thread in threads:
        thread.start()
    try:
        for line in nursery.rest():
            promised.hear(line)
    finally:
        over.set()
        for thread in threads:
            thread.join(60)
    assert writer > 0
    assert not any(thread.is_alive() for thread in threads), "a reader is stuck"
    assert wrong == []
    assert all(counts == sorted(counts) and counts[-1] == episodes for counts in seen)


def test_a_reader_takes_no_lock_and_a_second_writer_is_refused(tmp_path: Path) -> None:
    with ParquetTrajectoryStore(tmp_path), ParquetTrajectoryStore(tmp_path, mode="read") as reader:
        assert reader.ids() == []
        with pytest.raises(StoreError, match=r'being written elsewhere.*mode="read"'):
            ParquetTrajectoryStore(tmp_path)
