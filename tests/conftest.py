"""What all tests share: how Hypothesis behaves, and a stand-in for an OpenAI-compatible endpoint."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import settings

# A busy machine is no failure of the code, and the same commit must give the same result.
settings.register_profile("tapwise", deadline=None, derandomize=True)
settings.load_profile("tapwise")


class ChatServer:
    """Serves scripted behaviours in turn, the last one for ever: reply text, or a dict with any of

    status, headers, body (raw text), reset (cut the connection), stall (hold the reply until the server closes),
    drip (send the head, then one byte at a time until the client leaves). `requests` keeps what was asked.
    """

    def __init__(self) -> None:
        self.script: list[str | dict[str, Any]] = ["{}"]
        self.reply_to: Callable[[dict[str, Any]], str] | None = None
        """Makes the reply from the request, in the place of the script."""
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self.guard = threading.Lock()
        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = False
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def take(self, body: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
        with self.guard:
            self.requests.append(body)
            self.headers.append(headers)
            if self.reply_to is not None:
                now: str | dict[str, Any] = self.reply_to(body)
            else:
                now = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(now, dict):
            return now
        usage = {"prompt_tokens": 1000, "completion_tokens": 10}
        return {"body": json.dumps({"choices": [{"message": {"content": now}}], "usage": usage})}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_POST(self) -> None:
                with stand_in.guard:
                    stand_in.in_flight += 1
                    stand_in.most_in_flight = max(stand_in.most_in_flight, stand_in.in_flight)
                try:
                    self.answer()
                except (BrokenPipeError, ConnectionResetError):
                    pass  # the client gave up, as some tests want it to
                finally:
                    with stand_in.guard:
                        stand_in.in_flight -= 1

            def answer(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                now = stand_in.take(json.loads(raw), {key.lower(): value for key, value in self.headers.items()})
                if now.get("reset"):
                    self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    self.connection.close()
                    return
                if now.get("stall"):
                    stand_in.closing.wait(30)
                    return
                body = now.get("body", "").encode()
                self.send_response(now.get("status", 200))
                for name, value in now.get("headers", {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(10_000 if now.get("drip") else len(body)))
                self.end_headers()
                while now.get("drip") and not stand_in.closing.wait(0.02):
                    self.wfile.write(b" ")
                self.wfile.write(body)

        return Handler


@pytest.fixture
def chat_server() -> Iterator[ChatServer]:
    """A running stand-in on the loopback address; set its `script`."""
    server = ChatServer()
    yield server
    server.close()
