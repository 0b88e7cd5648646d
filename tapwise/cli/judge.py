"""`tapwise judge`: let judges judge stored trajectories, and compare them with the truth."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.agreement import report_dict, report_lines, words_of
from tapwise.cli.interrupts import interruptible
from tapwise.cli.judge_stages import add_stage_options, check_stages, open_stages
from tapwise.errors import ConfigError, JudgeError, StoreError
from tapwise.records import Trajectory, Verdict

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.protocols import Judge

BATCH = 16
"""episodes in memory at once; their verdicts are kept before the next are asked for"""
OTHERS = ("testbed", "train", "calibrate", "label")
"""what else the command does, each in a module of its own"""


def run(argv: list[str]) -> int:
    """Judge a store's trajectories; gives the exit status, 1 when episodes are left pending.

    Raises StoreError, ConfigError, ModelError and JudgeError.
    """
    if argv and argv[0] in OTHERS:
        return int(importlib.import_module(f"tapwise.cli.judge_{argv[0]}").run(argv[1:]))
    options = _parser().parse_args(argv)
    check_stages(options)
    if options.limit is not None and options.limit < 1:
        raise ConfigError("--limit must be at least 1")
    folder = find_store(options.store)

    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.evaluator.cascade import Cascade

    with open_stages(options, folder) as opened, interruptible(), ParquetTrajectoryStore(folder) as store:
        stages = opened.stages
        judge = stages[0].judge if len(stages) == 1 and not stages[0].doubt else Cascade(stages)
        asked = judge_store(store, judge, options.limit, pending_only=options.pending)
        words, pending = words_of(store, judge.name)
        shares = {name: asdict(share) for name, share in getattr(judge, "shares", {}).items()}
    report = {"store": str(folder), "judge": judge.name, "judged_now": asked, "pending": len(pending)}
    if options.json:
        print(json.dumps({**report, **report_dict(words), "stages": shares, **opened.told()}))
    else:
        print(f"{judge.name}: {asked} episodes judged now, {len(words)} in all, kept beside their outcomes in {folder}")
        print("\n".join([*_share_lines(shares), *opened.lines(), *report_lines(words)]))
    if pending:
        print(f"{len(pending)} episodes are pending: the same command with --pending asks again", file=sys.stderr)
    return 1 if pending else 0


def _share_lines(shares: dict[str, dict[str, Any]]) -> list[str]:
    return [
        f"  {name}: asked about {share['asked']}, decided {share['decided']}, cost {share['cost']:.4g},"
        f" took {share['latency_s']:.1f} s" + (f"; could not be asked: {share['error']}" if share["error"] else "")
        for name, share in shares.items()
    ]


def find_store(path: Path) -> Path:
    """The folder of trajectories: `path` itself or that of the run it is. Raises StoreError when it is neither."""
    for folder in (path / "trajectories", path):
        if (folder / "journal.log").exists() or any(folder.glob("shard-*.parquet")):
            return folder
    raise StoreError(f"{path} holds no trajectories: give the folder of a run, or a trajectory store's own")


def judge_store(store: ParquetTrajectoryStore, judge: Judge, limit: int | None, *, pending_only: bool = False) -> int:
    """Ask for all episodes that this judge has not decided yet, or only for those that are pending; returns how many
    were asked for. When the judge cannot be asked at all, they are pending, and JudgeError is raised."""
    waiting = [
        summary.id
        for summary in store.scan(lambda one: one.trainable)
        for said in [next((one for one in summary.verdicts if one.judge == judge.name), None)]
        if (said is not None and said.pending if pending_only else said is None or said.success is None)
    ][:limit]
    names = iter(waiting)
    done = 0
    while batch := [store.get(name) for name in islice(names, BATCH)]:
        try:
            said = judge.judge(batch)
        except JudgeError as error:
            left = [*batch, *map(store.get, names)]
            _keep(store, judge, left, [_pending(judge, str(error))] * len(left))
            raise JudgeError(f"{error}; {len(left)} episodes are pending: --pending asks again") from error
        _keep(store, judge, batch, said)
        done += len(batch)
        print(f"judged {done} of {len(waiting)}", file=sys.stderr)
    return len(waiting)


def _keep(
    store: ParquetTrajectoryStore, judge: Judge, batch: Sequence[Trajectory], verdicts: Sequence[Verdict]
) -> None:
    for trajectory, verdict in zip(batch, verdicts, strict=True):
        others = [one for one in trajectory.verdicts if one.judge != judge.name]
        store.annotate(trajectory.id, verdicts=[*others, verdict])


def _pending(judge: Judge, reason: str) -> Verdict:
    return Verdict(None, judge.name, reason=reason, pending=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge",
        description="Judge stored trajectories: by a model behind an OpenAI-compatible endpoint, by a small judge that"
        " `tapwise judge train` made, by rules about the texts on the screens, by what was read from the phone, or by"
        " several of them, the cheapest first, each asked about what those before it left open. Verdicts are kept"
        " beside the outcomes; the same command again goes on with those that are still undecided. `tapwise judge"
        " testbed` makes labelled episodes, `label` asks people, `calibrate` tells how far a judge can be trusted: each"
        " has its own --help.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    add_stage_options(parser)
    parser.add_argument("--pending", action="store_true", help="ask only for what could not be asked before")
    parser.add_argument("--limit", type=int, help="judge at most so many episodes now")
    parser.add_argument("--json", action="store_true", help="print the agreement as JSON")
    return parser
