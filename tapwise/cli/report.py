"""`tapwise report`: the report of a run again."""

from __future__ import annotations

import argparse
from pathlib import Path

from tapwise.cli.train import tell


def run(argv: list[str]) -> int:
    """Write report.html and summary.json of a run; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="tapwise report", description="Write report.html and summary.json of a run, finished or not."
    )
    parser.add_argument("run", type=Path, help="folder of the run")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    options = parser.parse_args(argv)
    return tell(options.run, as_json=options.json)
