from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise.datasets.exporters import aitw as aitw_export
from tapwise.datasets.importers import Options, Problem, find_sources
from tapwise.datasets.importers.aitw import episodes, subset_of
from tapwise.errors import ConfigError
from tapwise.images import decode
from tapwise.records import End, Finish, Key, Point, Press, Size, Swipe, Tap, Trajectory, TypeText, Wait

Write = Callable[[list[Any]], Path]
NOWHERE = np.array([-1, -1], np.float32)


def split(found: Any) -> tuple[list[Trajectory], list[Problem]]:
    items = list(found)
    return [one for one in items if isinstance(one, Trajectory)], [one for one in items if isinstance(one, Problem)]


def test_an_episode(aitw_step: Any, aitw_shard: Write) -> None:
    far = np.array([0.25, 0.25], np.float32)
    nowhere = {"results/yx_touch": NOWHERE, "results/yx_lift": NOWHERE}
    steps = [
        aitw_step("77", 0, 8, 4),
        aitw_step("77", 1, 8, 4, **{"results/yx_lift": far}),
        aitw_step("77", 2, 8, 3, **nowhere, **{"results/type_action": ["Größe, a: b".encode()]}),
        aitw_step("77", 3, 8, 5, **nowhere),
        aitw_step("77", 4, 8, 6, **nowhere),
        aitw_step("77", 5, 8, 7, **nowhere),
        aitw_step("77", 6, 8, 2, **nowhere),
        aitw_step("77", 7, 8, 10, **nowhere),
    ]
    (one,), problems = split(episodes(aitw_shard(steps), Options(image_format="png")))
    assert problems == []
    assert (one.id, one.task.template, one.task.instruction) == ("aitw/general/77", "general", "Öffne the settings")
    assert (one.end, one.success, one.provenance.device) == (End.FINISHED, True, "Pixel 4")
    assert [step.decision.action for step in one.steps] == [
        Tap(Point(0.25, 0.75)),
        Swipe(Point(0.25, 0.75), Point(0.25, 0.25)),
        TypeText("Größe, a: b"),
        Press(Key.BACK),
        Press(Key.HOME),
        Press(Key.ENTER),
        Wait(),
        Finish("success"),
    ]
    assert "action type 2 is unknown" in str(one.steps[6].decision.unparsable)
    assert json.loads(one.steps[1].decision.text)["yx_lift"] == [0.25, 0.25]
    screenshot = one.steps[1].observation.screenshot
    assert screenshot.size == Size(20, 10)
    assert (decode(screenshot) == 10).all()
    ui = one.steps[0].observation.ui
    assert ui is not None
    assert [(node.text, node.class_name, node.bounds) for node in ui.children] == [("Wi-Fi", "TEXT", (2, 2, 6, 8))]


def test_a_short_drag_is_a_tap(aitw_step: Any, aitw_shard: Write) -> None:
    steps = [
        aitw_step("1", 0, 2, 4, **{"results/yx_lift": np.array([0.75, 0.285], np.float32)}),
        aitw_step("1", 1, 2, 4, **{"results/yx_lift": np.array([0.75, 0.295], np.float32)}),
    ]
    (one,), _ = split(episodes(aitw_shard(steps), Options()))
    assert [type(step.decision.action) for step in one.steps] == [Tap, Swipe]


def test_a_bad_step_costs_itself_alone(aitw_step: Any, aitw_shard: Write) -> None:
    steps = [aitw_step("1", index, 4, 4) for index in range(4)]
    del steps[1]["image/encoded"]
    steps[2]["goal_info"] = [b"caf\xe9"]
    steps += [aitw_step("2", 0, 1, 10)]
    found, problems = split(episodes(aitw_shard(steps), Options()))
    assert [(one.id, len(one.steps)) for one in found] == [("aitw/general/1", 2), ("aitw/general/2", 1)]
    assert found[0].task.param("missing_steps") == "1,2"
    assert [(one.kind, one.lost) for one in problems] == [
        ("MissingFeature", "step"),
        ("WrongText", "step"),
        ("WrongValue", "nothing"),
    ]
    assert "general-00000-of-00321, record 1: feature 'image/encoded'" in problems[0].message


def test_a_bad_record_and_a_bad_length(aitw_step: Any, aitw_shard: Write, tmp_path: Path) -> None:
    steps = [aitw_step(str(index), 0, 1, 10) for index in range(4)]
    from tapwise.datasets.formats.example import write_example
    from tapwise.datasets.formats.tfrecord import frame

    frames = [bytearray(frame(write_example(step))) for step in steps]
    frames[1][40] ^= 1
    frames[3][0] ^= 1
    path = tmp_path / "general-1"
    path.write_bytes(b"".join(frames))
    found, problems = split(episodes(path, Options()))
    assert [one.id for one in found] == ["aitw/general/0", "aitw/general/2"]
    assert [(one.kind, one.lost) for one in problems] == [
        ("WrongChecksum", "step"),
        ("WrongLength", "rest of the file"),
    ]


@pytest.mark.parametrize(
    "changes", [{"image/height": [21]}, {"image/channels": [2]}, {"image/encoded": [b"\x89PNG no"]}]
)
def test_pixels_that_make_no_picture(aitw_step: Any, aitw_shard: Write, changes: Any) -> None:
    found, problems = split(episodes(aitw_shard([aitw_step("1", 0, 1, 4, **changes)]), Options()))
    assert found == []
    assert [one.kind for one in problems] == ["WrongValue"]


def test_official_splits(aitw_step: Any, aitw_shard: Write, tmp_path: Path) -> None:
    shard = aitw_shard([aitw_step(str(index), 0, 1, 10) for index in range(4)])
    file = tmp_path / "standard.json"
    file.write_text(json.dumps({"train": [0], "validation": ["1"], "test": [2]}), encoding="utf-8")
    found, problems = split(episodes(shard, Options(split_file=file)))
    assert [(one.task.split, one.task.param("official_split")) for one in found] == [
        ("train", "train"),
        ("test", "validation"),
        ("test", "test"),
    ]
    assert [one.lost for one in problems] == ["episode"]
    found, problems = split(episodes(shard, Options(split_file=file, parts=("test",))))
    assert ([one.id for one in found], problems) == (["aitw/general/2"], [])
    assert [one.id for one in split(episodes(shard, Options(skip={"aitw/general/0", "aitw/general/3"})))[0]] == [
        "aitw/general/1",
        "aitw/general/2",
    ]
    wrong = tmp_path / "wrong.json"
    wrong.write_text("[]", encoding="utf-8")
    with pytest.raises(ConfigError, match="split file"):
        list(episodes(shard, Options(split_file=wrong)))


def test_subsets_by_name() -> None:
    names = ("google_apps-00001-of-2", "web_shopping-1", "single/x", "install-0", "webshopping.tfrecord", "other")
    assert [subset_of(Path(name)) for name in names] == [
        *("google_apps", "web_shopping", "single", "install", "web_shopping", "unknown"),
    ]


def test_round_trip_through_the_exporter(aitw_step: Any, aitw_shard: Write, tmp_path: Path) -> None:
    far = np.array([0.25, 0.5], np.float32)
    steps = [
        aitw_step("9", 0, 3, 4),
        aitw_step("9", 1, 3, 4, **{"results/yx_lift": far}),
        aitw_step("9", 2, 3, 11, **{"results/yx_touch": NOWHERE, "results/yx_lift": NOWHERE}),
        aitw_step("10", 0, 1, 10),
    ]
    first, _ = split(episodes(aitw_shard(steps), Options(image_format="png")))
    assert aitw_export.export(first, tmp_path / "out") == 4
    (shard,) = find_sources("aitw", tmp_path / "out")
    again, problems = split(episodes(shard, Options(image_format="png")))
    assert problems == []
    assert [one.id for one in again] == [one.id for one in first]
    for ours, theirs in zip(again, first, strict=True):
        assert ours.task == theirs.task
        assert [step.decision.action for step in ours.steps] == [step.decision.action for step in theirs.steps]
        assert [step.observation for step in ours.steps] == [step.observation for step in theirs.steps]


def test_exported_splits_are_read_back(aitw_step: Any, aitw_shard: Write, tmp_path: Path) -> None:
    records = [aitw_step(name, 0, 1, 10) for name in ("1", "2", "3")]
    first, _ = split(episodes(aitw_shard(records), Options(image_format="png")))
    first[1] = replace(first[1], task=replace(first[1].task, split="test"))
    assert aitw_export.export(first, tmp_path / "out") == 3
    (shard,) = find_sources("aitw", tmp_path / "out")
    again, problems = split(episodes(shard, Options(split_file=tmp_path / "out" / "splits.json")))
    assert problems == []
    assert [(one.id, one.task.split) for one in again] == [(one.id, one.task.split) for one in first]


def test_annotations_that_nobody_keeps_are_not_read(aitw_step: Any, aitw_shard: Write) -> None:
    shard = aitw_shard([aitw_step("1", 0, 1, 4, **{"image/ui_annotations_positions": np.zeros(3, np.float32)})])
    found, problems = split(episodes(shard, Options()))
    assert (found, [one.lost for one in problems]) == ([], ["step"])
    (one,), problems = split(episodes(shard, Options(keep_ui=False)))
    assert (one.steps[0].observation.ui, problems) == (None, [])
