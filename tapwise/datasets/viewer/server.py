"""A server on loopback that shows a store's episodes to a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.datasets.viewer.episodes import detailed, listed, pictures
from tapwise.datasets.viewer.page import page_source
from tapwise.datasets.viewer.serving import HTML, LoopbackServer, Reply, json_reply
from tapwise.errors import ConfigError


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

    def picture(self, name: str, index: int) -> Reply:
        """A frame's picture. Raises IndexError when there is no such frame."""
        screenshot = pictures(self._store.get(name))[index].screenshot
        return f"image/{screenshot.format}", screenshot.data

    def close(self) -> None:
        self._store.close()

    def _open(self) -> ParquetTrajectoryStore:
        return ParquetTrajectoryStore(self._folder, mode="read", on_corrupt="skip")


class ViewServer(LoopbackServer):
    """Serves one store until it is closed."""

    def __init__(self, folder: Path, port: int) -> None:
        shelf = self._shelf = _Shelf(folder)
        page = page_source().encode()
        try:
            super().__init__(
                port,
                {
                    "/": lambda _: (HTML, page),
                    "/list": lambda _: json_reply(shelf.list()),
                    "/episode": lambda asked: json_reply(shelf.episode(asked["id"])),
                    "/picture": lambda asked: shelf.picture(asked["id"], int(asked["frame"])),
                },
            )
        except BaseException:
            shelf.close()
            raise

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
