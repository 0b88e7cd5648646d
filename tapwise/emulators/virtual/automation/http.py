"""The least of HTTP/1.1 that clients of a phone's servers need: requests with a length, replies with one."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

_LIMIT: Final = 32 << 20
_REASONS: Final = {200: "OK", 400: "Bad Request", 404: "Not Found", 413: "Content Too Large", 500: "Internal Error"}

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """A request; `body` is the decoded JSON, or None when there is none or it is not JSON."""

    method: str
    path: str
    body: Any


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply: a status, and text or a value that becomes JSON."""

    value: Any
    status: int = 200

    def encoded(self) -> bytes:
        """The bytes on the wire."""
        text = self.value if isinstance(self.value, str) else None
        body = text.encode() if text is not None else json.dumps(self.value).encode()
        kind = "text/plain" if text is not None else "application/json"
        reason = _REASONS.get(self.status, "Status")
        head = (
            f"HTTP/1.1 {self.status} {reason}\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {len(body)}"
            "\r\n\r\n"
        )
        return head.encode() + body


Handler = Callable[[Request], Reply]


class HttpConnection:
    """One connection: bytes in, replies out. `ended` says that it is to be closed."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._pending = b""
        self.ended = False

    def received(self, data: bytes) -> bytes:
        """Answer every request that is complete."""
        self._pending += data
        replies = []
        while not self.ended and (end := self._pending.find(b"\r\n\r\n")) >= 0:
            head = self._pending[:end].decode("latin-1").split("\r\n")
            headers = {name.strip().lower(): value.strip() for name, _, value in (h.partition(":") for h in head[1:])}
            length = headers.get("content-length", "0")
            if not length.isdecimal() or int(length) > _LIMIT:
                replies.append(self._refuse(413))
                break
            if len(self._pending) < end + 4 + int(length):
                break
            body = self._pending[end + 4 : end + 4 + int(length)]
            self._pending = self._pending[end + 4 + int(length) :]
            self.ended = headers.get("connection", "").lower() == "close"
            replies.append(self._answer(head[0], body))
        if len(self._pending) > _LIMIT + 65536:
            replies.append(self._refuse(413))
        return b"".join(replies)

    def _answer(self, line: str, body: bytes) -> bytes:
        words = line.split(" ")
        if len(words) != 3:
            return self._refuse(400)
        try:
            value = json.loads(body) if body else None
        except ValueError:
            value = None
        try:
            return self._handler(Request(words[0], words[1], value)).encoded()
        except Exception as error:  # a fault in one of the phone's apps must not take the link down with it
            _log.exception("%s failed inside the phone", line)
            return Reply({"error": f"{type(error).__name__}: {error}"}, 500).encoded()

    def _refuse(self, status: int) -> bytes:
        self.ended, self._pending = True, b""
        return Reply({"error": _REASONS[status]}, status).encoded()
