"""`tapwise judge`: let a model judge stored trajectories, and compare it with the truth."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.interrupts import interruptible
from tapwise.errors import ConfigError, StoreError

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.evaluator.statistics import Agreement
    from tapwise.protocols import Judge

MOST_DISAGREEMENTS = 10
BATCH = 16
"""episodes in memory at once; their verdicts are kept before the next are asked for"""


def run(argv: list[str]) -> int:
    """Judge a store's trajectories; gives the exit status. Raises StoreError, ConfigError and JudgeError."""
    options = _parser().parse_args(argv)
    if options.retries < 0 or options.key_frames < 0 or (options.limit is not None and options.limit < 1):
        raise ConfigError("--retries and --key-frames must not be negative, and --limit must be at least 1")
    folder = find_store(options.store)

    from tapwise.chat import ChatClient
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.evaluator.vlm_judge import VlmJudge

    client = ChatClient(options.url, options.model, options.key_env, retries=options.retries)
    try:
        with interruptible(), ParquetTrajectoryStore(folder) as store:
            judge = VlmJudge(client, key_frames=options.key_frames)
            asked = judge_store(store, judge, options.limit)
            words = _words(store, judge.name)
    finally:
        client.close()

    from tapwise.evaluator.statistics import agreement

    found = agreement([one.said for one in words], [one.true for one in words])
    wrong = [one for one in words if one.said is not None and one.true is not None and one.said != one.true]
    if options.json:
        told = {"store": str(folder), "judge": judge.name, "judged_now": asked, **agreement_dict(found, len(words))}
        told["by_app"] = {app: agreement_dict(each, len(mine)) for app, mine, each in _by_app(words)}
        told["disagreements"] = [asdict(one) for one in wrong]
        print(json.dumps(told))
    else:
        print(f"{judge.name}: {asked} episodes judged now, {len(words)} in all, kept beside their outcomes in {folder}")
        print("\n".join([*agreement_lines(found), *_app_lines(words), *_disagreement_lines(wrong)]))
    return 0


@dataclass(frozen=True, slots=True)
class Word:
    """What a judge said of an episode, and what is true."""

    trajectory: str
    app: str
    said: bool | None
    true: bool | None
    reason: str


def _by_app(words: Sequence[Word]) -> Iterator[tuple[str, list[Word], Agreement]]:
    from tapwise.evaluator.statistics import agreement

    for app in sorted({one.app for one in words}):
        mine = [one for one in words if one.app == app]
        yield app, mine, agreement([one.said for one in mine], [one.true for one in mine])


def _app_lines(words: Sequence[Word]) -> list[str]:
    rows = [(app, each) for app, _, each in _by_app(words) if each.accuracy is not None]
    width = max((len(app) for app, _ in rows), default=0)
    return [f"  {app:<{width}}  {each.accuracy:6.1%} of {each.decided}" for app, each in rows] if len(rows) > 1 else []


def _disagreement_lines(wrong: Sequence[Word]) -> list[str]:
    lines = [f"  {one.trajectory}: called {_name(one.said)}, is {_name(one.true)}: {one.reason}" for one in wrong]
    if len(lines) > MOST_DISAGREEMENTS:
        lines[MOST_DISAGREEMENTS:] = [f"  and {len(wrong) - MOST_DISAGREEMENTS} more: --json has all"]
    return ["disagreements:", *lines] if lines else []


def _name(success: bool | None) -> str:
    return "a success" if success else "a failure"


def find_store(path: Path) -> Path:
    """The folder of trajectories: `path` itself or that of the run it is. Raises StoreError when it is neither."""
    for folder in (path / "trajectories", path):
        if (folder / "journal.log").exists() or any(folder.glob("shard-*.parquet")):
            return folder
    raise StoreError(f"{path} holds no trajectories: give the folder of a run, or a trajectory store's own")


def judge_store(store: ParquetTrajectoryStore, judge: Judge, limit: int | None) -> int:
    """Ask for all episodes that this judge has not decided yet; returns how many were asked for."""
    waiting = [
        summary.id
        for summary in store.scan(lambda one: one.trainable)
        if not any(verdict.judge == judge.name and verdict.success is not None for verdict in summary.verdicts)
    ][:limit]
    names = iter(waiting)
    done = 0
    while batch := [store.get(name) for name in islice(names, BATCH)]:
        for trajectory, verdict in zip(batch, judge.judge(batch), strict=True):
            others = [one for one in trajectory.verdicts if one.judge != judge.name]
            store.annotate(trajectory.id, verdicts=[*others, verdict])
        done += len(batch)
        print(f"judged {done} of {len(waiting)}", file=sys.stderr)
    return len(waiting)


def _words(store: ParquetTrajectoryStore, judge: str) -> list[Word]:
    return [
        Word(summary.id, summary.task.app, verdict.success, summary.outcome, verdict.reason)
        for summary in store.scan()
        for verdict in summary.verdicts
        if verdict.judge == judge
    ]


def agreement_dict(found: Agreement, judged: int) -> dict[str, Any]:
    """A judge's agreement with the outcomes, for JSON; `judged` is how many episodes it has spoken on."""
    return {
        "judged": judged,
        "decided": found.decided,
        "abstained": found.abstained,
        "accuracy": found.accuracy,
        "accuracy_ci95": list(found.accuracy_interval()),
        "false_completion_rate": found.false_completion_rate,
        "missed_completion_rate": found.missed_completion_rate,
        "precision": found.precision,
        "recall": found.recall,
        "kappa": found.kappa,
        "kappa_ci95": list(found.kappa_interval()),
    }


def agreement_lines(found: Agreement) -> list[str]:
    """A judge's agreement with the outcomes in words."""
    if found.accuracy is None:
        return ["no episode has both a verdict and an outcome to compare it with"]
    low, high = found.accuracy_interval()
    lines = [
        f"agrees with the outcome on {found.accuracy:.1%} of {found.decided} decided episodes"
        f"  (95 % interval {low:.1%} to {high:.1%}); abstained on {found.abstained}"
    ]
    if found.kappa is not None:
        low, high = found.kappa_interval()
        lines.append(f"kappa {found.kappa:.2f}  (95 % interval {low:.2f} to {high:.2f})")
    if found.false_completion_rate is not None:
        lines.append(f"called {found.false_completion_rate:.1%} of the failed episodes a success")
    if found.missed_completion_rate is not None:
        lines.append(f"called {found.missed_completion_rate:.1%} of the successful episodes a failure")
    return lines


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge",
        description="Let a model behind an OpenAI-compatible endpoint judge stored trajectories. Verdicts are kept"
        " beside the outcomes; the same command again goes on with those that are still undecided.",
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    parser.add_argument("--url", required=True, help="the endpoint up to its version, such as http://127.0.0.1:8000/v1")
    parser.add_argument("--model", required=True, help="the model's name there")
    parser.add_argument("--key-env", default="OPENAI_API_KEY", help="environment variable of the key (OPENAI_API_KEY)")
    parser.add_argument("--key-frames", type=int, default=0, help="screenshots shown beside the last one (0)")
    parser.add_argument("--limit", type=int, help="judge at most so many episodes now")
    parser.add_argument("--retries", type=int, default=4, help="further attempts on each busy or failing answer (4)")
    parser.add_argument("--json", action="store_true", help="print the agreement as JSON")
    return parser
