"""`tapwise judge label`: a page on which people say of episodes whether they succeeded."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from tapwise.cli.judge import find_store
from tapwise.errors import ConfigError

LABELS = "labels.csv"


def run(argv: list[str]) -> int:
    """Serve the page until it is interrupted; gives the exit status. Raises StoreError and ConfigError."""
    options = _parser().parse_args(argv)
    if options.limit is not None and options.limit < 1:
        raise ConfigError("--limit must be at least 1")
    folder = find_store(options.store)

    from tapwise.datasets.labels import LabelFile
    from tapwise.datasets.viewer import make_label_server

    path: Path = options.out or folder / LABELS
    with make_label_server(folder, LabelFile(path), options.port, options.limit) as server:
        told = {"address": server.address, "labels": str(path), "episodes": len(server.names)}
        print(
            json.dumps(told) if options.json else f"open {server.address}   labels go to {path}   (Ctrl-C ends)",
            flush=True,
        )
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            done = sum(map(bool, server.said()))
            print(f"{done} of {len(server.names)} episodes are labelled in {path}", file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge label",
        description="Open a page on loopback that shows a store's episodes, one after the other, and takes by key or"
        " button whether each succeeded. It shows goal, screens and actions, and nothing of what the phone or a judge"
        " says. Each label is written at once; the same command goes on where it was left. `tapwise judge calibrate"
        " --labels FILE` compares judges with them.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    parser.add_argument("--out", type=Path, metavar="FILE", help=f"CSV file of the labels (STORE/{LABELS})")
    parser.add_argument("--limit", type=int, help="ask about at most so many, always the same")
    parser.add_argument("--port", type=int, default=0, help="port on loopback (0: any free one)")
    parser.add_argument("--json", action="store_true", help="print the address as JSON")
    return parser
