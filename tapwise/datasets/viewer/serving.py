"""A small web server on loopback for pages about a store."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tapwise.errors import StoreError

Reply = tuple[str, bytes]
"""Media type and bytes"""
Routes = Mapping[str, Callable[[dict[str, Any]], Reply]]
"""What answers at a path, given the values of the address, or the JSON object that was sent"""

HTML = "text/html; charset=utf-8"
MOST_SENT = 1 << 16
"""bytes of a JSON object that is taken"""
_OWN_NAMES = frozenset({"127.0.0.1", "localhost"})


class LoopbackServer(ThreadingHTTPServer):
    """Answers this machine's browsers until it is closed.

    got: answers to reading; posted: answers to JSON objects that are sent, which other sites' pages cannot send.
    KeyError, ValueError, IndexError and StoreError of an answer are a 404. Raises OSError when the port cannot be had.
    """

    daemon_threads = True

    def __init__(self, port: int, got: Routes, posted: Routes | None = None) -> None:
        super().__init__(("127.0.0.1", port), _handler(got, posted or {}))

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}/"


def json_reply(value: object) -> Reply:
    """A value as JSON."""
    return "application/json", json.dumps(value).encode()


def _handler(got: Routes, posted: Routes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self._from_here():
                return
            url = urlsplit(self.path)
            self._answer(got, url.path, {name: values[0] for name, values in parse_qs(url.query).items()})

        def do_POST(self) -> None:
            if not self._from_here():
                return
            # Another site's page can send this type only after asking whether it may, and nobody says so.
            length = self.headers.get("Content-Length", "")
            if self.headers.get_content_type() != "application/json" or not length.isdecimal():
                self.send_error(415)
                return
            if int(length) > MOST_SENT:
                self.send_error(413)
                return
            try:
                sent = json.loads(self.rfile.read(int(length)))
            except (ValueError, RecursionError):
                sent = None
            if not isinstance(sent, dict):
                self.send_error(400)
                return
            self._answer(posted, urlsplit(self.path).path, sent)

        def _from_here(self) -> bool:
            """Refuse another site's name that leads here: it must not read the screens."""
            own = urlsplit(f"//{self.headers.get('Host', '')}").hostname in _OWN_NAMES
            if not own:
                self.send_error(403)
            return own

        def _answer(self, routes: Routes, path: str, values: dict[str, Any]) -> None:
            try:
                kind, body = routes[path](values)
            except (KeyError, ValueError, IndexError, StoreError):
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    return Handler
