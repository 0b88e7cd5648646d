"""Worked examples: what a folder may hold, and how a model judge is shown them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tapwise import images
from tapwise.android_env.suites import load_suite
from tapwise.chat import ChatClient
from tapwise.errors import ConfigError
from tapwise.evaluator import VlmJudge
from tapwise.evaluator.cassette import CassetteClient
from tapwise.evaluator.examples import Example, digest, load_examples
from tapwise.evaluator.frames import Frames
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.records import Decision, End, Finish, Observation, Provenance, Step, Task, Trajectory

GOOD = {"image": "'a.png'", "goal": "'Buy milk'", "actions": "['tap']", "success": "true", "reason": "'It is there.'"}


def folder(path: Path, *entries: dict[str, str]) -> Path:
    path.mkdir(exist_ok=True)
    for number, name in enumerate(("a.png", "b.png")):
        (path / name).write_bytes(images.encode(np.full((8, 4, 3), number, np.uint8), "png").data)
    tables = ["[[example]]\n" + "\n".join(f"{key} = {value}" for key, value in entry.items()) for entry in entries]
    (path / "index.toml").write_text("\n".join(tables), encoding="utf-8")
    return path


@pytest.fixture
def two(tmp_path: Path) -> tuple[Example, ...]:
    other = {**GOOD, "image": "'b.png'", "goal": "'Send it'", "success": "false"}
    return load_examples(str(folder(tmp_path / "own", GOOD, other)))


def episode() -> Trajectory:
    screen = Observation(images.encode(np.zeros((8, 4, 3), np.uint8)), "a/b", True, 0.0)
    task = Task("t", "Do it", "s", "a", "x", (), 5, "test")
    return Trajectory("e", task, (Step(screen, Decision(Finish(), "")),), End.FINISHED, Provenance("p"), screen)


def test_the_request_holds_the_examples_in_order_before_the_question(two: tuple[Example, ...]) -> None:
    messages: Any = Prompt(examples=two).messages(episode())
    assert [one["role"] for one in messages] == ["system", *["user", "assistant"] * 2, "user"]
    assert [one["content"] for one in messages if one["role"] == "assistant"] == [
        '{"success": true, "reason": "It is there."}',
        '{"success": false, "reason": "It is there."}',
    ]
    goals = [one["content"][0]["text"].splitlines()[0] for one in messages if one["role"] == "user"]
    assert goals == ['Task: "Buy milk"', 'Task: "Send it"', 'Task: "Do it"']
    assert "Actions:\n1. tap\nThe agent ended the episode." in messages[1]["content"][0]["text"]
    for one, example in zip(messages[1::2], two, strict=False):
        url = one["content"][-1]["image_url"]["url"]
        assert base64.b64decode(url.partition(",")[2]) == example.picture.data


def test_their_hash_depends_on_all_that_is_shown_and_on_the_order(two: tuple[Example, ...], tmp_path: Path) -> None:
    first, second = two
    variants = [(), (first,), (second,), (first, second), (second, first)]
    others = {"goal": "'x'", "actions": "[]", "success": "false", "reason": "'x'", "image": "'b.png'"}
    for key, value in others.items():
        variants.append(load_examples(str(folder(tmp_path / key, {**GOOD, key: value}))))
    assert len({digest(each) for each in variants}) == len(variants)
    assert len({Prompt(examples=each).sha for each in variants}) == len(variants)
    assert Prompt(Frames("key", 2)).sha != Prompt().sha


def test_examples_and_frames_change_the_name_under_which_verdicts_are_kept(two: tuple[Example, ...]) -> None:
    client = ChatClient("http://127.0.0.1:1/v1", "m")
    names = [
        VlmJudge(client, prompt=prompt).name
        for prompt in (Prompt(), Prompt(Frames("key", 4)), Prompt(examples=two), Prompt(examples=two[:1]))
    ]
    assert names[0] == "vlm:m"
    assert names[1] == "vlm:m frames=key:4"
    assert names[2].startswith("vlm:m examples=2:")
    assert len(set(names)) == 4


def test_recorded_replies_are_not_those_to_a_question_with_examples(
    two: tuple[Example, ...], tmp_path: Path, chat_server: Any
) -> None:
    chat_server.script = ['{"success": true}']
    for prompt in (Prompt(), Prompt(examples=two), Prompt(examples=two)):
        client = CassetteClient(tmp_path / "replies.jsonl", chat_server.url, "m")
        assert VlmJudge(client, prompt=prompt).judge([episode()])[0].success is True
    assert len(chat_server.requests) == 2


def test_those_of_the_package_are_small_of_both_verdicts_and_of_the_training_split() -> None:
    assert load_examples("none") == load_examples("0") == ()
    found = load_examples("8")
    assert {one.success for one in found[:2]} == {True, False}
    assert sum(len(one.picture.data) for one in found) < 300_000
    training = {task.instruction for task in load_suite("all").tasks("train")}
    assert {one.goal for one in found} <= training
    with pytest.raises(ConfigError, match="ship with the package"):
        load_examples("99")


@pytest.mark.parametrize(
    ("change", "hint"),
    [
        ({"success": "'yes'"}, "example 1 of .*success"),
        ({"goal": ""}, "index.toml"),
        ({"image": "'../a.png'"}, "name of a file"),
        ({"image": "'none.png'"}, "none.png cannot be read"),
        ({"image": "'index.toml'"}, "cannot be read"),
        ({"actions": "[1]"}, "words"),
        ({"verdict": "true"}, "unknown key 'verdict'"),
    ],
)
def test_what_cannot_be_used(change: dict[str, str], hint: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=hint):
        load_examples(str(folder(tmp_path / "own", {**GOOD, **change})))


def test_folders_without_examples(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"index\.toml"):
        load_examples(str(tmp_path / "missing"))
    with pytest.raises(ConfigError, match="has no"):
        load_examples(str(folder(tmp_path / "empty")))
