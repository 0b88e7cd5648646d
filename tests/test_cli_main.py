"""The command line's frame: help, unknown commands, exit statuses, errors in JSON."""

from __future__ import annotations

import json
import sys
from types import SimpleNamespace

import pytest

import tapwise
from tapwise.cli import COMMANDS, main
from tapwise.errors import ConfigError, DeviceError


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A stand-in for the module of `tapwise phone`; set its `run`."""
    module = SimpleNamespace(run=lambda arguments: 0)
    monkeypatch.setitem(sys.modules, "tapwise.cli.phone", module)
    return module


def failing(error: BaseException) -> object:
    def run(arguments: list[str]) -> int:
        raise error

    return run


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(name in shown and text in shown for name, text in COMMANDS.items())


def test_no_command_is_wrong_usage_and_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "usage: tapwise" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tapwise {tapwise.__version__}\n"


def test_an_unknown_command_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fly"]) == 2
    assert "'fly'" in capsys.readouterr().err


def test_arguments_and_status_are_the_commands(command: SimpleNamespace) -> None:
    seen: list[list[str]] = []

    def run(arguments: list[str]) -> int:
        seen.append(arguments)
        return 7

    command.run = run
    assert main(["phone", "--port", "0"]) == 7
    assert seen == [["--port", "0"]]


@pytest.mark.parametrize(("error", "status"), [(ConfigError("no such key"), 2), (DeviceError("gone"), 1)])
def test_deliberate_errors_are_a_line_and_a_status(
    command: SimpleNamespace, capsys: pytest.CaptureFixture[str], error: Exception, status: int
) -> None:
    command.run = failing(error)
    assert main(["phone"]) == status
    captured = capsys.readouterr()
    assert captured.err == f"error: {error}\n"
    assert captured.out == ""


def test_with_json_the_error_is_on_standard_output_too(
    command: SimpleNamespace, capsys: pytest.CaptureFixture[str]
) -> None:
    command.run = failing(ConfigError("no such key"))
    assert main(["phone", "--json"]) == 2
    assert json.loads(capsys.readouterr().out) == {"error": "ConfigError", "message": "no such key"}


def test_an_interrupt_is_status_130(command: SimpleNamespace, capsys: pytest.CaptureFixture[str]) -> None:
    command.run = failing(KeyboardInterrupt())
    assert main(["phone"]) == 130
    assert "interrupted" in capsys.readouterr().err


def test_faults_of_ours_are_not_hidden(command: SimpleNamespace) -> None:
    command.run = failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        main(["phone"])
