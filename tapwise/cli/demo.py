"""`tapwise demo`: the whole of tapwise on this machine, without asking for anything."""

from __future__ import annotations

from pathlib import Path

from tapwise.cli.recipe_options import find_recipe, read_recipe, split_overrides
from tapwise.cli.train import add_run_options, recipe_parser, train

FOLDER = "runs/demo"
FLAGS = ("--fresh", "--json")
VALUED = ("--run",)


def run(argv: list[str]) -> int:
    """Train by the shipped recipe `demo` and write the report; gives the exit status. Raises ConfigError for wrong
    options."""
    own, overrides = split_overrides(argv, FLAGS, VALUED)
    parser = recipe_parser(
        "tapwise demo",
        "tapwise demo [--run FOLDER] [--fresh] [--json] [--KEY VALUE ...]",
        "Train an agent on virtual phones, measure it after each phase, and write a report."
        " The same command again goes on where it was ended.",
    )
    add_run_options(parser, FOLDER)
    options = parser.parse_args(own)
    recipe = read_recipe(find_recipe("demo"), overrides)
    return train(recipe, Path(options.run or FOLDER), fresh=options.fresh, as_json=options.json)
