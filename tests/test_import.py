"""Importing tapwise, and asking for help, is quick and pulls in no heavy library; names do not clash."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = ("torch", "transformers", "peft", "pyarrow", "datasets", "numpy", "PIL", "pydantic", "httpx", "gymnasium")
SECONDS = 0.5
"""longer than an empty interpreter takes"""


def python(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=True, start_new_session=True
    ).stdout


def best_of(command: Sequence[str], times: int = 5) -> float:
    found = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(command, capture_output=True, timeout=60, check=True, start_new_session=True)
        found.append(time.perf_counter() - started)
    return min(found)


@pytest.mark.parametrize(
    "statement",
    [
        "import tapwise",
        "import tapwise.cli; tapwise.cli.main(['--help'])",
        "import tapwise.cli; tapwise.cli.main(['--version'])",
    ],
)
def test_nothing_heavy_is_imported(statement: str) -> None:
    output = python(f"import sys; {statement}; print('loaded:', *(m for m in {HEAVY!r} if m in sys.modules))")
    assert output.splitlines()[-1] == "loaded:"


@pytest.mark.parametrize("command", ["data", "demo", "train", "eval", "judge", "phone", "report"])
def test_help_of_a_command_needs_no_torch(command: str) -> None:
    output = python(
        "import contextlib, io, sys\nimport tapwise.cli\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    tapwise.cli.main([{command!r}, '--help'])\n"
        "print('loaded:', *(m for m in ('torch', 'transformers', 'peft') if m in sys.modules))"
    )
    assert output.splitlines()[-1] == "loaded:"


def test_help_answers_at_once() -> None:
    nothing = best_of([sys.executable, "-c", "pass"])
    assert best_of([sys.executable, "-m", "tapwise", "--help"]) < nothing + SECONDS
    assert best_of([sys.executable, "-c", "import tapwise"]) < nothing + SECONDS


def test_datasets_is_the_library_not_ours() -> None:
    located = python("import importlib.util; print(importlib.util.find_spec('datasets').origin)").strip()
    library = importlib.metadata.distribution("datasets").locate_file("datasets/__init__.py")
    assert Path(located).resolve() == Path(str(library)).resolve()


def test_no_folder_hides_a_library() -> None:
    for name in ("datasets", "android_env", "agent"):
        assert not (ROOT / name / "__init__.py").exists()
    assert not list((ROOT / "tests").rglob("__init__.py"))


def test_ignored_folders_are_anchored_to_the_root() -> None:
    """An unanchored `datasets/` would keep tapwise/datasets out of the repository."""
    rules = (ROOT / ".gitignore").read_text(encoding="utf-8").split()
    anywhere = {rule for rule in rules if not rule.startswith("/")}
    assert anywhere <= {"__pycache__/", "*.egg-info/", "*.pyc"}


def test_no_module_is_meant_to_be_run_by_its_path() -> None:
    """A module that runs as a script puts its folder on the path, where ours would hide the library's names."""
    runnable = [
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "tapwise").rglob("*.py")
        if "if __name__ ==" in (text := path.read_text(encoding="utf-8")) or text.startswith("#!")
    ]
    assert runnable == []
