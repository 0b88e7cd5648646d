"""`tapwise judge testbed`: labelled episodes of virtual phones, to try judges on."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

from tapwise.cli.interrupts import interruptible
from tapwise.errors import ConfigError

EPISODES = 300
NOISE = "popups=0.05,ads=0.05,slow_loads=0.05,layout_shifts=1.0"


def run(argv: list[str]) -> int:
    """Make a test-bed, or what is missing of one; gives the exit status.

    Raises ConfigError, EnvError and StoreError.
    """
    options = _parser().parse_args(argv)
    if options.episodes < 1:
        raise ConfigError("--episodes must be at least 1")

    from tapwise.android_env.mutants import kind_of_policy
    from tapwise.android_env.suites import load_suite
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.emulators.virtual.noise import Noise
    from tapwise.training.testbed import make_testbed

    started = time.monotonic()
    suite, noise = load_suite(options.suite), Noise.parse(options.noise)
    with interruptible(), ParquetTrajectoryStore(options.out) as store:
        progress = Progress(options.episodes)
        made = make_testbed(store, suite, options.split, options.episodes, options.seed, noise, progress)
        kinds = Counter(kind_of_policy(summary.provenance.policy) for summary in store.scan())
    seconds = time.monotonic() - started
    if options.json:
        print(json.dumps({"store": str(options.out), "made_now": made, "kinds": kinds, "seconds": seconds}))
        return 0
    print(f"{made} episodes made in {seconds:.0f} s, {sum(kinds.values())} in {options.out}:")
    print("\n".join(f"  {count:4} {kind}" for kind, count in sorted(kinds.items())))
    return 0


class Progress:
    """Tells of every twentieth episode on stderr."""

    def __init__(self, episodes: int) -> None:
        self._episodes, self._made = episodes, 0

    def __call__(self, _: object) -> None:
        self._made += 1
        if self._made % 20 == 0:
            print(f"made {self._made} of {self._episodes}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise judge testbed",
        description="Make labelled episodes: experts' successes, and experts that are led astray, each with the outcome"
        " that was read from the phone. The same seed gives the same episodes; the same command goes on with a part.",
    )
    parser.add_argument("--out", type=Path, required=True, help="folder of the trajectory store")
    parser.add_argument("--episodes", type=int, default=EPISODES, help=f"how many ({EPISODES})")
    parser.add_argument("--seed", type=int, default=0, help="of tasks, worlds and what is led astray (0)")
    parser.add_argument("--suite", default="all", help="task suite (all)")
    parser.add_argument("--split", choices=("train", "test"), default="test", help="whose instructions (test)")
    parser.add_argument("--noise", default=NOISE, help=f"how the phones' world interferes ({NOISE})")
    parser.add_argument("--json", action="store_true", help="print what was made as JSON")
    return parser
