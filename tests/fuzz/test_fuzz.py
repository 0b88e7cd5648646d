"""Whatever a client sends: no crash, no hang, no memory without bound, and the phone still answers.

Short in the ordinary run; `make fuzz` gives it a minute.
"""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapwise.emulators.adb import protocol as adb
from tapwise.emulators.adb.protocol import Command, Message
from tapwise.emulators.virtual.noise import Noise
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell
from tapwise.emulators.virtual.wire.device import WireDevice
from tapwise.emulators.virtual.wire.link import Link
from tests.emulators.virtual.shell.reference_corpus import programs

LONGEST_S = 5.0
MOST_MEMORY_GROWTH_MIB = 500
EXAMPLES = int(os.environ.get("TAPWISE_FUZZ_EXAMPLES", "60"))
fuzzed = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
NOISE = Noise(popups=0.2, ads=0.2, slow_loads=0.2, layout_shifts=1.0)


class Pipe:
    """A transport that forgets what it is given."""

    def __init__(self) -> None:
        self.closed = False

    def write(self, data: Any) -> None:
        """Forget it."""

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    close = abort

    def get_extra_info(self, name: str) -> Any:
        class Socket:
            def setsockopt(self, *_: Any) -> None:
                """Forget it."""

        return Socket()


def memory_peak_mib(start_again: bool = False) -> float:
    """The process's largest resident memory so far; `start_again` first forgets what other tests of it reached."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if start_again:
        with contextlib.suppress(OSError):  # where it is not allowed, only growth beyond the former peak is seen
            Path("/proc/self/clear_refs").write_text("5")  # VmHWM then starts from what is resident, see proc(5)
    peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
    return int(peak.split()[1]) / 1024


@pytest.fixture(autouse=True)
def bounded() -> Iterator[None]:
    logging.disable(logging.CRITICAL)  # faults inside the phone are told to the log, and are looked for below
    before = memory_peak_mib(start_again=True)
    yield
    logging.disable(logging.NOTSET)
    assert memory_peak_mib() - before < MOST_MEMORY_GROWTH_MIB


def answers(phone: VirtualPhone) -> None:
    """The phone still does what it is told."""
    result = PhoneShell(phone).run("echo alive; input keyevent HOME; dumpsys window | grep -c mCurrentFocus")
    assert b"".join(map(bytes, result.stdout)) == b"alive\n1\n"
    assert phone.frame().shape == (phone.size.height, phone.size.width, 3)


# --- packets ---------------------------------------------------------------------------------------------

services = st.one_of(
    st.sampled_from(
        [
            "shell:",
            "shell,v2,raw:cat",
            "exec:screencap",
            "sync:",
            "tcp:7",
            "reverse:forward:tcp:1;tcp:2",
            "framebuffer:",
        ]
    ),
    st.text(max_size=30),
).map(lambda name: name.encode("utf-8", "replace") + b"\0")
sync_records = st.tuples(
    st.sampled_from([adb.STAT, adb.LIST, adb.RECV, adb.SEND, adb.DATA, adb.DONE, b"QUIT", b"????"]),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=40),
).map(lambda record: struct.pack("<4sI", record[0], record[1] % 64 if record[1] % 3 else record[1]) + record[2])
payloads = st.one_of(services, sync_records, st.binary(max_size=200))
messages = st.tuples(st.sampled_from(list(Command)), st.integers(0, 5), st.integers(0, 5), payloads).map(
    lambda parts: adb.encode(Message(*parts))
)
wire = st.lists(st.one_of(messages, messages, messages, st.binary(max_size=60)), max_size=25)


@fuzzed
@given(wire, st.integers(1, 97))
def test_packets(pieces: list[bytes], cut: int) -> None:
    phone = VirtualPhone()
    link, pipe = Link(WireDevice(phone)), Pipe()
    link.connection_made(cast("Any", pipe))
    data = adb.encode(Message(Command.CNXN, adb.VERSION, adb.MAX_PAYLOAD, b"host::\0")) + b"".join(pieces)
    began = time.monotonic()
    for start in range(0, len(data), cut):
        if not pipe.closed:
            link.data_received(data[start : start + cut])
    link.connection_lost(None)
    assert time.monotonic() - began < LONGEST_S
    answers(phone)


# --- shell programs --------------------------------------------------------------------------------------

pieces = st.sampled_from(
    [*"|&;<>(){}$`\"'\\*?[]~#=!\n \t0123456789", "if ", "then ", "fi", "for i in ", "do ", "done", "while ", "case ", "esac",
     "$((", "))", "$(", "${x", "}", "<<E\n", "2>&1", "&&", "||", "cat ", "echo ", "rm -rf /", "find / ", "sed s/a/", "f() ",
     "local ", "read x ", "set -e;", "trap 'x' EXIT;", "input tap 1 1", "am start ", "content query --uri ", "screencap"]
)  # fmt: skip
corpus = sorted(programs().values())


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A program of the corpus with parts taken out, doubled, or replaced."""
    program = draw(st.sampled_from(corpus))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(program)))
        end = draw(st.integers(start, min(len(program), start + 8)))
        program = (
            program[:start] + draw(st.one_of(pieces, st.just(program[start:end] * 2), st.just(""))) + program[end:]
        )
    return program


@fuzzed
@given(st.one_of(mutated(), st.lists(pieces, max_size=30).map("".join), st.text(max_size=60)), st.binary(max_size=50))
def test_programs(program: str, stdin: bytes) -> None:
    phone = VirtualPhone()
    began = time.monotonic()
    result = PhoneShell(phone).run(program, stdin)
    assert time.monotonic() - began < LONGEST_S
    assert isinstance(result.status, int)
    answers(phone)


# --- gestures --------------------------------------------------------------------------------------------

KEYS = ("BACK", "HOME", "ENTER", "DEL", "APP_SWITCH", "NOTIFICATION", "POWER", "NONSENSE")
spots = st.tuples(st.floats(-50, 600), st.floats(-50, 1300))
gestures = st.one_of(
    st.tuples(st.just("tap"), spots),
    st.tuples(st.just("long"), spots),
    st.tuples(st.just("swipe"), spots, spots, st.floats(0, 2)),
    st.tuples(st.just("text"), st.text(max_size=12)),
    st.tuples(st.just("key"), st.sampled_from(KEYS)),
    st.tuples(st.just("hold"), st.integers(0, 3)),
    st.tuples(st.just("open"), st.integers(0, 30)),
    st.tuples(st.just("wait"), st.floats(0, 5)),
)


@fuzzed
@given(st.integers(0, 10_000), st.lists(gestures, max_size=40))
def test_gestures(seed: int, plan: list[tuple[Any, ...]]) -> None:
    phone = VirtualPhone(seed=seed, noise=NOISE)
    packages = list(phone.apps)
    began = time.monotonic()
    for kind, *rest in plan:
        match kind:
            case "tap":
                phone.tap(*rest[0])
            case "long":
                phone.long_press(*rest[0])
            case "swipe":
                phone.swipe(*rest[0], *rest[1], rest[2])
            case "text":
                phone.type_text(rest[0])
            case "key":
                phone.key_event(f"KEYCODE_{rest[0]}")
            case "hold":
                phone.settings.put("system", "accelerometer_rotation", "1")
                phone.hold(rest[0])
            case "open":
                phone.open(packages[rest[0] % len(packages)])
            case "wait":
                phone.advance(rest[0])
        phone.tree()
    assert time.monotonic() - began < LONGEST_S
    kept = phone.snapshot()
    phone.restore(kept)
    answers(phone)
