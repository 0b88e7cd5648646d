"""`tapwise judge calibrate`: how far verdicts that are in a store can be trusted."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.agreement import disagreements, report_dict, report_lines, words_of
from tapwise.cli.judge import find_store
from tapwise.cli.judge_drift import drift, drift_lines, same_episodes
from tapwise.errors import ConfigError
from tapwise.records import Verdict

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore


def run(argv: list[str]) -> int:
    """Compare a judge's verdicts with the truth, and with another judge's; gives the exit status.

    Raises StoreError and ConfigError.
    """
    options = _parser().parse_args(argv)

    from tapwise.datasets.labels import read_labels
    from tapwise.datasets.store import ParquetTrajectoryStore

    truth = None if options.labels is None else read_labels(options.labels)
    with ExitStack() as opened:

        def store_of(path: Path) -> ParquetTrajectoryStore:
            return opened.enter_context(ParquetTrajectoryStore(find_store(path), mode="read", on_corrupt="skip"))

        store = store_of(options.store)
        judge = _chosen(store, options.judge)
        words, pending = words_of(store, judge, truth)
        report: dict[str, Any] = {"judge": judge, "pending": len(pending), **report_dict(words)}
        lines = [f"{judge}, {len(words)} verdicts:", *report_lines(words)]
        shown, what = [word.trajectory for word in disagreements(words)], "disagreements with the truth"
        beside: dict[str, list[Verdict]] = {}
        if options.against is not None or options.other is not None:
            other = store if options.other is None else store_of(options.other)
            named = _chosen(other, options.against)
            same = same_episodes(store, other)
            theirs = [word for word in words_of(other, named, truth)[0] if word.trajectory in same]
            report["drift"] = drift(words, theirs) | {"against": named}
            lines += drift_lines(report["drift"])
            shown, what = report["drift"]["trajectories"], "changed verdicts"
            if options.other is not None:
                then = f"{named}, then"
                beside = {one.trajectory: [Verdict(one.said, then, reason=one.reason)] for one in theirs}
        if options.page is not None:
            _write_page(store, shown, options.page, beside)
            lines.append(f"the {len(shown)} {what} are on {options.page}")
    print(json.dumps(report) if options.json else "\n".join(lines))
    return 0


def _chosen(store: ParquetTrajectoryStore, name: str | None) -> str:
    names = sorted({verdict.judge for summary in store.scan() for verdict in summary.verdicts})
    if name in names:
        return str(name)
    if name is None and len(names) == 1:
        return names[0]
    known = ", ".join(map(repr, names)) or "none: ask one first, with tapwise judge"
    raise ConfigError(f"which judge? --judge {name or 'NAME'} is none of those that spoke here: {known}")


def _write_page(
    store: ParquetTrajectoryStore, names: Sequence[str], path: Path, beside: Mapping[str, Sequence[Verdict]]
) -> None:
    from tapwise.datasets.viewer import write_page

    write_page(store, names, path, beside)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge calibrate",
        description="Compare verdicts that are in a store with what was read from the phones, or with what people say:"
        " accuracy, precision, recall, false completions and kappa with intervals, by app, level and kind. With"
        " --against or another store, also how two judges agree on the same episodes, and what changed between them.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    parser.add_argument("--judge", help="whose verdicts, where several judges spoke")
    parser.add_argument("--labels", type=Path, help="CSV with the columns trajectory and success, as people judged")
    parser.add_argument("other", type=Path, nargs="?", help="another store of the same episodes, judged by the other")
    parser.add_argument("--against", metavar="JUDGE", help="also how the verdicts differ from this judge's")
    parser.add_argument(
        "--page", type=Path, help="write a page with the screens of the disagreements; of two judges, of what changed"
    )
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser
