"""HTTP in pieces."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.virtual.automation.http import HttpConnection, Reply, Request


def echo(request: Request) -> Reply:
    if request.path == "/break":
        raise ValueError("broken")
    return Reply({"method": request.method, "path": request.path, "body": request.body})


def post(path: str, body: bytes, extra: str = "") -> bytes:
    return f"POST {path} HTTP/1.1\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


@given(st.lists(st.integers(1, 40), max_size=20))
def test_requests_in_any_pieces_are_answered_in_order(cuts: list[int]) -> None:
    data = post("/one", b'{"a": 1}') + b"GET /two HTTP/1.1\r\n\r\n" + post("/three", b"[2]", "Connection: close\r\n")
    connection = HttpConnection(echo)
    answer, at = b"", 0
    for cut in [*cuts, len(data)]:
        answer += connection.received(data[at : at + cut])
        at += cut
    bodies = [json.loads(part.split(b"\r\n\r\n", 1)[1]) for part in answer.split(b"HTTP/1.1 200 OK\r\n")[1:]]
    assert bodies == [
        {"method": "POST", "path": "/one", "body": {"a": 1}},
        {"method": "GET", "path": "/two", "body": None},
        {"method": "POST", "path": "/three", "body": [2]},
    ]
    assert connection.ended


def test_nonsense_is_refused_and_ends_the_connection() -> None:
    for data in (b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"x" * (40 << 20)):
        connection = HttpConnection(echo)
        assert connection.received(data).startswith(b"HTTP/1.1 4")
        assert connection.ended


def test_a_fault_inside_is_an_answer_too() -> None:
    connection = HttpConnection(echo)
    assert connection.received(b"GET /break HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 500")
    assert not connection.ended


@given(st.binary(max_size=200))
def test_any_bytes_are_taken(data: bytes) -> None:
    HttpConnection(echo).received(data)
