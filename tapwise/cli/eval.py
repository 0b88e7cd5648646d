"""`tapwise eval`: the success of a policy on a suite of tasks."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.interrupts import interruptible
from tapwise.cli.judge_stages import add_prompt_options
from tapwise.cli.live import Watcher, make_watcher
from tapwise.cli.plan import Estimate, PlannedUnit
from tapwise.cli.policies import Measured, load_policy, recipe_for
from tapwise.cli.recipe_options import check_parts, split_overrides
from tapwise.errors import ConfigError, FarmError
from tapwise.records import End, Trajectory

if TYPE_CHECKING:
    from tapwise.android_env.tasks import Suite
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.training.evaluation import Evaluation
    from tapwise.training.judging import RolloutJudge
    from tapwise.training.recipes import BaseRecipe, JudgeConfig

_SAME_WHEN_IT_GOES_ON = ("policy", "model", "suite", "protocol", "recipe_sha", "tapwise", "git_commit", "versions")
"""parts of the manifest; other code or libraries would make one result of two"""
FLAGS = ("--blank", "--json")
VALUED = (
    *("--policy", "--suite", "--split", "--episodes", "--runs", "--out", "--seed"),
    *("--judge-url", "--judge-model", "--judge-key-env", "--judge-frames", "--judge-examples"),
)


def run(argv: list[str]) -> int:
    """Measure a policy and print its success; gives the exit status. Raises the errors of whatever cannot be had."""
    own, overrides = split_overrides(argv, FLAGS, VALUED)
    options = _parser().parse_args(own)
    recipe = _recipe(options, overrides)

    from tapwise.training.suites import open_suite

    with interruptible(), open_suite(recipe) as suite:
        if not suite.tells and not options.judge_url:
            raise ConfigError(
                f"only a judge can say whether a task of suite {recipe.suite!r} is done: give --judge-url and"
                " --judge-model"
            )
        evaluation = _evaluation(recipe, suite, options)
        measured = load_policy(options.policy, recipe, suite, blank=options.blank, seed=recipe.seed)
        manifest = _manifest(measured, recipe, evaluation, options)
        folder = _folder(options, manifest)
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=2), encoding="utf-8")
        with make_watcher(f"eval {options.policy}", plain=options.json) as watcher:
            watcher.plan(Estimate([PlannedUnit("evaluate", evaluation.episodes * evaluation.runs)]))
            watcher.unit("evaluate", 0, 1)
            found = _play(measured, recipe, evaluation, folder, watcher, _judge_config(options))
    if not found:
        raise FarmError(f"no episode could be played to its end; the last one's fault: {watcher.last_fault}")
    results = _results(measured, recipe, evaluation, found, options)
    (folder / "results.json").write_text(json.dumps(results, indent=2), encoding="utf-8")
    headline = {key: value for key, value in results.items() if key != "results"}
    print(json.dumps({**headline, "out": str(folder)}) if options.json else _table(results, folder))
    return 0


def _evaluation(recipe: BaseRecipe, suite: Suite, options: argparse.Namespace) -> Evaluation:
    """What is played; of a suite that others have fixed, unless told otherwise, each task once."""
    from tapwise.training.evaluation import Evaluation

    episodes = recipe.evaluation.episodes
    if suite.resets_itself and options.episodes is None:
        episodes = len(suite.tasks(recipe.evaluation.split))
    if options.runs < 1:
        raise ConfigError("--runs must be at least 1")
    return Evaluation(suite, recipe.evaluation.split, episodes, recipe.evaluation.seed, options.runs)


def _recipe(options: argparse.Namespace, overrides: list[str]) -> BaseRecipe:
    keys = {"suite": "suite"} | {key: f"evaluation.{key}" for key in ("episodes", "seed", "split")}
    for option, key in keys.items():
        value = getattr(options, option)
        if value is not None:
            overrides = [*overrides, f"{key}={value}"]
    recipe = recipe_for(options.policy, overrides)
    check_parts(recipe, "androidworld")
    return recipe


def _judge_config(options: argparse.Namespace) -> JudgeConfig:
    from tapwise.config import validate
    from tapwise.training.recipes import JudgeConfig

    given = {
        "url": options.judge_url,
        "model": options.judge_model,
        "key_env": options.judge_key_env,
        "frames": options.judge_frames,
        "examples": options.judge_examples,
    }
    return validate(JudgeConfig, {name: value for name, value in given.items() if value}, "the judge")


def _play(
    measured: Measured,
    recipe: BaseRecipe,
    evaluation: Evaluation,
    folder: Path,
    watcher: Watcher,
    judge_config: JudgeConfig,
) -> list[Trajectory]:
    from tapwise.android_env.env import PATIENT
    from tapwise.config import recipe_sha
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.training.collect import CollectorSettings
    from tapwise.training.judging import open_judge
    from tapwise.training.phones import open_phones

    settings = CollectorSettings(
        PATIENT,
        recipe_sha=recipe_sha(recipe),
        schedule=recipe.farm.resolved_schedule(),
    )
    with (
        ParquetTrajectoryStore(folder / "trajectories") as store,
        open_judge(judge_config, store) as judge,
        open_phones(recipe, evaluation.suite, store, settings) as phones,
    ):
        watcher.devices(phones.status)
        jobs, played = evaluation.jobs("evaluation"), _played(store)
        for trajectory in played.values():
            watcher.episode("evaluate", trajectory)
        found = phones.collector.collect(
            measured.policy,
            [job for job in jobs if job.id not in played],
            partial(_seen, watcher, judge),
            with_tree=measured.with_tree,
        )
        played |= {trajectory.id.partition("+")[0]: trajectory for trajectory in found}
        whole = [played[job.id] for job in jobs if job.id in played]
        return whole if judge is None else judge.judged(whole)


def _seen(watcher: Watcher, judge: RolloutJudge | None, trajectory: Trajectory) -> None:
    """An episode has ended: it is judged while others are still played."""
    watcher.episode("evaluate", trajectory)
    if judge is not None:
        judge.see(trajectory)


def _results(
    measured: Measured,
    recipe: BaseRecipe,
    evaluation: Evaluation,
    found: Sequence[Trajectory],
    options: argparse.Namespace,
) -> dict[str, Any]:
    from tapwise.evaluator.failures import failure_of
    from tapwise.training.evaluation import EpisodeResult, repeated_summary, success_summary
    from tapwise.training.manifest import leak_of

    played = len(evaluation.jobs("evaluation"))
    told = [trajectory for trajectory in found if trajectory.success is not None]
    packages = _packages() if recipe.farm.backend in ("virtual", "in_process") else {}
    kinds = [failure_of(trajectory, packages) for trajectory in told]
    results = [
        {**asdict(EpisodeResult.of(trajectory)), "failure": kind and str(kind)}
        for trajectory, kind in zip(told, kinds, strict=True)
    ]
    summary = success_summary if evaluation.runs == 1 else repeated_summary
    suites = sorted({result["suite"] for result in results})
    templates = sorted({result["template"] for result in results})
    return {
        "policy": options.policy,
        "policy_name": measured.policy.name,
        "suite": recipe.suite,
        "split": evaluation.split,
        "seed": evaluation.seed,
        "blank": options.blank,
        "leak": leak_of(evaluation.suite),
        "runs": evaluation.runs,
        **summary(results),
        "by_suite": {name: summary([r for r in results if r["suite"] == name]) for name in suites},
        "by_template": {name: summary([r for r in results if r["template"] == name]) for name in templates},
        "failures": dict(Counter(str(kind) for kind in kinds if kind is not None).most_common()),
        "not_played": played - len(found),
        "not_told": len(found) - len(told),
        "results": results,
    }


def _packages() -> dict[str, str]:
    """The package of each of the virtual phone's apps, by the name that tasks have for it."""
    from tapwise.emulators.virtual.phone import VirtualPhone

    return {app.label.lower(): package for package, app in VirtualPhone().apps.items()}


def _manifest(
    measured: Measured, recipe: BaseRecipe, evaluation: Evaluation, options: argparse.Namespace
) -> dict[str, Any]:
    from tapwise.training.judging import judge_told
    from tapwise.training.manifest import build_manifest, phone_protocol

    protocol = replace(
        phone_protocol(recipe, evaluation.suite),
        episodes=evaluation.episodes,
        runs=evaluation.runs,
        observation="screenshot and accessibility tree" if measured.with_tree else "screenshot",
        screenshots="blank" if options.blank else "as seen",
        judge=judge_told(_judge_config(options)),
    )
    manifest = build_manifest(recipe, evaluation.suite, measured.model, protocol)
    manifest["policy"] = {
        "name": options.policy,
        "origin": measured.origin,
        "version": measured.policy.version,
        "weights": measured.weights,
    }
    manifest["agent"] = measured.interface
    return manifest


def _table(results: dict[str, Any], folder: Path) -> str:
    rows = list(results["by_suite"].items())
    if len(rows) > 1:
        rows.append(("together", results))
    lines = [f"{results['policy']} on the {results['split']} tasks of suite {results['suite']}", ""]
    lines.append(f"{'suite':<12}{'episodes':>9}{'success':>10}   95 % interval")
    for name, row in rows:
        low, high = row["ci95"]
        lines.append(f"{name:<12}{row['episodes']:>9}{row['success']:>10.1%}   {low:.1%} to {high:.1%}")
    if results["runs"] > 1:
        chances = ", ".join(f"pass@{k} {chance:.1%}" for k, chance in results["pass@k"].items())
        lines += ["", f"{results['tasks']} tasks, {results['runs']} runs each: {chances}; intervals are over tasks"]
    if results["failures"]:
        lines += ["", "failures: " + ", ".join(f"{kind} {count}" for kind, count in results["failures"].items())]
    if results["not_played"]:
        lines.append(f"{results['not_played']} episodes were aborted by faults of our own and are not counted")
    if results["not_told"]:
        lines.append(f"of {results['not_told']} episodes nobody could say whether they succeeded; they are not counted")
    if results["leak"]:
        lines.append(f"beware: {results['leak']}")
    return "\n".join([*lines, "", f"results and manifest: {folder}"])


def _folder(options: argparse.Namespace, manifest: dict[str, Any]) -> Path:
    """A new folder, or the one of the very same evaluation that was ended early and goes on."""
    if options.out is None:
        name = f"eval-{Path(options.policy).name}"
        folder, number = Path("runs") / name, 1
        while folder.exists():
            number += 1
            folder = Path("runs") / f"{name}-{number}"
    else:
        folder = Path(options.out)
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            _check_goes_on(folder, manifest)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _check_goes_on(folder: Path, manifest: dict[str, Any]) -> None:
    """Raises ConfigError unless the folder is that of the same evaluation, and it has not ended."""
    path = folder / "manifest.json"
    if (folder / "results.json").exists() or not path.is_file():
        raise ConfigError(f"--out {folder} is there already: choose a new folder, so that no results are mixed")
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise ConfigError(f"--out {folder} holds a manifest that cannot be read: choose a new folder") from None
    differ = [name for name in _SAME_WHEN_IT_GOES_ON if before.get(name) != manifest[name]]
    if differ:
        raise ConfigError(
            f"--out {folder} holds an evaluation that was ended early and differs in {', '.join(differ)}: repeat its"
            " own command to go on with it, or choose a new folder"
        )


def _played(store: ParquetTrajectoryStore) -> dict[str, Trajectory]:
    """What an evaluation that goes on has played already, by its job's name."""
    store.close_interrupted()
    found = store.select(lambda summary: summary.end is not End.ABORTED)
    return {trajectory.id.partition("+")[0]: trajectory for trajectory in found}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise eval",
        description="Measure a policy's success on held-out tasks, with its 95 % interval and a manifest of how it"
        " was measured. Keys of recipes may be given too, such as --farm.devices 8 or --policy.device cuda.",
        allow_abbrev=False,
    )
    parser.add_argument("--policy", required=True, help="a run's folder, random, expert, base, or a model's folder")
    parser.add_argument(
        "--suite", help="as tapwise tasks list takes it, such as general or office:app (a run's own; else all)"
    )
    parser.add_argument("--split", choices=("test", "train"), help="which tasks (a run's own; else test)")
    parser.add_argument("--episodes", type=int, help="number of episodes (a run's own; else 96)")
    parser.add_argument("--runs", type=int, default=1, help="plays of each task, in worlds of their own (1)")
    parser.add_argument("--seed", type=int, help="seed of tasks and phones (10007)")
    parser.add_argument("--judge-url", help="endpoint of a judge, for suites that the phone's state does not decide")
    parser.add_argument("--judge-model", help="the judge's name there")
    parser.add_argument("--judge-key-env", help="environment variable of its key (OPENAI_API_KEY)")
    add_prompt_options(parser, "--judge-")
    parser.add_argument("--blank", action="store_true", help="show the model empty screenshots, as a control")
    parser.add_argument("--out", metavar="FOLDER", help="where results go (runs/eval-POLICY)")
    parser.add_argument("--json", action="store_true", help="print the outcome as one line of JSON")
    return parser
