"""Checkpoints that a killed run can be resumed from, and the state of its random numbers.

A folder holds `checkpoint-000001.pt`, `checkpoint-000002.pt`, ...: the highest number is the newest. Each is written
beside its name, flushed to the disk and renamed, so that a run killed at any moment leaves the previous one whole.
A state may hold tensors, numbers, texts, None and lists, tuples and dicts of these: it is loaded with
`weights_only`, so that a checkpoint from elsewhere cannot run code.
"""

from __future__ import annotations

import json
import logging
import os
import random
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import PickleError
from typing import Any

import numpy as np
import torch

from tapwise.errors import CheckpointError

KEPT = 2
_NAME = re.compile(r"checkpoint-(\d{6,})\.pt")
_TEMPORARY = ".tmp"

_log = logging.getLogger(__name__)


def save_checkpoint(folder: Path, state: Mapping[str, Any]) -> Path:
    """Write `state` as the newest checkpoint of `folder`, keep the last two, and return its path.

    Only one process may write to a folder. Raises CheckpointError when the file cannot be written, in which case the
    checkpoints already there are untouched.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        number = max(map(_number, _newest_first(folder)), default=0) + 1
        path = folder / f"checkpoint-{number:06d}.pt"
        temporary = path.with_name(path.name + _TEMPORARY)
        with temporary.open("wb") as file:
            torch.save(dict(state), file)
            file.flush()
            os.fsync(file.fileno())
        # Mapped, so that this reads the structure and not the tensors: a state that cannot be resumed from must not
        # be found out at the resumption.
        torch.load(temporary, map_location="cpu", weights_only=True, mmap=True)
        temporary.replace(path)
        _flush_folder(folder)
        _prune(folder)
    except (OSError, RuntimeError) as error:  # torch reports a full disk as a RuntimeError
        raise CheckpointError(
            f"no checkpoint can be written to {folder} ({error}): check its rights and the disk's free space"
        ) from error
    except PickleError as error:
        raise CheckpointError(
            f"the state for {folder} could not be loaded again: it may hold tensors, numbers, texts, None and lists, "
            f"tuples and dicts of these; turn NumPy values and records into such"
        ) from error
    return path


def load_checkpoint(folder: Path) -> dict[str, Any] | None:
    """The newest state in `folder`, its tensors on the CPU, or None when there is no checkpoint yet.

    A file that is cut short or whose bytes changed, as a failing disk or a broken copy leaves it, is passed over for
    the one before it, with a warning in the log. Raises CheckpointError when no file is whole, or when a whole file
    cannot be read as a state.
    """
    paths = _newest_first(folder)
    for path in paths:
        try:
            if _torn(path):
                _log.warning("checkpoint %s is torn: falling back to the one before it", path)
                continue
            state = torch.load(path, map_location="cpu", weights_only=True)
        except (OSError, RuntimeError, PickleError, EOFError) as error:
            raise CheckpointError(
                f"checkpoint {path} cannot be read ({type(error).__name__}): it is not torn, but not a state that "
                "tapwise wrote, or not readable by this user; move it away to resume from the one before it"
            ) from error
        if not isinstance(state, dict):
            raise CheckpointError(f"checkpoint {path} holds a {type(state).__name__}, not a run's state: move it away")
        return state
    if paths:
        names = ", ".join(path.name for path in paths)
        raise CheckpointError(
            f"every checkpoint in {folder} is torn ({names}): restore one from a backup, or start over with --fresh"
        )
    return None


def check_fits(state: Mapping[str, Any], recipe_sha: str) -> None:
    """Raise CheckpointError unless `state["recipe_sha"]` says that this very recipe made the checkpoint."""
    made_by = state.get("recipe_sha")
    if made_by != recipe_sha:
        origin = f"recipe {made_by}" if made_by else "an unnamed recipe"
        raise CheckpointError(
            f"the checkpoint in this run directory was made by {origin}, but the run's recipe is {recipe_sha}: "
            "choose another run directory, or start over with --fresh"
        )


def rng_state(
    generators: Mapping[str, np.random.Generator] | None = None, randoms: Mapping[str, random.Random] | None = None
) -> dict[str, Any]:
    """The state of torch's generators (CPU and every CUDA device) and of the named NumPy and Python ones.

    The result may be part of a checkpoint's state.
    """
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        # As text: bit generators keep arrays, which `weights_only` refuses.
        "numpy": {
            name: json.dumps(generator.bit_generator.state, default=_array_as_list)
            for name, generator in (generators or {}).items()
        },
        "python": {name: generator.getstate() for name, generator in (randoms or {}).items()},
    }


def restore_rng_state(
    state: Mapping[str, Any],
    generators: Mapping[str, np.random.Generator] | None = None,
    randoms: Mapping[str, random.Random] | None = None,
) -> None:
    """Set torch's generators and the given ones to what `rng_state` returned; the names must be the same.

    CUDA devices that the state knows nothing of keep their seed, and states of devices that are not here are left
    out, so that a run may move to another machine. Raises CheckpointError, before anything is changed, when a
    generator's name or kind differs from the state's.
    """
    numpy_states = {name: json.loads(text, object_hook=_lists_as_arrays) for name, text in state["numpy"].items()}
    _check_names("NumPy", numpy_states, generators or {})
    _check_names("Python", state["python"], randoms or {})
    for name, generator in (generators or {}).items():
        kept, here = numpy_states[name]["bit_generator"], generator.bit_generator.state["bit_generator"]
        if kept != here:
            raise CheckpointError(
                f"the checkpoint keeps a {kept} for NumPy generator {name!r}, but the run uses a {here}: "
                "resume with the version that made the checkpoint, or start over with --fresh"
            )
    for name, generator in (generators or {}).items():
        generator.bit_generator.state = numpy_states[name]
    for name, source in (randoms or {}).items():
        source.setstate(state["python"][name])
    torch.set_rng_state(state["torch"])
    devices = torch.cuda.device_count() if torch.cuda.is_available() else 0
    for index, device_state in enumerate(state["cuda"][:devices]):
        torch.cuda.set_rng_state(device_state, index)


def _number(path: Path) -> int:
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else 0


def _newest_first(folder: Path) -> list[Path]:
    found = [path for path in folder.glob("checkpoint-*.pt") if _number(path) > 0]
    return sorted(found, key=_number, reverse=True)


def _torn(path: Path) -> bool:
    """Whether the archive's end is missing or an entry fails its checksum, which torch itself does not look at."""
    # Opened here, because `is_zipfile` calls a file that may not be read no archive.
    with path.open("rb") as file:
        try:
            if not zipfile.is_zipfile(file):
                return True
            with zipfile.ZipFile(file) as archive:
                return archive.testzip() is not None
        except (zipfile.BadZipFile, RuntimeError, ValueError, EOFError):
            # A damaged directory shows in many ways: names that are no text, flags of unknown or encrypted archives.
            return True


def _prune(folder: Path) -> None:
    """Delete all but the newest whole checkpoints, and what killed writers left behind."""
    # Torn files are not counted, or they would push out the last good one.
    whole = [path for path in _newest_first(folder) if zipfile.is_zipfile(path)]
    for path in set(_newest_first(folder)) - set(whole[:KEPT]):
        path.unlink()
    for leftover in folder.glob(f"checkpoint-*.pt{_TEMPORARY}"):
        leftover.unlink()


def _flush_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _check_names(kind: str, kept: Mapping[str, Any], here: Mapping[str, Any]) -> None:
    if set(kept) != set(here):
        raise CheckpointError(
            f"the checkpoint keeps {kind} generators {sorted(kept)}, but the run has {sorted(here)}: "
            "resume with the version that made the checkpoint, or start over with --fresh"
        )


def _array_as_list(value: object) -> dict[str, Sequence[int] | str]:
    if isinstance(value, np.ndarray):
        return {"dtype": str(value.dtype), "array": value.tolist()}
    raise TypeError(f"a bit generator keeps a {type(value).__name__}, which cannot be written")


def _lists_as_arrays(value: dict[str, Any]) -> Any:
    return np.array(value["array"], dtype=value["dtype"]) if set(value) == {"dtype", "array"} else value
