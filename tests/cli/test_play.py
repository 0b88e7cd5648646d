"""A person's game, in the terminal and over HTTP."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest

from tapwise.cli.play import make_server, play_in_terminal
from tapwise.cli.play_session import PlaySession
from tapwise.cli.task_names import find_task
from tapwise.emulators.virtual.noise import Noise


def new_session(name: str = "notes.new/plans/0") -> PlaySession:
    suite, _ = find_task("notes.new")
    task = next(task for task in suite.tasks() if task.id.startswith("notes.new/groceries"))
    return PlaySession(suite, task, 1, Noise())


def play(commands: list[str]) -> tuple[int, list[str]]:
    left, said = iter(commands), []
    status = play_in_terminal(new_session(), lambda: next(left, ""), said.append)
    return status, said


def test_a_task_is_solved_in_the_terminal() -> None:
    status, said = play(["tap Notes", "tap Add", "tap Title", "type groceries", "tap Save", "done"])
    assert status == 0
    assert said[-2:] == ["solved", "progress 100%"]


def test_what_was_missed_and_what_was_done_beside_is_told() -> None:
    status, said = play(["nonsense", "tap Nowhere", "tap Settings", "tap Network", "tap Wifi", "done"])
    assert status == 1
    assert said[-4:-2] == ["not solved", "progress 0%"]
    assert said[-2].startswith("missing: Notes notes: added 'Groceries'")
    assert said[-1] == "beside the goal: global settings: changed wifi_on (from '1' to '0')"


def test_it_can_be_begun_again_and_left() -> None:
    assert play(["tap Settings", "again", "quit"])[0] == 1


@pytest.fixture
def server() -> Iterator[ThreadingHTTPServer]:
    with make_server(new_session(), 0) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


def ask(server: ThreadingHTTPServer, body: Any, header: str = "play") -> tuple[int, Any]:
    url = f"http://127.0.0.1:{server.server_address[1]}/act"
    request = urllib.request.Request(url, json.dumps(body).encode(), headers={"X-Tapwise": header}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def test_the_page_plays_over_http(server: ThreadingHTTPServer) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_address[1]}/", timeout=10) as page:
        assert b"Your task" in page.read()
    status, state = ask(server, {"kind": "look"})
    assert (status, state["steps"], state["verdict"]) == (200, 0, None)
    assert ask(server, {"kind": "swipe", "from": [0.5, 0.7], "to": [0.5, 0.3]})[1]["steps"] == 1
    assert ask(server, {"kind": "key", "key": "home"})[1]["screen"] == state["screen"]
    told = ask(server, {"kind": "done", "answer": ""})[1]
    assert (told["success"], told["verdict"][0]) == (False, "not solved")
    assert ask(server, {"kind": "again"})[1]["verdict"] is None


def test_nonsense_and_other_sites_are_refused(server: ThreadingHTTPServer) -> None:
    for body in ({"kind": "dance"}, {"kind": "tap"}, {"kind": "tap", "at": [1]}, {"kind": "key", "key": "x"}, [1], "x"):
        assert ask(server, body)[0] == 400
    assert ask(server, {"kind": "look"}, header="")[0] == 404
