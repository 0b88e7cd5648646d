from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tapwise.cli import main
from tapwise.cli.interrupts import interruptible
from tapwise.cli.recipe_options import read_recipe, shipped_recipes, split_overrides
from tapwise.errors import ConfigError

OVERRIDES = ["--farm.devices=2", "--farm.size=270x600"]


def _errors(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err


def test_run_leaves_everything_a_reader_needs(finished_run: Path) -> None:
    for name in ("report.html", "summary.json", "manifest.json", "metrics.jsonl", "recipe.json"):
        assert (finished_run / name).stat().st_size > 0
    found = json.loads((finished_run / "summary.json").read_text(encoding="utf-8"))
    assert set(found["phases"]) == {"supervised", "offline", "online"}


def test_same_command_again_has_nothing_to_do(
    finished_run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = json.loads((finished_run / "recipe.json").read_text(encoding="utf-8"))
    shipped = read_recipe(shipped_recipes()["debug"], []).model_dump(mode="json")
    given = [
        f"--{section}.{key}={value}"
        for section in ("farm", "policy", "supervised", "offline", "online", "evaluation")
        for key, value in recipe[section].items()
        if value != shipped[section][key]
    ]
    before = sorted((finished_run / "checkpoints").iterdir())
    assert main(["train", "debug", "--run", str(finished_run), "--json", *given]) == 0
    assert sorted((finished_run / "checkpoints").iterdir()) == before
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["run"] == str(finished_run)
    assert last["phases"]["online"]["episodes"] == 2


def test_report_again(finished_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (finished_run / "report.html").unlink()
    assert main(["report", str(finished_run)]) == 0
    assert "online" in capsys.readouterr().out
    assert (finished_run / "report.html").exists()


def test_another_recipe_in_the_same_folder(
    finished_run: Path, tiny_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["--run", str(finished_run), "--policy.model", str(tiny_model), "--seed", "5"]
    assert main(["train", "debug", *arguments]) == 1
    assert "--fresh" in _errors(capsys)


def test_fresh_moves_the_old_run_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "keep").touch()
    missing = str(tmp_path / "missing")
    assert main(["train", "debug", "--run", str(folder), "--fresh", f"--policy.model={missing}"]) == 1
    assert (tmp_path / "run.1" / "keep").exists()
    assert missing in _errors(capsys)


def test_torn_checkpoints(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "torn"
    shutil.copytree(finished_run, folder)
    for path in (folder / "checkpoints").glob("*.pt"):
        path.write_bytes(path.read_bytes()[:100])
    assert main(["report", str(folder)]) == 1
    assert "torn" in _errors(capsys)


def test_corrupt_store(finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "corrupt"
    shutil.copytree(finished_run, folder)
    for path in (folder / "trajectories").glob("shard-*.parquet"):
        path.unlink()
    (folder / "trajectories" / "journal.log").write_bytes(b"this is no journal of trajectories" * 9)
    assert main(["report", str(folder)]) == 1
    assert "journal" in _errors(capsys)


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["train", "debug", "--farm.devicez=4"], "did you mean --farm.devices?"),
        (["train", "debug", "--frsh"], "did you mean --fresh?"),
        (["train", "debug", "--farm.devices=many"], "farm.devices"),
        (["train", "debug", "--farm.devices=0"], "farm.devices"),
        (["train", "debug", "--farm.noise=popups"], "farm.noise"),
        (["train", "debug", "--suite=games"], "general"),
        (["train", "debug", "--farm.devices"], "has no value"),
        (["train", "nowhere.toml"], "--list"),
        (["train"], "--list"),
        (["demo", "--algorithm.type=ppo"], "algorithm"),
        (["report", "nowhere"], "not the folder of a run"),
    ],
)
def test_wrong_usage_is_explained(arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert hint in _errors(capsys)


def test_wrong_key_in_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[farm]\ndevicez = 3\n", encoding="utf-8")
    assert main(["train", str(path), "--json"]) == 2
    told = capsys.readouterr()
    assert "farm.devicez" in told.err
    assert "devices" in told.err
    assert json.loads(told.out)["error"] == "ConfigError"


def test_no_adb_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    from tapwise.emulators.adb import binary

    monkeypatch.setattr(binary.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(binary.shutil, "which", lambda _: None)
    assert main(["train", "demo", "--farm.transport=binary"]) == 2
    assert "install" in _errors(capsys)


def test_port_in_use(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["phone", "--port", str(port)]) == 2
    assert f"port {port}" in _errors(capsys)


def test_shipped_recipes_are_valid_and_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--list"]) == 0
    listed = capsys.readouterr().out
    for name, path in shipped_recipes().items():
        assert read_recipe(path, []).name == name
        assert name in listed


def test_help_lists_every_key_without_torch() -> None:
    code = (
        "import sys\nfrom tapwise.cli import main\n"
        "try:\n    main(['train', '--help'])\nexcept SystemExit:\n    pass\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    for key in (
        "--farm.devices (4)",
        "--policy.lora.rank",
        "--algorithm.type",
        "[digirl | filtered_bc | bc]",
        "--critic.optimizer",
        "--replay.patches (1)",
        "(kind vem, semi_online)",
    ):
        assert key in done.stdout


def test_overrides_may_be_written_both_ways() -> None:
    own, overrides = split_overrides(
        ["debug", "--farm.devices", "8", "--farm.noise=popups=0.1", "--json", "--run", "x"], ["--json"], ["--run"]
    )
    assert own == ["debug", "--json", "--run=x"]
    assert overrides == ["farm.devices=8", "farm.noise=popups=0.1"]
    recipe = read_recipe(shipped_recipes()["debug"], overrides)
    assert recipe.farm.devices == 8
    assert recipe.farm.noise == "popups=0.1"


def test_option_without_its_value() -> None:
    with pytest.raises(ConfigError, match="--run=VALUE"):
        split_overrides(["--run", "--json"], ["--json"], ["--run"])


def test_signal_interrupts_once_and_handlers_come_back() -> None:
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interruptible():  # noqa: PT012
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the signal was not heard")
    assert signal.getsignal(signal.SIGINT) is before


def test_signal_ends_the_run_in_order(tmp_path: Path, tiny_model: Path, read_line: Callable[..., str]) -> None:
    folder = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "tapwise",
        "train",
        "debug",
        "--run",
        str(folder),
        "--json",
        "--offline.episodes=40",
    ]
    process = subprocess.Popen(
        [*command, "--policy.model", str(tiny_model), *OVERRIDES],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    try:
        assert "demonstrations" in read_line(process.stderr, 120)  # the first unit has begun
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=240)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=10)
    assert process.returncode == 130, told
    assert "the same command goes on" in told
