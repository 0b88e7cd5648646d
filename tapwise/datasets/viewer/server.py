"""A server on loopback that shows a store's episodes to a browser."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.datasets.viewer.episodes import detailed, listed, pictures
from tapwise.datasets.viewer.page import page_source
from tapwise.errors import ConfigError, StoreError

_OWN_NAMES = frozenset({"127.0.0.1", "localhost"})


class _Shelf:
    """The store as it was when the list was last asked for, so that a run's new episodes show."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._store = self._open()

    def list(self) -> list[dict[str, Any]]:
        self._store, old = self._open(), self._store
        old.close()
        return [listed(summary) for summary in self._store.scan()]

    def episode(self, name: str) -> dict[str, Any]:
        return detailed(self._store.get(name))

    def picture(self, name: str, index: int) -> tuple[str, bytes]:
        """Media type and bytes of a frame's picture. Raises IndexError when there is no such frame."""
        screenshot = pictures(self._store.get(name))[index].screenshot
        return f"image/{screenshot.format}", screenshot.data

    def close(self) -> None:
        self._store.close()

    def _open(self) -> ParquetTrajectoryStore:
        return ParquetTrajectoryStore(self._folder, mode="read", on_corrupt="skip")


class ViewServer(ThreadingHTTPServer):
    """Serves one store until it is closed."""

    daemon_threads = True

    def __init__(self, folder: Path, port: int) -> None:
        self._shelf = _Shelf(folder)
        try:
            super().__init__(("127.0.0.1", port), _handler(self._shelf))
        except BaseException:
            self._shelf.close()
            raise

    @property
    def address(self) -> str:
        """Where a browser finds it."""
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def server_close(self) -> None:
        """Close the socket and the store."""
        super().server_close()
        self._shelf.close()


def make_server(folder: Path, port: int) -> ViewServer:
    """A server for a store's folder. Raises StoreError when it is none, ConfigError when the port cannot be had."""
    try:
        return ViewServer(folder, port)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port} cannot be had ({error}): choose another one, or --port 0") from None


def _handler(shelf: _Shelf) -> type[BaseHTTPRequestHandler]:
    page = page_source().encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if urlsplit(f"//{self.headers.get('Host', '')}").hostname not in _OWN_NAMES:
                self.send_error(403)  # another site's name that leads here must not read the screens
                return
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            routes: dict[str, Callable[[], tuple[str, bytes]]] = {
                "/": lambda: ("text/html; charset=utf-8", page),
                "/list": lambda: _json(shelf.list()),
                "/episode": lambda: _json(shelf.episode(asked["id"])),
                "/picture": lambda: shelf.picture(asked["id"], int(asked["frame"])),
            }
            try:
                kind, body = routes[url.path]()
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


def _json(value: object) -> tuple[str, bytes]:
    return "application/json", json.dumps(value).encode()
