"""The page: numbers, charts and films put into one self-contained HTML file."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.evaluator.protocol import noise_in_words, step_limits_in_words, tasks_in_words
from tapwise.training.alarms import SIGNS
from tapwise.training.report.charts import Bar, Series, bar_chart, line_chart, moving_mean, percent
from tapwise.training.report.films import FRAME_WIDTH, choose, make_films
from tapwise.training.report.numbers import gain, groups, summary
from tapwise.training.report.source import RunData, read_run

KINDS = {
    "demonstrations": "demonstrations",
    "supervised": "supervised learning",
    "offline/collect": "offline rollouts",
    "offline/learn": "offline learning",
    "online": "online rollouts and learning",
    "offline/vem": "value environment model",
    "label": "labels",
    "critic": "value environment model",
    "optimise": "learning against the model",
    "semi_online": "semi-online learning",
}


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the run's time: seconds, and its share of the whole in percent."""

    name: str
    seconds: float
    part: float
    shade: int


@dataclass(frozen=True, slots=True)
class Legend:
    """A curve's name beside its colour."""

    name: str
    style: str


@dataclass(frozen=True, slots=True)
class Sign:
    """How often episodes look as if the reward was not earned by the task: in the first round and in the last."""

    words: str
    first: float
    last: float


def write_report(folder: Path) -> dict[str, Any]:
    """Write report.html and summary.json of a run's folder, and return the summary.

    Raises ConfigError when the folder is none of a run, CheckpointError and StoreError when it cannot be read.
    """
    run = read_run(folder)
    found = summary(run)
    _replace(folder / "summary.json", json.dumps(found, indent=2))
    _replace(folder / "report.html", render(run, found))
    return found


def render(run: RunData, found: dict[str, Any]) -> str:
    """The page's HTML."""
    environment = Environment(
        loader=PackageLoader("tapwise.training.report", "."),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "duration": duration}
    phases, protocol = list(run.evaluations), run.manifest["protocol"]
    with ParquetTrajectoryStore(run.folder / "trajectories", mode="read") as store:
        films = make_films(store, choose(run))
    return environment.get_template("report.html.j2").render(
        run=run,
        name=run.recipe["name"],
        phases=found["phases"],
        missing=[phase for phase in run.phases if phase not in phases],
        gain=gain(run, phases[0], phases[-1]) if len(phases) > 1 else None,
        headline=headline(run, found),
        bars=bar_chart([Bar(p, v["success"], *v["ci95"]) for p, v in found["phases"].items()]),
        success_chart=_success_chart(run),
        loss_chart=_loss_chart(run),
        losses=[Legend(series.name, series.style) for series in _loss_series(run)],
        signs=_signs(run),
        alarms=run.found.get("alarms", []),
        groups=groups(run),
        films=films,
        frame_width=FRAME_WIDTH,
        shares=_shares(run),
        critic=run.found.get("critic"),
        guard=run.found.get("guard", []),
        guard_chart=_guard_chart(run),
        protocol=protocol,
        protocol_words={
            "tasks": tasks_in_words(protocol),
            "step_limits": step_limits_in_words(protocol),
            "noise": noise_in_words(protocol),
        },
        manifest=json.dumps(run.manifest, indent=2),
    )


def headline(run: RunData, found: dict[str, Any]) -> str:
    """The outcome in a sentence."""
    if not run.evaluations:
        return "The run goes on: nothing has been measured yet."
    last = list(run.evaluations)[-1]
    measured = found["phases"][last]
    wins = round(measured["success"] * measured["episodes"])
    named = last.replace("_", "-").replace("vem", "VEM")
    return (
        f"After {named} learning, the agent completes {wins} of {measured['episodes']} tasks it was never trained on."
    )


def duration(seconds: float) -> str:
    """Seconds in words."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


def _curve(run: RunData, key: str) -> list[tuple[float, float]]:
    return [(line["interactions"], line[key]) for line in run.metrics if key in line and "interactions" in line]


def _success_chart(run: RunData) -> str:
    online = _curve(run, "online/success")
    measured = [point for phase in run.phases for point in _curve(run, f"evaluation/{phase}")]
    series = [
        Series("one round of rollouts", "faint", online, dots=True, line=False),
        Series("mean of five rounds", "second", moving_mean(online)),
        Series("evaluation", "first", sorted(measured), dots=True),
    ]
    drawn = [one for one in series if one.points]
    return line_chart(drawn, "steps taken by the policy on training tasks", "Success while learning", rates=True)


def _guard_chart(run: RunData) -> str:
    measured = run.found.get("guard", [])
    series = [
        Series("the critic's score", "second", [(one["iteration"], one["score"]) for one in measured], dots=True),
        Series(
            "success", "first", [(one["iteration"], one["successes"] / one["episodes"]) for one in measured], dots=True
        ),
    ]
    return (
        line_chart(series, "iterations against the frozen critic", "Score and success", rates=True) if measured else ""
    )


def _signs(run: RunData) -> list[Sign]:
    shares = {sign: [line[key] for line in run.metrics if (key := f"alarms/{sign}") in line] for sign in SIGNS}
    return [Sign(SIGNS[sign], found[0], found[-1]) for sign, found in shares.items() if found]


def _loss_series(run: RunData) -> list[Series]:
    policy = sorted([*_curve(run, "offline/loss"), *_curve(run, "online/loss")])
    series = [
        Series("policy", "first", policy),
        Series("value of steps", "second", _curve(run, "critic/step_loss")),
        Series("value of instructions", "third", _curve(run, "critic/instruction_loss")),
    ]
    return [one for one in series if one.points]


def _loss_chart(run: RunData) -> str:
    return line_chart(_loss_series(run), "steps taken by the policy on training tasks", "Losses")


def _shares(run: RunData) -> list[Share]:
    merged: dict[str, float] = {}
    for kind, seconds in run.seconds.items():
        name = KINDS.get(kind, "evaluations" if kind.startswith("evaluate") else kind)
        merged[name] = merged.get(name, 0.0) + seconds
    whole = max(run.wall_s, 1e-9)
    return [Share(name, seconds, 100 * seconds / whole, n) for n, (name, seconds) in enumerate(merged.items())]


def _replace(path: Path, text: str) -> None:
    """Write a file such that readers see the old or the new one, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
