"""`tapwise pretrain`: the base weights of the small model, from nothing."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def run(argv: list[str]) -> int:
    """Run the recipe in a folder, measure pointing accuracy, and print it; gives the exit status."""
    parser = argparse.ArgumentParser(
        prog="tapwise pretrain",
        description="Train the small model to read and to point on screens of the virtual phone. Goes on where it was.",
    )
    parser.add_argument("--run", type=Path, default=Path("runs/pretrain"), help="folder of the run (runs/pretrain)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads (1)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes to the recipe, such as seed=1")
    options = parser.parse_args(argv)

    from tapwise.training.pretraining.command import pretrain

    found = pretrain(
        options.run, options.overrides, options.threads, lambda line: print(line, file=sys.stderr, flush=True)
    )
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found["grounding"].items():
            print(f"pointing, held-out {name}: {100 * value['accuracy']:.1f} % of {value['asked']}")
        print(f"weights: {found['model']}")
    return 0
