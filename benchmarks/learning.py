"""Supervised start, filtered behaviour cloning and DigiRL at equal episodes, over several seeds.

A control says what imitation alone would have reached: the supervised phase with as many updates as all phases of the
others together.

For each seed, one supervised policy and one set of offline rollouts are shared by both algorithms; online, both run
the same number of episodes, on tasks that each one's own successes choose (`curriculum`). Every policy is measured
greedily on the same held-out tasks. Run it as `make bench-learning`; it goes on where it was when started again.
"""

from __future__ import annotations

import argparse
import json
import math
import shutil
import statistics
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from tapwise.config import load_recipe, recipe_sha
from tapwise.evaluator.statistics import newcombe_difference_interval, wilson_interval
from tapwise.records import Trajectory
from tapwise.training.checkpoint import load_checkpoint, save_checkpoint
from tapwise.training.manifest import build_manifest
from tapwise.training.recipes import DigiRLConfig, FilteredBCConfig, Recipe
from tapwise.training.run import Run

HERE = Path(__file__).parent
ALGORITHMS = {"filtered_bc": FilteredBCConfig(), "digirl": DigiRLConfig()}
IMITATION = "imitation"
PHASES = ("supervised", "offline", "online")


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
        """Metrics are in the run's own file."""
        shown = {k: round(v, 3) for k, v in values.items() if k.startswith("evaluation") or k == "online/success"}
        if shown:
            print(f"{self._name}  {shown}", file=sys.stderr, flush=True)

    def devices(self, status: object) -> None:
        """The farm is up."""


def fork(source: Path, target: Path, recipe: Recipe) -> None:
    """Let `target` go on from where `source` stands, with another algorithm from there on."""
    if (target / "checkpoints").exists():
        return
    shutil.copytree(source, target)
    state = load_checkpoint(target / "checkpoints")
    assert state is not None
    shutil.rmtree(target / "checkpoints")
    save_checkpoint(target / "checkpoints", {**state, "recipe_sha": recipe_sha(recipe)})


def shared_folder(folder: Path, seed: int) -> Path:
    """Where the part of a seed lies that all algorithms share."""
    return folder / f"seed-{seed}" / "shared"


def run_shared(base: Recipe, seed: int, folder: Path) -> None:
    """Demonstrations, the supervised policy, its evaluation and its offline rollouts."""
    recipe = base.model_copy(update={"seed": seed, "algorithm": next(iter(ALGORITHMS.values()))})
    Run(recipe, shared_folder(folder, seed), Lines(f"seed {seed} shared")).go(stop_before="offline/learn")


def run_algorithm(base: Recipe, seed: int, name: str, folder: Path) -> dict[str, Any]:
    """One algorithm from where the shared part ends: the success of each phase, and what it cost."""
    recipe = base.model_copy(update={"seed": seed, "algorithm": ALGORITHMS[name]})
    target = folder / f"seed-{seed}" / name
    fork(shared_folder(folder, seed), target, recipe)
    run = Run(recipe, target, Lines(f"seed {seed} {name}"))
    run.go()
    return {
        "evaluations": {p: [bool(r["success"]) for r in run.progress.evaluations[p]] for p in PHASES},
        "interactions": run.progress.interactions,
        "seconds": run.progress.seconds,
        "selection": selections(target / "metrics.jsonl"),
    }


def selections(metrics: Path) -> list[dict[str, float]]:
    """What the algorithm chose to learn from, in the order of its phases and rounds."""
    lines = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    found = [{name: value for name, value in line.items() if name.startswith("selection/")} for line in lines]
    return [one for one in found if one]


def run_imitation(base: Recipe, seed: int, folder: Path) -> dict[str, Any]:
    """The control: imitation of the same demonstrations, with the updates of all phases."""
    updates = base.supervised.updates + base.offline.updates + base.online.iterations * base.online.updates
    recipe = base.model_copy(
        update={
            "seed": seed,
            "supervised": base.supervised.model_copy(update={"updates": updates}),
            "offline": base.offline.model_copy(update={"episodes": 0}),
            "online": base.online.model_copy(update={"iterations": 0}),
        }
    )
    run = Run(recipe, folder / f"seed-{seed}" / IMITATION, Lines(f"seed {seed} {IMITATION}"))
    run.go()
    found = [bool(r["success"]) for r in run.progress.evaluations["supervised"]]
    return {"evaluations": {"supervised": found}, "interactions": 0, "seconds": run.progress.seconds}


def run_all(base: Recipe, seeds: int, jobs: int, folder: Path) -> dict[int, dict[str, Any]]:
    """Results by seed and algorithm; `jobs` processes work side by side, each algorithm once its seed's shared part is
    done."""
    found: dict[int, dict[str, Any]] = {seed: {} for seed in range(seeds)}
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        running: dict[Future[Any], tuple[int, str]] = {
            pool.submit(run_shared, base, seed, folder): (seed, "shared") for seed in range(seeds)
        }
        while running:
            finished, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                seed, name = running.pop(future)
                if name == "shared":
                    future.result()
                    running |= {pool.submit(run_algorithm, base, seed, n, folder): (seed, n) for n in ALGORITHMS}
                    running[pool.submit(run_imitation, base, seed, folder)] = seed, IMITATION
                else:
                    found[seed][name] = future.result()
    return found


def summarise(seeds: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """A row a method: success pooled over seeds with its Wilson interval, and the spread between seeds."""
    rows = []
    for name, algorithm, phase in (
        ("supervised", "digirl", "supervised"),
        ("supervised, all updates", IMITATION, "supervised"),
        ("filtered BC, offline", "filtered_bc", "offline"),
        ("DigiRL, offline", "digirl", "offline"),
        ("filtered BC, offline-to-online", "filtered_bc", "online"),
        ("DigiRL, offline-to-online", "digirl", "online"),
    ):
        each = [seed[algorithm]["evaluations"][phase] for seed in seeds.values()]
        rates = [sum(one) / len(one) for one in each]
        wins, episodes = sum(map(sum, each)), sum(map(len, each))
        low, high = wilson_interval(wins, episodes)
        spread = statistics.stdev(rates) if len(rates) > 1 else math.nan
        rows.append(
            {
                "method": name,
                "success": wins / episodes,
                "ci95": [low, high],
                "wins": wins,
                "episodes": episodes,
                "seeds": rates,
                "seed_sd": spread,
                "interactions": [seed[algorithm]["interactions"] for seed in seeds.values()],
            }
        )
    return rows


def differences(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """The comparisons that matter, in points, with Newcombe intervals over all episodes."""
    by_name = {row["method"]: row for row in rows}
    found = {}
    for label, first, second in (
        ("DigiRL over supervised", "DigiRL, offline-to-online", "supervised"),
        ("DigiRL over supervised with all updates", "DigiRL, offline-to-online", "supervised, all updates"),
        ("DigiRL over filtered BC, online", "DigiRL, offline-to-online", "filtered BC, offline-to-online"),
        ("DigiRL over filtered BC, offline", "DigiRL, offline", "filtered BC, offline"),
    ):
        a, b = by_name[first], by_name[second]
        low, high = newcombe_difference_interval(a["wins"], a["episodes"], b["wins"], b["episodes"])
        found[label] = {"points": 100 * (a["success"] - b["success"]), "ci95": [100 * low, 100 * high]}
    return found


def main() -> int:
    """Run the benchmark, print the table and keep the result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3, help="number of seeds (3)")
    parser.add_argument("--jobs", type=int, default=2, help="runs side by side (2)")
    parser.add_argument("--run", type=Path, default=Path("runs/bench-learning"), help="folder of the runs")
    parser.add_argument("--recipe", type=Path, default=HERE / "learning.toml", help="recipe that all runs share")
    parser.add_argument("--out", type=Path, default=HERE / "results" / "learning.json", help="where the result goes")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    base = load_recipe(Recipe, options.recipe)
    started = time.monotonic()
    seeds = run_all(base, options.seeds, options.jobs, options.run)
    rows = summarise(seeds)
    last = Run(base.model_copy(update={"seed": 0}), options.run / "manifest", Lines("manifest"))
    last.close()
    result: dict[str, Any] = {
        "rows": rows,
        "differences": differences(rows),
        "by_seed": seeds,
        "wall_s": time.monotonic() - started,
        "manifest": build_manifest(base, last.suite, last.model.name),
    }
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(result, indent=1), encoding="utf-8")
    if options.json:
        print(json.dumps(result))
        return 0
    table = Table("method", "success", "95 % interval", "seeds", title=f"{options.seeds} seeds, held-out tasks")
    for row in rows:
        rates = "  ".join(f"{100 * rate:.0f}" for rate in row["seeds"])
        table.add_row(
            row["method"],
            f"{100 * row['success']:.1f} %",
            "{:.1f} - {:.1f}".format(*(100 * x for x in row["ci95"])),
            rates,
        )
    console = Console()
    console.print(table)
    for label, found in result["differences"].items():
        console.print(
            f"{label}: {found['points']:+.1f} points, 95 % interval {found['ci95'][0]:+.1f} to {found['ci95'][1]:+.1f}"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
