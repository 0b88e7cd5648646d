"""The chat client against a server that misbehaves."""

from __future__ import annotations

import email.utils
import socket
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.chat import ChatClient, ChatError, json_objects
from tapwise.errors import ConfigError

ASK = [{"role": "user", "content": "hello"}]


class FakeTime:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def fake_time() -> FakeTime:
    return FakeTime()


def client_of(server: Any, fake: FakeTime, **options: Any) -> ChatClient:
    return ChatClient(server.url, "model", clock=fake.clock, sleep=fake.sleep, **options)


def test_a_reply_comes_back(chat_server: Any, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_KEY", "secret-1")
    chat_server.script = ["hi"]
    client = client_of(chat_server, fake_time, api_key_env="TEST_KEY")
    reply = client.complete(ASK, temperature=0.5, max_tokens=7, seed=3)
    assert (reply.text, reply.prompt_tokens, reply.completion_tokens) == ("hi", 1000, 10)
    asked = {"model": "model", "messages": ASK, "temperature": 0.5, "max_tokens": 7, "seed": 3}
    assert chat_server.requests == [asked]
    assert chat_server.headers[0]["authorization"] == "Bearer secret-1"
    monkeypatch.delenv("TEST_KEY")
    client.complete(ASK)
    assert "authorization" not in chat_server.headers[1]
    client.close()


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500, "body": "oops"},
        {"status": 429},
        {"status": 503},
        {"reset": True},
        {"body": "<html>not JSON</html>"},
        {"body": "[" * 50_000},
        {"body": '{"choices": []}'},
        {"body": '{"choices": [{"message": {"content": null}}]}'},
        {"body": "[1]"},
    ],
)
def test_trouble_is_retried(chat_server: Any, fake_time: FakeTime, trouble: dict[str, Any]) -> None:
    chat_server.script = [trouble, trouble, "fine"]
    client = client_of(chat_server, fake_time, backoff_s=1.0)
    assert client.complete(ASK).text == "fine"
    first, second = fake_time.pauses
    assert 0.5 <= first <= 1.0
    assert 1.0 <= second <= 2.0
    client.close()


def test_retry_after_is_obeyed(chat_server: Any, fake_time: FakeTime) -> None:
    date = email.utils.formatdate(time.time() + 40, usegmt=True)
    headers = [{"retry-after": value} for value in ("7", date, "nonsense", "nan")]
    chat_server.script = [*({"status": 429, "headers": one} for one in headers), "fine"]
    client = client_of(chat_server, fake_time)
    assert client.complete(ASK).text == "fine"
    assert fake_time.pauses[0] == 7.0
    assert 30 < fake_time.pauses[1] <= 40
    assert fake_time.pauses[2] < 5
    client.close()


def test_pauses_depend_on_seed_and_request_alone(chat_server: Any) -> None:
    def pauses(seed: int) -> list[float]:
        fake = FakeTime()
        client = client_of(chat_server, fake, seed=seed)
        with pytest.raises(ChatError):
            client.complete(ASK)
        client.close()
        return fake.pauses

    chat_server.script = [{"status": 500}]
    assert pauses(1) == pauses(1) != pauses(2)


def test_the_deadline_ends_the_retries(chat_server: Any, fake_time: FakeTime) -> None:
    chat_server.script = [{"status": 429, "headers": {"retry-after": "100"}}]
    client = client_of(chat_server, fake_time, deadline_s=250, retries=50)
    with pytest.raises(ChatError, match="in 3 attempts; the last: status 429"):
        client.complete(ASK)
    assert fake_time.pauses == [100, 100]
    client.close()


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
def test_refusals_are_not_retried(
    chat_server: Any, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    monkeypatch.setenv("TEST_KEY", "secret-2")
    chat_server.script = [{"status": status, "body": "bad key secret-2"}]
    client = client_of(chat_server, fake_time, api_key_env="TEST_KEY")
    with pytest.raises(ChatError) as caught:
        client.complete(ASK)
    assert caught.value.permanent
    assert len(chat_server.requests) == 1
    assert chat_server.url in str(caught.value)
    assert "secret-2" not in str(caught.value)
    client.close()


@pytest.mark.parametrize("slowness", ["stall", "drip"])
def test_a_slow_server_costs_no_more_than_the_limit(chat_server: Any, slowness: str) -> None:
    chat_server.script = [{slowness: True}]
    client = ChatClient(chat_server.url, "model", timeout_s=0.15, retries=1, backoff_s=0.01)
    started = time.monotonic()
    with pytest.raises(ChatError, match="in 2 attempts"):
        client.complete(ASK)
    assert time.monotonic() - started < 3.0
    client.close()


def test_a_server_that_is_down_is_named(fake_time: FakeTime) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        client = ChatClient(url, "model", clock=fake_time.clock, sleep=fake_time.sleep)
        with pytest.raises(ChatError, match=rf"{url}/chat/completions.*in 5 attempts.*check that the server runs"):
            client.complete(ASK)
        client.close()


def test_a_key_that_cannot_be_sent_is_not_shown(
    chat_server: Any, fake_time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_KEY", "sécret\nx")
    client = client_of(chat_server, fake_time, api_key_env="TEST_KEY")
    with pytest.raises(ChatError) as caught:
        client.complete(ASK)
    assert "cret" not in str(caught.value)
    client.close()


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://host/v1", "http://user:pass@host/v1", ""])
def test_wrong_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        ChatClient(url, "model")
    assert "pass" not in str(caught.value)


@given(st.text(alphabet='{}[]":a1, \\\n', max_size=60))
def test_any_text_can_be_searched_for_objects(text: str) -> None:
    assert all(isinstance(item, dict) for item in json_objects(text))


def test_objects_are_found_within_prose() -> None:
    text = 'I think {so}.\n```json\n{"a": {"b": 1}}\n``` or {"c": "}"} {"open": '
    assert list(json_objects(text)) == [{"a": {"b": 1}}, {"c": "}"}]
