"""The phone's shell against Debian's dash and mksh (which Android ships) with toybox's commands."""

from __future__ import annotations

import posixpath
import shutil
import subprocess
from pathlib import Path

import pytest

from tapwise.emulators.virtual.clock import START
from tapwise.emulators.virtual.phone import VirtualPhone
from tapwise.emulators.virtual.shell.session import PhoneShell
from tests.emulators.virtual.shell.mksh_corpus import MKSH_PROGRAMS
from tests.emulators.virtual.shell.reference_corpus import FAMILIES, FILES, programs

DASH, MKSH, TOYBOX = shutil.which("dash"), shutil.which("mksh"), shutil.which("toybox")
PROGRAMS = programs()
WORK = "/data/local/tmp/work"
NOT_IN_TOYBOX = ("tr", "expr")
"""commands that Debian's toybox lacks: the host's own stand in"""


def test_the_corpus_is_large_enough() -> None:
    assert len(PROGRAMS) >= 500
    assert {name.split("-")[0] for name in PROGRAMS} == set(FAMILIES)


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if DASH is None or TOYBOX is None:
        pytest.skip("dash or toybox is not installed")
    folder = tmp_path_factory.mktemp("tools")
    for name in subprocess.run([TOYBOX], capture_output=True, text=True, check=True).stdout.split():
        if name not in ("sh", *NOT_IN_TOYBOX):
            (folder / name).symlink_to(TOYBOX)
    for name in NOT_IN_TOYBOX:
        (folder / name).symlink_to(str(shutil.which(name)))
    (folder / "sh").symlink_to(DASH)
    return folder


def run_reference(program: str, folder: Path, tools: Path, shell: str | None = DASH) -> tuple[str, int]:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    done = subprocess.run(
        [str(shell), "-c", program],
        cwd=folder,
        env={"PATH": str(tools), "LC_ALL": "C", "HOME": "/"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    return done.stdout.decode(), done.returncode


def run_phone(program: str) -> tuple[str, int]:
    phone = VirtualPhone()
    for name, text in FILES.items():
        path = posixpath.join(WORK, name)
        phone.files.make_directory(posixpath.dirname(path), parents=True, exist_ok=True)
        phone.files.write(path, text.encode(), START)
    session = PhoneShell(phone).session()
    session.run(f"cd {WORK}")
    result = session.run(program)
    return b"".join(map(bytes, result.stdout)).decode(), result.status


@pytest.mark.parametrize("family", FAMILIES)
def test_output_and_status_agree(family: str, tools: Path, tmp_path: Path) -> None:
    differ = []
    for name, program in PROGRAMS.items():
        if name.startswith(f"{family}-"):
            (tmp_path / name).mkdir()
            expected, found = run_reference(program, tmp_path / name, tools), run_phone(program)
            if expected != found:
                differ.append(f"{name}: {program!r}\n  expected {expected}\n  found    {found}")
    assert not differ, "\n".join(differ)


@pytest.mark.skipif(MKSH is None, reason="mksh is not installed")
@pytest.mark.parametrize("program", MKSH_PROGRAMS)
def test_what_android_adds_to_posix_agrees(program: str, tools: Path, tmp_path: Path) -> None:
    assert run_phone(program) == run_reference(program, tmp_path, tools, MKSH)
