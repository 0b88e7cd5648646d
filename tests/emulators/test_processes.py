from __future__ import annotations

import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tapwise.emulators.processes import LOG_LIMIT, Identity, ProcessRegistry, identify, wait_until
from tapwise.errors import ConfigError, DeviceError

Start = Callable[[str], tuple[Any, str]]

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")

ECHO_UNTIL_END = "import sys; print('up', flush=True); sys.stdin.read()"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"
WITH_CHILD = (
    "import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()']);"
    "print(child.pid, flush=True); sys.stdin.read()"
)

WITH_STRAY = WITH_CHILD.replace("signal.pause()']", "signal.pause()'], start_new_session=True")


@pytest.fixture
def registry(tmp_path: Path) -> ProcessRegistry:
    return ProcessRegistry(tmp_path / "processes")


@pytest.fixture
def start(registry: ProcessRegistry, read_line: Callable[..., str]) -> Start:
    """Starts a program; gives it and its first line."""

    def start(source: str) -> tuple[Any, str]:
        process = registry.start([sys.executable, "-c", source])
        return process, read_line(process.stdout)

    return start


def test_a_program_runs_in_its_own_group_and_ends(start: Start, tmp_path: Path) -> None:
    process, line = start(ECHO_UNTIL_END)
    assert line == "up"
    assert process.alive()
    assert os.getpgid(process.pid) == process.pid != os.getpgid(0)
    assert len(list(tmp_path.glob("processes/*.json"))) == 1
    process.end()
    assert not process.alive()
    assert list(tmp_path.glob("processes/*")) == []
    process.end()


def test_a_program_that_ignores_the_polite_signal_ends_hard(start: Start) -> None:
    process, _ = start(DEAF)
    process.end(grace_s=0.05)
    assert not process.alive()


def test_a_stopped_program_ends(start: Start) -> None:
    process, _ = start(ECHO_UNTIL_END)
    os.kill(process.pid, signal.SIGSTOP)
    process.end(grace_s=2)
    assert not process.alive()


def test_children_end_with_their_group(start: Start) -> None:
    process, child = start(WITH_CHILD)
    assert identify(int(child)) is not None
    process.end()
    assert wait_until(lambda: identify(int(child)) is None, 5)


def test_children_of_a_leader_that_died_end_too(start: Start) -> None:
    process, child = start(WITH_CHILD)
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not process.alive(), 5)
    process.end()
    assert wait_until(lambda: identify(int(child)) is None, 5)


def test_children_that_left_the_group_end_too(start: Start, registry: ProcessRegistry) -> None:
    process, child = start(WITH_STRAY)
    assert os.getpgid(int(child)) != process.pid
    assert process.owns(int(child))
    assert process.owns(process.pid)
    assert not process.owns(os.getpid())
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not process.alive(), 5)
    process.end()
    assert identify(int(child)) is None


def test_a_server_that_others_use_stays(start: Start, tmp_path: Path) -> None:
    server = tmp_path / "adb"
    server.symlink_to("/bin/sleep")
    source = WITH_STRAY.replace("[sys.executable, '-c', 'import signal; signal.pause()']", f"[{str(server)!r}, '60']")
    process, child = start(source)
    try:
        process.end()
        assert identify(int(child)) is not None
    finally:
        os.kill(int(child), signal.SIGKILL)


def test_what_it_complains_of_can_be_read(registry: ProcessRegistry) -> None:
    process = registry.start([sys.executable, "-c", "raise SystemExit('port in use')"])
    assert wait_until(lambda: not process.alive(), 10)
    assert process.error_output() == "port in use"
    process.end()


def test_a_missing_program_is_named(registry: ProcessRegistry) -> None:
    with pytest.raises(DeviceError, match="'/nowhere/emulator' cannot be started"):
        registry.start(["/nowhere/emulator"])


def test_leftovers_of_a_killed_owner_are_reaped(registry: ProcessRegistry, tmp_path: Path, child_program: Any) -> None:
    owner_source = (
        "import sys; from pathlib import Path; from tapwise.emulators.processes import ProcessRegistry;"
        f"child = ProcessRegistry(Path({str(tmp_path / 'processes')!r})).start([sys.executable, '-c', {DEAF!r}]);"
        "child.stdout.readline(); print(child.pid, flush=True); sys.stdin.read()"
    )
    with child_program([sys.executable, "-c", owner_source]) as owner:
        leftover = int(owner.line())
        assert registry.reap_leftovers() == []
    assert identify(leftover) is not None
    assert registry.reap_leftovers(grace_s=0.05) == [leftover]
    assert wait_until(lambda: identify(leftover) is None, 5)
    assert registry.reap_leftovers() == []
    assert list(tmp_path.glob("processes/*")) == []


def test_strays_of_a_killed_owner_are_reaped_though_their_program_has_ended(
    registry: ProcessRegistry, tmp_path: Path, child_program: Any
) -> None:
    owner_source = (
        "import os, signal, sys; from pathlib import Path; from tapwise.emulators.processes import ProcessRegistry;"
        f"child = ProcessRegistry(Path({str(tmp_path / 'processes')!r})).start([sys.executable, '-c', {WITH_STRAY!r}]);"
        "stray = child.stdout.readline().decode(); os.kill(child.pid, signal.SIGKILL);"
        "print(stray, end='', flush=True); sys.stdin.read()"
    )
    with child_program([sys.executable, "-c", owner_source]) as owner:
        stray = int(owner.line())
    assert identify(stray) is not None
    assert registry.reap_leftovers() == [stray]
    assert identify(stray) is None


def test_a_recycled_pid_is_never_touched(start: Start, registry: ProcessRegistry, tmp_path: Path) -> None:
    process, _ = start(ECHO_UNTIL_END)
    record = next(tmp_path.glob("processes/*.json"))
    text = record.read_text()
    identity = identify(process.pid)
    assert identity is not None
    for part in (f'"started": {identity.started}', f'"pid": {os.getpid()}'):
        assert part in text
    forged = text.replace(f'"started": {identity.started}', '"started": 1').replace(f'"pid": {os.getpid()}', '"pid": 1')
    record.write_text(re.sub(r'"mark": "\w+"', '"mark": "of another"', forged))
    assert registry.reap_leftovers() == []
    assert process.alive()
    process.end()


def test_a_folder_of_somebody_else_is_refused(registry: ProcessRegistry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 4242)
    with pytest.raises(ConfigError, match="belongs to another user"):
        registry.reap_leftovers()


def test_unreadable_records_are_dropped(registry: ProcessRegistry, tmp_path: Path) -> None:
    (tmp_path / "processes").mkdir()
    (tmp_path / "processes" / "1.json").write_text("{")
    assert registry.reap_leftovers() == []
    assert list(tmp_path.glob("processes/*")) == []


def test_identities() -> None:
    mine = identify(os.getpid())
    assert mine is not None
    assert mine.is_running()
    assert not Identity(mine.pid, mine.started + 1, mine.boot).is_running()
    assert identify(2**22 + 1) is None


def test_what_a_program_complains_of_is_kept_within_bounds(start: Start, tmp_path: Path) -> None:
    program = (
        "import sys; print('up', flush=True)\n"
        "for n in range(40): sys.stderr.write('x' * 100_000 + chr(10)); sys.stderr.flush(); sys.stdin.readline()\n"
        "sys.stderr.write('the last word'); sys.stderr.flush(); print('said', flush=True); sys.stdin.read()"
    )
    process, _ = start(program)
    (log,) = tmp_path.glob("processes/*.log")
    largest = 0
    for _ in range(40):
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.alive()
        largest = max(largest, log.stat().st_size)
    assert process.stdout.readline() == b"said\n"
    assert process.alive()
    assert largest < LOG_LIMIT + 400_000
    assert process.error_output().endswith("the last word")
    process.end()
