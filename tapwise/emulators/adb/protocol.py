"""The ADB wire format, free of I/O, for both ends of the link.

A link carries *messages*: a header of six little-endian u32 (command, arg0, arg1, payload length, checksum,
command ^ 0xffffffff) and the payload. Several *streams* share a link:

    host                                   device
    CNXN(VERSION, MAX_PAYLOAD, banner)  ->
                                        <- CNXN(VERSION, MAX_PAYLOAD, banner)
    OPEN(host_id, 0, b"shell:ls\\0")     ->
                                        <- OKAY(device_id, host_id)        accepted, or CLSE(0, host_id): refused
                                        <- WRTE(device_id, host_id, data)
    OKAY(host_id, device_id)            ->                                 one unanswered WRTE per stream and direction
                                        <- CLSE(device_id, host_id)
    CLSE(host_id, device_id)            ->

arg0 is always the sender's own stream id, arg1 the receiver's. The device may open streams too (`reverse:`).
Inside a stream, `shell,v2` services speak shell packets and `sync:` services speak sync records; both are here.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple

from tapwise.errors import DeviceError

Buffer = bytes | bytearray | memoryview

VERSION: Final = 0x01000001
"""Protocol version that we speak; from this one on, checksums are neither written nor read."""
VERSION_WITH_CHECKSUM: Final = 0x01000000
"""The older version, whose peers check the sum of the payload's bytes."""
MAX_PAYLOAD: Final = 1 << 20
"""Longest payload in bytes that we offer; a link uses the smaller of the two ends' offers."""
HEADER_LENGTH: Final = 24

_HEADER = struct.Struct("<6I")
_U32 = 0xFFFFFFFF


class ProtocolError(DeviceError):
    """The other end sent bytes that are not ADB, or that this state of the link does not allow."""


class Command(IntEnum):
    """Message commands: four ASCII letters read as a little-endian u32."""

    CNXN = 0x4E584E43
    AUTH = 0x48545541
    STLS = 0x534C5453
    OPEN = 0x4E45504F
    OKAY = 0x59414B4F
    WRTE = 0x45545257
    CLSE = 0x45534C43
    SYNC = 0x434E5953


class AuthKind(IntEnum):
    """arg0 of an AUTH message."""

    TOKEN = 1
    SIGNATURE = 2
    PUBLIC_KEY = 3


@dataclass(frozen=True, slots=True)
class Message:
    """One message of the link."""

    command: Command
    arg0: int
    arg1: int
    payload: bytes = b""


class Header(NamedTuple):
    """A message without its payload, of which `length` bytes follow."""

    command: Command
    arg0: int
    arg1: int
    length: int


def checksum(payload: Buffer) -> int:
    """Sum of the payload's bytes as u32, which peers of `VERSION_WITH_CHECKSUM` want."""
    return sum(payload) & _U32


def encode_header(command: Command, arg0: int, arg1: int, length: int, payload_checksum: int = 0) -> bytes:
    """The 24 header bytes of a message whose payload is sent apart, to spare a copy of a long one."""
    return _HEADER.pack(command, arg0, arg1, length, payload_checksum, command ^ _U32)


def encode(message: Message, *, with_checksum: bool = False) -> bytes:
    """Header and payload of a message. Raises ProtocolError when the payload is longer than `MAX_PAYLOAD`."""
    if len(message.payload) > MAX_PAYLOAD:
        raise ProtocolError(f"ADB payload of {len(message.payload)} bytes exceeds {MAX_PAYLOAD}: send it in parts")
    total = checksum(message.payload) if with_checksum else 0
    return encode_header(message.command, message.arg0, message.arg1, len(message.payload), total) + message.payload


def decode_header(data: Buffer) -> Header:
    """Read 24 bytes. Raises ProtocolError when they are no ADB header or announce too long a payload."""
    command, arg0, arg1, length, _, magic = _HEADER.unpack(data)
    if magic != command ^ _U32:
        raise ProtocolError(f"bytes {bytes(data[:24]).hex()} are no ADB header: is something else on this port?")
    try:
        known = Command(command)
    except ValueError:
        raise ProtocolError(f"ADB command {command:#010x} is unknown to version {VERSION:#010x}") from None
    if length > MAX_PAYLOAD:
        raise ProtocolError(f"ADB {known.name} announces {length} payload bytes, more than {MAX_PAYLOAD}")
    return Header(known, arg0, arg1, length)


class Decoder:
    """Turns arriving bytes, cut anywhere, into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._header: Header | None = None

    @property
    def pending(self) -> int:
        """How many bytes of an unfinished message are held."""
        return len(self._buffer) + (HEADER_LENGTH if self._header is not None else 0)

    def feed(self, data: Buffer) -> list[Message]:
        """The messages that `data` completes, in order. Raises ProtocolError; the decoder is then useless."""
        buffer = self._buffer
        buffer += data
        messages: list[Message] = []
        position = 0
        while True:
            if self._header is None:
                if len(buffer) - position < HEADER_LENGTH:
                    break
                self._header = decode_header(buffer[position : position + HEADER_LENGTH])
                position += HEADER_LENGTH
            command, arg0, arg1, length = self._header
            if len(buffer) - position < length:
                break
            messages.append(Message(command, arg0, arg1, bytes(memoryview(buffer)[position : position + length])))
            position += length
            self._header = None
        del buffer[:position]
        return messages


def encode_banner(system: str, properties: dict[str, str], features: tuple[str, ...]) -> bytes:
    """Payload of CNXN. `system` is "host" or "device"."""
    pairs = [f"{key}={value}" for key, value in properties.items()] + ["features=" + ",".join(features)]
    return f"{system}::{';'.join(pairs)}".encode()


def decode_banner(payload: bytes) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """System type, properties and features of a CNXN payload; what is missing comes back empty."""
    system, _, rest = payload.rstrip(b"\0").decode("utf-8", "replace").partition(":")
    properties = dict(pair.split("=", 1) for pair in rest.partition(":")[2].split(";") if "=" in pair)
    features = tuple(name for name in properties.pop("features", "").split(",") if name)
    return system, properties, features


# --- shell,v2 --------------------------------------------------------------------------------------------


class ShellId(IntEnum):
    """What a shell packet carries. STDIN, CLOSE_STDIN and WINDOW_SIZE travel to the device."""

    STDIN = 0
    STDOUT = 1
    STDERR = 2
    EXIT = 3
    """one byte: the exit status"""
    CLOSE_STDIN = 4
    WINDOW_SIZE = 5


class ShellPacket(NamedTuple):
    """One packet of a `shell,v2` stream."""

    id: ShellId
    data: bytes


_SHELL_HEADER = struct.Struct("<BI")
SHELL_HEADER_LENGTH: Final = _SHELL_HEADER.size
MAX_SHELL_DATA: Final = MAX_PAYLOAD - SHELL_HEADER_LENGTH
"""Longest data of a shell packet in bytes, so that a packet fits one WRTE."""


def encode_shell_header(packet_id: ShellId, length: int) -> bytes:
    """The five bytes before a shell packet's data."""
    return _SHELL_HEADER.pack(packet_id, length)


def encode_shell(packet_id: ShellId, data: bytes) -> bytes:
    """One shell packet."""
    return _SHELL_HEADER.pack(packet_id, len(data)) + data


class ShellDecoder:
    """Turns the bytes of a `shell,v2` stream, cut anywhere, into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: Buffer) -> list[ShellPacket]:
        """The packets that `data` completes, in order. Raises ProtocolError on an unknown id or absurd length."""
        buffer = self._buffer
        buffer += data
        packets: list[ShellPacket] = []
        position = 0
        while len(buffer) - position >= SHELL_HEADER_LENGTH:
            number, length = _SHELL_HEADER.unpack_from(buffer, position)
            if number > ShellId.WINDOW_SIZE or length > MAX_PAYLOAD:
                raise ProtocolError(f"shell packet with id {number} and length {length}: the stream is not shell,v2")
            start = position + SHELL_HEADER_LENGTH
            if len(buffer) < start + length:
                break
            packets.append(ShellPacket(ShellId(number), bytes(memoryview(buffer)[start : start + length])))
            position = start + length
        del buffer[:position]
        return packets


# --- sync ------------------------------------------------------------------------------------------------

SYNC_MAX_DATA: Final = 64 * 1024
"""Longest DATA record in bytes."""

STAT: Final = b"STAT"
STAT_V2: Final = b"STA2"
LSTAT_V2: Final = b"LST2"
LIST: Final = b"LIST"
LIST_V2: Final = b"LIS2"
DENT: Final = b"DENT"
DENT_V2: Final = b"DNT2"
SEND: Final = b"SEND"
RECV: Final = b"RECV"
DATA: Final = b"DATA"
DONE: Final = b"DONE"
SYNC_OKAY: Final = b"OKAY"
FAIL: Final = b"FAIL"
QUIT: Final = b"QUIT"

SYNC_RECORD: Final = struct.Struct("<4sI")
"""id, length: a request (path follows), DATA and FAIL (bytes follow), OKAY and QUIT (0), and DONE,
whose number is the modification time in a SEND and 0 elsewhere."""
SYNC_STAT: Final = struct.Struct("<4sIII")
"""id, mode, size, modification time; all three 0 when the path does not exist."""
SYNC_DENT: Final = struct.Struct("<4sIIII")
"""id, mode, size, modification time, length of the name, which follows."""
SYNC_STAT_V2: Final = struct.Struct("<4sIQQIIIIQqqq")
"""id, error number, device, inode, mode, links, user, group, size, access, modification and change time."""
SYNC_DENT_V2: Final = struct.Struct("<4sIQQIIIIQqqqI")
"""As SYNC_STAT_V2, then the length of the name, which follows."""


def encode_sync(record_id: bytes, data: bytes = b"") -> bytes:
    """A record whose number is the length of the data after it."""
    return SYNC_RECORD.pack(record_id, len(data)) + data
