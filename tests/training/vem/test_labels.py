"""Labels at rest, negatives that are never the expert's action, and VEM's own files."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.agent.action_text import GridActionText
from tapwise.errors import StoreError
from tapwise.matching import match_actions
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    OpenApp,
    Point,
    Press,
    Swipe,
    Tap,
    Trajectory,
    TypeText,
    UiNode,
    Wait,
)
from tapwise.training.vem.imported import read_vem_labels
from tapwise.training.vem.labels import LabelFile, StepLabel, examples
from tapwise.training.vem.negatives import expert_positives, rule_negatives

MakeTrajectory = Callable[..., Trajectory]

labels = st.builds(
    StepLabel,
    st.text(max_size=5),
    st.integers(0, 9),
    st.none() | st.floats(0, 1),
    st.sampled_from(["vlm:m", "vem"]),
    st.text(st.characters(codec="utf-8"), max_size=9),
    st.none() | st.builds(Tap, st.builds(Point, st.floats(0, 1), st.floats(0, 1)), st.none() | st.just("ok")),
)


@given(written=st.lists(labels, max_size=6))
def test_labels_come_back_and_the_last_word_counts(tmp_path_factory: Any, written: list[StepLabel]) -> None:
    file = LabelFile(tmp_path_factory.mktemp("labels") / "labels.jsonl")
    for label in written:
        file.append([label])
    assert list(file) == list({(one.trajectory, one.step, one.source, one.action): one for one in written}.values())


def test_a_torn_line_is_passed_over_and_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = LabelFile(tmp_path / "labels.jsonl")
    first, second = (StepLabel("t", step, 1.0, "vlm:m") for step in range(2))
    file.append([first, second])
    file.path.write_bytes(file.path.read_bytes()[:-20])
    third = StepLabel("t", 2, None, "vlm:m", "unreadable")
    file.append([third])
    with caplog.at_level(logging.WARNING):
        assert list(file) == [first, third]
    assert "line 2" in caplog.text
    assert file.decided("vlm:m") == {("t", 0)}
    assert file.decided("vlm:other") == set()


def test_a_wrong_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"trajectory": "t", "step": 0, "good": 3.0, "source": "x"}\n')
    with pytest.raises(StoreError, match=r"line 1 .*label"):
        list(LabelFile(path))


def test_examples_need_their_trajectories(make_trajectory: MakeTrajectory) -> None:
    trajectory = make_trajectory([TypeText("a"), Wait()])
    given = [
        StepLabel("e", 0, 1.0, "x"),
        StepLabel("e", 1, None, "x"),
        StepLabel("e", 1, 0.25, "x", action=Press(Key.HOME)),
    ]
    found = examples([trajectory], given, GridActionText())
    assert [(one.step.action, one.good, one.step.history) for one in found] == [
        ("type a", 1.0, ()),
        ("home", 0.25, ("type a",)),
    ]
    with pytest.raises(ValueError, match=r"step 2 .* not among"):
        examples([trajectory], [StepLabel("e", 2, 1.0, "x")], GridActionText())


ROW = UiNode(bounds=(0, 40, 64, 50), clickable=True, children=(UiNode(text="wifi", bounds=(0, 40, 30, 50)),))
OTHER = UiNode(text="Sound", bounds=(0, 60, 64, 70), clickable=True)
LIST = UiNode(bounds=(0, 0, 64, 128), clickable=True, children=(ROW, OTHER))

EXPERTS: list[Action] = [
    Tap(Point(0.5, 45 / 128), "wifi"),
    LongPress(Point(0.5, 45 / 128), 2.0),
    TypeText("level"),
    TypeText("  "),
    TypeText("Nova lamp"),
    Press(Key.HOME),
    Press(Key.BACK),
    OpenApp("Clock"),
    Swipe(Point(0.5, 0.8), Point(0.5, 0.2)),
    Wait(),
    Finish("success"),
]


@pytest.mark.parametrize("ui", [None, LIST], ids=["bare", "tree"])
def test_no_negative_is_the_experts_action(make_trajectory: MakeTrajectory, ui: UiNode | None) -> None:
    trajectory = make_trajectory(EXPERTS, ui=ui)
    rules: set[tuple[int, str]] = set()
    for seed in range(30):
        for label in rule_negatives(trajectory, np.random.default_rng(seed), ["nova LAMP ", "LEVEL", "milk"]):
            step = trajectory.steps[label.step]
            assert label.action is not None
            assert label.good == 0.0
            assert not match_actions(label.action, step.decision.action, step.observation).same
            assert not match_actions(step.decision.action, label.action, step.observation).same
            rules.add((label.step, label.source))
            if label.source == "rule:other_kind":
                assert type(label.action) is not type(step.decision.action)
    with_value = {index for index, source in rules if source == "rule:other_value"}
    assert with_value == {2, 4, 7}  # the peer changes the "value" of actions that have none, and calls the expert bad
    assert {index for index, source in rules if source == "rule:moved"} == {0, 1}
    assert {index for index, source in rules if source == "rule:other_kind"} == set(range(len(EXPERTS)))


def test_a_moved_touch_leaves_the_thing_and_keeps_a_name(make_trajectory: MakeTrajectory) -> None:
    trajectory = make_trajectory(EXPERTS[:1], ui=LIST)
    targets = set()
    for seed in range(30):
        (bad,) = [x.action for x in rule_negatives(trajectory, np.random.default_rng(seed)) if x.source == "rule:moved"]
        assert isinstance(bad, Tap)
        assert not 40 <= bad.at.y * 128 < 50
        targets.add(bad.target)
    assert "sound" in targets
    assert None not in targets


def test_a_text_that_cannot_be_changed_gets_no_negative(make_trajectory: MakeTrajectory) -> None:
    found = rule_negatives(make_trajectory([TypeText("level")]), np.random.default_rng(0))
    assert [label.source for label in found] == ["rule:other_kind"]  # backwards it is the same


def test_positives_are_the_experts_steps(make_trajectory: MakeTrajectory) -> None:
    assert [(p.place, p.good) for p in expert_positives(make_trajectory([Wait(), Wait()]))] == [
        (("e", 0), 1.0),
        (("e", 1), 1.0),
    ]


def row(**fields: Any) -> str:
    base = {
        "ep_id": "17",
        "step_id": 1,
        "critic_output": "2",
        "critic_explanation": "fine",
        "action_list": [{}, {}],
        "image_list": ["a", "b"],
    }
    return json.dumps({key: value for key, value in {**base, **fields}.items() if value is not None})


def test_vems_own_labels_are_read(tmp_path: Path) -> None:
    path = tmp_path / "general_train_critic.jsonl"
    path.write_text(row() + "\n\n" + row(step_id=0, critic_output=1, critic_explanation=None))
    assert list(read_vem_labels(path, lambda name: f"aitw-{name}")) == [
        StepLabel("aitw-17", 1, 1.0, "vem", "fine"),
        StepLabel("aitw-17", 0, 0.0, "vem"),
    ]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{", "row 1 .* is not JSON"),
        ("[]", "row 1 .* is list"),
        (row(critic_output=None), "no critic_output"),
        (row(critic_output="3"), "critic_output is '3'"),
        (row(step_id=True), "step_id is True"),
        (row(step_id=2), "step_id is 2, but the episode has 2"),
        (row(image_list=["a"]), "2 actions but 1 screenshots"),
    ],
)
def test_rows_that_cannot_be_labels_are_named(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "x_critic.jsonl"
    path.write_text(text)
    with pytest.raises(StoreError, match=complaint):
        list(read_vem_labels(path))
