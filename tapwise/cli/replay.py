"""`tapwise replay`: score stored trajectories anew, without a device and without touching the store."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tapwise.cli.interrupts import interruptible
from tapwise.cli.judge import BATCH, find_store
from tapwise.cli.judge_stages import add_prompt_options
from tapwise.cli.recipe_options import split_overrides
from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.cli.policies import Measured
    from tapwise.datasets.scores import ScoreFile
    from tapwise.datasets.store import ParquetTrajectoryStore
    from tapwise.evaluator.divergence import Comparison
    from tapwise.protocols import Judge
    from tapwise.records import Action, Decision, Trajectory

FLAGS = ("--successful", "--json")
VALUED = (
    *("--judge", "--policy", "--reference", "--matcher", "--history", "--scores", "--limit"),
    *("--url", "--model", "--key-env", "--frames", "--examples"),
)


def run(argv: list[str]) -> int:
    """Score a store's trajectories anew; gives the exit status. Raises the errors of whatever cannot be had."""
    own, overrides = split_overrides(argv, FLAGS, VALUED)
    options = _parser().parse_args(own)
    _check(options, overrides)
    folder = find_store(options.store)

    from tapwise.datasets.scores import ScoreFile
    from tapwise.datasets.store import ParquetTrajectoryStore

    scores_path = options.scores or folder / "scores.jsonl"
    with interruptible(), ExitStack() as stack:
        store = stack.enter_context(ParquetTrajectoryStore(folder, mode="read"))
        names = _chosen(store, options)
        if options.reference is not None:
            reference = ParquetTrajectoryStore(find_store(options.reference), mode="read")
            stack.enter_context(reference)
            found, lines = _against_reference(store, names, reference, options)
        else:
            scores = stack.enter_context(ScoreFile(scores_path))
            task = _judge if options.judge is not None else _replay
            found, lines = task(store, names, scores, options, overrides)
    result = {"store": str(folder), "trajectories": len(names), **found}
    print(json.dumps(result) if options.json else "\n".join([f"{len(names)} trajectories of {folder}", *lines]))
    return 0


# --- judges ----------------------------------------------------------------------------------------------


def _judge(
    store: ParquetTrajectoryStore, names: list[str], scores: ScoreFile, options: argparse.Namespace, _: list[str]
) -> tuple[dict[str, Any], list[str]]:
    with ExitStack() as stack:
        judge = _make_judge(options, stack)
        said, asked = rescore(store, names, judge, judge.name, scores)  # the name tells what it is shown

    from tapwise.cli.agreement import agreement_dict, agreement_lines
    from tapwise.evaluator.statistics import agreement

    summaries = [store.summary(name) for name in names]
    measured = agreement([said[name] for name in names], [summary.outcome for summary in summaries])
    differing = [s.id for s in summaries if None not in (said[s.id], s.success) and said[s.id] is not s.success]
    found = {
        "judge": judge.name,
        "judged_now": asked,
        **agreement_dict(measured, len(said)),
        "differs_from_stored": differing,
    }
    lines = [f"{judge.name}: {asked} judged now, the others were known; kept in {scores.path}"]
    lines += [*agreement_lines(measured), f"differs from the stored success on {len(differing)} trajectories"]
    return found, lines


def rescore(
    store: ParquetTrajectoryStore, names: list[str], judge: Judge, label: str, scores: ScoreFile
) -> tuple[dict[str, bool | None], int]:
    """What the judge says of each trajectory, and how many it was asked for now; those it decided before are not."""
    said: dict[str, bool | None] = {}
    asked = 0
    for batch in _batches(store, names):
        unknown = []
        for key, trajectory in batch:
            known = scores.verdict(key, label)
            if known is None or known.success is None:
                unknown.append((key, trajectory))
            else:
                said[trajectory.id] = known.success
        verdicts = judge.judge([trajectory for _, trajectory in unknown]) if unknown else []
        for (key, trajectory), verdict in zip(unknown, verdicts, strict=True):
            scores.put(key, label, verdict)
            said[trajectory.id] = verdict.success
        asked += len(unknown)
        print(f"judged {len(said)} of {len(names)}", file=sys.stderr)
    return said, asked


def _make_judge(options: argparse.Namespace, stack: ExitStack) -> Judge:
    from tapwise.evaluator.outcome import OutcomeJudge

    if options.judge == "outcome":
        return OutcomeJudge()

    from tapwise.chat import ChatClient
    from tapwise.evaluator.vlm_judge import VlmJudge
    from tapwise.evaluator.vlm_prompt import Prompt

    prompt = Prompt.parse(options.frames, options.examples)
    client = ChatClient(options.url, options.model, options.key_env)
    stack.callback(client.close)
    return VlmJudge(client, prompt=prompt)


# --- policies and references -----------------------------------------------------------------------------


def _replay(
    store: ParquetTrajectoryStore,
    names: list[str],
    scores: ScoreFile,
    options: argparse.Namespace,
    overrides: list[str],
) -> tuple[dict[str, Any], list[str]]:
    from tapwise.evaluator.divergence import compare, divergence_report
    from tapwise.evaluator.matching import MATCHERS
    from tapwise.training.replay import replay_policy

    matcher = MATCHERS[options.matcher]
    measured, label = _load_policy(options, overrides)
    comparisons: list[Comparison] = []
    decided = 0
    for batch in _batches(store, names):
        known = {key: scores.actions(key, label) for key, _ in batch}
        unknown = [(key, trajectory) for key, trajectory in batch if known[key] is None]
        replayed = replay_policy(measured.policy, [trajectory for _, trajectory in unknown], options.history)
        for (key, _), decisions in zip(unknown, replayed, strict=True):
            actions = tuple(_readable(decision) for decision in decisions)
            scores.put(key, label, actions)
            known[key] = actions
        comparisons += [compare(trajectory, known[key] or (), matcher) for key, trajectory in batch]
        decided += len(unknown)
        print(f"replayed {len(comparisons)} of {len(names)}", file=sys.stderr)

    from tapwise.cli.replay_report import report_dict, report_lines

    report = divergence_report(comparisons)
    found = {"policy": options.policy, "history": options.history, "matcher": options.matcher, "replayed_now": decided}
    lines = [
        f"{options.policy} on the stored observations, with {options.history} history: {decided} replayed now,"
        f" the others were known; kept in {scores.path}"
    ]
    return found | report_dict(report), lines + report_lines(report)


def _load_policy(options: argparse.Namespace, overrides: list[str]) -> tuple[Measured, str]:
    from tapwise.android_env.suites import load_suite
    from tapwise.cli.policies import is_run, load_policy, recipe_for
    from tapwise.config import recipe_sha

    recipe = recipe_for(options.policy, overrides)
    measured = load_policy(options.policy, recipe, load_suite(recipe.suite), blank=False, seed=recipe.seed)
    where = str(Path(options.policy).resolve()) if is_run(options.policy) else options.policy
    label = (
        f"{measured.policy.name} version {measured.policy.version} of {where} ({measured.origin}; recipe"
        f" {recipe_sha(recipe)}), history {options.history}"
    )
    return measured, label


def _against_reference(
    store: ParquetTrajectoryStore, names: list[str], reference: ParquetTrajectoryStore, options: argparse.Namespace
) -> tuple[dict[str, Any], list[str]]:
    from tapwise.cli.replay_report import report_dict, report_lines
    from tapwise.evaluator.divergence import compare, divergence_report
    from tapwise.evaluator.matching import MATCHERS

    experts: dict[tuple[str, str], str] = {}
    for summary in reference.scan(lambda one: one.trainable and one.success is True):
        experts.setdefault((summary.task.suite, summary.task.instruction), summary.id)
    comparisons: list[Comparison] = []
    for name in names:
        task = store.summary(name).task
        expert = experts.get((task.suite, task.instruction))
        if expert is not None:
            shown = reference.get(expert)
            actions = [_readable(step.decision) for step in store.get(name).steps[: len(shown.steps)]]
            compared = compare(shown, actions, MATCHERS[options.matcher])
            comparisons.append(replace(compared, trajectory=name))
    report = divergence_report(comparisons)
    without = len(names) - len(comparisons)
    found = {"reference": str(reference.path), "matcher": options.matcher, "without_reference": without}
    lines = [f"against successful trajectories of the same tasks in {reference.path}; {without} tasks have none"]
    return found | report_dict(report), lines + report_lines(report)


def _readable(decision: Decision) -> Action | None:
    """The action decided on; None for the one that stands in for text nobody could read."""
    return None if decision.unparsable is not None else decision.action


def _chosen(store: ParquetTrajectoryStore, options: argparse.Namespace) -> list[str]:
    """Ids of the trajectories to score: whole ones, not aborted."""
    wanted = store.scan(lambda one: one.trainable and (one.success is True or not options.successful))
    return [summary.id for summary in islice(wanted, options.limit)]


def _batches(store: ParquetTrajectoryStore, names: list[str]) -> Iterator[list[tuple[str, Trajectory]]]:
    """Trajectories with their content keys, a few in memory at a time."""
    from tapwise.datasets.scores import content_key

    rest = iter(names)
    while batch := [store.get(name) for name in islice(rest, BATCH)]:
        yield [(content_key(trajectory), trajectory) for trajectory in batch]


# --- options ---------------------------------------------------------------------------------------------


def _check(options: argparse.Namespace, overrides: list[str]) -> None:
    if options.judge == "vlm" and not (options.url and options.model):
        raise ConfigError("--judge vlm needs --url and --model: where the model answers, and its name there")
    if overrides and options.policy is None:
        raise ConfigError(f"{overrides[0]!r} is a key of recipes, which only --policy has a use for: leave it out")
    if options.limit is not None and options.limit < 1:
        raise ConfigError("--limit must be at least 1")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tapwise replay",
        description="Score stored trajectories anew: by another judge, against other trajectories of the same tasks, or"
        " by what a policy would have done on the stored screens. What was asked once is kept in a file beside the"
        " store and not asked again; the store itself is only read. Keys of recipes may be given for the policy, such"
        " as --policy.device cuda.",
        allow_abbrev=False,
    )
    parser.add_argument("store", type=Path, help="folder of a run, or of a trajectory store")
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--judge", choices=("outcome", "vlm"), help="ask this judge of each trajectory")
    mode.add_argument("--policy", help="a run's folder, random, expert, base, or a model's folder")
    mode.add_argument("--reference", type=Path, metavar="STORE", help="compare with its successes on the same tasks")
    parser.add_argument(
        "--history",
        choices=("expert", "own"),
        default="expert",
        help="what the policy is told it did before: the stored actions, or its own (expert)",
    )
    parser.add_argument(
        "--matcher",
        choices=("canonical", "identical"),
        default="canonical",
        help="when two actions count as the same (canonical)",
    )
    parser.add_argument("--scores", type=Path, metavar="FILE", help="where answers are kept (STORE/scores.jsonl)")
    parser.add_argument("--successful", action="store_true", help="only trajectories that succeeded")
    parser.add_argument("--limit", type=int, help="at most so many trajectories")
    parser.add_argument("--url", help="of --judge vlm: the endpoint up to its version")
    parser.add_argument("--model", help="of --judge vlm: the model's name there")
    parser.add_argument("--key-env", default="OPENAI_API_KEY", help="environment variable of the key (OPENAI_API_KEY)")
    add_prompt_options(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one line of JSON")
    return parser
