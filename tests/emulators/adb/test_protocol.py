from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapwise.emulators.adb import protocol as adb

U32 = st.integers(0, 0xFFFFFFFF)
MESSAGES = st.builds(adb.Message, st.sampled_from(adb.Command), U32, U32, st.binary(max_size=200))
PACKETS = st.builds(adb.ShellPacket, st.sampled_from(adb.ShellId), st.binary(max_size=100))


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(st.lists(MESSAGES, max_size=6), st.lists(st.integers(0, 1500), max_size=8), st.booleans())
def test_messages_survive_any_cutting(messages: list[adb.Message], cuts: list[int], with_checksum: bool) -> None:
    data = b"".join(adb.encode(message, with_checksum=with_checksum) for message in messages)
    decoder = adb.Decoder()
    assert [message for piece in pieces(data, cuts) for message in decoder.feed(piece)] == messages
    assert decoder.pending == 0


@given(st.lists(PACKETS, max_size=6), st.lists(st.integers(0, 700), max_size=8))
def test_shell_packets_survive_any_cutting(packets: list[adb.ShellPacket], cuts: list[int]) -> None:
    data = b"".join(adb.encode_shell(*packet) for packet in packets)
    decoder = adb.ShellDecoder()
    assert [packet for piece in pieces(data, cuts) for packet in decoder.feed(piece)] == packets


@given(st.binary(min_size=24, max_size=24))
def test_foreign_bytes_are_refused_or_read_as_a_header(data: bytes) -> None:
    try:
        header = adb.decode_header(data)
    except adb.ProtocolError:
        return
    assert header.length <= adb.MAX_PAYLOAD


def test_header_bytes_are_those_of_the_protocol() -> None:
    encoded = adb.encode(adb.Message(adb.Command.OPEN, 7, 0, b"shell:\0"), with_checksum=True)
    assert encoded[:4] == b"OPEN"
    assert encoded[4:8] == b"\x07\0\0\0"
    assert encoded[12:16] == b"\x07\0\0\0"
    assert int.from_bytes(encoded[16:20], "little") == sum(b"shell:\0")
    assert bytes(255 - byte for byte in encoded[20:24]) == b"OPEN"


def test_too_long_payloads_are_refused_on_both_ends() -> None:
    with pytest.raises(adb.ProtocolError, match="exceeds"):
        adb.encode(adb.Message(adb.Command.WRTE, 1, 1, bytes(adb.MAX_PAYLOAD + 1)))
    header = adb.encode_header(adb.Command.WRTE, 1, 1, adb.MAX_PAYLOAD + 1)
    with pytest.raises(adb.ProtocolError, match="announces"):
        adb.Decoder().feed(header)


def test_shell_decoder_refuses_foreign_bytes() -> None:
    with pytest.raises(adb.ProtocolError, match="not shell,v2"):
        adb.ShellDecoder().feed(b"hello world")


def test_banner_round_trip() -> None:
    payload = adb.encode_banner("device", {"ro.product.model": "Phone"}, ("shell_v2", "cmd"))
    assert payload == b"device::ro.product.model=Phone;features=shell_v2,cmd"
    assert adb.decode_banner(payload + b"\0") == ("device", {"ro.product.model": "Phone"}, ("shell_v2", "cmd"))
    assert adb.decode_banner(b"host::") == ("host", {}, ())


def test_sync_records_have_the_sizes_of_the_protocol() -> None:
    sizes = (adb.SYNC_RECORD, adb.SYNC_STAT, adb.SYNC_DENT, adb.SYNC_STAT_V2, adb.SYNC_DENT_V2)
    assert [record.size for record in sizes] == [8, 16, 20, 72, 76]
    assert adb.encode_sync(adb.FAIL, b"no") == b"FAIL\x02\0\0\0no"
