"""The model judge: what it asks, what it reads, and what it does when the endpoint fails."""

from __future__ import annotations

import base64
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tapwise.chat import ChatClient
from tapwise.errors import JudgeError
from tapwise.evaluator import OutcomeJudge, VlmJudge
from tapwise.evaluator.frames import Frames
from tapwise.evaluator.vlm_judge import parse_verdict
from tapwise.evaluator.vlm_prompt import Prompt
from tapwise.protocols import Judge
from tapwise.records import (
    Action,
    Decision,
    End,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Provenance,
    Screenshot,
    Size,
    Step,
    Swipe,
    Tap,
    Task,
    Trajectory,
    TypeText,
    Wait,
)

YES = '{"success": true, "reason": "milk is in the cart"}'
ACTIONS: list[Action] = [
    OpenApp("Shop"),
    Tap(Point(0.5, 0.25), "Search"),
    TypeText('milk "fresh"'),
    Press(Key.ENTER),
    LongPress(Point(0.1, 0.2), 2.0),
    Swipe(Point(0.5, 0.7), Point(0.5, 0.3)),
    Wait(2.0),
    Finish("success", "2 litres"),
]


def observe(data: bytes) -> Observation:
    return Observation(Screenshot(data, "png", Size(2, 2)), "shop/Main", True, 0.0)


def episode(instruction: str = "Buy milk", actions: list[Action] | None = None, **fields: Any) -> Trajectory:
    steps = [Step(observe(b"%d" % n), Decision(action, "")) for n, action in enumerate(actions or ACTIONS)]
    task = Task("task", instruction, "shop", "shop", "buy", (), 9, "train")
    given: dict[str, Any] = {"end": End.FINISHED, "final": observe(b"last"), **fields}
    return Trajectory(instruction, task, tuple(steps), provenance=Provenance("p"), **given)


def pictures(messages: Any) -> list[bytes]:
    urls = [part["image_url"]["url"] for part in messages[-1]["content"] if part["type"] == "image_url"]
    assert all(url.startswith("data:image/png;base64,") for url in urls)
    return [base64.b64decode(url.partition(",")[2]) for url in urls]


@pytest.fixture
def judge_of(chat_server: Any) -> Callable[..., VlmJudge]:
    def build(script: list[Any], retries: int = 2, **options: Any) -> VlmJudge:
        chat_server.script = script
        client = ChatClient(chat_server.url, "model", retries=retries, timeout_s=5.0, sleep=lambda _: None)
        return VlmJudge(client, **options)

    return build


@pytest.mark.parametrize(
    ("text", "success", "reason"),
    [
        (YES, True, "milk is in the cart"),
        ('{"success": false, "reason": "no"}', False, "no"),
        (f"Let me think {{hard}}.\n```json\n{YES}\n```\nDone.", True, "milk is in the cart"),
        ('The result: {"success": "false"}', False, ""),
        ('{"success": "Unsuccessful"}', False, ""),
        ("**Status:** success", True, ""),
        ("The agent was unsuccessful.\nStatus: failure", False, ""),
        ("Status: unsuccessful", False, ""),
        ("Verdict = Failed.", False, ""),
    ],
)
def test_verdicts_are_read(text: str, success: bool, reason: str) -> None:
    assert parse_verdict(text) == (success, reason)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The agent was unsuccessful.",
        "It was a success!",
        "Status: success is unlikely",
        '{"success": "maybe"}',
        '{"success": 1}',
        '{"success": null, "reason": "cannot see"}',
        '{"result": true}',
        "[true]",
        f'{YES} but then {{"success": false}}',
        "Status: success\nStatus: failure",
        "{" * 5000,
        '{"success": 1' + "0" * 5000 + "}",
    ],
)
def test_other_replies_are_abstentions(text: str) -> None:
    success, reason = parse_verdict(text)
    assert success is None
    assert reason.startswith("the reply")


def test_the_question_shows_actions_and_the_last_screen() -> None:
    messages: Any = Prompt().messages(episode())
    text = messages[-1]["content"][0]["text"]
    assert 'Task: "Buy milk"' in text
    assert '1. open the app "Shop"\n2. tap (50%, 25%) (meaning "Search")\n3. type "milk \\"fresh\\""' in text
    assert '8. end the episode, claiming success, answering "2 litres"' in text
    assert pictures(messages) == [b"last"]
    assert pictures(Prompt().messages(episode(final=None))) == [b"7"]


def test_key_frames_are_shown_in_order_and_with_the_numbers_of_their_steps() -> None:
    messages: Any = Prompt(Frames("key", 3)).messages(episode())
    assert pictures(messages) == [b"1", b"2", b"last"]  # no picture of these can be read: all differ alike
    labels = [part["text"] for part in messages[-1]["content"][1:] if part["type"] == "text"]
    assert labels == ["Screenshot before action 2:", "Screenshot before action 3:", "The last screenshot:"]
    assert len(pictures(Prompt(Frames("steps")).messages(episode()))) == 9


def test_verdicts_carry_judge_cost_and_reason(judge_of: Callable[..., VlmJudge]) -> None:
    judge: Judge = judge_of([YES], prices=(2.0, 10.0))
    (verdict,) = judge.judge([episode()])
    assert (verdict.success, verdict.judge, verdict.score) == (True, "vlm:model", 1.0)
    assert verdict.reason == "milk is in the cart"
    assert verdict.cost == pytest.approx(0.0021)


def test_one_call_per_episode_and_nothing_is_shared(judge_of: Callable[..., VlmJudge], chat_server: Any) -> None:
    judge = judge_of([YES])
    same_screen = [episode(f"task {index}") for index in range(12)]
    assert [verdict.success for verdict in judge.judge(same_screen)] == [True] * 12
    asked = [request["messages"][-1]["content"][0]["text"].splitlines()[0] for request in chat_server.requests]
    assert sorted(asked) == sorted(f'Task: "task {index}"' for index in range(12))
    assert chat_server.most_in_flight <= 8


@pytest.mark.parametrize(
    "trouble", [{"status": 500}, {"status": 429, "headers": {"retry-after": "1"}}, {"reset": True}, {"body": "no JSON"}]
)
def test_passing_trouble_is_overcome(judge_of: Callable[..., VlmJudge], trouble: dict[str, Any]) -> None:
    assert judge_of([trouble, YES]).judge([episode()])[0].success is True


def test_one_lost_answer_costs_one_verdict(judge_of: Callable[..., VlmJudge]) -> None:
    judge = judge_of([YES, {"status": 500}, YES], retries=0)
    verdicts = judge.judge([episode(f"task {index}") for index in range(4)])
    assert sorted(str(verdict.success) for verdict in verdicts) == ["None", "True", "True", "True"]
    (lost,) = [verdict for verdict in verdicts if verdict.success is None]
    assert "status 500" in lost.reason


def test_unreadable_replies_abstain_and_say_why(judge_of: Callable[..., VlmJudge]) -> None:
    (verdict,) = judge_of(["It was unsuccessful"]).judge([episode()])
    assert (verdict.success, verdict.score) == (None, None)
    assert "It was unsuccessful" in verdict.reason


def test_aborted_and_empty_episodes_are_not_asked_about(judge_of: Callable[..., VlmJudge], chat_server: Any) -> None:
    judge = judge_of([YES])
    blank = Trajectory("t", episode().task, (), End.TRUNCATED, Provenance("p"))
    assert [verdict.success for verdict in judge.judge([episode(end=End.ABORTED), blank])] == [None, None]
    assert judge.judge([]) == []
    assert chat_server.requests == []


@pytest.mark.parametrize(("status", "fix"), [(401, "OPENAI_API_KEY"), (404, "check the URL")])
def test_refusals_name_the_fix(judge_of: Callable[..., VlmJudge], chat_server: Any, status: int, fix: str) -> None:
    judge = judge_of([{"status": status}])
    with pytest.raises(JudgeError, match=rf"{chat_server.url}.*{fix}"):
        judge.judge([episode()])
    assert len(chat_server.requests) == 1


def test_an_endpoint_that_is_down_is_an_error() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        judge = VlmJudge(ChatClient(url, "model", retries=1, sleep=lambda _: None))
        with pytest.raises(JudgeError, match=rf"{url}.*check that the server runs"):
            judge.judge([episode(), episode("other")])


def test_the_outcome_judge_repeats_the_truth() -> None:
    judge: Judge = OutcomeJudge()
    verdicts = judge.judge([episode(outcome=True), episode(outcome=False), episode(outcome=None)])
    assert [(verdict.success, verdict.score) for verdict in verdicts] == [(True, 1.0), (False, 0.0), (None, None)]
    assert all(verdict.judge == "outcome" for verdict in verdicts)
