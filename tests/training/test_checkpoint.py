"""Checkpoints survive being cut anywhere, and random numbers go on where they stopped."""

from __future__ import annotations

import logging
import pathlib
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tapwise.errors import CheckpointError
from tapwise.training.checkpoint import check_fits, load_checkpoint, restore_rng_state, rng_state, save_checkpoint


def _state(step: int) -> dict[str, Any]:
    return {"step": step, "weights": torch.full((3000,), float(step)), "seen": ["a", "b"], "best": None}


def test_a_folder_without_checkpoints_has_none(tmp_path: Path) -> None:
    assert load_checkpoint(tmp_path) is None
    assert load_checkpoint(tmp_path / "absent") is None


def test_the_newest_comes_back_and_two_are_kept(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "checkpoints"
    paths = [save_checkpoint(folder, _state(step)) for step in range(1, 5)]
    loaded = load_checkpoint(folder)
    assert loaded is not None
    assert loaded["step"] == 4
    assert loaded["seen"] == ["a", "b"]
    assert torch.equal(loaded["weights"], torch.full((3000,), 4.0))
    assert sorted(folder.iterdir()) == paths[-2:]


def test_numbers_are_ordered_as_numbers(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _state(1)).rename(tmp_path / "checkpoint-999999.pt")
    assert save_checkpoint(tmp_path, _state(2)).name == "checkpoint-1000000.pt"
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded["step"] == 2


def _cut(keep: float) -> Callable[[bytes], bytes]:
    return lambda data: data[: int(len(data) * keep)]


def _flip(data: bytes) -> bytes:
    middle = data.index(torch.full((10,), 2.0).numpy().tobytes())
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _damaged_directory(data: bytes) -> bytes:
    name = data.rindex(b"data.pkl")
    return data[:name] + b"\xe4" + data[name + 1 :]


DAMAGE = [_cut(0.0), _cut(0.1), _cut(0.5), _cut(0.999), _flip, _damaged_directory, lambda data: bytes(len(data))]


@pytest.mark.parametrize("damage", DAMAGE, ids=["empty", "10%", "50%", "99.9%", "one bit", "directory", "zeros"])
def test_a_torn_newest_one_is_passed_over(
    tmp_path: Path, damage: Callable[[bytes], bytes], caplog: pytest.LogCaptureFixture
) -> None:
    save_checkpoint(tmp_path, _state(1))
    newest = save_checkpoint(tmp_path, _state(2))
    newest.write_bytes(damage(newest.read_bytes()))
    with caplog.at_level(logging.WARNING):
        loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded["step"] == 1
    assert str(newest) in caplog.text


def test_a_torn_file_does_not_push_out_the_last_good_one(tmp_path: Path) -> None:
    good = save_checkpoint(tmp_path, _state(1))
    torn = save_checkpoint(tmp_path, _state(2))
    torn.write_bytes(b"PK")
    newest = save_checkpoint(tmp_path, _state(3))
    assert sorted(tmp_path.iterdir()) == [good, newest]


def test_nothing_but_torn_files_is_an_error_that_says_what_to_do(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _state(1)).write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"checkpoint-000001\.pt.*--fresh"):
        load_checkpoint(tmp_path)


def test_a_whole_file_that_is_no_state_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _state(1))
    foreign = tmp_path / "checkpoint-000002.pt"
    torch.save({"path": pathlib.PurePosixPath("a")}, foreign)
    with pytest.raises(CheckpointError, match=r"checkpoint-000002\.pt cannot be read"):
        load_checkpoint(tmp_path)
    torch.save([1, 2], foreign)
    with pytest.raises(CheckpointError, match="holds a list"):
        load_checkpoint(tmp_path)


def test_a_killed_writer_s_leftovers_are_ignored_and_cleared(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _state(1))
    leftover = tmp_path / "checkpoint-000002.pt.tmp"
    leftover.write_bytes(b"half")
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded["step"] == 1
    save_checkpoint(tmp_path, _state(2))
    assert not leftover.exists()


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CheckpointError, match=r"no checkpoint can be written to .*file"):
        save_checkpoint(tmp_path / "file", _state(1))


def test_a_failed_save_leaves_the_last_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_checkpoint(tmp_path, _state(1))

    def full_disk(*_: object) -> None:
        raise RuntimeError("no space left on device")

    monkeypatch.setattr(torch, "save", full_disk)
    with pytest.raises(CheckpointError, match="free space"):
        save_checkpoint(tmp_path, _state(2))
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded["step"] == 1


@pytest.mark.parametrize("value", [np.float64(1.0), np.zeros(3), pathlib.PurePosixPath("a")])
def test_a_state_that_could_not_be_resumed_from_is_refused_when_saved(tmp_path: Path, value: object) -> None:
    save_checkpoint(tmp_path, _state(1))
    with pytest.raises(CheckpointError, match="could not be loaded again"):
        save_checkpoint(tmp_path, {"step": 2, "value": value})
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    assert loaded["step"] == 1


def test_models_and_optimisers_come_back(tmp_path: Path) -> None:
    model = torch.nn.Linear(2, 2)
    optimiser = torch.optim.AdamW(model.parameters())
    model(torch.ones(2)).sum().backward()
    optimiser.step()
    save_checkpoint(tmp_path, {"model": model.state_dict(), "optimiser": optimiser.state_dict()})
    loaded = load_checkpoint(tmp_path)
    assert loaded is not None
    fresh = torch.nn.Linear(2, 2)
    fresh.load_state_dict(loaded["model"])
    assert torch.equal(fresh.weight, model.weight)
    torch.optim.AdamW(fresh.parameters()).load_state_dict(loaded["optimiser"])


def test_what_may_not_be_read_is_not_called_torn(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, _state(1))
    (tmp_path / "checkpoint-000002.pt").mkdir()
    with pytest.raises(CheckpointError, match=r"checkpoint-000002\.pt cannot be read \(IsADirectoryError\)"):
        load_checkpoint(tmp_path)


def test_another_recipe_s_checkpoint_is_refused() -> None:
    check_fits({"recipe_sha": "abc"}, "abc")
    with pytest.raises(CheckpointError, match=r"recipe abc, but the run's recipe is def: .*--fresh"):
        check_fits({"recipe_sha": "abc"}, "def")
    with pytest.raises(CheckpointError, match="an unnamed recipe"):
        check_fits({}, "def")


BIT_GENERATORS = [np.random.PCG64, np.random.PCG64DXSM, np.random.MT19937, np.random.Philox, np.random.SFC64]


@pytest.mark.parametrize("kind", BIT_GENERATORS)
def test_random_numbers_go_on_through_a_checkpoint(tmp_path: Path, kind: type[np.random.BitGenerator]) -> None:
    generators = {"tasks": np.random.Generator(kind(3))}  # type: ignore[call-arg]
    randoms = {"noise": random.Random(4)}

    def draw() -> list[float]:
        floats = [float(torch.rand(())), randoms["noise"].random(), randoms["noise"].gauss(0, 1)]
        return [*floats, *generators["tasks"].random(3).tolist(), int(generators["tasks"].integers(2**31))]

    with torch.random.fork_rng(devices=[]):
        draw()
        save_checkpoint(tmp_path, {"rng": rng_state(generators, randoms)})
        expected = draw()
        draw()
        loaded = load_checkpoint(tmp_path)
        assert loaded is not None
        restore_rng_state(loaded["rng"], generators, randoms)
        assert draw() == expected


def test_generators_must_be_those_of_the_checkpoint() -> None:
    state = rng_state({"tasks": np.random.default_rng(0)}, {"noise": random.Random(0)})
    with pytest.raises(CheckpointError, match=r"NumPy generators \['tasks'\], but the run has \[\]"):
        restore_rng_state(state)
    with pytest.raises(CheckpointError, match=r"Python generators \['noise'\], but the run has \['other'\]"):
        restore_rng_state(state, {"tasks": np.random.default_rng(0)}, {"other": random.Random(0)})
    with pytest.raises(CheckpointError, match="keeps a PCG64"):
        restore_rng_state(state, {"tasks": np.random.Generator(np.random.MT19937(0))}, {"noise": random.Random(0)})
