"""The package as a whole: versions agree, recipes can be read, the documentation speaks of what exists."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

import tapwise
from tapwise.cli import COMMANDS
from tapwise.training.kinds import read_recipe_file

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tapwise"
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted(PACKAGE.rglob("*.py"))


def test_versions_agree() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changes = re.findall(r"^## \[(\d[^]]*)]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    citation = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert citation is not None
    assert project["version"] == changes[0] == citation[1] == tapwise.__version__


@pytest.mark.parametrize("path", sorted((PACKAGE / "recipes").glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_can_be_read(path: Path) -> None:
    assert read_recipe_file(path).name == path.stem


def test_every_command_has_its_module() -> None:
    modules = {path.stem for path in (PACKAGE / "cli").glob("*.py")}
    assert set(COMMANDS) <= modules


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_documents_name_what_exists(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    commands = re.findall(r"(?:`|bin/)tapwise ([a-z]+)", text, re.MULTILINE)
    assert set(commands) <= set(COMMANDS)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE):
        assert f"\n{target}:" in makefile
    for link in re.findall(r"\]\(([^)#:]+)\)", text):
        assert (path.parent / link).exists(), link
    for module in re.findall(r"`tapwise\.([a-z_.]+)`", text):
        place = PACKAGE.joinpath(*module.split("."))
        assert place.is_dir() or place.with_suffix(".py").is_file(), module
    for file in re.findall(r"`((?:tapwise|scripts|benchmarks|tests)/[\w./]+)`", text):
        assert (ROOT / file).exists(), file


def test_scripts_that_make_runs_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for script in re.findall(r"/python ((?:benchmarks|scripts)/\w+\.py)", makefile):
        assert (ROOT / script).is_file(), script


def test_modules_postpone_annotations_and_say_what_they_are() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not tree.body:
            continue
        assert ast.get_docstring(tree), f"{path} has no docstring"
        if any(isinstance(node, ast.FunctionDef | ast.ClassDef) for node in tree.body):
            imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
            assert imports[0].module == "__future__", path


def test_the_public_names_are_there() -> None:
    assert all(hasattr(tapwise, name) for name in tapwise.__all__)
    assert (PACKAGE / "py.typed").exists()
