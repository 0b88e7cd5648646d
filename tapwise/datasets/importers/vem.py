"""VEM's JSONL: one row per step, each with its whole episode; `*_critic.jsonl` adds GPT-4o's label of the step.

Places are [x, y] in parts of the screen, as in SeeClick. A scroll label names the content's direction and counts more
than the places beside it, which VEM's conversion turned round. Source: microsoft/GUI-Agent-RL, data_preprocess.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tapwise.datasets.importers.aitw_actions import read_action
from tapwise.datasets.importers.common import (
    Imported,
    Options,
    Problem,
    build,
    decide,
    find_picture,
    json_lines,
    load_picture,
    need,
    observe,
    picture_folders,
    placeholder,
    source_text,
)
from tapwise.errors import DataError, WrongValue
from tapwise.records import Action, Split, Step

_LABELS = {"1": 0.0, "2": 1.0}

Row = tuple[str, dict[str, Any]]


def episodes(source: Path, options: Options) -> Imported:
    """Each episode once, wherever its rows lie: VEM's labelling writes them in the order in which answers came.

    A label 1 or 2 (bad or good) becomes the step's value 0 or 1. Raises DataError when the file cannot be opened.
    """
    split: Split = "test" if any(part in source.stem for part in ("test", "val")) else "train"
    folders = picture_folders(source, options)
    for rows in _groups(source):
        if isinstance(rows, Problem):
            yield rows
            continue
        where, first = rows[0]
        if f"vem/{source.stem}/{first['ep_id']}" in options.skip:
            continue
        try:
            yield from _episode(f"{source.stem}/{first['ep_id']}", rows, split, folders, options, where)
        except DataError as error:
            yield Problem.of(error, "episode")


def _groups(source: Path) -> Iterator[list[Row] | Problem]:
    groups: dict[str, list[Row]] = {}
    for item in json_lines(source):
        if isinstance(item, DataError):
            yield Problem.of(item, "step")
            continue
        where, row = item
        if "ep_id" not in row:
            yield Problem("MissingFeature", f"{where}: field 'ep_id' is missing: check the file's format", "step")
            continue
        rows = groups.setdefault(str(row["ep_id"]), [])
        # All that later rows of an episode add is their label.
        labels: dict[str, Any] = {name: row[name] for name in ("ep_id", "step_id", "critic_output") if name in row}
        rows.append((where, labels if rows else row))
    yield from groups.values()


def _episode(
    name: str, rows: Sequence[Row], split: Split, folders: Sequence[Path], options: Options, where: str
) -> Imported:
    row = rows[0][1]
    actions, pictures = need(row, "action_list", list, where), need(row, "image_list", list, where)
    if len(actions) != len(pictures) or not actions:
        raise WrongValue(
            f"{where}: {len(actions)} actions and {len(pictures)} images: VEM's preparation leaves out missing images"
            " and so shifts actions against them; prepare the file again with all images"
        )
    values = {other.get("step_id"): _LABELS.get(str(other.get("critic_output")).strip()) for _, other in rows}
    made, missing = [], []
    for index, (action, picture) in enumerate(zip(actions, pictures, strict=True)):
        here = f"{where}, action {index}"
        if not isinstance(action, Mapping):
            raise WrongValue(f"{here} is no object")
        found = load_picture(find_picture(str(picture), folders))
        if found is None:
            missing.append(index)

        def read(action: Mapping[str, Any] = action, here: str = here) -> Action:
            kind = need(action, "action_type", object, here)
            touch, lift = action.get("touch_point", (-1, -1)), action.get("lift_point", (-1, -1))
            if not isinstance(kind, int | str):
                raise WrongValue(f"{here}: action_type {kind!r} is neither a number nor a name")
            return read_action(kind, touch, lift, str(action.get("typed_text") or ""), here)

        screen = observe(found or placeholder(options.size))
        made.append(Step(screen, decide(read, source_text(action)), value=values.get(index)))
    goal = need(row, "task", str, where)
    yield build("vem", name, goal, made, template=source_part(name), split=split, missing_images=missing)


def source_part(name: str) -> str:
    """The subset in a name such as `general_train/123`."""
    return name.split("/", 1)[0].split("_", 1)[0]
