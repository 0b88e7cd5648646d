"""`tapwise train`: a run by a recipe, from wherever it was ended."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.interrupts import interruptible
from tapwise.cli.live import make_watcher
from tapwise.cli.plan import Estimate, PlannedUnit
from tapwise.cli.recipe_options import find_recipe, keys_help, read_recipe, shipped_recipes, split_overrides, summary_of
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.training.recipes import BaseRecipe
    from tapwise.training.runs.units import UnitRun

FLAGS = ("--dry-run", "--fresh", "--json", "--list")
VALUED = ("--run",)


def run(argv: list[str]) -> int:
    """Train and write the report; gives the exit status. Raises ConfigError for recipes and options that are wrong."""
    own, overrides = split_overrides(argv, FLAGS, VALUED)
    options = _parser().parse_args(own)
    if options.list:
        for name, path in shipped_recipes().items():
            print(f"{name:<26} {summary_of(path)}")
        return 0
    if options.recipe is None:
        raise ConfigError("which recipe? give the path of a TOML file, or a name that `tapwise train --list` prints")
    recipe = read_recipe(find_recipe(options.recipe), overrides)
    if options.dry_run:
        return tell_plan(recipe, as_json=options.json)
    return train(recipe, Path(options.run or f"runs/{recipe.name}"), fresh=options.fresh, as_json=options.json)


def train(recipe: BaseRecipe, folder: Path, *, fresh: bool, as_json: bool) -> int:
    """Run a recipe in a folder with a live table, then write and print the report; gives the exit status."""
    if fresh:
        set_aside(folder)
    with interruptible():
        with make_watcher(recipe.name, plain=as_json) as watcher:
            from tapwise.training.kinds import make_run

            work = make_run(recipe, folder, watcher)
            watcher.plan(_estimate(work))
            work.go()
        return tell(folder, as_json=as_json)


def tell_plan(recipe: BaseRecipe, *, as_json: bool) -> int:
    """Print what a recipe would use; gives the exit status. Raises ConfigError and ModelError for what is missing."""
    from tapwise.training.dry_run import dry_run, lines

    found = dry_run(recipe)
    print(json.dumps(found) if as_json else "\n".join(lines(found)))
    return 0


def tell(folder: Path, *, as_json: bool) -> int:
    """Write a run's report and print its outcome; gives the exit status."""
    from tapwise.training.report import write_report

    summary = write_report(folder)
    if as_json:
        print(json.dumps({"run": str(folder), **summary}))
        return 0
    for line in outcome_lines(summary):
        print(line)
    print(f"report: {folder / 'report.html'}")
    return 0


def outcome_lines(summary: dict[str, Any]) -> list[str]:
    """A run's success by phase, and what reinforcement learning added, in words."""
    lines = []
    for phase, found in summary["phases"].items():
        low, high = found["ci95"]
        lines.append(
            f"{phase:<11} {found['success']:>6.1%} of {found['episodes']} evaluation episodes succeed"
            f"  (95 % interval {low:.1%} to {high:.1%})"
        )
    for name, gain in summary["gain"].items():
        low, high = gain["ci95"]
        words = name.replace("_", " ")
        lines.append(f"{words}: {gain['points']:+.1f} points  (95 % interval {low:+.1f} to {high:+.1f})")
    return lines


def set_aside(folder: Path) -> None:
    """Rename an earlier run's folder to the first free of FOLDER.1, FOLDER.2, ..., so that nothing is lost."""
    if not folder.exists():
        return
    number = 1
    while (aside := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    try:
        folder.rename(aside)
    except OSError as error:
        raise ConfigError(f"--fresh cannot move {folder} to {aside} ({error.strerror}): move it yourself") from error
    print(f"the earlier run is now in {aside}", file=sys.stderr)


def _estimate(work: UnitRun[Any]) -> Estimate:
    sizes, evaluated = work.sizes(), work.recipe.evaluation.episodes
    units = [PlannedUnit(name) for name, _ in work.units()]
    sized = [
        PlannedUnit(unit.name, evaluated if unit.name.startswith("evaluate") else sizes.get(unit.kind, 0))
        for unit in units
    ]
    return Estimate.resumed(sized, work.progress.done, work.progress.seconds)


def add_run_options(parser: argparse.ArgumentParser, default: str) -> None:
    """The options that `train` and `demo` share."""
    parser.add_argument("--run", metavar="FOLDER", help=f"where the run is kept ({default})")
    parser.add_argument("--fresh", action="store_true", help="start over; an earlier run in the folder is moved aside")
    parser.add_argument("--json", action="store_true", help="plain progress on stderr, the outcome as JSON on stdout")


def recipe_parser(prog: str, usage: str, description: str) -> argparse.ArgumentParser:
    """A parser whose help ends with all keys of recipes."""
    return argparse.ArgumentParser(
        prog=prog,
        usage=usage,
        description=description,
        epilog=keys_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )


def _parser() -> argparse.ArgumentParser:
    parser = recipe_parser(
        "tapwise train",
        "tapwise train RECIPE [--KEY VALUE ...] [--run FOLDER] [--fresh] [--dry-run] [--json]",
        "Train by a recipe and write a report. The same command again goes on where it was ended.",
    )
    parser.add_argument("recipe", nargs="?", help="path of a TOML file, or the name of a shipped recipe")
    parser.add_argument("--list", action="store_true", help="print the shipped recipes")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print what the recipe would use (data, tokens, memory), and train nothing",
    )
    add_run_options(parser, "runs/NAME, by the recipe's name")
    return parser
