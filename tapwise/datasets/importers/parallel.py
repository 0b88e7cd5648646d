"""Importing many files at once: each worker process reads whole files and sends what it finds to the one writer.

A worker has a pipe of its own, so that a slow writer holds it back, and so that its death is seen at once and costs
the rest of one file only.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from pathlib import Path

from tapwise.datasets.importers import Options, Problem, importer
from tapwise.errors import ConfigError, DataError
from tapwise.records import Trajectory

_JOIN_S = 5.0


@dataclass(frozen=True, slots=True)
class SourceDone:
    """A file has been read to its end, or as far as it goes."""

    source: Path


Event = Trajectory | Problem | SourceDone


def import_all(name: str, sources: Sequence[Path], options: Options, workers: int = 1) -> Iterator[Event]:
    """Everything in the files, in their order with one worker, else as it comes.

    A file that cannot be read is a Problem. Raises ConfigError for an unknown format or unusable options.
    """
    importer(name)
    if workers <= 1 or len(sources) <= 1:
        for source in sources:
            yield from _import_one(name, source, options)
        return
    yield from _import_parallel(name, sources, options, min(workers, len(sources)))


def _import_one(name: str, source: Path, options: Options) -> Iterator[Event]:
    try:
        yield from importer(name)(source, options)
    except DataError as error:
        yield Problem(type(error).__name__, str(error), "rest of the file")
    yield SourceDone(source)


def _import_parallel(name: str, sources: Sequence[Path], options: Options, workers: int) -> Iterator[Event]:
    # Spawned, not forked: the parent may have threads, and libraries such as pyarrow do not survive a fork.
    context = multiprocessing.get_context("spawn")
    waiting = list(reversed(sources))
    running: dict[Connection, SpawnProcess] = {}
    reading: dict[Connection, Path] = {}

    def start() -> None:
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, name, options), daemon=True)
        process.start()
        theirs.close()
        running[ours] = process
        _give(ours)

    def _give(pipe: Connection) -> None:
        source = waiting.pop() if waiting else None
        pipe.send(source)
        if source is not None:
            reading[pipe] = source

    try:
        for _ in range(workers):
            start()
        while reading:
            for pipe in wait(list(reading)):
                assert isinstance(pipe, Connection)
                try:
                    event = pipe.recv()
                except (EOFError, ConnectionResetError):
                    yield _died(reading.pop(pipe), running.pop(pipe))
                    if waiting:
                        start()
                    continue
                if isinstance(event, ConfigError):
                    raise event
                if isinstance(event, SourceDone):
                    del reading[pipe]
                    _give(pipe)
                yield event
    finally:
        for pipe, process in running.items():
            pipe.close()
            if pipe in reading:
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


def _work(pipe: Connection, name: str, options: Options) -> None:
    try:
        while (source := pipe.recv()) is not None:
            for event in _import_one(name, source, options):
                pipe.send(event)
    except ConfigError as error:
        pipe.send(error)
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        pass  # the parent has ended
