"""The viewer: what it shows of any trajectory, to whom, and the page that stands alone."""

from __future__ import annotations

import dataclasses
import json
import re
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwise.datasets import ParquetTrajectoryStore
from tapwise.datasets.schema import Summary
from tapwise.datasets.viewer import make_server, words, write_page
from tapwise.datasets.viewer.episodes import detailed, listed, pictures
from tapwise.datasets.viewer.server import ViewServer
from tapwise.errors import ConfigError, StoreError
from tapwise.records import (
    Action,
    Finish,
    Key,
    LongPress,
    Observation,
    OpenApp,
    Point,
    Press,
    Size,
    Swipe,
    Tap,
    Trajectory,
    TypeText,
    UiNode,
    Verdict,
    Wait,
)

CORNER, MIDDLE = Point(0.0, 0.0), Point(0.5, 0.5)


@pytest.mark.parametrize(
    ("action", "said"),
    [
        (Tap(MIDDLE, "Save"), ("Tap", "Save")),
        (LongPress(MIDDLE), ("Hold", "")),
        (Swipe(MIDDLE, CORNER), ("Swipe up", "")),
        (Swipe(MIDDLE, MIDDLE), ("Swipe nowhere", "")),
        (TypeText("milk"), ("Type", "“milk”")),
        (Press(Key.BACK), ("Press back", "")),
        (OpenApp("Clock"), ("Open", "Clock")),
        (Wait(), ("Wait", "")),
        (Finish("success", "42"), ("Done", "42")),
        (Finish("impossible"), ("Impossible", "")),
    ],
)
def test_actions_in_words(action: Action, said: tuple[str, str]) -> None:
    assert words(action) == said


def on_screens_that_exist(trajectory: Trajectory) -> Trajectory:
    """The same on screens of a possible size, and without trees, whose boxes may lie anywhere."""

    def mend(seen: Observation) -> Observation:
        return dataclasses.replace(seen, screenshot=dataclasses.replace(seen.screenshot, size=Size(600, 270)), ui=None)

    steps = tuple(dataclasses.replace(step, observation=mend(step.observation)) for step in trajectory.steps)
    return dataclasses.replace(trajectory, steps=steps, final=trajectory.final and mend(trajectory.final))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_trajectory_can_be_shown(trajectories: Any, data: Any) -> None:
    trajectory = on_screens_that_exist(data.draw(trajectories))
    shown = json.loads(json.dumps(detailed(trajectory), allow_nan=False))
    assert len(shown["frames"]) == len(pictures(trajectory)) >= len(trajectory.steps)
    for frame in shown["frames"]:
        assert not re.search(r"[^<>/a-zA-Z0-9 =\".-]", frame["marks"])  # nothing of what was typed or shown


def test_a_tree_is_shown_as_boxes_of_what_has_a_name_or_can_be_touched(make: Any) -> None:
    leaf = UiNode(text="Buy", class_name="android.widget.Button", bounds=(1, 0, 2, 1), clickable=True)
    tree = UiNode(bounds=(0, 0, 2, 2), children=(leaf, UiNode(bounds=(0, 1, 2, 2))))
    (step, *_) = make("t").steps
    trajectory = make("t", steps=0, final=dataclasses.replace(step.observation, ui=tree))
    (frame,) = detailed(trajectory)["frames"]
    assert frame["boxes"] == [{"at": [90.0, 0.0, 90.0, 90.0], "label": "Buy", "kind": "Button", "touch": True}]


def test_judges_who_differ_from_the_truth_or_each_other_are_found(make: Any) -> None:
    def summary(outcome: bool | None, *said: bool | None) -> Summary:
        one = make("t")
        verdicts = tuple(Verdict(success, "judge") for success in said)
        return Summary("t", one.task, one.end, one.provenance, 1, 0.0, None, outcome, verdicts)

    assert [listed(summary(True, said))["disputed"] for said in (True, False, None)] == [False, True, False]
    assert listed(summary(None, True, False))["disputed"]


@pytest.fixture
def server(tmp_path: Path, make: Any) -> Iterator[ViewServer]:
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(make("first", picture=b"shown"))
    with make_server(tmp_path / "store", 0) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join(10)


def fetch(server: ViewServer, path: str, host: str | None = None) -> Any:
    request = urllib.request.Request(server.address + path, headers={} if host is None else {"Host": host})
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10)


def test_a_browser_gets_page_list_episode_and_pictures(server: ViewServer) -> None:
    assert b"<!doctype html>" in fetch(server, "").read()
    assert [one["id"] for one in json.load(fetch(server, "list"))] == ["first"]
    assert json.load(fetch(server, "episode?id=first"))["frames"][0]["height"] > 0
    picture = fetch(server, "picture?id=first&frame=0")
    assert picture.headers["Content-Type"] == "image/png"
    assert picture.read() == b"shown0"


def test_the_list_has_what_a_run_has_added_since(server: ViewServer, tmp_path: Path, make: Any) -> None:
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(make("second"))
    assert [one["id"] for one in json.load(fetch(server, "list"))] == ["first", "second"]


@pytest.mark.parametrize("path", ["nowhere", "episode?id=x", "episode", "picture?id=first&frame=9", "picture?id=first"])
def test_what_is_not_there(server: ViewServer, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(server, path)


def test_another_sites_name_for_this_machine_reads_nothing(server: ViewServer) -> None:
    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(server, "list", host="elsewhere.example")


def test_a_port_in_use_is_said(server: ViewServer, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--port 0"):
        make_server(tmp_path / "store", server.server_address[1])


def test_a_page_that_stands_alone_holds_its_episodes_and_no_way_out_of_its_script(tmp_path: Path, make: Any) -> None:
    one = make("first", picture=b"shown")
    task = dataclasses.replace(one.task, instruction="</script><script>alert(1)</script>")
    with ParquetTrajectoryStore(tmp_path / "store") as store:
        store.append(dataclasses.replace(one, task=task))
        write_page(store, ["first"], tmp_path / "page.html")
        with pytest.raises(StoreError, match="no trajectory"):
            write_page(store, ["other"], tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("</script>") == 1
    held = json.loads(re.search(r"^const HELD = (.*);$", page, re.MULTILINE)[1])  # type: ignore[index]
    assert held["list"][0]["instruction"] == task.instruction
    assert held["episodes"]["first"]["frames"][0]["picture"] == "data:image/png;base64,c2hvd24w"
