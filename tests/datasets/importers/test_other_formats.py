from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.exporters import chat, exporter
from tapwise.datasets.exporters import hub as hub_export
from tapwise.datasets.exporters import ui_s1 as ui_s1_export
from tapwise.datasets.formats.example import write_example
from tapwise.datasets.formats.tfrecord import write_records
from tapwise.datasets.importers import FORMATS, Options, Problem, find_sources, importer
from tapwise.datasets.importers.parallel import SourceDone, import_all
from tapwise.errors import ConfigError, DataError
from tapwise.images import encode
from tapwise.records import (
    Decision,
    End,
    Finish,
    Key,
    LongPress,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    Trajectory,
    TypeText,
    UiNode,
    Verdict,
    Wait,
)

PICTURES = [encode(np.full((40, 20, 3), 50 * index, np.uint8), "png") for index in range(4)]


def only(name: str, source: Path, options: Options | None = None) -> Trajectory:
    (found,) = importer(name)(source, options or Options())
    assert isinstance(found, Trajectory), found
    return found


def problems(name: str, source: Path) -> list[Problem]:
    return [one for one in importer(name)(source, Options()) if isinstance(one, Problem)]


# --- AndroidControl --------------------------------------------------------------------------------------


def _android_control(path: Path, actions: list[dict[str, Any]], trees: list[bytes], extra: int = 1) -> Path:
    features: Any = {
        "episode_id": [3],
        "goal": [b"Buy milk"],
        "screenshots": [PICTURES[index % 4].data for index in range(len(actions) + extra)],
        "accessibility_trees": trees,
        "actions": [json.dumps(action).encode() for action in actions],
        "step_instructions": [b"do it"] * len(actions),
    }
    write_records(path, [write_example(features)])
    return path


def test_android_control(tmp_path: Path, write_forest: Callable[[UiNode], bytes]) -> None:
    actions = [
        {"action_type": "click", "x": 5, "y": 10},
        {"action_type": "long_press", "x": 20, "y": 40},
        {"action_type": "scroll", "direction": "down"},
        {"action_type": "open_app", "app_name": "Shop"},
        {"action_type": "input_text", "text": "milk"},
        {"action_type": "navigate_home"},
        {"action_type": "navigate_back"},
        {"action_type": "wait"},
        {"action_type": "juggle"},
    ]
    tree = UiNode(text="Buy", bounds=(0, 0, 10, 10))
    shard = _android_control(tmp_path / "android_control-00000-of-00020", actions, [write_forest(tree), b"\xff"])
    note, one = importer("android_control")(shard, Options())
    assert isinstance(note, Problem)
    assert note.lost == "nothing"
    assert "left out: 1 (" in note.message
    assert isinstance(one, Trajectory)
    assert [step.decision.action for step in one.steps] == [
        Tap(Point(0.25, 0.25)),
        LongPress(Point(1.0, 1.0)),
        Swipe(Point(0.5, 0.8), Point(0.5, 0.2)),
        OpenApp("Shop"),
        TypeText("milk"),
        Press(Key.HOME),
        Press(Key.BACK),
        Wait(),
        Wait(),
    ]
    assert "juggle" in str(one.steps[-1].decision.unparsable)
    assert one.steps[0].observation.ui is not None
    assert one.steps[0].observation.ui.children == (tree,)
    assert one.steps[0].observation.screenshot == PICTURES[0]
    assert one.final is not None
    assert one.task.param("step_instruction_000") == "do it"
    assert json.loads(one.steps[0].decision.text) == actions[0]


def test_android_control_with_too_few_screenshots(tmp_path: Path) -> None:
    shard = _android_control(tmp_path / "shard", [{"action_type": "wait"}] * 3, [], extra=-1)
    (problem,) = problems("android_control", shard)
    assert (problem.kind, problem.lost) == ("WrongValue", "episode")


# --- SeeClick, VEM, DigiRL -------------------------------------------------------------------------------


def test_see_click(tmp_path: Path) -> None:
    step = {"ep_id": "5", "goal": "Search", "touch": [0.25, 0.75], "lift": [0.25, 0.75], "type_text": ""}
    steps = [
        {**step, "img_filename": "5_0", "action_type_id": 4, "action_type_text": "click", "annot_position": [0.5] * 4},
        {**step, "img_filename": "5_1", "action_type_id": 0, "action_type_text": "scroll down", "touch": [-1, -1]},
    ]
    (tmp_path / "5_0.png").write_bytes(PICTURES[1].data)
    source = tmp_path / "aitw_val.json"
    source.write_text(json.dumps({"general": [steps, [{"ep_id": 1}]]}), encoding="utf-8")
    one, problem = importer("see_click")(source, Options())
    assert isinstance(one, Trajectory)
    assert [step.decision.action for step in one.steps] == [
        Tap(Point(0.25, 0.75)),
        Swipe(Point(0.5, 0.8), Point(0.5, 0.2)),
    ]
    assert one.task.param("missing_images") == "1"
    assert one.steps[0].observation.screenshot == PICTURES[1]
    assert one.task.split == "test"
    assert isinstance(problem, Problem)
    assert problem.kind == "MissingFeature"


def _vem_rows(images: list[str]) -> list[dict[str, Any]]:
    actions = [
        {"action_type": "DUAL_POINT", "touch_point": [0.5, 0.25], "lift_point": [0.5, 0.25], "typed_text": ""},
        {"action_type": "SCROLL_UP", "touch_point": [0.5, 0.5], "lift_point": [0.5, 0.2], "typed_text": ""},
        {"action_type": "TYPE", "touch_point": [-1, -1], "lift_point": [-1, -1], "typed_text": "milk"},
    ]
    row = {"ep_id": "e", "task": "Buy milk", "action_list": actions, "image_list": images}
    return [{**row, "step_id": index, "critic_output": 1 + index % 2} for index in range(3)]


def test_vem(tmp_path: Path) -> None:
    source = tmp_path / "general_train_critic.jsonl"
    (tmp_path / "images").mkdir()
    for index in range(3):
        (tmp_path / "images" / f"{index}.png").write_bytes(PICTURES[index].data)
    rows = _vem_rows([f"/data/somewhere/{index}.png" for index in range(3)])
    source.write_text("\n".join(map(json.dumps, rows)) + "\n{broken\n", encoding="utf-8")
    problem, one = importer("vem")(source, Options())
    assert isinstance(problem, Problem)
    assert "line 4 is not JSON" in problem.message
    assert isinstance(one, Trajectory)
    assert [step.decision.action for step in one.steps] == [
        Tap(Point(0.5, 0.25)),
        Swipe(Point(0.5, 0.2), Point(0.5, 0.8)),
        TypeText("milk"),
    ]
    assert [step.value for step in one.steps] == [0.0, 1.0, 0.0]
    assert [step.observation.screenshot for step in one.steps] == PICTURES[:3]


def test_vem_refuses_shifted_actions(tmp_path: Path) -> None:
    source = tmp_path / "general_train.jsonl"
    source.write_text(json.dumps(_vem_rows(["0.png", "2.png"])[0]), encoding="utf-8")
    (problem,) = problems("vem", source)
    assert "3 actions and 2 images" in problem.message


def test_digirl_pictures_are_those_after_the_action(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the train extra")
    text = '"action_type": "{}", "touch_point": "[0.25, 0.5]", "lift_point": "[0.25, 0.5]", "typed_text": ""'
    steps = []
    for index, kind in enumerate(("DUAL_POINT", "PRESS_HOME", "DANCE")):
        (tmp_path / f"{index}.png").write_bytes(PICTURES[index].data)
        steps.append(
            {
                "task": "Go home",
                "action": "Action Decision: " + text.format(kind),
                "image_path": f"/nfs/images/{index}.png",
                "image_features": torch.zeros(4),
                "reward": int(index == 2),
                "done": index == 2,
                "trajectory_reward": np.float64(1.0),
                "mc_return": 0.5,
            }
        )
    source = tmp_path / "general-offline.pt"
    torch.save([steps], source)
    one = only("digirl", source)
    assert [step.decision.action for step in one.steps] == [Tap(Point(0.5, 0.25)), Press(Key.HOME), Wait()]
    assert [step.observation.screenshot for step in one.steps[1:]] == PICTURES[:2]
    assert one.task.param("missing_images") == "0"
    assert one.final is not None
    assert one.final.screenshot == PICTURES[2]
    assert (one.success, one.steps[2].reward) == (True, 1.0)


def test_digirl_files_cannot_run_code(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="needs the train extra")
    source = tmp_path / "evil.pt"
    torch.save([Path("x")], source)
    with pytest.raises(DataError, match=r"evil\.pt cannot be read as a torch file of plain data"):
        list(importer("digirl")(source, Options()))
    (tmp_path / "text.pt").write_text("no torch file", encoding="utf-8")
    with pytest.raises(DataError, match="cannot be read"):
        list(importer("digirl")(tmp_path / "text.pt", Options()))


# --- UI-S1 -----------------------------------------------------------------------------------------------


def test_all_of_the_android_control_test_split(shared_file: Callable[[str], Path]) -> None:
    found = list(importer("ui_s1")(shared_file("data/android_control_std.jsonl"), Options()))
    episodes = [one for one in found if isinstance(one, Trajectory)]
    assert len(episodes) == len(found) == 1543
    assert sum(len(one.steps) for one in episodes) == 8444
    assert not any(step.decision.unparsable for one in episodes for step in one.steps)
    kinds = Counter(type(step.decision.action).__name__ for one in episodes for step in one.steps)
    assert kinds["Tap"] == 5074
    assert {one.task.split for one in episodes} == {"test"}


def test_the_training_examples_have_the_finger_vector(shared_file: Callable[[str], Path]) -> None:
    episodes = list(importer("ui_s1")(shared_file("data/ui_s1_train_example.jsonl"), Options()))
    assert len(episodes) == 32
    steps = [step for one in episodes if isinstance(one, Trajectory) for step in one.steps]
    assert len(steps) == 206
    swipes = [step.decision.action for step in steps if isinstance(step.decision.action, Swipe)]
    assert len(swipes) == 19
    assert all(swipe.end.y < swipe.start.y for swipe in swipes)


def _ui_s1(path: Path, **fields: Any) -> Path:
    steps = [
        {"action_content": {"action": "swipe", "coordinate": [540, 600], "coordinate2": [540, 1800]}, **fields},
        {"action_content": {"action": "click", "coordinate": [540, 1200]}, "screenshot": "/d/1.png", **fields},
        {"action_content": {"action": "terminate", "status": "success"}, **fields},
    ]
    path.write_text(json.dumps({"goal": "Go", "is_successful": True, "steps": steps}), encoding="utf-8")
    return path


def test_ui_s1_vertical_swipes(tmp_path: Path) -> None:
    training = only("ui_s1", _ui_s1(tmp_path / "train.jsonl"))
    evaluation = only("ui_s1", _ui_s1(tmp_path / "eval.jsonl", check_options={}))
    assert training.steps[0].decision.action == Swipe(Point(0.5, 0.75), Point(0.5, 0.25))
    assert evaluation.steps[0].decision.action == Swipe(Point(0.5, 0.25), Point(0.5, 0.75))
    assert (training.task.split, evaluation.task.split) == ("train", "test")
    assert training.task.param("missing_images") == "all"
    assert training.steps[0].observation.screenshot.size == Size(2400, 1080)
    assert len(training.steps[0].observation.screenshot.data) < 1000


def test_ui_s1_errors_cost_one_task(tmp_path: Path) -> None:
    source = _ui_s1(tmp_path / "train.jsonl")
    lines = [source.read_text(encoding="utf-8"), '{"goal": "x"}', '{"goal": "x", "steps": []}', "[]", "{"]
    source.write_bytes("\n".join(lines).encode() + b'\n{"goal": "\xff"}\n')
    found = list(importer("ui_s1")(source, Options()))
    assert isinstance(found[0], Trajectory)
    kinds = [one.kind for one in found if isinstance(one, Problem)]
    assert kinds == ["MissingFeature", "WrongValue", "WrongValue", "WrongValue", "WrongText"]


# --- exporters -------------------------------------------------------------------------------------------


@pytest.fixture
def trajectory(tmp_path: Path) -> Trajectory:
    (tmp_path / "1.png").write_bytes(encode(np.full((2400, 1080, 3), 9, np.uint8), "png").data)
    one = only("ui_s1", _ui_s1(tmp_path / "train.jsonl"))
    assert one.task.param("missing_images") == "0,2"
    assert [type(step.decision.action) for step in one.steps] == [Swipe, Tap, Finish]
    return one


def test_ui_s1_round_trip(trajectory: Trajectory, tmp_path: Path) -> None:
    assert ui_s1_export.export([trajectory], tmp_path / "out") == 3
    again = only("ui_s1", tmp_path / "out" / "train.jsonl")
    assert [step.decision.action for step in again.steps] == [step.decision.action for step in trajectory.steps]
    assert [step.observation for step in again.steps] == [step.observation for step in trajectory.steps]


def test_ui_s1_splits_stay_apart(trajectory: Trajectory, tmp_path: Path) -> None:
    held_out = replace(trajectory, id="other", task=replace(trajectory.task, split="test"))
    assert ui_s1_export.export([trajectory, held_out], tmp_path / "out") == 6
    assert [only("ui_s1", tmp_path / "out" / f"{split}.jsonl").task.split for split in ("train", "test")] == [
        "train",
        "test",
    ]
    row = json.loads((tmp_path / "out" / "test.jsonl").read_text(encoding="utf-8"))
    (tmp_path / "wrong.jsonl").write_text(json.dumps({**row, "split": "validation"}), encoding="utf-8")
    (problem,) = importer("ui_s1")(tmp_path / "wrong.jsonl", Options())
    assert isinstance(problem, Problem)
    assert "line 1: 'split' is 'validation', expected train or test" in problem.message


def test_chat_rows(trajectory: Trajectory, tmp_path: Path) -> None:
    assert chat.export([trajectory], tmp_path / "out") == 3
    rows = [json.loads(line) for line in (tmp_path / "out" / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [message["role"] for message in rows[1]["messages"]] == ["user", "assistant"]
    assert rows[1]["messages"][0]["content"].count("<image>") == len(rows[1]["images"]) == 1
    assert rows[0]["messages"][1]["content"] in rows[1]["messages"][0]["content"]
    assert json.loads(rows[2]["messages"][1]["content"])["type"] == "Finish"
    assert all((tmp_path / "out" / row["images"][0]).is_file() for row in rows)
    info = json.loads((tmp_path / "out" / "dataset_info.json").read_text(encoding="utf-8"))
    assert info["tapwise_train"]["columns"] == {"messages": "messages", "images": "images"}


def test_unreadable_steps_are_not_exported_as_waiting(trajectory: Trajectory, tmp_path: Path) -> None:
    first, *others = trajectory.steps
    unreadable = replace(first, decision=Decision(Wait(), "?", unparsable="no action"))
    trajectory = replace(trajectory, steps=(unreadable, *others))
    assert ui_s1_export.export([trajectory], tmp_path / "ui_s1") == 2
    assert "wait" not in (tmp_path / "ui_s1" / "train.jsonl").read_text(encoding="utf-8")
    assert chat.export([trajectory], tmp_path / "chat") == 2
    rows = (tmp_path / "chat" / "train.jsonl").read_text(encoding="utf-8")
    assert "Wait" not in rows
    assert "unreadable" in rows


def test_hub_round_trip(trajectory: Trajectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    *steps, last = trajectory.steps
    steps.append(replace(last, decision=Decision(Wait(), "?", unparsable="no action"), reward=0.5, value=0.25))
    verdicts = (Verdict(True, "judge", score=0.75, reason="done"), Verdict(None, "other"))
    trajectory = replace(trajectory, steps=tuple(steps), outcome=False, end=End.TRUNCATED, verdicts=verdicts)
    pytest.importorskip("datasets", reason="needs the hub extra")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    assert hub_export.export([trajectory], tmp_path / "out") == 3
    again = only("hub", tmp_path / "out")
    assert (again.id, again.success) == (f"hub/{trajectory.id}", False)
    assert [step.decision for step in again.steps] == [step.decision for step in trajectory.steps]
    assert [step.observation.screenshot for step in again.steps] == [
        step.observation.screenshot for step in trajectory.steps
    ]
    assert [(step.reward, step.value, step.advantage) for step in again.steps] == [
        (step.reward, step.value, step.advantage) for step in trajectory.steps
    ]
    assert again.end == trajectory.end
    assert again.verdicts == (Verdict(False, "hub:outcome"), *trajectory.verdicts)
    with pytest.raises(ConfigError, match="no column nothing"):
        list(importer("hub")(tmp_path / "out", Options(columns=(("image", "nothing"),))))
    with pytest.raises(ConfigError, match="colour"):
        list(importer("hub")(tmp_path / "out", Options(columns=(("colour", "red"),))))


@pytest.fixture
def hub_rows(trajectory: Trajectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Any]]:
    """Imports our own export of one episode with columns replaced by the given values."""
    pytest.importorskip("datasets", reason="needs the hub extra")
    monkeypatch.setenv("HF_DATASETS_OFFLINE", "1")
    hub_export.export([trajectory], tmp_path / "out")
    (shard,) = (tmp_path / "out" / "data").iterdir()
    table = pq.read_table(shard)

    def found(**columns: Any) -> list[Any]:
        changed = table
        for name, value in columns.items():
            values = pa.array([value] * len(table))
            changed = changed.set_column(changed.schema.get_field_index(name), name, values)
        pq.write_table(changed.replace_schema_metadata({}), tmp_path / "rows.parquet")
        return list(import_all("hub", [tmp_path / "rows.parquet"], Options()))

    return found


def test_hub_columns_of_an_episode(hub_rows: Callable[..., list[Any]]) -> None:
    one, _ = hub_rows(end="aborted", reward=1)
    assert (one.end, [step.reward for step in one.steps], one.trainable) == (End.ABORTED, [1.0, 1.0, 1.0], False)
    for columns, words in (
        ({"end": "over"}, "column 'end' is 'over', expected finished, truncated, aborted"),
        ({"reward": "much"}, "column 'reward' is 'much', expected a number"),
        ({"verdicts": '[{"judge": 1}]'}, "column 'verdicts' holds no list of verdicts"),
        ({"verdicts": "{"}, "column 'verdicts' holds no list of verdicts"),
    ):
        problem, _ = hub_rows(**columns)
        assert (problem.kind, problem.lost) == ("WrongValue", "episode")
        assert words in problem.message


def test_hub_errors_on_the_way_have_a_name(
    hub_rows: Callable[..., list[Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import datasets as hf_datasets

    class Broken(hf_datasets.IterableDataset):  # type: ignore[misc]
        def __iter__(self) -> Any:
            raise ZeroDivisionError("within the library\nand more")

    hub_rows()
    load_dataset = hf_datasets.load_dataset

    def broken(*given: Any, **named: Any) -> Any:
        found = load_dataset(*given, **named)
        for rows in found.values():
            rows.__class__ = Broken
            monkeypatch.setattr(rows, "cast_column", lambda *_, rows=rows: rows, raising=False)
        return found

    monkeypatch.setattr(hf_datasets, "load_dataset", broken)
    problem, _ = import_all("hub", [tmp_path / "rows.parquet"], Options())
    assert isinstance(problem, Problem)
    assert (problem.kind, problem.lost) == ("DataError", "rest of the file")
    assert "rows from 0 on cannot be read (ZeroDivisionError: within the library)" in problem.message
    (tmp_path / "torn.parquet").write_bytes((tmp_path / "rows.parquet").read_bytes()[:-100])
    problem, _ = import_all("hub", [tmp_path / "torn.parquet"], Options())
    assert isinstance(problem, Problem)
    assert "torn.parquet cannot be read by the Hugging Face library" in problem.message


# --- all together ----------------------------------------------------------------------------------------


def test_formats_and_sources(tmp_path: Path) -> None:
    assert all(callable(importer(name)) for name in FORMATS)
    with pytest.raises(ConfigError, match="take one of aitw"):
        importer("atari")
    with pytest.raises(ConfigError, match="take one of ui_s1"):
        exporter("atari")
    with pytest.raises(DataError, match="holds no file named"):
        find_sources("aitw", tmp_path)
    with pytest.raises(DataError, match="does not exist"):
        find_sources("vem", tmp_path / "absent")
    (tmp_path / "general-00000-of-00002").touch()
    assert find_sources("aitw", tmp_path) == [tmp_path / "general-00000-of-00002"]


def test_workers_give_what_one_process_gives(tmp_path: Path, aitw_step: Any) -> None:
    sources = []
    for number in range(3):
        sources.append(tmp_path / f"general-0000{number}-of-00003")
        records = [write_example(aitw_step(f"{number}{index}", 0, 1, 10)) for index in range(3)]
        write_records(sources[-1], records)
    sources[1].write_bytes(sources[1].read_bytes()[:-30])
    alone, together = (list(import_all("aitw", sources, Options(), workers)) for workers in (1, 2))
    assert sorted(map(repr, alone)) == sorted(map(repr, together))
    assert [type(one) for one in alone].count(SourceDone) == 3
    assert [one.lost for one in alone if isinstance(one, Problem)] == ["rest of the file"]


def test_imported_episodes_can_be_stored(trajectory: Trajectory, tmp_path: Path) -> None:
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(trajectory)
        store.seal()
        assert store.get(trajectory.id) == trajectory
