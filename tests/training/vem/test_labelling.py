"""Labelling against a stand-in endpoint: what is asked, what is kept, and what happens when it fails."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tapwise.agent.json_codec import JsonCodec
from tapwise.chat import ChatClient
from tapwise.errors import JudgeError
from tapwise.records import Point, Tap, Trajectory, TypeText
from tapwise.training.vem.labelling import LabelCounts, VlmLabeller, build_question, parse_label
from tapwise.training.vem.labels import LabelFile, StepLabel
from tapwise.training.vem.serialise import mark

GOOD = '{"good": true, "reason": "it helps"}'
BAD = '{"good": false, "reason": "it leads away"}'
MakeTrajectory = Callable[..., Trajectory]
MakeLabeller = Callable[..., VlmLabeller]


@pytest.fixture
def make_labeller(chat_server: Any) -> MakeLabeller:
    def make(script: list[Any], **options: Any) -> VlmLabeller:
        chat_server.script = script
        client = ChatClient(
            chat_server.url, "m", retries=1, timeout_s=5.0, concurrency=1, sleep=lambda _: None, api_key_env="NO_KEY"
        )
        return VlmLabeller(client, **options)

    return make


def episode(make: MakeTrajectory) -> Trajectory:
    return make([Tap(Point(0.25, 0.5), "wifi"), TypeText("one"), TypeText("two")])


def pictures(messages: Any) -> list[bytes]:
    parts = [part["image_url"]["url"] for part in messages[-1]["content"] if part["type"] == "image_url"]
    return [base64.b64decode(url.partition(",")[2]) for url in parts]


def test_the_question_shows_hindsight_and_closes_with_the_rated_action(make_trajectory: MakeTrajectory) -> None:
    trajectory = episode(make_trajectory)
    messages: Any = build_question(trajectory, 0, JsonCodec(), later_frames=2)
    first, last = messages[-1]["content"][0]["text"], messages[-1]["content"][-1]["text"]
    assert '2. {"action_type":"input_text","text":"one"}' in first
    assert "The task was done." in first
    assert last == 'Rate action 1: {"action_type":"click","x":250,"y":500,"target":"wifi"}'
    step, final = trajectory.steps[0], trajectory.final
    assert final is not None
    assert pictures(messages) == [
        mark(step.observation.screenshot, step.decision.action).data,
        trajectory.steps[1].observation.screenshot.data,
        final.screenshot.data,
    ]
    assert len(pictures(build_question(trajectory, 0, JsonCodec(), later_frames=0))) == 1
    assert len(pictures(build_question(trajectory, 0, JsonCodec(), later_frames=9))) == 4
    assert pictures(build_question(trajectory, 0, JsonCodec(), later_frames=1))[1:] == [final.screenshot.data]


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (GOOD, True),
        (f"Well:\n```json\n{BAD}\n```", False),
        ("", None),
        ("It is good.", None),
        ('{"good": "yes"}', None),
        ('{"good": 1}', None),
        ('{"good": true', None),
        (GOOD + BAD, None),
    ],
)
def test_replies_are_read_strictly(text: str, good: bool | None) -> None:
    found, reason = parse_label(text)
    assert found is good
    assert reason


def test_every_step_is_labelled_and_kept(
    make_labeller: MakeLabeller, make_trajectory: MakeTrajectory, tmp_path: Path, chat_server: Any
) -> None:
    file = LabelFile(tmp_path / "labels.jsonl")
    labeller = make_labeller([GOOD, "hm", "hm", BAD])
    trajectory = episode(make_trajectory)
    assert labeller.label([trajectory], file) == LabelCounts(good=1, bad=1, abstained=1, known=0)
    assert [(label.step, label.good) for label in file] == [(0, 1.0), (1, None), (2, 0.0)]
    assert next(iter(file)) == StepLabel("e", 0, 1.0, "vlm:m", "it helps")
    assert [(request["temperature"], request["seed"]) for request in chat_server.requests] == [
        (0.0, 0),
        (0.0, 0),
        (0.7, 1),
        (0.0, 0),
    ]
    # A second run asks about the abstention alone.
    chat_server.script = [GOOD]
    assert labeller.label([trajectory], file) == LabelCounts(good=1, bad=0, abstained=0, known=2)
    assert [label.good for label in file] == [1.0, 1.0, 0.0]
    assert len(chat_server.requests) == 5


def test_a_step_without_an_answer_abstains_and_a_refusal_ends_it(
    make_labeller: MakeLabeller, make_trajectory: MakeTrajectory, tmp_path: Path
) -> None:
    file = LabelFile(tmp_path / "labels.jsonl")
    busy, refused = {"status": 503, "body": "busy"}, {"status": 401, "body": "no"}
    labeller = make_labeller([busy, busy, GOOD, refused])
    with pytest.raises(JudgeError, match=r"vlm:m cannot be asked: .*NO_KEY"):
        labeller.label([episode(make_trajectory)], file)
    kept = list(file)
    assert [(label.step, label.good) for label in kept] == [(0, None), (1, 1.0)]
    assert kept[0].explanation.startswith("not answered: ")


def test_a_screen_that_is_no_picture_abstains(
    make_labeller: MakeLabeller, make_trajectory: MakeTrajectory, tmp_path: Path
) -> None:
    trajectory = episode(make_trajectory)
    step = trajectory.steps[0]
    torn = replace(step.observation, screenshot=replace(step.observation.screenshot, data=b"torn"))
    trajectory = replace(trajectory, steps=(replace(step, observation=torn), *trajectory.steps[1:]))
    file = LabelFile(tmp_path / "labels.jsonl")
    assert make_labeller([GOOD]).label([trajectory], file).abstained == 1
    assert next(iter(file)).explanation.startswith("not asked: screenshot of 4 bytes")


@pytest.mark.parametrize("options", [{"attempts": 0}, {"later_frames": -1}])
def test_impossible_settings_are_refused(make_labeller: MakeLabeller, options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least"):
        make_labeller([GOOD], **options)
