"""The page on which people label episodes: what it shows, what it hides, and what it keeps."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.labels import LabelFile, read_labels
from tapwise.datasets.viewer import make_label_server
from tapwise.datasets.viewer.labelling import LabelServer, order_of
from tapwise.errors import StoreError
from tapwise.records import Verdict

NAMES = ["success-0000", "near-miss-0001", "failure-0002"]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    return tmp_path / "labels.csv"


@pytest.fixture
def server(tmp_path: Path, labels: Path, make: Any) -> Iterator[LabelServer]:
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        for name in NAMES:
            store.append(make(name, picture=name.encode(), verdicts=(Verdict(True, "the judge", reason="because"),)))
    with make_label_server(tmp_path / "store", LabelFile(labels), 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def ask(server: LabelServer, path: str, sent: Any = None, **headers: str) -> Any:
    data = None if sent is None else sent if isinstance(sent, bytes) else json.dumps(sent).encode()
    headers = {"Content-Type": "application/json", **{key.replace("_", "-"): value for key, value in headers.items()}}
    request = urllib.request.Request(server.address + path, data, headers)
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)


def test_labels_are_kept_as_they_come_and_may_be_changed(server: LabelServer, labels: Path) -> None:
    assert json.load(ask(server, "labels")) == ["", "", ""]
    assert json.load(ask(server, "label", {"number": 0, "label": "success"})) == ["success", "", ""]
    assert read_labels(labels) == {server.names[0]: True}
    ask(server, "label", {"number": 2, "label": "unknown"})
    assert json.load(ask(server, "label", {"number": 0, "label": "failure"})) == ["failure", "", "unknown"]
    assert read_labels(labels) == {server.names[0]: False, server.names[2]: None}


def test_it_goes_on_where_it_was_left(server: LabelServer, labels: Path, tmp_path: Path) -> None:
    ask(server, "label", {"number": 1, "label": "failure"})
    with make_label_server(tmp_path / "store", LabelFile(labels), 0) as again:
        assert again.said() == ["", "failure", ""]
    with make_label_server(tmp_path / "store", LabelFile(labels), 0, limit=2) as fewer:
        assert fewer.names == server.names[:2]


def test_a_labeller_sees_goal_actions_and_pictures(server: LabelServer) -> None:
    assert b"<!doctype html>" in ask(server, "").read()
    found = json.load(ask(server, "episode?number=0"))
    assert set(found) == {"instruction", "end", "limit", "frames"}
    assert set(found["frames"][0]) == {"height", "marks", "caption", "detail"}
    assert ask(server, "picture?number=1&frame=0").read().startswith(server.names[1].encode())


def test_nothing_tells_what_others_think(server: LabelServer) -> None:
    for path in ("labels", "episode?number=0", "episode?number=1", "episode?number=2"):
        told = ask(server, path).read().decode()
        for secret in (*NAMES, "judge", "because", "outcome", "verdict", "policy", "reward", "success"):
            assert secret not in told


def test_the_order_does_not_follow_the_names() -> None:
    names = [f"success-{number:03}" for number in range(50)] + [f"failure-{number:03}" for number in range(50)]
    found = order_of(names)
    assert found == order_of(list(reversed(names)))
    assert sorted(found) == sorted(names)
    assert 15 < sum(name.startswith("success") for name in found[:50]) < 35


@pytest.mark.parametrize(
    ("path", "sent", "status"),
    [
        ("label", {"number": 3, "label": "success"}, 404),
        ("label", {"number": -1, "label": "success"}, 404),
        ("label", {"number": "x", "label": "success"}, 404),
        ("label", {"number": 0, "label": "perhaps"}, 404),
        ("label", {"label": "success"}, 404),
        ("elsewhere", {}, 404),
        ("label", [], 400),
        ("label", b"{", 400),
        ("label", b" " * (1 << 17), 413),
        ("episode?number=9", None, 404),
        ("picture?number=0&frame=99", None, 404),
    ],
)
def test_what_cannot_be_answered_keeps_nothing(
    path: str, sent: Any, status: int, server: LabelServer, labels: Path
) -> None:
    with pytest.raises(urllib.error.HTTPError, match=str(status)):
        ask(server, path, sent)
    assert read_labels(labels) == {}


@pytest.mark.parametrize(
    ("headers", "status"), [({"Content_Type": "text/plain"}, 415), ({"Host": "tapwise.example.com"}, 403)]
)
def test_other_sites_cannot_label(headers: dict[str, str], status: int, server: LabelServer, labels: Path) -> None:
    with pytest.raises(urllib.error.HTTPError, match=str(status)):
        ask(server, "label", {"number": 0, "label": "success"}, **headers)
    assert read_labels(labels) == {}


def test_a_store_without_episodes(tmp_path: Path, labels: Path) -> None:
    with ParquetTrajectoryStore(tmp_path / "empty"):
        pass
    with pytest.raises(StoreError, match="no episode"):
        make_label_server(tmp_path / "empty", LabelFile(labels), 0)
