"""A judge's endpoint at its worst: slow, busy, talking nonsense, cutting replies and connections, a tenth of each."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tapwise.chat import ChatClient, ChatError
from tapwise.errors import StoreError
from tapwise.evaluator.budget import Budget
from tapwise.evaluator.cassette import CassetteClient
from tapwise.evaluator.vlm_judge import VlmJudge
from tapwise.records import (
    Decision,
    End,
    Finish,
    Observation,
    Provenance,
    Screenshot,
    Size,
    Step,
    Task,
    Trajectory,
)

EPISODES, TAKES_S = 200, 0.02
FAULTS = ("slow", "busy", "garbage", "cut", "dropped")


def episode(number: int) -> Trajectory:
    seen = Observation(Screenshot(b"%d" % number, "png", Size(2, 2)), "a/b", True, 0.0)
    task = Task("t", f"Do number {number}", "s", "app", "x", (), 5, "test")
    return Trajectory(
        f"e{number}", task, (Step(seen, Decision(Finish(), "")),), End.FINISHED, Provenance("p"), final=seen
    )


def completion(text: str) -> str:
    usage = {"prompt_tokens": 1000, "completion_tokens": 10}
    return json.dumps({"choices": [{"message": {"content": text}}], "usage": usage})


class Endpoint:
    """Answers every question after a while; with faults, half of the requests are answered otherwise."""

    def __init__(self, faulty: bool) -> None:
        self._rng, self._faulty = random.Random(7), faulty
        self.whole: Counter[str] = Counter()
        """answers that were delivered whole and are paid for, by question"""
        self.done: Counter[str] = Counter()

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        fault = self._rng.choice([*FAULTS, *["none"] * 5]) if self._faulty else "none"
        self.done[fault] += 1
        question = body["messages"][1]["content"][0]["text"]
        reply = {"body": completion('{"success": true, "reason": "done"}'), "takes_s": TAKES_S}
        match fault:
            case "busy":
                return {"status": 429, "headers": {"Retry-After": "0.02"}, "body": "slow down"}
            case "dropped":
                return {"reset": True}
            case "cut":
                return {"body": reply["body"][:20], "takes_s": TAKES_S}
            case "garbage":
                reply = {"body": completion("As a language model, I cannot say."), "takes_s": TAKES_S}
            case "slow":
                reply["takes_s"] = 5 * TAKES_S
        self.whole[question] += 1
        return reply


def judged(chat_server: Any, endpoint: Endpoint) -> tuple[list[Any], float]:
    chat_server.reply_to = endpoint
    client = ChatClient(chat_server.url, "m", backoff_s=0.02, concurrency=8)
    started = time.monotonic()
    try:
        return VlmJudge(client, prices=(1.0, 1.0)).judge([episode(number) for number in range(EPISODES)]), (
            time.monotonic() - started
        )
    finally:
        client.close()


def test_every_episode_ends_with_a_verdict_or_pending_is_paid_once_and_in_good_time(chat_server: Any) -> None:
    _, clean_s = judged(chat_server, Endpoint(faulty=False))
    endpoint = Endpoint(faulty=True)
    verdicts, faulty_s = judged(chat_server, endpoint)
    assert set(endpoint.done) == {*FAULTS, "none"}
    assert len(verdicts) == EPISODES
    for verdict in verdicts:
        assert verdict.success is True or verdict.pending or "no verdict" in verdict.reason
    spoken = [verdict for verdict in verdicts if not verdict.pending]
    assert len(spoken) > 0.95 * EPISODES
    assert endpoint.whole.total() == len(spoken)  # no question that was answered is asked, and paid for, again
    assert max(endpoint.whole.values()) == 1
    assert sum(verdict.cost for verdict in verdicts) == pytest.approx(len(spoken) * 1010 / 1e6)
    assert faulty_s < 2 * clean_s + 0.5


def test_a_budget_stops_hard_and_leaves_the_rest_pending(chat_server: Any) -> None:
    endpoint = Endpoint(faulty=False)
    chat_server.reply_to = endpoint
    client = ChatClient(chat_server.url, "m")
    budget = Budget(calls=5)
    verdicts = VlmJudge(client, budget=budget).judge([episode(number) for number in range(12)])
    client.close()
    assert [verdict.success for verdict in verdicts].count(True) == endpoint.whole.total() == budget.calls == 5
    assert [verdict.pending for verdict in verdicts].count(True) == 7


def test_requests_keep_to_a_number_a_minute(chat_server: Any) -> None:
    chat_server.reply_to = Endpoint(faulty=False)
    client = ChatClient(chat_server.url, "m", requests_per_minute=1200)
    started = time.monotonic()
    VlmJudge(client).judge([episode(number) for number in range(8)])
    client.close()
    assert time.monotonic() - started > 7 * 60 / 1200


@pytest.fixture
def cassette(tmp_path: Path, chat_server: Any) -> Callable[..., CassetteClient]:
    chat_server.reply_to = Endpoint(faulty=False)
    return lambda **more: CassetteClient(tmp_path / "replies.jsonl", chat_server.url, "m", retries=0, **more)


def test_recorded_replies_are_played_back_without_an_endpoint(
    cassette: Callable[..., CassetteClient], chat_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    first = VlmJudge(cassette()).judge([episode(1), episode(2)])
    asked = len(chat_server.requests)
    client = cassette(replay_only=True)
    assert VlmJudge(client).judge([episode(1), episode(2)]) == first
    assert (len(chat_server.requests), client.replayed) == (asked, 2)
    (other,) = [one for one in VlmJudge(client).judge([episode(1), episode(3)]) if one.pending]
    assert "has no answer to this question" in other.reason
    assert "very-secret" not in (tmp_path / "replies.jsonl").read_text(encoding="utf-8")


def test_a_torn_last_line_is_passed_over_and_other_damage_is_named(
    cassette: Callable[..., CassetteClient], tmp_path: Path
) -> None:
    VlmJudge(cassette()).judge([episode(1)])
    path = tmp_path / "replies.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[:30])
    assert VlmJudge(cassette(replay_only=True)).judge([episode(1)])[0].success is True
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(StoreError, match="line 1"):
        cassette()


def test_a_question_that_is_not_recorded_is_no_answer(cassette: Callable[..., CassetteClient]) -> None:
    with pytest.raises(ChatError, match="record it"):
        cassette(replay_only=True).complete([{"role": "user", "content": "hello"}])
