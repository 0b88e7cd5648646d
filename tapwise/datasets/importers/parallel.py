"""Importing many files at once: each worker process reads whole files and sends what it finds to the one writer.

A worker has a pipe of its own, so that a slow writer holds it back, and so that its death is seen at once and costs
the rest of one file only. It may be some episodes ahead of the writer, and knows its next file before it has finished
one, so that it goes on while the writer is busy.
"""

from __future__ import annotations

import multiprocessing
import os
import queue
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tapwise.datasets.importers import Options, Problem, importer
from tapwise.errors import ConfigError, DataError
from tapwise.records import Trajectory

_JOIN_S = 5.0
_AHEAD = 64
"""events that a worker may be ahead of the writer"""


@dataclass(frozen=True, slots=True)
class SourceDone:
    """A file has been read to its end, or as far as it goes."""

    source: Path


Event = Trajectory | Problem | SourceDone


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that waits for options and files on its pipe."""

    pipe: Connection
    process: SpawnProcess

    @classmethod
    def start(cls, name: str) -> Worker:
        """Start one for a format."""
        # Spawned, not forked: the parent may have threads, and libraries such as pyarrow do not survive a fork.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, name), daemon=True)
        process.start()
        theirs.close()
        return cls(ours, process)

    def end(self) -> None:
        """End it, whatever it does."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(_JOIN_S)


@contextmanager
def waiting_workers(name: str, sources: Sequence[Path], workers: int) -> Iterator[list[Worker]]:
    """Processes for `import_all`, started before its options are known: they load their libraries meanwhile.

    None when one worker is enough. Those that were not taken are ended.
    """
    count = min(workers, len(sources))
    started = [Worker.start(name) for _ in range(count)] if count > 1 else []
    try:
        yield started
    finally:
        for worker in started:
            worker.end()


def import_all(
    name: str, sources: Sequence[Path], options: Options, workers: int = 1, started: list[Worker] | None = None
) -> Iterator[Event]:
    """Everything in the files, in their order with one worker, else as it comes.

    `started` are processes that wait already; they are taken from the list. A file that cannot be read is a Problem.
    Raises ConfigError for an unknown format or unusable options.
    """
    importer(name)
    if workers <= 1 or len(sources) <= 1:
        for source in sources:
            yield from _import_one(name, source, options)
        return
    yield from _import_parallel(name, sources, options, min(workers, len(sources)), started or [])


def _import_one(name: str, source: Path, options: Options) -> Iterator[Event]:
    try:
        yield from importer(name)(source, options)
    except DataError as error:
        yield Problem(type(error).__name__, str(error), "rest of the file")
    yield SourceDone(source)


def _import_parallel(
    name: str, sources: Sequence[Path], options: Options, workers: int, started: list[Worker]
) -> Iterator[Event]:
    waiting = deque(sources)
    running: dict[Connection, SpawnProcess] = {}
    given: dict[Connection, deque[Path]] = {}

    def start() -> None:
        worker = started.pop() if started else Worker.start(name)
        running[worker.pipe], given[worker.pipe] = worker.process, deque()
        worker.pipe.send(options)
        give(worker.pipe)

    def give(pipe: Connection) -> None:
        if waiting:
            given[pipe].append(waiting[0])
            pipe.send(waiting.popleft())
        elif not given[pipe]:
            del given[pipe]
            pipe.send(None)

    try:
        for _ in range(workers):
            start()
        for known in list(given):
            give(known)  # the next one already, once each has its first
        while given:
            for pipe in wait(list(given)):
                assert isinstance(pipe, Connection)
                try:
                    event = pipe.recv()
                except (EOFError, ConnectionResetError):
                    source, *rest = given.pop(pipe)
                    waiting.extendleft(reversed(rest))
                    yield _died(source, running.pop(pipe))
                    if waiting:
                        start()
                    continue
                if isinstance(event, ConfigError):
                    raise event
                if isinstance(event, SourceDone):
                    given[pipe].popleft()
                    give(pipe)
                yield event
    finally:
        for pipe, process in running.items():
            pipe.close()
            if pipe in given:
                process.terminate()
            process.join(_JOIN_S)


def _died(source: Path, process: SpawnProcess) -> Problem:
    process.join(_JOIN_S)
    return Problem(
        "DataError",
        f"{source}: the process that read it ended with status {process.exitcode}; import it again with --workers 1 to"
        " see why",
        "rest of the file",
    )


def _work(pipe: Connection, name: str) -> None:
    importer(name)
    ahead: queue.Queue[Event | ConfigError | None] = queue.Queue(_AHEAD)
    sender = threading.Thread(target=_send, args=(pipe, ahead), daemon=True)
    sender.start()
    try:
        options = pipe.recv()
        while (source := pipe.recv()) is not None:
            for event in _import_one(name, source, options):
                ahead.put(event)
    except ConfigError as error:
        ahead.put(error)
    except (EOFError, ConnectionResetError, KeyboardInterrupt):
        return  # the parent has ended
    ahead.put(None)
    sender.join()


def _send(pipe: Connection, ahead: queue.Queue[Event | ConfigError | None]) -> None:
    try:
        while (event := ahead.get()) is not None:
            pipe.send(event)
    except (BrokenPipeError, ConnectionResetError):
        os._exit(1)  # the parent has ended; whoever fills the queue would wait for ever
