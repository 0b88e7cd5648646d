"""The helpers that read programs in tests: a silent program fails the test in time, and nothing of it is left."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

STUCK = """
import faulthandler, os, signal
if os.fork():
    os.waitpid(-1, 0)
faulthandler.dump_traceback_later(0.1)
print(os.getpid(), flush=True)

def wait_for_what_never_comes():
    signal.pause()

wait_for_what_never_comes()
"""


def test_a_silent_program_is_told_with_its_stack_and_ended(child_program: Any) -> None:
    with child_program([sys.executable, "-c", STUCK], patience_s=2.0) as program:
        child = int(program.line())
        with pytest.raises(pytest.fail.Exception, match=r"(?s)said nothing more for 2 s.*Timeout.*\n.* line 9 in"):
            program.line()
    deadline = time.monotonic() + 5
    while _alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not _alive(child)


def test_lines_come_one_by_one_until_the_end(read_line: Callable[..., str]) -> None:
    command = [sys.executable, "-c", "print('a', end='\\n' * 2); print('half', end='', flush=True)"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as program:
        assert [read_line(program.stdout, 30) for _ in range(4)] == ["a", "", "half", ""]


def test_the_program_is_told_and_answers(child_program: Any) -> None:
    with child_program([sys.executable, "-c", "print(input().upper())"]) as program:
        program.tell("hear")
        assert list(program.lines()) == ["HEAR"]


def _alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
