"""DigiRL's trajectories: torch files of list[trajectory], a trajectory being a list of step dicts.

`image_path` is the screenshot AFTER the step's action (DigiRL issue #1), so that step k is decided on the picture of
step k - 1; the one before the first action is not in the data and becomes a placeholder. Files are read with
`weights_only=True`: they can hold no code.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tapwise.datasets.importers.aitw_actions import read_auto_ui
from tapwise.datasets.importers.common import (
    Imported,
    Options,
    Problem,
    build,
    decide,
    find_picture,
    load_picture,
    need,
    observe,
    picture_folders,
    placeholder,
)
from tapwise.errors import DataError, WrongValue
from tapwise.records import Action, Screenshot, Step, Verdict


def episodes(source: Path, options: Options) -> Imported:
    """The trajectories of one file, named by file and position. Raises DataError when the file cannot be read."""
    content = load(source)
    folders = picture_folders(source, options)
    for index, steps in enumerate(content):
        name = f"{source.stem}/{index:05d}"
        if f"digirl/{name}" in options.skip:
            continue
        try:
            yield from _episode(name, steps, folders, options, f"{source}, trajectory {index}")
        except DataError as error:
            yield Problem.of(error, "episode")


def load(path: Path) -> list[Any]:
    """The list in a torch file, read without executing anything in it. Raises DataError."""
    try:
        import numpy as np
        import torch
    except ImportError as error:
        raise DataError(f"{path} is a torch file: install tapwise[train] to read it") from error

    kinds = {type(np.dtype(name)) for name in ("float32", "float64", "int32", "int64", "uint8", "bool")}
    makers: list[Any] = [np.array(0.0).__reduce__()[0], np.float64(0).__reduce__()[0]]
    try:
        # Scores may be numpy's numbers; these constructors only make arrays.
        with torch.serialization.safe_globals([np.ndarray, np.dtype, *kinds, *makers]):
            content = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(
            f"{path} cannot be read as a torch file of plain data ({reason}): fetch it again; files that hold code are"
            " not opened"
        ) from error
    if not isinstance(content, list):
        raise WrongValue(f"{path} holds a {type(content).__name__}, expected a list of trajectories")
    return content


def _episode(name: str, steps: Any, folders: Sequence[Path], options: Options, where: str) -> Imported:
    if not isinstance(steps, list) or not steps or not all(isinstance(step, Mapping) for step in steps):
        raise WrongValue(f"{where} is no list of steps")
    after = [_picture(step, folders) for step in steps]
    before = [None, *after[:-1]]
    size = next((picture.size for picture in after if picture is not None), options.size)
    made = []
    for index, (step, picture) in enumerate(zip(steps, before, strict=True)):
        text = need(step, "action", str, f"{where}, step {index}")

        def read(text: str = text, index: int = index) -> Action:
            return read_auto_ui(text, f"{where}, step {index}", pixels=size)

        screen = observe(picture or placeholder(size))
        made.append(Step(screen, decide(read, text), reward=float(step.get("reward", 0.0))))
    total = float(steps[-1].get("trajectory_reward", sum(step.reward for step in made)))
    yield build(
        "digirl",
        name,
        need(steps[0], "task", str, where),
        made,
        missing_images=[index for index, picture in enumerate(before) if picture is None],
        final=None if after[-1] is None else observe(after[-1]),
        verdict=Verdict(total > 0, "digirl:evaluator", score=total),
    )


def _picture(step: Mapping[str, Any], folders: Sequence[Path]) -> Screenshot | None:
    path = step.get("image_path")
    return load_picture(find_picture(path, folders)) if isinstance(path, str) else None
