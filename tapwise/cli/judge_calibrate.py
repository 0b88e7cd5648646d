"""`tapwise judge calibrate`: how far verdicts that are in a store can be trusted."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.agreement import Word, disagreements, report_dict, report_lines, words_of
from tapwise.cli.judge import find_store
from tapwise.errors import ConfigError

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

    with ParquetTrajectoryStore(find_store(options.store), mode="read", on_corrupt="skip") as store:
        judge = _chosen(store, options.judge)
        words, pending = words_of(store, judge, truth)
        report: dict[str, Any] = {"judge": judge, "pending": len(pending), **report_dict(words)}
        lines = [f"{judge}, {len(words)} verdicts:", *report_lines(words)]
        if options.against is not None:
            other, _ = words_of(store, _chosen(store, options.against), truth)
            report["drift"] = drift(words, other) | {"against": options.against}
            lines += _drift_lines(report["drift"])
        if options.page is not None:
            _write_page(store, words, options.page)
            lines.append(f"the disagreements are on {options.page}")
    print(json.dumps(report) if options.json else "\n".join(lines))
    return 0


def drift(first: Sequence[Word], second: Sequence[Word]) -> dict[str, Any]:
    """How two judges, or two versions of one, differ on the episodes on which both spoke."""
    other = {word.trajectory: word.said for word in second if word.said is not None}
    pairs = [(word, other[word.trajectory]) for word in first if word.said is not None and word.trajectory in other]
    changed = [(word, said) for word, said in pairs if word.said != said]
    ways = Counter("to success" if word.said else "to failure" for word, _ in changed)
    better = sum(word.said == word.true for word, _ in changed if word.true is not None)
    worse = sum(said == word.true for word, said in changed if word.true is not None)
    return {
        "both": len(pairs),
        "same": len(pairs) - len(changed),
        "changed": dict(ways),
        "now_right": better,
        "now_wrong": worse,
        "trajectories": [word.trajectory for word, _ in changed],
    }


def _drift_lines(found: dict[str, Any]) -> list[str]:
    changed = found["both"] - found["same"]
    return [
        f"against {found['against']}: the same on {found['same']} of {found['both']};"
        f" of {changed} others {found['now_right']} are right now and {found['now_wrong']} were right then"
    ]


def _chosen(store: ParquetTrajectoryStore, name: str | None) -> str:
    names = sorted({verdict.judge for summary in store.scan() for verdict in summary.verdicts})
    if name in names:
        return str(name)
    if name is None and len(names) == 1:
        return names[0]
    known = ", ".join(map(repr, names)) or "none: ask one first, with tapwise judge"
    raise ConfigError(f"which judge? --judge {name or 'NAME'} is none of those that spoke here: {known}")


def _write_page(store: ParquetTrajectoryStore, words: Sequence[Word], path: Path) -> None:
    from tapwise.datasets.viewer import write_page

    write_page(store, [word.trajectory for word in disagreements(words)], path)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge calibrate",
        description="Compare verdicts that are in a store with what was read from the phones, or with what people say:"
        " accuracy, precision, recall, false completions and kappa with intervals, by app, level and kind.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    parser.add_argument("--judge", help="whose verdicts, where several judges spoke")
    parser.add_argument("--labels", type=Path, help="CSV with the columns trajectory and success, as people judged")
    parser.add_argument("--against", metavar="JUDGE", help="also how the verdicts differ from this judge's")
    parser.add_argument("--page", type=Path, help="write a page that shows the disagreements with their screens")
    parser.add_argument("--json", action="store_true", help="print everything as JSON")
    return parser
