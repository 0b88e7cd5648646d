"""`tapwise view`: look at stored episodes in a browser."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from tapwise.cli.judge import find_store
from tapwise.errors import ConfigError

MOST = 50
"""episodes on a page that stands alone, unless told otherwise"""


def run(argv: list[str]) -> int:
    """Serve a store's episodes, or write a page of some; gives the exit status. Raises StoreError and ConfigError."""
    options = _parser().parse_args(argv)
    folder = find_store(options.store)
    if options.out is not None:
        return _write(folder, options)

    from tapwise.datasets.viewer import make_server

    with make_server(folder, options.port) as server:
        print(
            json.dumps({"address": server.address}) if options.json else f"open {server.address}   (Ctrl-C ends)",
            flush=True,
        )
        try:
            server.serve_forever(poll_interval=0.1)
        except KeyboardInterrupt:
            return 0
    return 0


def _write(folder: Path, options: argparse.Namespace) -> int:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.datasets.viewer import write_page

    if options.limit < 1:
        raise ConfigError("--limit must be at least 1")
    with ParquetTrajectoryStore(folder, mode="read", on_corrupt="skip") as store:
        chosen = options.episode or store.ids()[-options.limit :]
        write_page(store, chosen, options.out)
    told = {"page": str(options.out), "episodes": len(chosen), "bytes": options.out.stat().st_size}
    print(json.dumps(told) if options.json else f"{told['episodes']} episodes on {options.out}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise view",
        description="Show stored episodes in a browser: screens, what was done on them, values, advantages, verdicts."
        " Also while a run goes on: load the page again for what is new.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    parser.add_argument("--port", type=int, default=0, help="port on loopback (0: any free one)")
    parser.add_argument("--out", type=Path, help="write a page that needs no server instead")
    parser.add_argument("--episode", action="append", metavar="ID", help="with --out: this one; repeat for more")
    parser.add_argument("--limit", type=int, default=MOST, help=f"with --out: so many of the newest ({MOST})")
    parser.add_argument("--json", action="store_true", help="print the address, or what was written, as JSON")
    return parser
