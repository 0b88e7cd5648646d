"""A server on loopback on which people say of episodes whether they succeeded, without seeing what others say."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

from tapwise.datasets.labels import LabelFile
from tapwise.datasets.store import ParquetTrajectoryStore
from tapwise.datasets.viewer.episodes import detailed, pictures
from tapwise.datasets.viewer.serving import HTML, LoopbackServer, Reply, json_reply
from tapwise.errors import ConfigError, StoreError
from tapwise.records import Trajectory

_SHOWN = ("instruction", "end", "limit")
_SHOWN_OF_FRAMES = ("height", "marks", "caption", "detail")


def blind(trajectory: Trajectory) -> dict[str, Any]:
    """What a labeller sees of an episode: its goal, screens and actions. Left out is all that tells what the phone, a
    judge or the maker of the episode thinks of it: outcome, verdicts, rewards, values, changes, policy, and its id."""
    whole = detailed(trajectory)
    frames = [{key: frame[key] for key in _SHOWN_OF_FRAMES} for frame in whole["frames"]]
    return {key: whole[key] for key in _SHOWN} | {"frames": frames}


def order_of(names: Sequence[str]) -> list[str]:
    """The episodes as they are asked about: the same every time, and in no order that tells of their kinds."""
    return sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())


class LabelServer(LoopbackServer):
    """Asks about one store's episodes until it is closed; each label is in the file before it is answered for."""

    def __init__(self, folder: Path, labels: LabelFile, port: int, limit: int | None = None) -> None:
        store = self._store = ParquetTrajectoryStore(folder, mode="read", on_corrupt="skip")
        self._labels = labels
        self._reading = threading.Lock()
        page = files("tapwise.datasets.viewer").joinpath("label.html").read_bytes()
        try:
            self.names = order_of([summary.id for summary in store.scan(lambda one: one.trainable)])[:limit]
            if not self.names:
                raise StoreError(f"{folder} holds no episode that can be labelled")
            super().__init__(
                port,
                {
                    "/": lambda _: (HTML, page),
                    "/labels": lambda _: json_reply(self.said()),
                    "/episode": lambda asked: json_reply(blind(self._get(asked["number"]))),
                    "/picture": lambda asked: self._picture(asked["number"], int(asked["frame"])),
                },
                {"/label": self._label},
            )
        except BaseException:
            store.close()
            raise

    def server_close(self) -> None:
        """Close the socket and the store."""
        super().server_close()
        self._store.close()

    def said(self) -> list[str]:
        """Of each episode, in the order in which they are asked about: success, failure, unknown, or nothing yet."""
        words = {True: "success", False: "failure", None: "unknown"}
        return [words[self._labels.said(name)] if name in self._labels else "" for name in self.names]

    def _label(self, sent: dict[str, Any]) -> Reply:
        success = {"success": True, "failure": False, "unknown": None}[sent["label"]]
        self._labels.keep(self._name(sent["number"]), success)
        return json_reply(self.said())

    def _name(self, number: Any) -> str:
        index = int(number)
        if index < 0:
            raise IndexError(index)
        return self.names[index]

    def _get(self, number: Any) -> Trajectory:
        with self._reading:
            return self._store.get(self._name(number))

    def _picture(self, number: Any, frame: int) -> Reply:
        screenshot = pictures(self._get(number))[frame].screenshot
        return f"image/{screenshot.format}", screenshot.data


def make_label_server(folder: Path, labels: LabelFile, port: int, limit: int | None = None) -> LabelServer:
    """A server for a store's folder. Raises StoreError when there is nothing to label, ConfigError when the port cannot
    be had."""
    try:
        return LabelServer(folder, labels, port, limit)
    except (OSError, OverflowError) as error:
        raise ConfigError(f"port {port} cannot be had ({error}): choose another one, or --port 0") from None
