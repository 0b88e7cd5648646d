"""Learning from data that lie there already: five methods, equal data, several seeds.

For each seed all methods go on from one supervised policy, which has imitated demonstrations. Behaviour cloning,
filtered behaviour cloning and DigiRL with the values of a value environment model (VEM) learn from one and the same set
of its rollouts, and from nothing else. Step-wise offline RL (the expert's history) and semi-online RL (the
policy's own history, with patches) learn on replays of the demonstrations; rollouts have no expert to compare with.
Every policy is measured greedily on the same held-out tasks and phones. Run it as `make bench-offline`; it goes on
where it was when started again.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tapwise.android_env.suites import load_suite
from tapwise.config import Config, load_recipe, recipe_sha
from tapwise.errors import TapwiseError
from tapwise.evaluator.statistics import paired_difference_interval, wilson_interval
from tapwise.records import Trajectory
from tapwise.training.checkpoint import load_checkpoint, save_checkpoint
from tapwise.training.manifest import build_manifest
from tapwise.training.recipes import (
    AlgorithmConfig,
    BaseRecipe,
    BehaviourCloningConfig,
    FilteredBCConfig,
    Recipe,
)
from tapwise.training.run import Run
from tapwise.training.runs.semi_online import SemiOnlineRun
from tapwise.training.semi_online.recipe import SemiOnlineRecipe

HERE = Path(__file__).parent
ALGORITHMS: dict[str, AlgorithmConfig | None] = {
    "bc": BehaviourCloningConfig(),
    "filtered_bc": FilteredBCConfig(),
    "digirl_vem": None,
}
"""of the methods that learn from rollouts; None: the one that the shared recipe names"""
REPLAYS: dict[str, dict[str, dict[str, Any]]] = {
    "stepwise": {
        "replay": {"own_history": False, "patches": None},
        "algorithm": {"gamma": 0.0, "trajectory_weight": 0.0},
    },
    "semi_online": {"replay": {"own_history": True}},
}
"""what the methods that learn on replays change in the shared recipe: step-wise, each step stands for itself"""
ROWS = {
    "start": "supervised start",
    "bc": "behaviour cloning",
    "filtered_bc": "filtered BC",
    "digirl_vem": "DigiRL offline, VEM advantages",
    "stepwise": "step-wise offline RL, expert history",
    "semi_online": "semi-online RL, own history",
}
EXPECTED = (("filtered_bc", "bc"), ("digirl_vem", "filtered_bc"), ("semi_online", "stepwise"))
"""which method is expected above which"""
SMALL = (
    "shared.suite=general",
    "shared.farm.devices=2",
    "shared.farm.size=270x600",
    "shared.supervised.updates=2",
    "shared.offline.episodes=4",
    "shared.offline.critic_updates=1",
    "shared.offline.updates=1",
    "shared.algorithm.vem_updates=2",
    "shared.evaluation.episodes=4",
    "replay.iterations=1",
    "replay.data.demonstrations=0",
    "replay.sampling.rollouts=2",
    "replay.sampling.tasks=1",
)


class Settings(Config):
    """The benchmark's recipe: a recipe for rollouts and one for replays."""

    shared: Recipe = Recipe()
    """of the start, and of the methods that learn from rollouts"""
    replay: SemiOnlineRecipe = SemiOnlineRecipe()
    """of the methods that learn on replays"""

    def rollout_recipe(self, seed: int, name: str) -> Recipe:
        """The recipe of a method that learns from rollouts."""
        algorithm = ALGORITHMS[name] or self.shared.algorithm
        return self.shared.model_copy(update={"seed": seed, "algorithm": algorithm})

    def replay_recipe(self, seed: int, name: str) -> SemiOnlineRecipe:
        """The recipe of a method that learns on replays; what all recipes say is that of `shared`."""
        common = {name: getattr(self.shared, name) for name in BaseRecipe.model_fields}
        own = {
            part: type(said := getattr(self.replay, part)).model_validate(said.model_dump() | changes)
            for part, changes in REPLAYS[name].items()
        }
        return self.replay.model_copy(update={**common, "seed": seed, **own})


class Lines:
    """Prints a line a unit."""

    def __init__(self, name: str) -> None:
        self._name, self._started = name, time.monotonic()

    def unit(self, name: str, number: int, total: int) -> None:
        """A unit begins."""
        seconds = time.monotonic() - self._started
        print(f"{self._name}  {number + 1:3}/{total}  {name}  {seconds:.0f} s", file=sys.stderr, flush=True)

    def episode(self, phase: str, trajectory: Trajectory) -> None:
        """Episodes are counted in the store."""

    def metrics(self, values: dict[str, float]) -> None:
        """Print success; the rest is in the run's own file."""
        shown = {name: round(value, 3) for name, value in values.items() if name.startswith("evaluation")}
        if shown:
            print(f"{self._name}  {shown}", file=sys.stderr, flush=True)

    def devices(self, status: object) -> None:
        """The farm is up."""


def fork(source: Path, target: Path, recipe: BaseRecipe) -> None:
    """Let `target` go on from where `source` stands, with another recipe from there on. Whole or not at all."""
    if target.exists():
        return
    unfinished = target.with_name(f".{target.name}")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(source, unfinished)
    state = load_checkpoint(unfinished / "checkpoints")
    assert state is not None
    shutil.rmtree(unfinished / "checkpoints")
    save_checkpoint(unfinished / "checkpoints", {**state, "recipe_sha": recipe_sha(recipe)})
    unfinished.rename(target)


def place(folder: Path, seed: int, name: str) -> Path:
    """Where a part of a seed's work lies."""
    return folder / f"seed-{seed}" / name


def run_start(settings: Settings, seed: int, folder: Path) -> None:
    """Demonstrations, the supervised policy, its evaluation: what all methods share."""
    recipe = settings.replay_recipe(seed, "semi_online")
    SemiOnlineRun(recipe, place(folder, seed, "start"), Lines(f"seed {seed} start")).go(stop_before="semi_online/0")


def run_rollouts(settings: Settings, seed: int, folder: Path) -> None:
    """The rollouts that the methods without an expert share."""
    recipe = settings.rollout_recipe(seed, "bc")
    target = place(folder, seed, "rollouts")
    fork(place(folder, seed, "start"), target, recipe)
    Run(recipe, target, Lines(f"seed {seed} rollouts")).go(stop_before="offline/learn")


def run_method(settings: Settings, seed: int, name: str, folder: Path) -> dict[str, Any]:
    """One method: the success of its start and of what it learned, and what it cost."""
    target = place(folder, seed, name)
    lines = Lines(f"seed {seed} {name}")
    run: Run | SemiOnlineRun
    if name in ALGORITHMS:
        rollout = settings.rollout_recipe(seed, name)
        fork(place(folder, seed, "rollouts"), target, rollout)
        run, phase = Run(rollout, target, lines), "offline"
    else:
        replay = settings.replay_recipe(seed, name)
        fork(place(folder, seed, "start"), target, replay)
        run, phase = SemiOnlineRun(replay, target, lines), "semi_online"
    run.go()
    evaluations = run.progress.evaluations
    return {
        "start": [bool(result["success"]) for result in evaluations["supervised"]],
        "success": [bool(result["success"]) for result in evaluations[phase]],
        "interactions": run.progress.interactions,
        "demonstrations": len(run.progress.demonstrations),
        "seconds": run.progress.seconds,
        "found": run.progress.found,
    }


def run_all(settings: Settings, seeds: int, jobs: int, folder: Path) -> dict[int, dict[str, Any]]:
    """Results by seed and method; `jobs` processes work side by side, each part once what it goes on from is done."""
    found: dict[int, dict[str, Any]] = {seed: {} for seed in range(seeds)}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running = {pool.submit(run_start, settings, seed, folder): (seed, "start") for seed in range(seeds)}
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                seed, name = running.pop(future)
                came = future.result()
                if name in ROWS and name != "start":
                    found[seed][name] = came
                running |= _following(pool, settings, seed, name, folder)
    return found


def _following(
    pool: Executor, settings: Settings, seed: int, name: str, folder: Path
) -> dict[Future[Any], tuple[int, str]]:
    """Start what can begin now that a part is done."""
    if name == "start":
        started = {pool.submit(run_rollouts, settings, seed, folder): (seed, "rollouts")}
        return started | {pool.submit(run_method, settings, seed, n, folder): (seed, n) for n in REPLAYS}
    if name == "rollouts":
        return {pool.submit(run_method, settings, seed, n, folder): (seed, n) for n in ALGORITHMS}
    return {}


def outcomes(seeds: dict[int, dict[str, Any]], name: str) -> list[list[bool]]:
    """A method's held-out successes by seed; those of the start are in every method's result."""
    if name == "start":
        return [seed["bc"]["start"] for seed in seeds.values()]
    return [seed[name]["success"] for seed in seeds.values()]


def summarise(seeds: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a method: success pooled over seeds with its Wilson interval, and the spread between seeds."""
    rows = []
    for name, title in ROWS.items():
        each = outcomes(seeds, name)
        rates = [sum(one) / len(one) for one in each]
        wins, episodes = sum(map(sum, each)), sum(map(len, each))
        rows.append(
            {
                "name": name,
                "method": title,
                "success": wins / episodes,
                "ci95": list(wilson_interval(wins, episodes)),
                "episodes": episodes,
                "seeds": rates,
                "seed_sd": statistics.stdev(rates) if len(rates) > 1 else None,
            }
        )
    return rows


def orderings(seeds: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Which expected orderings hold: the difference in points, paired by seed and task, with its 95 % interval.

    "holds" and "reversed" where the interval lies on one side of 0, else "not decided".
    """
    found = []
    for above, below in EXPECTED:
        first = [float(won) for one in outcomes(seeds, above) for won in one]
        second = [float(won) for one in outcomes(seeds, below) for won in one]
        low, high = paired_difference_interval(first, second)
        verdict = "holds" if low > 0 else "reversed" if high < 0 else "not decided"
        points = 100 * (math.fsum(first) - math.fsum(second)) / len(first)
        found.append(
            {
                "expected": f"{ROWS[above]} > {ROWS[below]}",
                "points": points,
                "ci95": [100 * low, 100 * high],
                "verdict": verdict,
            }
        )
    return found


def measure(settings: Settings, options: argparse.Namespace) -> dict[str, Any]:
    """Run everything, and put the result together."""
    started = time.monotonic()
    seeds = run_all(settings, options.seeds, options.jobs, options.run)
    manifest = build_manifest(
        settings.shared, load_suite(settings.shared.suite), settings.shared.policy.model or "base"
    )
    return {
        "rows": summarise(seeds),
        "orderings": orderings(seeds),
        "by_seed": seeds,
        "wall_s": time.monotonic() - started,
        "small": options.small,
        "recipe": settings.model_dump(mode="json"),
        "data": "all methods: the same start, which has imitated demonstrations; then those without an expert learn"
        " from the same rollouts of it, the others on replays of the same demonstrations",
        "manifest": manifest,
    }


def show(result: dict[str, Any]) -> None:
    """Print the table and the orderings."""
    table = Table("method", "success", "95 % interval", "seeds", title="held-out tasks")
    for row in result["rows"]:
        low, high = (100 * end for end in row["ci95"])
        rates = "  ".join(f"{100 * rate:.0f}" for rate in row["seeds"])
        table.add_row(row["method"], f"{100 * row['success']:.1f} %", f"{low:.1f} - {high:.1f}", rates)
    console = Console()
    console.print(table)
    for one in result["orderings"]:
        low, high = one["ci95"]
        interval = f"95 % interval {low:+.1f} to {high:+.1f}"
        console.print(f"{one['expected']}: {one['verdict']} ({one['points']:+.1f} points, {interval})")


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (3)")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side (2)")
    parser.add_argument("--run", type=Path, default=Path("runs/bench-offline"), help="folder of the runs")
    parser.add_argument("--recipe", type=Path, default=HERE / "offline.toml", help="recipes that all runs share")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="override a key of the recipes")
    parser.add_argument("--small", action="store_true", help="a few episodes and updates: shows that all of it works")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "offline.json", help="where the result goes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmark, print the table and keep the result; the exit status is 0 when all of it was measured."""
    options = parse(arguments)
    try:
        settings = load_recipe(Settings, options.recipe, [*(SMALL if options.small else ()), *options.set])
        result = measure(settings, options)
    except TapwiseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print(json.dumps(result)) if options.json else show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
