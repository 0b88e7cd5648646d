"""`tapwise data`: import foreign trajectories, check and count a store, export it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tapwise.cli.interrupts import interruptible
from tapwise.cli.judge import find_store
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tapwise.datasets.importers.into_store import ImportReport
    from tapwise.datasets.importers.parallel import Event, Worker

EXIT_DONE, EXIT_LOST = 0, 1
SHOWN_PROBLEMS = 10


def run(argv: list[str]) -> int:
    """Do what the first argument says; gives the exit status: 1 where something was lost or is damaged."""
    options = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = options.command
    return command(options)


# --- commands --------------------------------------------------------------------------------------------


def _import(options: argparse.Namespace) -> int:
    if options.workers < 1 or (options.limit is not None and options.limit < 1):
        raise ConfigError("--workers and --limit must be at least 1")
    if options.part and options.splits is None:
        raise ConfigError("--part names parts of an official split: give its file with --splits")

    from tapwise.datasets.importers import find_sources, importer
    from tapwise.datasets.importers.parallel import waiting_workers

    importer(options.format)
    sources = find_sources(options.format, options.source)
    with interruptible(), waiting_workers(options.format, sources, options.workers) as started:
        before, total, report = _import_sources(options, sources, started)
    found = {"store": str(options.out), "already_there": before, "in_store": total, **report.as_dict()}
    if options.json:
        print(json.dumps(found))
    else:
        print(
            f"{report.episodes} episodes with {report.steps} steps imported into {options.out}; {before} were"
            f" there before; {report.unparsable} actions have no counterpart; {report.without_image} episodes lack"
            " images"
        )
        if not report.lossless:
            lost = (f"{what} ({count})" for what, count in report.lost.items() if what != "nothing")
            print(f"lost: {', '.join(lost)}")
    _tell_problems(
        [f"{one.kind}: {one.message} (lost: {one.lost})" for one in report.problems], sum(report.kinds.values())
    )
    return EXIT_DONE if report.lossless else EXIT_LOST


def _import_sources(
    options: argparse.Namespace, sources: Sequence[Path], started: list[Worker]
) -> tuple[int, int, ImportReport]:
    """Episodes that were there before, those that are there now, and what was imported."""
    from tapwise.datasets.importers import Options
    from tapwise.datasets.importers.into_store import import_into
    from tapwise.datasets.importers.parallel import import_all
    from tapwise.datasets.store import ParquetTrajectoryStore

    # Whatever is lost with the machine is imported again, so that nothing need be forced to the disk on the way.
    with (
        ParquetTrajectoryStore(options.out, sync="never", keep_ui=options.keep_ui) as store,
        _progress(len(sources), options.json) as told,
    ):
        before = frozenset(store.ids())
        wanted = Options(
            skip=before,
            keep_ui=options.keep_ui,
            images=options.images,
            image_format=options.image_format,
            split_file=options.splits,
            parts=tuple(options.part),
            columns=tuple(_pair(one) for one in options.column),
        )
        events = import_all(options.format, sources, wanted, options.workers, started)
        report = import_into(store, events, told, options.limit)
        store.seal()
        return len(before), len(store), report


def _check(options: argparse.Namespace) -> int:
    from tapwise.datasets.checking import check
    from tapwise.datasets.store import ParquetTrajectoryStore

    folder = find_store(options.store)
    with interruptible(), ParquetTrajectoryStore(folder, mode="read", on_corrupt="skip") as store:
        report = check(store)
    if options.json:
        print(json.dumps({"store": str(folder), **asdict(report)}))
    else:
        print(
            f"{report.episodes} episodes with {report.steps} steps can be read; {report.interrupted} were interrupted;"
            f" {len(report.problems)} problems"
        )
    _tell_problems(report.problems, len(report.problems))
    return EXIT_LOST if report.problems else EXIT_DONE


def _stats(options: argparse.Namespace) -> int:
    from tapwise.datasets.importers import FORMATS
    from tapwise.datasets.store import ParquetTrajectoryStore

    folder = find_store(options.store)
    counted: dict[tuple[str, str], Counter[str]] = {}
    with ParquetTrajectoryStore(folder, mode="read", on_corrupt="skip") as store:
        for summary in store.scan():
            counts = counted.setdefault((summary.task.suite, summary.task.template), Counter())
            counts.update(episodes=1, steps=summary.steps, success=summary.success is True)
            counts.update({summary.task.split: 1, str(summary.end): 1})
    official = {
        (suite, part): (episodes, steps)
        for suite, form in FORMATS.items()
        for part, episodes, steps in form.official
        if any(suite == known for known, _ in counted)
    }
    if options.json:
        groups = [{"suite": suite, "template": part, **counts} for (suite, part), counts in sorted(counted.items())]
        whole = [
            {"suite": suite, "part": part, "episodes": episodes, "steps": steps}
            for (suite, part), (episodes, steps) in official.items()
        ]
        print(json.dumps({"store": str(folder), "groups": groups, "official": whole}))
    else:
        _print_stats(counted, official)
    return EXIT_DONE


def _export(options: argparse.Namespace) -> int:
    from tapwise.datasets.exporters import exporter
    from tapwise.datasets.store import ParquetTrajectoryStore

    export = exporter(options.format)
    folder = find_store(options.store)
    if options.out.exists() and any(options.out.iterdir()):
        raise ConfigError(f"{options.out} is not empty: choose a new folder")
    with interruptible(), ParquetTrajectoryStore(folder, mode="read") as store:
        chosen = (
            one for one in store if options.split in (None, one.task.split) and (one.success or not options.successful)
        )
        steps = export(chosen, options.out)
    if options.json:
        print(json.dumps({"store": str(folder), "format": options.format, "out": str(options.out), "steps": steps}))
    else:
        print(f"{steps} steps written to {options.out}")
    return EXIT_DONE


# --- showing ---------------------------------------------------------------------------------------------


@contextmanager
def _progress(files: int, quiet: bool) -> Iterator[Callable[[Event], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tapwise.datasets.importers.parallel import SourceDone
    from tapwise.records import Trajectory

    columns = ("files", BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    console = Console(stderr=True)
    counts: Counter[str] = Counter()
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as progress:
        task = progress.add_task("files", total=files, told="")

        def told(event: Event) -> None:
            if isinstance(event, SourceDone):
                progress.advance(task)
            elif isinstance(event, Trajectory):
                counts.update(episodes=1, steps=len(event.steps))
            else:
                counts.update(problems=1)
            progress.update(task, told="  ".join(f"{count} {name}" for name, count in counts.items()))

        yield told


def _tell_problems(problems: Sequence[str], total: int) -> None:
    for problem in problems[:SHOWN_PROBLEMS]:
        print(f"problem: {problem}", file=sys.stderr)
    if total > SHOWN_PROBLEMS:
        print(f"and {total - SHOWN_PROBLEMS} problems more", file=sys.stderr)


def _print_stats(
    counted: dict[tuple[str, str], Counter[str]], official: dict[tuple[str, str], tuple[int, int]]
) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    names = ("episodes", "steps", "success", "train", "test")
    for name in ("suite", "template", *names, "official episodes", "official steps"):
        table.add_column(name, justify="left" if name in ("suite", "template") else "right")
    rows = sorted({*counted, *official})
    for key in rows:
        counts = counted.get(key, Counter())
        whole = [f"{count:,}" for count in official.get(key, ())] or ["", ""]
        table.add_row(*key, *(str(counts[name]) for name in names), *whole)
    Console().print(table)


# --- arguments -------------------------------------------------------------------------------------------


def _pair(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals:
        raise ConfigError(f"--column {text!r}: write it as OURS=THEIRS, such as instruction=goal")
    return ours, theirs


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise data", description="Import, check, count and export trajectories. None of it needs TensorFlow."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = commands.add_parser("import", help="foreign data into a store; the same command again goes on")
    one.add_argument("format", help="aitw, android_control, see_click, digirl, vem, ui_s1 or hub")
    one.add_argument("source", type=Path, help="a file, a folder of files, or for hub a data set's name")
    one.add_argument("--out", type=Path, required=True, help="folder of the store; made when it is not there")
    one.add_argument("--images", type=Path, help="folder of the screenshots that the source names")
    one.add_argument("--image-format", choices=("jpeg", "png"), default="jpeg", help="of raw pixels (jpeg)")
    one.add_argument("--splits", type=Path, help="official split JSON; what is not train becomes test")
    one.add_argument("--part", action="append", default=[], help="import this official part only; may be repeated")
    one.add_argument("--column", action="append", default=[], help="for hub: OURS=THEIRS; may be repeated")
    one.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes that read (one per core)")
    one.add_argument("--limit", type=int, help="import at most so many episodes now")
    one.add_argument("--keep-ui", action="store_true", help="keep accessibility trees and screen annotations")
    one.set_defaults(command=_import)

    two = commands.add_parser("check", help="read every episode and decode every screenshot of a store")
    two.set_defaults(command=_check)
    three = commands.add_parser("stats", help="count a store, beside the official numbers")
    three.set_defaults(command=_stats)
    four = commands.add_parser("export", help="write a store in another format")
    four.add_argument("format", help="ui_s1, chat, aitw or hub")
    four.set_defaults(command=_export)
    for command in (two, three, four):
        command.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    four.add_argument("--out", type=Path, required=True, help="a new or empty folder")
    four.add_argument("--split", choices=("train", "test"), help="only this split")
    four.add_argument("--successful", action="store_true", help="only episodes that are known to have succeeded")
    for command in (one, two, three, four):
        command.add_argument("--json", action="store_true", help="print the result as JSON")
    return parser
