"""`tapwise judge train`: a small judge from generated episodes, and its card."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.agreement import report_dict, report_lines, words_of
from tapwise.cli.interrupts import interruptible
from tapwise.cli.judge import judge_store
from tapwise.cli.judge_testbed import NOISE, Progress
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.records import Split

TRAINING_SEED, TEST_SEED = 1, 0


def run(argv: list[str]) -> int:
    """Train a judge and measure it; gives the exit status. Raises ConfigError, EnvError, ModelError and StoreError."""
    options = _parser().parse_args(argv)
    if min(options.episodes, options.updates, options.measured) < 1:
        raise ConfigError("--episodes, --updates and --measured must be at least 1")

    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.training.compose import make_model, use_threads
    from tapwise.training.critic_judge import CriticJudge, train_judge
    from tapwise.training.recipes import PolicyConfig

    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    with (
        interruptible(),
        ParquetTrajectoryStore(out / "training") as training,
        ParquetTrajectoryStore(out / "testbed") as testbed,
    ):
        _fill(training, "train", options.episodes, TRAINING_SEED, options.suite)
        _fill(testbed, "test", options.measured, TEST_SEED, options.suite)
        started = time.monotonic()
        use_threads(options.threads)
        model = make_model(PolicyConfig(model=options.model))
        episodes = [training.get(name) for name in training.ids()[: options.episodes]]
        critic, loss = train_judge(model, episodes, options.updates, options.seed)
        seconds = time.monotonic() - started
        critic.save(out)
        judge = CriticJudge(critic)
        judge_store(testbed, judge, None)
        words, _ = words_of(testbed, judge.name)
    card: dict[str, Any] = {
        "judge": judge.name,
        "base_model": model.name,
        "suite": options.suite,
        "training": {"episodes": len(episodes), "split": "train", "seed": TRAINING_SEED, "noise": NOISE},
        "updates": options.updates,
        "seed": options.seed,
        "mean_loss": loss,
        "training_seconds": seconds,
        "testbed": {"episodes": options.measured, "split": "test", "seed": TEST_SEED, "noise": NOISE},
        **report_dict(words),
    }
    (out / "card.json").write_text(json.dumps(card, indent=2), encoding="utf-8")
    if options.json:
        print(json.dumps(card))
        return 0
    print(f"{judge.name} is in {out}, trained in {seconds:.0f} s; on {options.measured} held-out episodes:")
    print("\n".join(report_lines(words)))
    return 0


def _fill(store: ParquetTrajectoryStore, split: Split, episodes: int, seed: int, suite: str) -> None:
    from tapwise.android_env.suites import load_suite
    from tapwise.emulators.virtual.noise import Noise
    from tapwise.training.testbed import make_testbed

    print(f"episodes of the {split} split:", file=sys.stderr)
    make_testbed(store, load_suite(suite), split, episodes, seed, Noise.parse(NOISE), Progress(episodes))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge train",
        description="Train a small judge on generated, labelled episodes of the training split, and measure it on a"
        " test-bed of held-out instructions. It sees the goal, the last actions and the last screen. No key, no GPU.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the judge; its episodes lie in it too")
    parser.add_argument("--episodes", type=int, default=2000, help="to train on (2000)")
    parser.add_argument("--updates", type=int, default=400, help="gradient steps (400)")
    parser.add_argument("--measured", type=int, default=300, help="episodes of the test-bed (300)")
    parser.add_argument("--suite", default="all", help="task suite (all)")
    parser.add_argument("--model", default="", help="what it is made from: a folder; empty: the small model (empty)")
    parser.add_argument("--seed", type=int, default=0, help="of training (0)")
    parser.add_argument("--threads", type=int, default=1, help="torch threads; the last bits depend on it (1)")
    parser.add_argument("--json", action="store_true", help="print the card as JSON")
    return parser
