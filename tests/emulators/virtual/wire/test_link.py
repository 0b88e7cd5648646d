"""The wire without adb: frames in, frames out."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.adb.protocol import Command, Message
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.wire.device import WireDevice
from tapwise.emulators.virtual.wire.forward import Dialler
from tapwise.emulators.virtual.wire.link import Link


class Pipe:
    """Stands in for asyncio's transport: keeps what was written."""

    def __init__(self) -> None:
        self.decoder = adb.Decoder()
        self.messages: list[Message] = []
        self.closed = False

    def get_extra_info(self, name: str) -> Any:
        return self

    def setsockopt(self, *values: int) -> None:
        pass

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes | memoryview) -> None:
        self.messages += self.decoder.feed(data)

    def abort(self) -> None:
        self.closed = True

    close = abort

    def take(self) -> list[Message]:
        messages, self.messages = self.messages, []
        return messages


class Host:
    """A host that is connected to a fresh phone."""

    def __init__(self, version: int = adb.VERSION, max_payload: int = adb.MAX_PAYLOAD) -> None:
        self.device = WireDevice(VirtualPhone())
        self.pipe = Pipe()
        self.link = Link(self.device)
        self.link.connection_made(cast("asyncio.BaseTransport", self.pipe))
        self.greeting = self.send(Message(Command.CNXN, version, max_payload, b"host::features=shell_v2"))

    def send(self, message: Message) -> list[Message]:
        self.link.data_received(adb.encode(message))
        return self.pipe.take()

    def collect(self, service: str, host_id: int = 5) -> list[Message]:
        """Open a service and acknowledge until it closes."""
        messages = self.send(Message(Command.OPEN, host_id, 0, service.encode() + b"\0"))
        while messages[-1].command is Command.WRTE:
            messages += self.send(Message(Command.OKAY, host_id, messages[-1].arg0))
        return messages


def payload(messages: list[Message]) -> bytes:
    return b"".join(message.payload for message in messages if message.command is Command.WRTE)


def test_greeting_tells_features_and_model() -> None:
    (greeting,) = Host().greeting
    system, properties, features = adb.decode_banner(greeting.payload)
    assert (greeting.command, greeting.arg0, system) == (Command.CNXN, adb.VERSION, "device")
    assert properties["ro.product.model"] == "Tapwise Phone"
    assert "shell_v2" in features
    assert not any(name.startswith(("sendrecv", "delayed")) for name in features)


def test_nothing_is_answered_before_the_greeting() -> None:
    link, pipe = Link(WireDevice(VirtualPhone())), Pipe()
    link.connection_made(cast("asyncio.BaseTransport", pipe))
    link.data_received(adb.encode(Message(Command.OPEN, 1, 0, b"shell:echo\0")))
    assert pipe.take() == []


def test_one_write_then_close_after_its_acknowledgement() -> None:
    messages = Host().collect("exec:echo hi")
    assert [message.command for message in messages] == [Command.OKAY, Command.WRTE, Command.CLSE]
    assert payload(messages) == b"hi\n"
    assert all(message.arg1 == 5 for message in messages)


def test_refused_services_close_with_zero() -> None:
    for service in ("tcp:9", "jdwp:1", "nonsense", "reverse:what"):
        assert Host().send(Message(Command.OPEN, 3, 0, service.encode())) == [Message(Command.CLSE, 0, 3)]


def test_long_output_is_cut_to_the_hosts_payload() -> None:
    messages = Host(max_payload=4096).collect("exec:screencap")
    assert len(payload(messages)) == 16 + 540 * 1200 * 4
    assert max(len(message.payload) for message in messages) == 4096


def test_old_hosts_get_checksums() -> None:
    host = Host(version=adb.VERSION_WITH_CHECKSUM)
    assert host.greeting[0].arg0 == adb.VERSION_WITH_CHECKSUM
    written: list[bytes] = []
    host.pipe.write = lambda data: written.append(bytes(data))  # type: ignore[method-assign]
    host.send(Message(Command.OPEN, 1, 0, b"exec:echo hi\0"))
    assert int.from_bytes(written[-1][16:20], "little") == sum(b"hi\n")


def test_foreign_bytes_end_the_link() -> None:
    host = Host()
    host.link.data_received(b"GET / HTTP/1.1\r\nHost: phone\r\n\r\n")
    assert host.pipe.closed


def test_streams_do_not_wait_for_each_other() -> None:
    host = Host()
    host.send(Message(Command.OPEN, 1, 0, b"exec:screencap\0"))
    assert payload(host.collect("exec:echo other", host_id=2)) == b"other\n"


def test_a_lost_link_ends_its_streams_and_reverses() -> None:
    host = Host()
    host.send(Message(Command.OPEN, 1, 0, b"shell:\0"))
    assert payload(host.collect("reverse:forward:tcp:6100;tcp:7100", host_id=2)) == b"OKAY"
    host.link.connection_lost(None)
    assert host.device.links == set()
    with pytest.raises(ConnectionRefusedError):
        host.device.ports.dial(6100, Dialler(b"", lambda data: None, lambda: None))


def test_reverse_opens_a_stream_to_the_host() -> None:
    host = Host()
    answers: list[bytes] = []
    host.collect("reverse:forward:tcp:6100;tcp:7100")
    host.device.ports.dial(6100, Dialler(b"ping", answers.append, lambda: answers.append(b"closed")))
    (opening,) = host.pipe.take()
    assert (opening.command, opening.payload) == (Command.OPEN, b"tcp:7100\0")
    (written,) = host.send(Message(Command.OKAY, 77, opening.arg0))
    assert (written.command, written.arg1, written.payload) == (Command.WRTE, 77, b"ping")
    host.send(Message(Command.OKAY, 77, opening.arg0))
    host.send(Message(Command.WRTE, 77, opening.arg0, b"pong"))
    host.send(Message(Command.CLSE, 77, opening.arg0))
    assert answers == [b"pong", b"closed"]


def test_a_terminal_echoes_and_edits() -> None:
    host = Host()
    accepted, greeting = host.send(Message(Command.OPEN, 1, 0, b"shell,v2,TERM=xterm,pty:\0"))
    typed = adb.encode_shell(adb.ShellId.STDIN, b"echo hx\x7fi\r")
    messages = [greeting]
    host.send(Message(Command.OKAY, 1, accepted.arg0))
    messages += host.send(Message(Command.WRTE, 1, accepted.arg0, typed + adb.encode_shell(adb.ShellId.STDIN, b"\x04")))
    while messages[-1].command is Command.WRTE:
        messages += host.send(Message(Command.OKAY, 1, accepted.arg0))
    packets = adb.ShellDecoder().feed(payload(messages))
    shown = b"".join(packet.data for packet in packets if packet.id is adb.ShellId.STDOUT)
    assert shown == b"phone:/ # echo hx\b \bi\r\nhi\r\nphone:/ # "
    assert packets[-1] == (adb.ShellId.EXIT, b"\0")


def test_a_fault_inside_the_phone_becomes_a_failed_command(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()

    def fail(x: float, y: float) -> None:
        raise RuntimeError("app fell over")

    monkeypatch.setattr(host.device.phone, "tap", fail)
    packets = adb.ShellDecoder().feed(payload(host.collect("shell,v2,raw:input tap 1 1")))
    assert packets[-1] == (adb.ShellId.EXIT, b"\xff")
    assert b"app fell over" in packets[0].data
    assert payload(host.collect("exec:echo alive", host_id=9)) == b"alive\n"


def test_a_full_disk_fails_a_push_and_the_session_goes_on() -> None:
    host = Host()
    host.device.phone.files.quota = host.device.phone.files.used + 10
    (accepted,) = host.send(Message(Command.OPEN, 1, 0, b"sync:\0"))
    request = adb.encode_sync(adb.SEND, b"/sdcard/big,33188") + adb.encode_sync(adb.DATA, bytes(100))
    replies = host.send(Message(Command.WRTE, 1, accepted.arg0, request + adb.SYNC_RECORD.pack(adb.DONE, 1)))
    assert b"FAIL" in payload(replies)
    assert b"No space left" in payload(replies)
    host.send(Message(Command.OKAY, 1, accepted.arg0))
    replies = host.send(Message(Command.WRTE, 1, accepted.arg0, adb.encode_sync(adb.STAT, b"/sdcard")))
    assert payload(replies).startswith(b"STAT")


@settings(max_examples=30, deadline=None)
@given(st.lists(st.binary(max_size=60), max_size=5))
def test_any_bytes_in_a_sync_stream_leave_the_phone_standing(pieces: list[bytes]) -> None:
    host = Host()
    (accepted,) = host.send(Message(Command.OPEN, 1, 0, b"sync:\0"))
    for piece in pieces:
        host.send(Message(Command.WRTE, 1, accepted.arg0, piece))
    assert payload(host.collect("exec:echo alive", host_id=2)) == b"alive\n"
