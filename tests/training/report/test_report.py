from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.errors import CheckpointError, ConfigError, StoreError
from tapwise.records import Decision, LongPress, Point, Swipe, Tap, Trajectory, TypeText
from tapwise.training.report import write_report
from tapwise.training.report.charts import Bar, Series, bar_chart, line_chart, moving_mean
from tapwise.training.report.films import choose, make_film
from tapwise.training.report.numbers import gain, groups, summary
from tapwise.training.report.source import RunData, number_of, read_run


def _results(wins: list[bool], phase: str = "x") -> list[dict[str, object]]:
    return [
        {"trajectory": f"evaluation-{phase}-{n:04}", "success": win, "template": f"app.t{n % 2}", "steps": 4}
        for n, win in enumerate(wins)
    ]


def _run(**evaluations: list[bool]) -> RunData:
    found = {phase: _results(wins, phase) for phase, wins in evaluations.items()}
    return RunData(Path(), {}, {}, found, [], {"online": 3.0, "supervised": 2.0}, 7, 1, {})


def test_page_is_self_contained(run_folder: Path) -> None:
    write_report(run_folder)
    page = (run_folder / "report.html").read_text(encoding="utf-8")
    assert page.startswith("\n" * (len(page) - len(page.lstrip())) + "<!doctype html>")
    assert not re.findall(r'(?:src|href)="(?!data:image/jpeg;base64,)[^"]*"', page)
    assert "http" not in re.sub(r"<pre>.*?</pre>", "", page, flags=re.DOTALL)
    assert "prefers-color-scheme: dark" in page
    assert page.count('<article class="film">') == 6
    assert len(page) < 3_000_000


def test_summary_has_what_programs_read(run_folder: Path) -> None:
    found = write_report(run_folder)
    assert json.loads((run_folder / "summary.json").read_text(encoding="utf-8")) == found
    online = found["phases"]["online"]
    assert online["success"] == 1.0
    assert online["ci95"][0] < 1.0 == online["ci95"][1]
    assert found["gain"]["supervised_to_online"]["points"] > 0
    assert found["wall_s"] == 1600.0
    assert found["manifest"]["recipe"]["name"] == "demo"


def test_improved_tasks_come_first_with_what_was_before(run_folder: Path) -> None:
    choices = choose(read_run(run_folder))
    assert len(choices) == 6
    assert [choice.before is not None for choice in choices[:3]] == [True] * 3
    assert all("learned" in choice.reason for choice in choices[:3])
    first = choices[0].before
    assert first is not None
    assert number_of(first) == number_of(choices[0].trajectory)


def test_unit_done_twice_counts_once(run_folder: Path) -> None:
    losses = [line["online/loss"] for line in read_run(run_folder).metrics if "online/loss" in line]
    assert len(losses) == 20
    assert losses[4] == 0.9


def test_gain_is_paired_over_the_same_episodes() -> None:
    found = gain(_run(supervised=[False] * 6 + [True] * 4, online=[True] * 8 + [False] * 2), "supervised", "online")
    assert found is not None
    assert found.paired
    assert found.points == pytest.approx(40.0)
    assert found.low < 40.0 < found.high


def test_gain_without_pairs_or_spread_is_newcombes() -> None:
    unequal = gain(_run(supervised=[False] * 9, online=[True] * 10), "supervised", "online")
    certain = gain(_run(supervised=[False] * 10, online=[True] * 10), "supervised", "online")
    assert unequal is not None
    assert certain is not None
    assert not unequal.paired
    assert not certain.paired
    assert certain.low < 100.0


def test_phase_that_was_not_measured_has_no_gain() -> None:
    assert gain(_run(supervised=[True]), "supervised", "online") is None
    assert summary(_run(supervised=[True]))["gain"] == {}


def test_apps_sum_up_their_templates() -> None:
    (group,) = groups(_run(supervised=[True, False, True, False]))
    assert group.whole.cells == ((2, 4),)
    assert [(row.name, row.cells) for row in group.rows] == [("t0", ((2, 2),)), ("t1", ((0, 2),))]


@pytest.mark.parametrize(("name", "number"), [("evaluation-online-0007", 7), ("a-0007+2", 7), ("strange", None)])
def test_number_of_an_episode(name: str, number: int | None) -> None:
    assert number_of(name) == number


def test_marks_of_actions(run_folder: Path) -> None:
    with ParquetTrajectoryStore(run_folder / "trajectories", mode="read") as store:
        trajectory = next(t for t in store if len(t.steps) > 3)
    actions = (
        Tap(Point(0.5, 0.25), "Save"),
        Swipe(Point(0.5, 0.8), Point(0.5, 0.2)),
        TypeText("<b>milk</b>"),
        LongPress(Point(1.0, 1.0)),
    )
    drawn = make_film(_with_actions(trajectory, actions), "why")
    tap, swipe, typed, held = drawn.frames[:4]
    assert 'cx="90.0" cy="100.0"' in tap.marks
    assert (tap.caption, tap.detail) == ("Tap", "Save")
    assert swipe.caption == "Swipe up"
    assert "M90.0 320.0L90.0 80.0" in swipe.marks
    assert typed.marks == ""
    assert "<b>milk</b>" in typed.detail  # escaped by the template
    assert held.caption == "Hold"


def _with_actions(trajectory: Trajectory, actions: tuple[object, ...]) -> Trajectory:
    steps = tuple(
        replace(step, decision=Decision(action, text=""))  # type: ignore[arg-type]
        for step, action in zip(trajectory.steps, actions, strict=False)
    )
    return replace(trajectory, steps=steps)


def test_text_from_screens_cannot_become_markup(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(run_folder, folder)
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["protocol"]["decoding"] = "<script>alert(1)</script>"
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    write_report(folder)
    assert "<script>" not in (folder / "report.html").read_text(encoding="utf-8")


def test_run_without_a_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not the folder of a run"):
        write_report(tmp_path)
    (tmp_path / "recipe.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="no checkpoint yet"):
        write_report(tmp_path)


def test_missing_store_is_named(run_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(run_folder, folder)
    shutil.rmtree(folder / "trajectories")
    with pytest.raises(StoreError, match="does not exist"):
        write_report(folder)


def test_charts_are_well_formed() -> None:
    from xml.etree import ElementTree

    bars = bar_chart([Bar("a & b", 0.5, 0.4, 0.6), Bar("c", 1.0, 0.9, 1.0)])
    curves = line_chart(
        [Series("s", "first", [(0, 1.0), (10, float("nan")), (20, 2.0)]), Series("t", "faint", [(5, 0.0)], dots=True)],
        "x",
        "title",
    )
    for picture in (bars, curves):
        ElementTree.fromstring(picture)
    assert "nan" not in curves
    assert line_chart([], "x", "title") == ""


def test_curve_that_never_leaves_zero() -> None:
    assert "<svg" in line_chart([Series("s", "first", [(0, 0.0)])], "x", "title")


def test_moving_mean_keeps_the_ends() -> None:
    assert moving_mean([(0, 1.0), (1, 2.0), (2, 3.0)], window=3) == [(0, 1.5), (1, 2.0), (2, 2.5)]
