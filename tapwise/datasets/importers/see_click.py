"""SeeClick's AitW annotations, which VEM uses too: one JSON file, screenshots as files beside it.

{"general": [episode, ...], "single": ..., "webshopping": ..., "install": ..., "googleapps": ...}; an episode is a list
of steps with places [x, y] in parts of the screen. Source: njucckevin/SeeClick, agent_tasks/aitw_process.py.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tapwise.datasets.importers.aitw import annotation_tree
from tapwise.datasets.importers.aitw_actions import read_action
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
    source_text,
)
from tapwise.errors import DataError, WrongValue
from tapwise.records import Split, Step

_ACTION_FIELDS = ("action_type_id", "action_type_text", "touch", "lift", "type_text")


def episodes(source: Path, options: Options) -> Imported:
    """The episodes of the file; its name says the split: "test" or "val" in it is test.

    A screenshot that is not there is a placeholder, and the task's `missing_images` names its step. Raises DataError
    when the file cannot be read as a whole.
    """
    try:
        content = json.loads(source.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{source} cannot be read ({error}): give SeeClick's JSON of AitW") from error
    if not isinstance(content, dict):
        raise WrongValue(f'{source} is no object of subsets: give SeeClick\'s JSON of AitW, {{"general": [...], ...}}')
    split: Split = "test" if any(part in source.stem for part in ("test", "val")) else "train"
    folders = picture_folders(source, options)
    for subset, found in content.items():
        for index, steps in enumerate(found if isinstance(found, list) else []):
            where = f"{source}, {subset}[{index}]"
            try:
                yield from _episode(subset, steps, split, folders, options, where)
            except DataError as error:
                yield Problem.of(error, "episode")


def _episode(subset: str, steps: Any, split: Split, folders: Sequence[Path], options: Options, where: str) -> Imported:
    if not isinstance(steps, list) or not steps or not all(isinstance(step, dict) for step in steps):
        raise WrongValue(f"{where} is no list of steps")
    name = f"{subset}/{need(steps[0], 'ep_id', object, where)}"
    if f"see_click/{name}" in options.skip:
        return
    made, missing = [], []
    for index, step in enumerate(steps):
        made.append(_step(step, folders, options, f"{where}[{index}]"))
        if made[-1].observation.screenshot is placeholder(options.size):
            missing.append(index)
    goal = need(steps[0], "goal", str, where)
    yield build("see_click", name, goal, made, template=subset, split=split, missing_images=missing)


def _step(step: Mapping[str, Any], folders: Sequence[Path], options: Options, where: str) -> Step:
    file = need(step, "img_filename", str, where)
    path = find_picture(file if Path(file).suffix in (".png", ".jpg", ".jpeg") else f"{file}.png", folders)
    screenshot = load_picture(path) or placeholder(options.size)
    kind = step.get("action_type_id", step.get("action_type_text"))
    if not isinstance(kind, int | str):
        raise WrongValue(f"{where}: it has neither action_type_id nor action_type_text")
    touch, lift = step.get("touch", (-1, -1)), step.get("lift", (-1, -1))
    text = source_text({name: step[name] for name in _ACTION_FIELDS if name in step})
    decision = decide(lambda: read_action(kind, touch, lift, str(step.get("type_text") or ""), where), text)
    boxes = (step.get("annot_position") if options.keep_ui else None) or []
    ui = annotation_tree(boxes, (), (), screenshot.size) if len(boxes) % 4 == 0 else None
    return Step(observe(screenshot, ui=ui), decision)
