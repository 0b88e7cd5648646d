"""A client for any OpenAI-compatible chat endpoint, shared by remote policies and model judges."""

from __future__ import annotations

import base64
import email.utils
import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from tapwise.errors import ConfigError, TapwiseError
from tapwise.records import Screenshot

Message = Mapping[str, object]

RETRIED_STATUS = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
MAX_REPLY_BYTES = 8 * 2**20
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class ChatError(TapwiseError):
    """The endpoint gave no usable answer.

    `permanent` is True when asking again cannot help (wrong key, wrong address, refused request).
    """

    def __init__(self, message: str, *, permanent: bool) -> None:
        super().__init__(message)
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class Completion:
    """One reply. `latency_s` covers all attempts; token counts are 0 where the server does not say."""

    text: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    latency_s: float = 0.0


class _AttemptError(Exception):
    """One attempt failed; `wait_s` is what the server asked us to wait."""

    def __init__(self, reason: str, *, permanent: bool = False, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.permanent = permanent
        self.wait_s = wait_s


class ChatClient:
    """Asks one model behind one URL; safe to share between threads.

    base_url: address up to and including the version, such as "http://127.0.0.1:8000/v1".
    api_key_env: environment variable that holds the key; without it no key is sent. The key is read for every
        call and appears in no message.
    timeout_s: limit of one attempt, from connecting to the last byte.
    deadline_s: limit of one call with all of its attempts and pauses.
    retries: attempts after the first, on time-outs, lost connections, busy or failing servers, unreadable replies.
    concurrency: requests in flight at once; further callers wait. A pause between attempts takes no place.
    requests_per_minute: attempts are spread so that no more are begun; 0 for no such limit.

    Pauses double from `backoff_s` up to `max_backoff_s`, with jitter drawn from `seed` and the request, so that the
    same requests pause alike whatever the order of the threads. A server's Retry-After is obeyed.
    Raises ConfigError for a URL that cannot be used.
    """

    def __init__(
        self,
        base_url: str,
        model: str,
        api_key_env: str = "OPENAI_API_KEY",
        timeout_s: float = 60.0,
        retries: int = 4,
        *,
        deadline_s: float = 300.0,
        backoff_s: float = 0.5,
        max_backoff_s: float = 30.0,
        concurrency: int = 8,
        requests_per_minute: float = 0.0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        address = urlsplit(base_url)
        if address.scheme not in ("http", "https") or not address.hostname:
            raise ConfigError(f"chat endpoint {base_url!r} is not a URL: write it as http://HOST:PORT/v1")
        if "@" in address.netloc:
            raise ConfigError(
                f"chat endpoint at {address.hostname} has credentials in its URL: put the key into the environment"
                f" variable {api_key_env} instead"
            )
        if retries < 0 or concurrency < 1 or timeout_s <= 0 or deadline_s <= 0 or requests_per_minute < 0:
            raise ConfigError(
                "a chat endpoint needs retries >= 0, concurrency >= 1, timeout_s > 0, deadline_s > 0 and"
                " requests_per_minute >= 0"
            )
        self.url = base_url.rstrip("/") + "/chat/completions"
        self.model = model
        self.concurrency = concurrency
        self._api_key_env = api_key_env
        self._timeout_s = timeout_s
        self._deadline_s = deadline_s
        self._retries = retries
        self._backoff_s = backoff_s
        self._max_backoff_s = max_backoff_s
        self._seed = seed
        self._clock = clock
        self._sleep = sleep
        self._slots = threading.BoundedSemaphore(concurrency)
        self._spacing_s = 60.0 / requests_per_minute if requests_per_minute else 0.0
        self._guard = threading.Lock()
        self._next_start = 0.0
        # A proxy from the environment cannot reach this machine's own loopback address.
        self._http = httpx.Client(trust_env=address.hostname not in LOOPBACK)

    def complete(
        self, messages: Sequence[Message], *, temperature: float = 0.0, max_tokens: int = 512, seed: int | None = None
    ) -> Completion:
        """Ask once and return the reply; raises ChatError when no attempt got one."""
        body: dict[str, Any] = {
            "model": self.model,
            "messages": list(messages),
            "temperature": temperature,
            "max_tokens": max_tokens,
        }
        if seed is not None:
            body["seed"] = seed
        content = json.dumps(body).encode()
        started = self._clock()
        return self._retry(content, started, started + self._deadline_s)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _retry(self, content: bytes, started: float, deadline: float) -> Completion:
        for attempt in range(self._retries + 1):
            try:
                with self._slots:
                    self._wait_for_turn()
                    reply = self._attempt(content, deadline)
            except _AttemptError as failure:
                if failure.permanent:
                    raise ChatError(f"{self.url}: {failure}", permanent=True) from None
                pause = self._pause(content, attempt, failure.wait_s)
                if attempt == self._retries or self._clock() + pause >= deadline:
                    raise ChatError(
                        f"{self.url} gave no usable answer in {attempt + 1} attempts; the last: {failure};"
                        " check that the server runs and answers at this URL",
                        permanent=False,
                    ) from None
                self._sleep(pause)
            else:
                return _read_completion(reply, self._clock() - started)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def _wait_for_turn(self) -> None:
        """Keep to the number of requests a minute."""
        if not self._spacing_s:
            return
        with self._guard:
            start = max(self._next_start, self._clock())
            self._next_start = start + self._spacing_s
        self._sleep(max(0.0, start - self._clock()))

    def _attempt(self, content: bytes, deadline: float) -> dict[str, Any]:
        limit = min(deadline, self._clock() + self._timeout_s)
        remaining = limit - self._clock()
        if remaining <= 0:
            raise _AttemptError("no time was left to ask")
        headers = {"content-type": "application/json"}
        key = os.environ.get(self._api_key_env, "").strip()
        if key:
            headers["authorization"] = f"Bearer {key}"
        received = bytearray()
        try:
            with self._http.stream("POST", self.url, content=content, headers=headers, timeout=remaining) as response:
                for chunk in response.iter_bytes():
                    received += chunk
                    if self._clock() > limit:  # httpx limits the gap between bytes, not their sum
                        raise _AttemptError(f"the reply took longer than {self._timeout_s:g} s")
                    if len(received) > MAX_REPLY_BYTES:
                        raise _AttemptError(f"the reply is longer than {MAX_REPLY_BYTES} bytes", permanent=True)
        except httpx.TimeoutException:
            raise _AttemptError(f"no answer within {remaining:.3g} s") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _AttemptError(f"connection failed ({type(error).__name__}: {error})") from None
        except (UnicodeEncodeError, httpx.InvalidURL) as error:
            # The error's text would show the header, hence only its type.
            raise _AttemptError(
                f"{self._api_key_env} or the URL cannot be sent ({type(error).__name__})", permanent=True
            ) from None
        text = received.decode("utf-8", "replace")
        if key:
            text = text.replace(key, "[key]")
        self._check_status(response, text)
        return _check_reply(text)

    def _check_status(self, response: httpx.Response, text: str) -> None:
        status = response.status_code
        if status == 200:
            return
        excerpt = " ".join(text.split())[:200]
        if status in RETRIED_STATUS or status >= 500:
            raise _AttemptError(f"status {status}: {excerpt}", wait_s=_retry_after(response.headers.get("retry-after")))
        fix = {
            401: f"set a valid key in the environment variable {self._api_key_env}",
            403: f"the key in {self._api_key_env} may not use this model",
            404: f"check the URL (it should end in /v1) and that it serves the model {self.model!r}",
        }.get(status, "the server refuses this request; check the model's name and that it accepts images")
        raise _AttemptError(f"status {status}: {excerpt}; {fix}", permanent=True)

    def _pause(self, content: bytes, attempt: int, asked_s: float | None) -> float:
        if asked_s is not None:
            return asked_s
        jitter = random.Random(b"%d:%d:" % (self._seed, attempt) + content).uniform(0.5, 1.0)
        return float(min(self._backoff_s * 2.0**attempt, self._max_backoff_s) * jitter)


def image_part(screenshot: Screenshot) -> dict[str, object]:
    """A screenshot as the content part of a chat message (a data URL)."""
    data = base64.b64encode(screenshot.data).decode("ascii")
    return {"type": "image_url", "image_url": {"url": f"data:image/{screenshot.format};base64,{data}"}}


def text_part(text: str) -> dict[str, object]:
    """Text as the content part of a chat message."""
    return {"type": "text", "text": text}


def json_objects(text: str) -> Iterator[dict[str, Any]]:
    """The JSON objects in a model's reply, outermost ones only, in order; prose and code fences are passed over."""
    decoder = json.JSONDecoder()
    position = text.find("{")
    while position >= 0:
        try:
            value, end = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):  # ValueError also for numbers of thousands of digits
            end = position + 1
        else:
            yield value
        position = text.find("{", end)


def _check_reply(text: str) -> dict[str, Any]:
    try:
        reply = json.loads(text)
    except (ValueError, RecursionError):
        raise _AttemptError(f"the reply is not JSON: {text[:120]!r}") from None
    try:
        content = reply["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError):
        raise _AttemptError(f"the reply has no choices[0].message.content: {text[:120]!r}") from None
    if not isinstance(content, str):
        raise _AttemptError(f"choices[0].message.content is {type(content).__name__}, not text")
    return {"text": content, "usage": reply.get("usage")}


def _read_completion(reply: Mapping[str, Any], latency_s: float) -> Completion:
    usage = reply["usage"] if isinstance(reply["usage"], dict) else {}

    def count(name: str) -> int:
        value = usage.get(name)
        return value if isinstance(value, int) and value >= 0 else 0

    return Completion(reply["text"], count("prompt_tokens"), count("completion_tokens"), latency_s)


def _retry_after(value: str | None) -> float | None:
    """Seconds asked for by a Retry-After header, given as a number or as a date; None when there is none."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(value).timestamp() - time.time()
        except (TypeError, ValueError):
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None
