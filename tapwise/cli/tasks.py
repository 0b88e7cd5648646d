"""`tapwise tasks`: what the suites hold, and proofs that their templates are sound."""

from __future__ import annotations

import argparse
import json
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from tapwise.errors import ConfigError

if TYPE_CHECKING:
    from tapwise.android_env.linting import Proof
    from tapwise.android_env.tasks import Suite, Template

NOISE = "popups=0.1,ads=0.1,slow_loads=0.1,layout_shifts=1.0"


def run(argv: list[str]) -> int:
    """Do what the subcommand says; gives the exit status, 1 when a proof fails. Raises ConfigError, EnvError."""
    options = _parser().parse_args(argv)
    commands = {"list": _list, "show": _show, "lint": _lint, "stats": _stats, "play": _play}
    return commands[options.command](options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tapwise tasks", description="Look at and prove the tasks of a suite.")
    commands = parser.add_subparsers(dest="command", required=True)
    suite = argparse.ArgumentParser(add_help=False)
    suite.add_argument("suite", nargs="?", default="all", metavar="SUITE", help="name of a suite (all)")
    suite.add_argument("--template", action="append", help="only this template; may be given several times")
    suite.add_argument("--json", action="store_true", help="print one JSON object")
    played = argparse.ArgumentParser(add_help=False)
    played.add_argument("--noise", default=NOISE, help=f"the world's noise ({NOISE})")
    played.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (one per processor)")
    commands.add_parser("list", parents=[suite], help="one line per template")
    lint = commands.add_parser("lint", parents=[suite, played], help="prove that every template is sound")
    lint.add_argument("--seeds", type=int, default=3, help="worlds in which each template is played, at least 2 (3)")
    stats = commands.add_parser("stats", parents=[suite, played], help="count tasks, and the expert's successes")
    stats.add_argument("--seeds", type=int, default=0, help="worlds in which the expert plays each template (0)")
    show = commands.add_parser("show", help="everything about a template or task")
    show.add_argument("name", metavar="NAME", help="a template's name or a task's id")
    play = commands.add_parser("play", help="try a task yourself, in a browser or here")
    play.add_argument("name", metavar="NAME", help="a template's name or a task's id")
    play.add_argument("--seed", type=int, default=0, help="of the world (0)")
    play.add_argument("--noise", default="", help="the world's noise, such as popups=0.1 (none)")
    play.add_argument("--terminal", action="store_true", help="play here, without a browser")
    play.add_argument("--port", type=int, default=0, help="of the page, on loopback; 0 for any free one (0)")
    play.add_argument("--json", action="store_true", help="print the page's address as JSON")
    return parser


def _chosen(options: argparse.Namespace) -> tuple[Suite, list[Template]]:
    from tapwise.android_env.suites import load_suite

    suite = load_suite(options.suite)
    unknown = [name for name in options.template or () if name not in suite.templates]
    if unknown:
        raise ConfigError(
            f"suite {options.suite!r} has no template {unknown[0]!r}: see tapwise tasks list {options.suite}"
        )
    return suite, [t for name, t in suite.templates.items() if not options.template or name in options.template]


def _play(options: argparse.Namespace) -> int:
    from tapwise.cli.play import play_in_browser, play_in_terminal, terminal_reader
    from tapwise.cli.play_session import PlaySession
    from tapwise.cli.task_names import find_task
    from tapwise.emulators.virtual.noise import Noise

    suite, task = find_task(options.name)
    session = PlaySession(suite, task, options.seed, Noise.parse(options.noise))
    if options.terminal:
        return play_in_terminal(session, terminal_reader, print)
    return play_in_browser(session, options.port, options.json)


# --- list and show -----------------------------------------------------------------------------------------


def _list(options: argparse.Namespace) -> int:
    suite, templates = _chosen(options)
    counts = Counter(task.template for task in suite.tasks())
    rows = [
        {"template": t.name, "apps": list(t.apps), "level": t.level, "tasks": counts[t.name], "says": t.instructions[0]}
        for t in templates
    ]
    if options.json:
        print(json.dumps({"suite": options.suite, "templates": rows}))
    else:
        table = Table("template", "apps", "level", "tasks", "says")
        for row in rows:
            table.add_row(*(", ".join(v) if isinstance(v, list) else str(v) for v in row.values()))
        Console().print(table)
    return 0


def _show(options: argparse.Namespace) -> int:
    from tapwise.cli.task_names import find_task

    suite, task = find_task(options.name)
    template = suite.template_of(task)
    print(f"{template.name}  suite {template.suite}, level {template.level}, {', '.join(template.apps)}")
    print(f"at most {template.max_steps} steps")
    for phrasing in template.instructions:
        print(f"  says     {phrasing}")
    for name, values in template.params.items():
        print(f"  {name:<8} {', '.join(values)}")
    print(f"example    {task.id}  ({task.split})\n           {task.instruction}")
    for command in template.setup(dict(task.params)):
        print(f"  set-up   {command}")
    return 0


# --- lint --------------------------------------------------------------------------------------------------


def _lint(options: argparse.Namespace) -> int:
    from tapwise.android_env.linting import PROOFS
    from tapwise.cli.task_proofs import prove_all
    from tapwise.emulators.virtual.noise import Noise

    if options.seeds < 2:
        raise ConfigError(f"--seeds {options.seeds}: two worlds at least are needed to see that seeds differ")
    _, templates = _chosen(options)
    names = [template.name for template in templates]
    found = prove_all(names, Noise.parse(options.noise), options.seeds, _workers(options))
    proofs = [proof for some in _watched(found, len(names), "proving", options.json) for proof in some]
    failed = [proof for proof in proofs if not proof.passed]
    if options.json:
        rows = [asdict(proof) for proof in failed]
        summary = {"suite": options.suite, "templates": len(names), "seeds": options.seeds, "proofs": len(proofs)}
        print(json.dumps({**summary, "failed": rows}))
    else:
        _print_proofs(list(PROOFS), proofs, failed)
    return 1 if failed else 0


def _print_proofs(names: Sequence[str], proofs: Sequence[Proof], failed: Sequence[Proof]) -> None:
    table = Table("proof", "holds", "fails")
    for name in names:
        some = [proof.passed for proof in proofs if proof.name == name]
        table.add_row(name, str(sum(some)), str(len(some) - sum(some)))
    console = Console()
    console.print(table)
    for proof in failed:
        console.print(f"{proof.template}: {proof.name}: {proof.detail}", style="red", markup=False)
    print(f"{len(proofs) - len(failed)} of {len(proofs)} proofs hold")


# --- stats -------------------------------------------------------------------------------------------------


def _stats(options: argparse.Namespace) -> int:
    from tapwise.cli.task_proofs import count_all
    from tapwise.emulators.virtual.noise import Noise

    suite, templates = _chosen(options)
    names = [template.name for template in templates]
    by_name = {template.name: template for template in templates}
    tasks = [task for task in suite.tasks() if task.template in by_name]
    found: dict[str, Any] = {"suite": options.suite, "templates": len(templates), "tasks": len(tasks)}
    found["by_app"] = dict(sorted(Counter(app for t in templates for app in t.apps).items()))
    found["by_level"] = dict(sorted(Counter(t.level for t in templates).items()))
    found["by_split"] = dict(sorted(Counter(task.split for task in tasks).items()))
    found["several_apps"] = sum(len(template.apps) > 1 for template in templates)
    if options.seeds:
        counting = count_all(names, Noise.parse(options.noise), options.seeds, _workers(options))
        counted = list(_watched(counting, len(names), "playing", options.json))
        found["expert"] = {
            "seeds": options.seeds,
            "played": sum(one.played for one in counted),
            "succeeded": sum(one.succeeded for one in counted),
            "failing": {one.template: one.succeeded for one in counted if one.succeeded < one.played},
        }
    print(json.dumps(found) if options.json else _stats_text(found))
    return 0


def _stats_text(found: dict[str, Any]) -> str:
    lines = [f"suite {found['suite']}: {found['templates']} templates, {found['tasks']} tasks"]
    for name, title in (
        ("by_app", "templates by app"),
        ("by_level", "templates by level"),
        ("by_split", "tasks by split"),
    ):
        lines.append(f"{title:<20} " + ", ".join(f"{key} {count}" for key, count in found[name].items()))
    lines.append(f"{'in several apps':<20} {found['several_apps']}")
    if "expert" in found:
        expert = found["expert"]
        share = expert["succeeded"] / max(1, expert["played"])
        lines.append(f"{'expert':<20} {expert['succeeded']} of {expert['played']} episodes ({share:.1%})")
        lines += [f"  {name}: {count} of {expert['seeds']}" for name, count in expert["failing"].items()]
    return "\n".join(lines)


def _workers(options: argparse.Namespace) -> int:
    if options.workers < 1:
        raise ConfigError(f"--workers {options.workers}: at least one process is needed")
    return int(options.workers)


def _watched(results: Iterator[Any], total: int, what: str, silent: bool) -> Iterator[Any]:
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), disable=silent) as progress:
        task = progress.add_task(what, total=total)
        for result in results:
            progress.advance(task)
            yield result
