"""Recorded conversations with an endpoint: what was asked before is answered from the file, for tests and re-runs."""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tapwise.chat import ChatClient, ChatError, Completion, Message
from tapwise.errors import StoreError


class CassetteClient(ChatClient):
    """A client that answers from a file what it was asked before with the same words, pictures, model and settings.

    path: a JSON line for each reply, under a hash of the question; no key and no picture is in it. A torn last line,
        which a killed writer leaves, is passed over.
    replay_only: ask nobody: what is not in the file is a ChatError.

    The other arguments are those of `ChatClient`. Raises StoreError when the file cannot be read.
    """

    def __init__(self, path: Path, *arguments: Any, replay_only: bool = False, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self._path, self._replay_only = path, replay_only
        self._replies = _read(path)
        self._writing = threading.Lock()
        self.replayed = 0
        """questions that were answered from the file"""

    def complete(
        self, messages: Sequence[Message], *, temperature: float = 0.0, max_tokens: int = 512, seed: int | None = None
    ) -> Completion:
        """As `ChatClient.complete`; from the file where that has the answer."""
        asked = [self.model, list(messages), temperature, max_tokens, seed]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        known = self._replies.get(key)
        if known is not None:
            self.replayed += 1
            return known
        if self._replay_only:
            raise ChatError(f"{self._path} has no answer to this question: record it with an endpoint", permanent=False)
        reply = super().complete(messages, temperature=temperature, max_tokens=max_tokens, seed=seed)
        self._keep(key, reply)
        return reply

    def _keep(self, key: str, reply: Completion) -> None:
        line = {
            "key": key,
            "text": reply.text,
            "prompt_tokens": reply.prompt_tokens,
            "completion_tokens": reply.completion_tokens,
            "latency_s": reply.latency_s,
        }
        with self._writing:
            self._replies[key] = reply
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
                file.flush()
                os.fsync(file.fileno())


def _read(path: Path) -> dict[str, Completion]:
    try:
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
    except OSError as error:
        raise StoreError(f"the recorded replies in {path} cannot be read: {error}") from None
    found: dict[str, Completion] = {}
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
            found[entry["key"]] = Completion(
                str(entry["text"]),
                int(entry["prompt_tokens"]),
                int(entry["completion_tokens"]),
                float(entry["latency_s"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            if number == len(lines) and not line.endswith(b"\n"):
                break
            raise StoreError(f"line {number} of {path} is no recorded reply ({error}): remove it") from None
    return found
