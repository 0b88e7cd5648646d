"""The remote policy: prompt, parsing, parallel calls, failures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tapwise.agent.json_codec import JsonCodec
from tapwise.agent.remote import RemotePolicy
from tapwise.chat import ChatClient
from tapwise.errors import PolicyError
from tapwise.protocols import Policy
from tapwise.records import Context, Decision, Observation, Point, Screenshot, Size, Step, Tap, Task, TypeText, Wait

CLICK = '{"action_type":"click","x":500,"y":250}'


def context(instruction: str = "Buy milk", history: int = 0) -> Context:
    observation = Observation(Screenshot(b"png", "png", Size(2, 2)), "shop/Main", True, 0.0)
    taken = [Step(observation, Decision(Tap(Point(n / 100, 0.5)), "")) for n in range(history)]
    task = Task("task", instruction, "shop", "shop", "buy", (), 30, "train")
    return Context(task, tuple(taken), observation)


@pytest.fixture
def policy_of(chat_server: Any) -> Callable[..., RemotePolicy]:
    def build(script: list[Any], **options: Any) -> RemotePolicy:
        chat_server.script = script
        client = ChatClient(chat_server.url, "model", retries=1, sleep=lambda _: None)
        return RemotePolicy(client, JsonCodec(), **options)

    return build


def test_a_reply_becomes_a_decision(policy_of: Callable[..., RemotePolicy], chat_server: Any) -> None:
    policy: Policy = policy_of([CLICK], version=3)
    (decision,) = policy.act([context()])
    assert (decision.action, decision.text, decision.policy_version) == (Tap(Point(0.5, 0.25)), CLICK, 3)
    assert decision.unparsable is None
    assert (policy.name, policy.version) == ("remote:model", 3)
    system, user = chat_server.requests[0]["messages"]
    assert "action_type" in system["content"]
    assert "Task: Buy milk" in user["content"][0]["text"]
    assert user["content"][1]["image_url"]["url"] == "data:image/png;base64,cG5n"


def test_the_prompt_lists_the_newest_actions(policy_of: Callable[..., RemotePolicy]) -> None:
    policy = policy_of([CLICK], max_history=2)
    lost = Decision(Wait(), "?", unparsable="no JSON")
    asked = context(history=5)
    asked = Context(asked.task, (*asked.history[:4], Step(asked.observation, lost)), asked.observation)
    content: Any = policy.messages(asked)[1]["content"]
    expected = '\n4. {"action_type":"click","x":30,"y":500}\n5. (reply not understood: no JSON)\nStep 6 of at most 30.'
    assert expected in content[0]["text"]
    assert "3. " not in content[0]["text"]


def test_an_unreadable_reply_waits_and_says_why(policy_of: Callable[..., RemotePolicy]) -> None:
    (decision,) = policy_of(["I would tap it"]).act([context()])
    assert decision.action == Wait()
    assert decision.text == "I would tap it"
    assert decision.unparsable is not None
    assert "no JSON object" in decision.unparsable


def test_a_batch_keeps_its_order(policy_of: Callable[..., RemotePolicy], chat_server: Any) -> None:
    policy = policy_of([])
    codec = JsonCodec()

    def echo(body: dict[str, Any]) -> str:
        return codec.format(TypeText(body["messages"][1]["content"][0]["text"].splitlines()[0]))

    chat_server.reply_to = echo
    decisions = policy.act([context(str(number)) for number in range(20)])
    assert [decision.action for decision in decisions] == [TypeText(f"Task: {number}") for number in range(20)]
    assert policy.act([]) == []


@pytest.mark.parametrize("script", [[{"status": 401}], [{"status": 500}]])
def test_an_endpoint_that_fails_is_named(
    policy_of: Callable[..., RemotePolicy], chat_server: Any, script: list[Any]
) -> None:
    with pytest.raises(PolicyError, match=rf"policy remote:model cannot decide: {chat_server.url}"):
        policy_of(script).act([context(), context()])
