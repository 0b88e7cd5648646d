from __future__ import annotations

import struct
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwise.emulators.adb import protocol
from tapwise.emulators.adb.client import DirectAdb
from tapwise.emulators.adb.protocol import Command, Message, ShellId, encode, encode_shell
from tapwise.errors import DeviceError, DeviceLost, DeviceTimeout


@pytest.fixture
def client(responder: Any) -> Iterator[DirectAdb]:
    adb = DirectAdb("127.0.0.1", responder.port)
    yield adb
    adb.close()


def shell_answer(stdout: bytes = b"", stderr: bytes = b"", exit_code: int = 0) -> bytes:
    packets = (ShellId.STDOUT, stdout), (ShellId.STDERR, stderr), (ShellId.EXIT, bytes([exit_code]))
    return b"".join(encode_shell(kind, data) for kind, data in packets)


def test_shell_splits_the_streams_and_gives_the_status(client: DirectAdb, responder: Any) -> None:
    responder.answer = lambda service, _: [shell_answer(b"out", b"err", 7)]
    assert client.shell("ls") == (b"out", b"err", 7)
    assert responder.services == ["shell,v2,raw:ls"]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.lists(st.integers(1, 50), max_size=10))
def test_shell_packets_may_be_cut_anywhere(client: DirectAdb, responder: Any, output: bytes, cuts: list[int]) -> None:
    whole = shell_answer(output, output[::-1], 3)
    pieces, start = [], 0
    for cut in cuts:
        pieces.append(whole[start : start + cut])
        start += cut
    pieces.append(whole[start:])
    responder.answer = lambda service, _: [piece for piece in pieces if piece]
    assert client.shell("x") == (output, output[::-1], 3)


@pytest.mark.parametrize("hint", [0, 10, 5_000_000])
def test_exec_out_gives_long_output_whole(client: DirectAdb, responder: Any, hint: int) -> None:
    data = bytes(range(256)) * 10_000
    responder.answer = lambda service, _: [data[: 1 << 20], data[1 << 20 : 2 << 20], data[2 << 20 :]]
    assert client.exec_out("screencap", expected_size=hint) == data
    assert responder.services == ["exec:screencap"]
    assert responder.connections == 1


def test_one_connection_serves_many_commands(client: DirectAdb, responder: Any) -> None:
    for number in range(20):
        assert client.shell(f"echo {number}").stdout.endswith(f"echo {number}".encode())
    assert responder.connections == 1


def test_a_refused_service_is_an_error_and_leaves_the_link_in_order(client: DirectAdb, responder: Any) -> None:
    responder.answer = lambda service, _: None
    with pytest.raises(DeviceError, match="refused the service 'exec'") as caught:
        client.exec_out("nothing")
    assert type(caught.value) is DeviceError
    responder.answer = lambda service, _: [shell_answer(b"fine")]
    assert client.shell("ls").stdout == b"fine"
    assert responder.connections == 1


def test_a_hung_phone_is_a_timeout_and_needs_a_new_connection(client: DirectAdb, responder: Any) -> None:
    client.shell("ls")
    responder.hung = True
    started = time.monotonic()
    with pytest.raises(DeviceTimeout, match=f"127.0.0.1:{responder.port} did not answer within 0.1 s"):
        client.shell("ls", timeout_s=0.1)
    assert time.monotonic() - started < 2.0
    assert not client.is_alive()
    responder.hung = False
    with pytest.raises(DeviceLost, match=r"call connect\(\)"):
        client.shell("ls")
    client.connect()
    assert client.is_alive()
    assert client.shell("ls").exit_code == 0


def test_a_phone_that_accepts_and_never_greets_is_a_timeout(responder: Any) -> None:
    responder.greeting = b"\x00"
    adb = DirectAdb("127.0.0.1", responder.port)
    with pytest.raises(DeviceTimeout):
        adb.connect(timeout_s=0.1)
    adb.close()


def test_a_phone_that_is_not_there_is_lost(responder: Any) -> None:
    responder.close()
    with pytest.raises(DeviceLost, match=r"cannot be reached.*is it running"):
        DirectAdb("127.0.0.1", responder.port).shell("ls")


def test_authentication_is_named_with_its_fix(responder: Any) -> None:
    responder.greeting = encode(Message(Command.AUTH, protocol.AuthKind.TOKEN, 0, bytes(20)))
    adb = DirectAdb("127.0.0.1", responder.port)
    with pytest.raises(DeviceError, match=r"unauthorized: .*USB-debugging"):
        adb.shell("ls")


def test_something_else_on_the_port_is_named(responder: Any) -> None:
    responder.greeting = b"HTTP/1.1 400 Bad Request\r\n\r\n"
    with pytest.raises(DeviceError, match="something else on this port"):
        DirectAdb("127.0.0.1", responder.port).shell("ls")


def test_closing_frees_a_command_under_way(client: DirectAdb, responder: Any) -> None:
    client.shell("ls")
    responder.hung = True
    caught: list[BaseException] = []

    def wait_for_ever() -> None:
        try:
            client.shell("ls", timeout_s=30)
        except DeviceError as error:
            caught.append(error)

    thread = threading.Thread(target=wait_for_ever)
    thread.start()
    deadline = time.monotonic() + 5
    while not client._lock.locked() and time.monotonic() < deadline:
        time.sleep(0.001)
    client.close()
    thread.join(5)
    assert isinstance(caught[0], DeviceLost)


def test_a_busy_phone_is_a_timeout_for_the_second_thread(client: DirectAdb) -> None:
    with client._lock, pytest.raises(DeviceTimeout, match="busy with another command"):
        client.shell("ls", timeout_s=0.05)


def test_a_shell_without_exit_status_is_lost(client: DirectAdb, responder: Any) -> None:
    responder.answer = lambda service, _: [encode_shell(ShellId.STDOUT, b"half")]
    with pytest.raises(DeviceLost, match="without an exit status"):
        client.shell("ls")


def _unpack_push(received: bytes) -> tuple[bytes, bytes]:
    record, length = struct.unpack_from("<4sI", received)
    assert record == b"SEND"
    target, position, data = received[8 : 8 + length], 8 + length, b""
    while True:
        record, length = struct.unpack_from("<4sI", received, position)
        position += 8
        if record == b"DONE":
            return target, data
        assert record == b"DATA"
        assert length <= 65536
        data += received[position : position + length]
        position += length


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, 1_500_000])
def test_push_sends_the_file_in_records(client: DirectAdb, responder: Any, size: int) -> None:
    data = bytes(size)
    pushed = []
    responder.sync_done = lambda received: received[-8:-4] == b"DONE"

    def answer(_: str, received: bytes) -> list[bytes]:
        pushed.append(_unpack_push(received))
        return [protocol.encode_sync(b"OKAY")]

    responder.answer = answer
    client.push(data, "/sdcard/a b.bin")
    assert pushed == [(b"/sdcard/a b.bin,33188", data)]


def test_pull_joins_records_that_are_cut_anywhere(client: DirectAdb, responder: Any) -> None:
    data = bytes(range(256)) * 600
    records = protocol.encode_sync(b"DATA", data[:65536]) + protocol.encode_sync(b"DATA", data[65536:])
    stream = records + protocol.encode_sync(b"DONE")
    responder.sync_done = lambda received: received.endswith(b"/sdcard/f")
    responder.answer = lambda *_: [stream[:5], stream[5:9], stream[9:70_000], stream[70_000:]]
    assert client.pull("/sdcard/f") == data


def test_a_file_that_cannot_be_read_names_path_and_reason(client: DirectAdb, responder: Any) -> None:
    responder.sync_done = lambda received: len(received) > 8
    responder.answer = lambda *_: [protocol.encode_sync(b"FAIL", b"No such file or directory")]
    with pytest.raises(DeviceError, match=r"'/nothing' .*No such file"):
        client.pull("/nothing")
    responder.sync_done = lambda received: received[-8:-4] == b"DONE"
    with pytest.raises(DeviceError, match="No such file"):
        client.push(b"x", "/nothing/there")
